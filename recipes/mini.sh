#!/usr/bin/env bash
# Make a model like the bundled one from nothing: compose music, train each part in its turn, put them together.
#   recipes/mini.sh [--tiny] FOLDER        -> FOLDER/data, FOLDER/run, FOLDER/model
# It needs what composing needs (see the README). A stage that takes longer than $MINUTES (25) stops there with exit status 75: the same
# command goes on. A stage that is done is skipped. --tiny takes two steps of each on four clips: the route is whole, the music is noise.
# Also from the environment: $DEVICE (cuda or cpu), $WORKERS (processes that compose and draw batches), $PYTHON, and
# $TEXT_ENCODER, the folder of all-MiniLM-L6-v2 (the bundled model's copy of it).
set -euo pipefail

home=$(cd "$(dirname "$0")/.." && pwd)
tiny=
[ "${1-}" = --tiny ] && { tiny=yes; shift; }
folder=${1:?give a folder to work in}
python=${PYTHON:-$home/.venv/bin/python}
minutes=${MINUTES:-25}
workers=${WORKERS:-$(nproc)}
device=${DEVICE:-$(command -v nvidia-smi >/dev/null && echo cuda || echo cpu)}
data=$folder/data run=$folder/run
mkdir -p "$folder/done"

later() { # what stopped
  echo "$1; the same command goes on" >&2
  exit 75
}

stage() { # NAME COMMAND...: run a command once
  local name=$1
  shift
  if [ -e "$folder/done/$name" ]; then
    echo "$name: done before"
  else
    "$@"
    touch "$folder/done/$name"
  fi
}

compose() { # COUNT
  local status=0
  timeout --signal=INT "${minutes}m" "$python" -m musicbench compose --count "$1" --seed 20000000 --workers "$workers" -o "$data" || status=$?
  [ $status != 124 ] || later "compose: $minutes minutes are over"
  return $status
}

train() { # PART OPTIONS...
  "$python" -m mustango train "$1" -o "$run" "${@:2}"
}

fitted() { # PART STEPS BATCH_SIZE LEARNING_RATE
  local steps=${tiny:+2} size=${tiny:+2} ahead=() reached
  [ "$device" = cpu ] || ahead=(--loaders "$workers")
  train "$1" --data "$data" --steps "${steps:-$2}" --batch-size "${size:-$3}" --lr "$4" --minutes "$minutes" --device "$device" "${ahead[@]}"
  reached=$(tail -n 1 "$run/$1/curve.csv" | cut -d, -f1)
  [ "$reached" -ge "${steps:-$2}" ] || later "$1: step $reached of $2 after $minutes minutes"
}

text() { # the encoder and its tokenizer in one folder, as they are published
  local encoder=${TEXT_ENCODER:-$folder/text_encoder}
  if [ -z "${TEXT_ENCODER-}" ]; then
    mkdir -p "$encoder"
    cp "$home"/checkpoints/mustango-mini/{text_encoder,tokenizer}/* "$encoder"
  fi
  train text --text-encoder "$encoder"
}

stage compose compose "$([ "$tiny" ] && echo 4 || echo 14440)"
stage vae fitted vae 5737 64 6e-4
stage sharpen train sharpen --data "$data"
stage vocoder fitted vocoder 12000 32 6e-4
stage refiner fitted refiner 7500 16 7e-4
stage postfilter fitted postfilter 3800 16 8e-4
stage text text
stage munet fitted munet 6277 128 7e-4
stage bundle train bundle --to "$folder/model"
echo "$folder/model: try  mustango generate \"calm piano\" --model $folder/model"

#!/usr/bin/env bash
# Fetch real recordings for trying the builder: free game soundtracks from Debian, unpacked into a folder, nothing installed.
#   benchmarks/fetch_music.sh FOLDER [PACKAGE ...]
# singularity-music: 63 min (CC BY-SA 3.0); hyperrogue-music: 23 min (CC BY-SA 3.0); asc-music: 18 min (GPL-2+);
# warzone2100-music: 243 min (per-track licences); wesnoth-1.16-music and nexuiz-music (GPL-2+),
# ufoai-music (GPL-2+, CC BY and CC BY-SA, by track). Music is taken out of .pk3 files, which are ZIPs.
set -euo pipefail
folder=${1:?give a folder to unpack into}
shift
mkdir -p "$folder"
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
for package in "${@:-singularity-music}"; do
  (cd "$temporary" && apt-get download "$package")
  dpkg-deb -x "$temporary/$package"_*.deb "$temporary/$package"
  mkdir -p "$folder/$package"
  find "$temporary/$package" -type f -name '*.pk3' -exec unzip -qo {} -d "$temporary/$package/pk3" \;
  find "$temporary/$package" -type f \( -name '*.ogg' -o -name '*.opus' -o -name '*.mp3' \) -exec cp {} "$folder/$package/" \;
  echo "$folder/$package: $(find "$folder/$package" -type f | wc -l) files"
done

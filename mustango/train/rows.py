"""The rows that are learnt from, and stretches of their sound as the bundled model's front end takes it."""

from pathlib import Path

import numpy as np
import torch

from musicbench import InputError
from musicbench.build.dataset import read_rows
from musicbench.files import inside
from mustango.release.files import read_json
from mustango.train.checks import dataset_of

# The bundled model's front end: 24 kHz, 128 ms windows, 192 bands down to 9 Hz apart, so that neighbouring semitones
# stay apart.
MEL = dict(
    sample_rate=24000, n_fft=3072, hop_length=384, n_mels=192, f_max=12000.0, htk=True, mean=-3.25, std=2.0, fold=(4, 8)
)  # fmt: skip


def check_front_end(run):
    """Raise InputError if a run began with a model of another mel than VAE and vocoder are trained on here."""
    path = Path(run) / "parts" / "mel" / "config.json"
    if not path.is_file():
        return
    front_end = read_json(path)
    if any(front_end.get(name) != MEL[name] for name in ("sample_rate", "n_fft", "hop_length", "n_mels")):
        raise InputError(f"{run} began with a model of another front end; of such a model only `munet` can be trained")


def training_rows(folder, needed=("location",), may_be_made=False):
    """Return a dataset's rows without its validation and test songs; those of a split of it for DATASET/validation.

    may_be_made: rows without an audio file will do, if they say how it is made. Raises InputError when none are left,
    or one lacks a field or its audio.
    """
    rows = []
    for number, row in enumerate(_rows_of(folder), 1):
        lacks = next((name for name in needed if not isinstance(row.get(name), str)), None)
        if lacks:
            raise InputError(f"row {number} of {folder} has no {lacks}; make the dataset anew, or delete the row")
        if row["location"].startswith(("validation/", "test/")) and dataset_of(folder) == Path(folder):
            continue
        if not inside(folder, row["location"]).is_file() and not (may_be_made and "source_frames" in row):
            remedy = "make the dataset anew" + (" without --rows-only" if "source_frames" in row else ", or delete the row")
            raise InputError(f"row {number} of {folder} has no audio at {row['location']}; {remedy}")
        rows.append(row)
    if not rows and dataset_of(folder) != Path(folder):
        raise InputError(f"no rows of {folder}; build the dataset with a recipe that has a validation_share")
    if not rows:
        raise InputError(f"{folder} has no rows to train on; make some: musicbench compose --count 1000 -o {folder}")
    return rows


def _rows_of(folder):
    """Return the rows of a dataset, or of a split of it, whose files are then named as they lie in the split's folder."""
    dataset, name = dataset_of(folder), f"{Path(folder).name}/"
    rows = read_rows(dataset)
    if dataset == Path(folder):
        return rows
    own = [row for row in rows if str(row.get("location")).startswith(name)]
    return [row | {"location": row["location"].removeprefix(name)} for row in own] if Path(folder).is_dir() else own


def read_crops(rows, folder, rng, size, samples, gains=(1.0, 1.0)):
    """Return random stretches (size, samples) of random rows' audio, float32, at the model's sample rate.

    Each is multiplied by a gain of the range `gains`.
    """
    import soundfile
    import soxr

    crops = np.zeros((size, samples), np.float32)
    for crop in crops:
        row = rows[rng.integers(len(rows))]
        path = Path(folder) / row["location"]
        try:
            with soundfile.SoundFile(path) as file:
                rate, frames = file.samplerate, -(-samples * file.samplerate // MEL["sample_rate"])
                file.seek(int(rng.integers(max(file.frames - frames, 0) + 1)))
                data = file.read(frames, dtype="float32", always_2d=True).mean(axis=1)
        except (soundfile.LibsndfileError, OSError) as error:
            raise InputError(f"cannot read {path} as audio ({error}); make the dataset anew, or delete its row") from None
        data = soxr.resample(data, rate, MEL["sample_rate"])[:samples]
        crop[: len(data)] = data
    return torch.from_numpy(crops * rng.uniform(*gains, (size, 1)).astype(np.float32))

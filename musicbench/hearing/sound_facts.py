"""How a clip sounds, as numbers, and the words that they allow: dark or bright, sparse or busy, calm or energetic.

Brightness and density are the log odds that a composed piece with such a spectrum, with such attacks, was composed as bright
rather than dark, as busy rather than sparse; both do not change with the level. `benchmarks/calibrate_words.py` fitted them
and measured from where on a word is right. A word is said where its number is clear, and not where the other clips of the
song say otherwise. A pitch copy has its original's numbers, a tempo copy those that are `scaled`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from musicbench.hearing.sound_weights import BRIGHTNESS, CLEAR, DENSITY

RATE, FRAME, HOP = 22050, 1024, 512
BANDS_HZ = tuple(round(60 * 2 ** (i / 3), 1) for i in range(23))  # thirds of octaves
ATTACKS = (
    "onsets", "high_onsets", "low_onsets", "gaps_12db", "gaps_20db", "again_in_tenths", "again_in_quarters", "again_in_halves",
    "attack", "flux",
)  # fmt: skip
CALM_LUFS, ENERGETIC_LUFS = -22.0, -19.5  # of the reference set, which lies between -24 and -17
BEYOND_LUFS = -17.0  # louder than any of the reference set: mastered, which says nothing of how it is played
QUIETER_LU, LOUDER_LU = 6.0, 4.0  # beside the middle of the song's clips


@dataclass(frozen=True)
class SoundFacts:
    """What is measured in a clip.

    loudness_lufs: integrated (ITU-R BS.1770), -70 for silence; range_db: between the soft and the loud tenth of its 100 ms;
    onsets_per_s; brightness_hz: the centroid above the bass; brightness and density: log odds.
    """

    loudness_lufs: float
    range_db: float
    onsets_per_s: float
    brightness_hz: float
    brightness: float
    density: float

    def scaled(self, rate: float) -> "SoundFacts":
        """Return the numbers of a copy that is `rate` times as fast."""
        return replace(self, onsets_per_s=round(self.onsets_per_s * rate, 3))

    def row(self) -> dict[str, float]:
        """Return the numbers as fields of a row."""
        return asdict(self)


def measured(samples: np.ndarray, sample_rate: int) -> SoundFacts:
    """Measure mono samples."""
    power, levels_db, lufs = analysed(samples, sample_rate)
    numbers = attack_numbers(power, levels_db)
    mean = power.mean(axis=1)
    hz = np.fft.rfftfreq(FRAME, 1 / RATE)
    above = (hz >= 150) & (hz < 10000)
    octaves = np.log2(np.maximum(hz, 1))
    soft, loud = np.percentile(levels_db, [10, 95])
    return SoundFacts(
        loudness_lufs=round(lufs, 2),
        range_db=round(float(min(loud - soft, 60)), 2),
        onsets_per_s=round(float(numbers[0]), 3),
        brightness_hz=round(float(2 ** np.average(octaves[above], weights=mean[above] + 1e-12)), 1),
        brightness=round(odds(BRIGHTNESS, band_levels(samples, sample_rate)), 3),
        density=round(odds(DENSITY, numbers), 3),
    )


def odds(fitted: dict, numbers: Sequence[float] | np.ndarray) -> float:
    """Return the log odds of a fitted table for numbers, whose weights are for numbers of mean 0 and deviation 1."""
    means, scales, weights = (np.asarray(fitted[name]) for name in ("means", "scales", "weights"))
    return float(((np.asarray(numbers) - means) / scales) @ weights + fitted["bias"])


def _resampled(samples, sample_rate):
    import soxr

    samples = np.asarray(samples, np.float32)
    samples = samples if sample_rate == RATE else soxr.resample(samples, sample_rate, RATE)
    return np.pad(samples, (0, max(RATE // 2 - len(samples), 0)))


def analysed(samples, sample_rate):
    """Return (power spectra (513, T), level of each 100 ms in dB, integrated loudness in LUFS)."""
    import librosa
    import pyloudnorm

    from musicbench.sound.features import loudness_db

    samples = _resampled(samples, sample_rate)
    power = np.abs(librosa.stft(samples, n_fft=FRAME, hop_length=HOP)) ** 2
    with np.errstate(divide="ignore"):
        lufs = float(pyloudnorm.Meter(RATE).integrated_loudness(samples.astype(np.float64)))
    return power, loudness_db(samples, RATE), max(lufs, -70.0)


def attack_numbers(power: np.ndarray, levels_db: np.ndarray) -> np.ndarray:
    """Return the numbers of ATTACKS of power spectra (513, T) and the level of each 100 ms; none depends on the level.

    Onsets are a second's; "again" is how well the attacks repeat after .1 to .2 s, to .35 s, to .75 s.
    """
    import librosa

    seconds = power.shape[1] * HOP / RATE
    mels = librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=RATE, n_mels=64), ref=np.max, top_db=80)

    def onsets(rows, delta):
        envelope = librosa.onset.onset_strength(S=mels[rows], sr=RATE)
        found = librosa.onset.onset_detect(onset_envelope=envelope, sr=RATE, hop_length=HOP, delta=delta)
        return envelope, found

    envelope, found = onsets(slice(None), 0.07)
    counts = [len(found), len(onsets(slice(24, None), 0.03)[1]), len(onsets(slice(0, 20), 0.03)[1])]
    centred = envelope - envelope.mean()
    again = np.correlate(centred, centred, "full")[len(envelope) - 1 :]
    again = again / (again[0] + 1e-9)
    rising = np.maximum(np.diff(mels[16:40], axis=1), 0)
    return np.array([
        *(count / seconds for count in counts),
        *(float((levels_db < levels_db.max() - below).mean()) for below in (12, 20)),
        again[4:9].max(initial=0), again[9:16].max(initial=0), again[16:33].max(initial=0),
        float(envelope[found].mean()) if len(found) else 0.0,
        float(rising.mean()) if rising.size else 0.0,
    ])  # fmt: skip


def band_levels(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return the share of each of 22 thirds of octaves in what sounds all the time, as a logarithm.

    The geometric mean over time leaves out strokes of drums.
    """
    import librosa

    samples = _resampled(samples, sample_rate)
    power = np.abs(librosa.stft(samples, n_fft=4096, hop_length=2048)) ** 2
    steady = np.exp(np.log(power / (power.mean() + 1e-20) + 1e-8).mean(axis=1))
    hz = np.fft.rfftfreq(4096, 1 / RATE)
    bands = [steady[(hz >= low) & (hz < high)].sum() for low, high in zip(BANDS_HZ, BANDS_HZ[1:], strict=False)]
    return np.log10(np.array(bands) / (steady.sum() + 1e-12) + 1e-6)


def sound_words(facts: SoundFacts, song: Sequence[SoundFacts] = ()) -> tuple[str, ...]:
    """Return what is clear of a clip: "calm" or "energetic", "sparse" or "busy", "dark" or "bright", "quiet" or "loud" passage.

    song: the numbers of all clips of its song, where there are more than one.
    """
    if facts.loudness_lufs <= -60:
        return ()
    middle = {name: float(np.median([one.row()[name] for one in song])) if song else None for name in facts.row()}
    words = [_energy(facts, middle["loudness_lufs"])]
    for low, high, name in (("sparse", "busy", "density"), ("dark", "bright", "brightness")):
        value, usual = facts.row()[name], middle[name]
        if value <= CLEAR[low] and (usual is None or usual < CLEAR[high]):
            words.append(low)
        elif value >= CLEAR[high] and (usual is None or usual > CLEAR[low]):
            words.append(high)
    return tuple(filter(None, words))


def _energy(facts, usual_lufs):
    """Return "calm", "energetic" or None: by loudness and attacks, and by how the song is elsewhere."""
    beside = 0.0 if usual_lufs is None else facts.loudness_lufs - usual_lufs
    is_mastered = facts.loudness_lufs > BEYOND_LUFS
    if facts.loudness_lufs >= ENERGETIC_LUFS and facts.onsets_per_s >= (4.5 if is_mastered else 3.0) and beside > -1:
        return "energetic"
    if (facts.loudness_lufs <= CALM_LUFS or beside <= -QUIETER_LU) and facts.onsets_per_s <= 5 and beside < 1:
        return "calm"
    return None


def place_in_song(facts: SoundFacts, song: Sequence[SoundFacts]) -> str | None:
    """Return "quiet" or "loud" of a clip that stands out of its song, None of any other."""
    if len(song) < 4:
        return None
    beside = facts.loudness_lufs - float(np.median([one.loudness_lufs for one in song]))
    if beside <= -QUIETER_LU:
        return "quiet"
    return "loud" if beside >= LOUDER_LU else None

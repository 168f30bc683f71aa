"""Do words work? What a prompt says, measured in the sound, beside the same measure on the composer's own audio.

    instrument, drums    a probe trained on composed audio alone names the asked one
    moods                of two takes that differ in one word, the right one is louder, busier or brighter
    contradictions       a tempo or chords that were given win over the prompt's
    silences             nothing but drums sounds in bars without a chord, and where the prompt asks for drums alone
    repetition           no two seeds of one prompt sound alike

Composed clips are drawn by seed; those that the probe learns from are of other seeds than those it is asked about.
"""

from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from musicbench import InputError
from musicbench.clip import load_audio, make_folder, save_audio, save_json, written_whole
from musicbench.compose import caption, describe, find_soundfont, plan, render
from musicbench.drumming import drums_of
from musicbench.features import hear, loudness_db, madmom
from musicbench.progression import Progression, beat_grid
from musicbench.styles import MOODS
from musicbench.theory import NO_CHORD, Meter
from mustango.checkpoint import BUNDLED, read_json
from mustango.clips import generate_clip, make_clips, results, round_trip_clip, sample_rate_of, worker_pool
from mustango.embeddings import load_embedder
from mustango.evaluate import fingerprint
from mustango.metrics import Target, beats_f_measure, bootstrap, spans
from mustango.obeyed import matched_share
from mustango.sidecar import read_facts
from mustango.testsets import DURATION_S, Case, composed_case, composed_piece

INSTRUMENTS = ("piano", "distorted guitar", "organ", "strings", "brass section", "choir")
PROBE_CLIPS = 1500
# Mood words' pair: what the composer changes for them, and what is measured; the second word asks for more of it.
PAIRS = {
    ("calm", "energetic"): ("energy", (0.12, 0.88), "loudness"),
    ("sparse", "busy"): ("density", (0.12, 0.88), "onsets a second"),
    ("dark", "bright"): ("register", (-1, 1), "spectral centroid"),
}
BREAK_DB, ALONE_DB = -10.0, -12.0  # below them lie 86 of 88 composed breaks, 45 of 49 drums alone, none of 29 other pieces
REPEATED = "upbeat acoustic guitar pop with drums"
BEATS_A_BAR = (3, 4)
NOTHING = Target(DURATION_S)


@dataclass(frozen=True)
class WordsSetup:
    """`count` clips for the instruments; an eighth of it for each pair of moods, for breaks and for drums alone, a quarter for

    contradictions and for repetition.
    """

    count: int = 200
    seed: int = 7
    model: str = BUNDLED
    device: str = "cpu"
    steps: int = 20
    guidance: float = 3.0
    takes: int = 1


# ---------------------------------------------------------------------------------------------------- what is measured


@cache
def _musicnn():
    return load_embedder("musicnn")


def timbre(samples, sample_rate):
    """Return what the probe knows of a clip (D,): MusiCNN's pooled features, and level, spread and changes of 96 mel bands."""
    model = _musicnn()
    mels = model.log_mels(samples, sample_rate)
    steps = mels.diff(dim=0)
    bands = [mels.mean(0), mels.std(0), steps.clamp(min=0).mean(0), (-steps).clamp(min=0).mean(0), mels.quantile(0.1, dim=0)]
    return np.concatenate([model.pooled(model.patches(mels)).mean(0).numpy(), *(band.numpy() for band in bands)])


def measures(samples, sample_rate):
    """Return {measure: number} for the pairs of moods: loudness in dB, onsets a second, spectral centroid in Hz."""
    import librosa

    onsets = librosa.onset.onset_detect(y=samples, sr=sample_rate)
    return {
        "loudness": float(np.median(loudness_db(samples, sample_rate))),
        "onsets a second": len(onsets) * sample_rate / len(samples),
        "spectral centroid": float(librosa.feature.spectral_centroid(y=samples, sr=sample_rate).mean()),
    }


def tone(samples, sample_rate):
    """Return the power (2, frames) of what is held between 80 and 2,500 Hz (median filters, Driedger et al. 2014), and of all."""
    import librosa

    spectrum = np.abs(librosa.stft(samples, n_fft=4096, hop_length=1024))
    frequency = librosa.fft_frequencies(sr=sample_rate, n_fft=4096)
    held = librosa.decompose.hpss(spectrum, margin=(3.0, 1.0))[0][(frequency > 80) & (frequency < 2500)]
    return np.stack([np.square(held).sum(axis=0), np.square(spectrum).sum(axis=0)])


class Probe:
    """Logistic regressions on `timbre`: which of INSTRUMENTS plays the chords, and whether there are drums."""

    def __init__(self, features, instruments, drums):
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        def fitted(labels):
            return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000)).fit(features, labels)

        self.instruments, self.drums = fitted(instruments), fitted(drums)

    def right(self, features, instrument, drums):
        """Return {"instrument": 0 or 1, "drums": 0 or 1} for what was asked (drums None: not asked)."""
        heard = {"instrument": float(self.instruments.predict(features[None])[0] == instrument)}
        return heard if drums is None else heard | {"drums": float(self.drums.predict(features[None])[0] == drums)}


# ---------------------------------------------------------------------------------------------------- what is asked


def instrument_cases(seed, count):
    """Draw composed cases whose chords are played by one of INSTRUMENTS, equally many of each: [(case, piece)]."""
    left = {name: -(-count // len(INSTRUMENTS)) for name in INSTRUMENTS}
    found, index = [], 0
    while len(found) < count:
        case = composed_case(seed, index)
        piece = composed_piece(case)
        if left.get(piece.comping) and piece.comping in case.prompt:
            left[piece.comping] -= 1
            found.append((replace(case, id=f"instrument-{len(found):04d}"), piece))
        index += 1
    return found


def drums_asked(prompt):
    """Return whether a composer's prompt asks for drums or for none; None when it does not say."""
    text = prompt.lower()
    if "no drums" in text or "without drums" in text:
        return False
    return True if "drum" in text or "percussion" in text else None


def at_tempo(seed, index, tempo):
    """Draw a composed case and give it another tempo; the first from `index` on, by steps of 5,000, whose chords still fit."""
    while True:
        case = composed_case(seed, index)
        case = replace(case, controls=case.controls | {"tempo": tempo})
        progression = Progression.parse(case.controls["chords"], Meter.parse(case.controls["meter"]))
        try:
            progression.lay_out(tempo, DURATION_S)
            return case
        except InputError:
            index += 5000


def mood_cases(seed, count):
    """Draw `count` pairs for each of PAIRS: [(pair, less, more)], each of the two a (case, piece) that differs in one word.

    The tempo lies between calm and energetic, so that it does not gainsay either.
    """
    drawn = []
    for number, (moods, (field, values, _)) in enumerate(PAIRS.items()):
        for index in range(count):
            rng = np.random.default_rng([seed, number, index, 17])
            case = at_tempo(seed, 10_000 * (number + 1) + index, int(rng.integers(86, 110)))
            piece = composed_piece(case)
            drums = ", no drums" if piece.groove == "none" else " with drums"
            pair = []
            for mood, value in zip(moods, values, strict=True):
                prompt = f"{rng.choice(MOODS[mood])} {piece.comping or piece.lead or piece.bass} {piece.style}{drums}"
                name = f"{mood}-{index:03d}"
                pair.append((replace(case, id=name, prompt=prompt), replace(piece, **{field: value})))
            drawn.append((moods, *pair))
    return drawn


def contradictions(seed, count):
    """Draw cases whose prompt gainsays the controls: [(case, piece, what, gainsaid)], half in tempo, half in chords.

    gainsaid: the prompt's tempo, or its chords (a Progression).
    """
    drawn = []
    for index in range(count):
        rng = np.random.default_rng([seed, index, 19])
        sort = f"{rng.choice(['piano', 'acoustic guitar', 'organ', 'strings'])} {rng.choice(['pop', 'rock', 'ballad', 'jazz'])}"
        if index % 2:
            slow, fast = int(rng.integers(60, 76)), int(rng.integers(140, 171))
            asked, said, word = (fast, slow, "slow") if index % 4 == 1 else (slow, fast, "fast")
            case = replace(at_tempo(seed, 50_000 + index, asked), prompt=f"{word} {sort}, {said} bpm")
            what, gainsaid = "tempo", said
        else:
            up = int(rng.choice([1, 3, 6, 8, 11]))
            case = composed_case(seed, 50_000 + index)
            progression = Progression.parse(case.controls["chords"], Meter.parse(case.controls["meter"]))
            bars = tuple(tuple((chord.transposed(up), beats) for chord, beats in bar) for bar in progression.bars)
            what, gainsaid = "chords", Progression(bars=bars)
            names = dict.fromkeys(chord.lead_sheet() for bar in bars for chord, _ in bar)
            case = replace(case, prompt=f"{sort}. The chords are {', '.join(names)}.")
        case = replace(case, id=f"{what}-{index:03d}")
        drawn.append((case, composed_piece(case), what, gainsaid))
    return drawn


def control_wins(case, piece, what, gainsaid, heard):
    """Return 1.0 when a judge hears more of what was given than of what the prompt says, else 0.0."""
    if what == "tempo":
        given, said = (beat_grid(bpm, piece.meter, DURATION_S)[0] for bpm in (case.controls["tempo"], gainsaid))
        return float(beats_f_measure(given, heard.beat_times) > beats_f_measure(said, heard.beat_times))
    bpm = case.controls["tempo"]
    shares = [
        matched_share(*p.lay_out(bpm, DURATION_S), heard.chords, heard.chord_times, DURATION_S)
        for p in (piece.progression, gainsaid)
    ]
    return float(shares[0] > shares[1])


def silences(seed, count):
    """Draw `count` pieces with a break and as many for drums alone: [(case, piece, what)].

    The chords of breaks are given, with N for none; that only drums are to play is said by the prompt alone.
    """
    left, drawn, rng = {"a break": count, "drums alone": count}, [], np.random.default_rng([seed, 23])
    while any(left.values()):
        number = int(rng.integers(10**9, 2**31))
        piece = plan(number, lead_in=False)
        bars = piece.progression.bars
        what = "a break" if piece.voices else "drums alone"
        if not piece.voices and "snare" not in drums_of(piece.groove):
            continue  # skins struck by hand have a pitch
        loop_s = len(bars) * piece.meter.beats * 60 / piece.bpm
        if not left[what] or NO_CHORD not in piece.progression.chords or (piece.voices and not 4 < loop_s < DURATION_S):
            continue
        line = " | ".join(" ".join(f"{chord.lead_sheet()}:{beats:g}" for chord, beats in bar) for bar in bars)
        controls = {"tempo": piece.bpm, "meter": str(piece.meter)} | ({"chords": line} if piece.voices else {})
        left[what] -= 1
        name = f"{what.replace(' ', '-')}-{left[what]:03d}"
        drawn.append((Case(name, caption(describe(piece), rng), NOTHING, NOTHING, controls, number), piece, what))
    return drawn


def only_drums_heard(piece, power):
    """Return 1.0 when nothing but drums is heard where nothing else should be, by `tone`'s power (2, frames), else 0.0."""
    held, total = power
    if not piece.voices:
        return float(10 * np.log10(held.sum() / total.sum()) < ALONE_DB)
    chords, times = piece.progression.lay_out(piece.bpm, DURATION_S, whole=False)
    frames = np.arange(len(held)) * DURATION_S / len(held)
    silent = np.zeros(len(held), bool)
    for chord, (start_s, end_s) in zip(chords, spans(times, DURATION_S), strict=True):
        if chord.root is None:
            silent |= (frames >= start_s + 0.35) & (frames < end_s - 0.05)  # what was struck before may ring out
    return float(10 * np.log10((held[silent].mean() + 1e-9) / held[~silent].mean()) < BREAK_DB)


# ---------------------------------------------------------------------------------------------------- the run


def render_clip(piece, sample_rate, path):
    """Write the composer's audio of a piece."""
    save_audio(path, render(piece, DURATION_S, sample_rate).samples, sample_rate)


def _known(piece, sample_rate):
    return timbre(render(piece, DURATION_S, sample_rate).samples, sample_rate)


def _listened(kind, path):
    samples, rate = load_audio(path)
    if kind == "heard":
        return hear(samples, rate, BEATS_A_BAR)
    if kind == "embedded":
        return _musicnn()(samples, rate)[0].mean(axis=0)
    return {"timbre": timbre, "measures": measures, "tone": tone}[kind](samples, rate)


def _listen(pool, kind, paths):
    jobs = {id_: pool.submit(_listened, kind, path) for id_, path in paths.items()}
    return results(kind, jobs)


def train_probe(pool, seed, path, sample_rate):
    """Return the Probe trained on composed clips of a seed; what it learns from is kept in `path` (.npz)."""
    if not path.is_file():
        cases = instrument_cases(seed, PROBE_CLIPS)
        jobs = {case.id: pool.submit(_known, piece, sample_rate) for case, piece in cases}
        features = list(results("probe", jobs).values())
        labels = {"instruments": [p.comping for _, p in cases], "drums": [p.groove != "none" for _, p in cases]}
        with written_whole(path) as temporary, temporary.open("wb") as file:
            np.savez(file, features=features, **labels)
    with np.load(path) as known:
        return Probe(known["features"], known["instruments"], known["drums"])


def evaluate_words(setup, folder, workers):
    """Run the evaluation in `folder`, going on with what is there; returns the report, and writes words.json and words.md.

    Raises InputError.
    """
    if setup.count < 8:
        raise InputError(f"{setup.count} clips of words are too few; give 8 or more")
    find_soundfont()
    read_facts(setup.model)
    _musicnn()
    madmom(BEATS_A_BAR)
    folder = Path(folder)
    about = {name: value for name, value in asdict(setup).items() if name != "device"} | {"weights": fingerprint(setup.model)}
    make_folder(folder)
    kept = folder / "setup.json"
    if kept.is_file() and read_json(kept) != about:
        raise InputError(f"{folder} holds another evaluation; choose another folder")
    save_json(kept, about)

    instruments = instrument_cases(setup.seed, setup.count)
    pairs = mood_cases(setup.seed, setup.count // 8)
    gainsaid = contradictions(setup.seed, setup.count // 4)
    silent = silences(setup.seed, setup.count // 8)
    seeds = range(setup.count // 4)
    rate, problems = sample_rate_of(setup.model), []
    drawn = [*instruments, *(c for _, *both in pairs for c in both), *gainsaid, *silent]
    pieces = {case.id: (case, piece) for case, piece, *_ in drawn}
    asked = {id_: (generate_clip, setup, c.prompt, c.controls, DURATION_S, c.seed) for id_, (c, _) in pieces.items()}
    again = {f"seed-{seed:03d}": (generate_clip, setup, REPEATED, {}, DURATION_S, seed) for seed in seeds}
    with worker_pool(workers if setup.device == "cpu" else 1) as pool:
        probe = train_probe(pool, setup.seed + 1, folder / "probe.npz", rate)
        composed = {id_: (render_clip, piece, rate) for id_, (_, piece) in pieces.items()}
        clips = {
            "composed": make_clips(pool, "composed", folder / "composed", composed, problems),
            "model": make_clips(pool, "model", folder / "model", asked | again, problems),
        }
        if problems:
            raise InputError(f"clip {problems[0]['id']} was {problems[0]['what']}")
        repeated = {id_: clips["model"][id_] for id_ in again}
        trips = {id_: (round_trip_clip, setup, path) for id_, path in repeated.items()}
        alike = make_clips(pool, "round trip", folder / "round-trip", trips, problems)
        kinds = {
            "timbre": [case.id for case, _ in instruments],
            "measures": [case.id for _, *both in pairs for case, _ in both],
            "heard": [case.id for case, *_ in gainsaid],
            "tone": [case.id for case, *_ in silent],
        }
        found = {
            column: {kind: _listen(pool, kind, {id_: paths[id_] for id_ in ids}) for kind, ids in kinds.items()}
            for column, paths in clips.items()
        }
        takes, trips = (np.array(list(_listen(pool, "embedded", paths).values())) for paths in (repeated, alike))

    scores = {column: _scores(probe, instruments, pairs, gainsaid, silent, heard) for column, heard in found.items()}
    rows = [{"what": what, **{column: asdict(bootstrap(scores[column][what])) for column in scores}} for what in scores["composed"]]
    report = {"setup": about, "rows": rows, "repetition": repetition(takes, trips)}
    save_json(folder / "words.json", report)
    with written_whole(folder / "words.md") as temporary:
        temporary.write_text(words_markdown(report), encoding="utf-8")
    return report


def _scores(probe, instruments, pairs, gainsaid, silent, heard):
    """Return {what was asked: [0.0 or 1.0 of each clip or pair]} of one column, `heard` as {kind: {id: what was heard}}."""
    scores = defaultdict(list)
    for case, piece in instruments:
        for what, right in probe.right(heard["timbre"][case.id], piece.comping, drums_asked(case.prompt)).items():
            scores[what].append(right)
    for moods, (less, _), (more, _) in pairs:
        measure = PAIRS[moods][2]
        right = heard["measures"][more.id][measure] > heard["measures"][less.id][measure]
        scores[f"{' / '.join(moods)}: {measure}"].append(float(right))
    for case, piece, what, said in gainsaid:
        scores[f"given {what} win over the prompt's"].append(control_wins(case, piece, what, said, heard["heard"][case.id]))
    for case, piece, what in silent:
        scores[f"{what}: nothing but drums"].append(only_drums_heard(piece, heard["tone"][case.id]))
    return scores


def repetition(takes, trips):
    """Say how far apart takes (N, D) of one prompt lie: cosine distances of their embeddings.

    `alike` counts the pairs that lie closer than a take and its own round trip (N, D), which the ear takes for the same.
    """
    takes, trips = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (takes, trips))
    between = (1 - takes @ takes.T)[np.triu_indices(len(takes), 1)]
    own = 1 - (takes * trips).sum(axis=1)
    return {
        "takes": len(takes),
        "closest": float(between.min()),
        "median": float(np.median(between)),
        "own round trip": float(np.median(own)),
        "alike": int((between < np.median(own)).sum()),
    }


def words_markdown(report):
    """Return the report as a Markdown table."""
    setup, apart = report["setup"], report["repetition"]
    lines = [
        f"Words: model {setup['model']} (weights {setup['weights']}), {setup['steps']} steps, guidance {setup['guidance']:g}, "
        f"seed {setup['seed']}. Shares of clips or pairs, with 95 % intervals; composed: the same measure on the composer's audio.",
        "",
        "| what | model | composed | model / composed |",
        "|---|---|---|---|",
    ]
    for row in report["rows"]:
        cells = [f"{m['value']:.3f} [{m['low']:.3f}, {m['high']:.3f}] N={m['n']}" for m in (row["model"], row["composed"])]
        ratio = f"{100 * row['model']['value'] / row['composed']['value']:.1f} %" if row["composed"]["value"] else "-"
        lines.append(f"| {row['what']} | {' | '.join(cells)} | {ratio} |")
    lines += [
        "",
        f'Repetition, {apart["takes"]} seeds of "{REPEATED}", cosine distance of MusiCNN embeddings: closest pair '
        f"{apart['closest']:.4f}, median {apart['median']:.4f}; a take and its own round trip {apart['own round trip']:.4f}; pairs "
        f"closer than that: {apart['alike']}.",
    ]
    return "\n".join(lines) + "\n"

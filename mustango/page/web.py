"""The page without its widgets: what it shows of progress, plans and takes, where files lie and what is let in."""

import json
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from musicbench import InputError
from musicbench.files import save_json
from musicbench.markup import template
from musicbench.music.chords import NO_CHORD
from musicbench.music.progression import Progression
from musicbench.prompt.facts import read_prompt
from musicbench.prompt.genres import Leaning
from musicbench.prompt.lexicon import Phrases
from musicbench.prompt.sounds import words_of
from musicbench.sound.picture import MARGIN_LEFT, MARGIN_RIGHT, PIECE_WIDTH, piece_lines, piece_scale_s
from mustango.page.guard import KEPT_S
from mustango.request.controls import SAID, chord_line
from mustango.request.request import MAX_PROMPT
from mustango.request.settling_time import chords_stated
from mustango.request.sidecar import PREDICTORS_TELL

KEPT = "one hour"  # the same in words
AUTO = "Auto"
ASKED = ("given", "prompt")  # origins of a control that was asked for
PACES = Phrases(
    (words, words)
    for words in (
        "very slow", "very slowly", "extremely slow", "slow", "slowly", "slower", "unhurried", "very fast", "extremely fast", "fast paced",
        "fast", "faster", "quick", "rapid", "speedy", "racing", "breakneck", "upbeat", "up tempo",
    )
)  # fmt: skip
PARTS = Path(__file__).parent  # its templates, style and script

# ---------------------------------------------------------------------------------------------------- what is shown


def render(name, *values):
    """Return a part of the page as text of HTML: a macro of `parts.html` with its values."""
    return str(getattr(template("mustango", "page", "parts.html").module, name)(*values))


def progress_html(progress, note=""):
    """Draw a Progress as a bar with its text and the seconds left, a note below it."""
    left = "" if progress.left_s is None else f"about {progress.left_s:.0f} s left"
    return render("progress", progress.text, left, round(100 * progress.share), note)


def status_html(text, kind="note", remedies=()):
    """Show one line; kind: note, done, error, or "input error", which goes when the input changes. remedies: see `Studio.remedies`."""
    return render("status", text, kind, remedies)


def plan_html(asked, studio):
    """Show the bars of a Request as its model plays them, and what else will be played; or what is wrong with it."""
    try:
        settled = studio.settle(asked)
        checked, plan = settled.request, settled.takes[0]
        bars = _bars(checked, plan)
    except InputError as error:
        return render("wrong_plan", str(error), page_remedies(studio.remedies(asked)))
    facts, predicted = studio.facts_of(checked), plan.left_to_predictors
    text = _in_words(checked, plan, predicted)
    notes = [f"{PREDICTORS_TELL.format(', '.join(sorted(predicted)))}."] if predicted else []
    boxes, timed = [], bool(bars.timed)
    if "chords" in predicted:
        return render("plan", boxes, timed, [text, *notes, *plan.notes])
    if timed:
        boxes = [[(f"{t:g} s: {_played(c, plan, facts)}", "1")] for t, c in bars.timed]
    else:
        boxes = [[(_played(c, plan, facts), f"{beats:g}") for c, beats in bar] for bar in bars.bars]
        text = f"{_length(len(boxes), plan)}; {text}" if "tempo" not in predicted else text
    return render("plan", boxes, timed, [text, *notes, *plan.notes])


def _bars(request, plan):
    """Return a checked request's chords as a Progression: as they were typed, else those of the plan."""
    key_known = plan.origin["key"] in ASKED
    return Progression.parse(request.chords or chord_line(plan), plan.meter, plan.key if key_known else None)


def _played(chord, plan, facts):
    """Return a chord's name as a model of these facts plays it."""
    return chord.reduced(facts.chord_types).lead_sheet(plan.key)


def _in_words(request, plan, predicted):
    """Say what is played and where it comes from, but for what is `predicted`."""
    facts = {"tempo": f"{plan.bpm:g} bpm", "meter": plan.meter}
    if plan.key_heard_in is not None and not ("chords" in predicted and plan.origin["key"] == "chosen"):
        facts["key"] = plan.key
    if not request.chords:
        facts["chords"] = "chords"
    text = ", ".join(f"{value}{SAID[plan.origin[name]]}" for name, value in facts.items() if name not in predicted)
    chosen = {name for name in ("tempo", "chords") if plan.origin[name] == "chosen"}
    return f"{text}; each further take chooses anew" if request.count > 1 and chosen - predicted else text


def _length(bars, plan):
    """Say how long the chords last and how long the clip."""
    bars_s = bars * plan.meter.beats * 60 / plan.bpm
    text = f"{bars} bar{'s' * (bars > 1)} = {bars_s:.1f} s"
    return text if abs(bars_s - plan.duration_s) < 0.05 else f"{text} of {plan.duration_s:.4g} s"


def stated_in(prompt):
    """Return what a prompt states of chords, tempo, key and meter, as the controls show it."""
    stated = read_prompt((prompt or "")[:MAX_PROMPT])
    chords = (chords_stated(prompt or "", stated) or "").strip()
    return {
        "chords": "" if chords == str(NO_CHORD) else chords,
        "tempo": stated.tempo_word or ("" if stated.tempo is None else f"{stated.tempo:g}"),
        "key": str(stated.key or AUTO),
        "meter": str(stated.meter or AUTO),
    }


def _in_short(names, most=24):
    return " ".join(names[:most]) + (f" ... ({len(names)} chords)" if len(names) > most else "")


def scores_html(take):
    """Show a take's tempo, key and chords: what was asked, what was chosen because nobody asked, what was heard, and whether it obeyed."""
    controls, scores = take.controls, take.scores
    values = {
        "tempo": f"{controls.bpm:g} bpm", "key": str(controls.key_heard_in or "none"),
        "chords": _in_short([c.lead_sheet(controls.key) for c in controls.chords], 8),
    }  # fmt: skip
    asked_chords = controls.asked.get("chords")
    if isinstance(asked_chords, str) and controls.origin.get("chords") in ASKED and asked_chords != values["chords"]:
        values["chords"] = f"{asked_chords}: {values['chords']}"  # as it was written, and as it is played
    heard = _heard(scores) if scores else {}
    rows = []
    for name, value in values.items():
        asked = controls.origin.get(name) in ASKED
        text, mark = heard.get(name, ("", ""))
        shown = {
            "name": name.capitalize(),
            "Asked": "",
            "Chosen": "",
            "Heard": text,
            "mark": mark if asked or mark != "obeyed" else "as chosen",
        }
        shown["Asked" if asked else "Chosen"] = value
        if name == "tempo" and not asked:
            shown["Asked"] = pace_asked(take.request.prompt)
        rows.append(shown)
    columns = [column for column in ("Asked", "Chosen", "Heard") if any(row[column] for row in rows)]
    return render("scores", columns, rows, [take.remedy, *controls.notes])


def pace_asked(prompt):
    """Return the words of a prompt that ask for a pace and name no tempo, such as "slow"; "" where there are none."""
    found = PACES.find(words_of(Leaning.of(prompt[:MAX_PROMPT]).rest))
    return next((pace.value for pace in found if not pace.denied), "")


def _heard(scores):
    """Return of each control what was heard, in words, and whether it obeyed: obeyed, mostly, differs or ""."""
    reasons, share = scores.reasons, scores.chords_matched
    verdicts = {True: "obeyed", False: "differs", None: ""}
    tempo = reasons.get("beats", "nothing")
    if scores.bpm_heard:
        tempo = f"{scores.bpm_heard:.0f} bpm" + (scores.tempo_octave and f", {scores.tempo_octave}")
    key = str(scores.key_heard or reasons.get("key", "nothing"))
    key_verdict = verdicts[scores.key_obeyed]
    if scores.key_is_relative:
        key, key_verdict = f"{key}, the relative key: the same notes", ""
    chords_verdict = verdicts[scores.chords_obeyed]
    if chords_verdict == "differs" and share > 0.5:
        chords_verdict = "mostly"
    chords = reasons.get("chords", "nothing") if share is None else f"{share:.0%} of the time the same"
    return {"tempo": (tempo, verdicts[scores.tempo_obeyed]), "key": (key, key_verdict), "chords": (chords, chords_verdict)}


def picture_html(take, number=1):
    """Show a take's picture, with its chords in words; a click on it, or an arrow key, moves to that place of the sound."""
    if take.picture is None:
        return ""
    controls = take.controls
    chords = _in_short([c.lead_sheet(controls.key) for c in controls.chords])
    said = "Asked" if controls.origin.get("chords") in ASKED else "Chosen"
    words = f"Spectrogram in lines of four bars. {said} chords: {chords}. Heard chords: {_in_short(take.heard_chords) or 'none'}."
    lines = piece_lines(controls.beat_times, controls.beat_positions, controls.duration_s)
    place = {
        "lines": lines, "scale_s": piece_scale_s(lines), "left": MARGIN_LEFT / PIECE_WIDTH, "right": MARGIN_RIGHT / PIECE_WIDTH,
        "beat_s": 60 / controls.bpm,
    }  # fmt: skip
    return render("picture", address(take.picture), words, number, place, f"{controls.duration_s:g}")


def bar_starts(controls):
    """Return when a take's bars begin, in seconds: from one at or before 0 on, to the one that begins after the last."""
    bar_s = 60 / controls.bpm * controls.meter.beats
    starts = [time_s for time_s, position in zip(controls.beat_times, controls.beat_positions, strict=True) if position == 1] or [
        0.0
    ]
    before = [starts[0] - bar_s] if starts[0] > 0 else []
    return [round(time_s, 4) for time_s in (*before, *starts, starts[-1] + bar_s)]


def address(path):
    """Return where the page finds a file of a take."""
    return f"gradio_api/file={path}"


def card(take, number, made_at):
    """Return what the page shows of a take as {"id", "number", "made_at", "left_ms", "html", "heard", "request"}.

    made_at: by `time.monotonic`; left_ms: until its files are deleted.
    """
    from markupsafe import Markup

    heard = picture_html(take, number) + scores_html(take)
    files = {
        name: address(path) for name, path in (("WAV", take.wav), ("FLAC", take.flac), ("MIDI", take.midi), ("JSON", take.json))
    }
    bars = json.dumps(bar_starts(take.controls))
    parts = (
        take.id,
        number,
        take_name(number, take),
        files,
        take.request.as_json(),
        chord_line(take.controls),
        bars,
        Markup(heard),
    )
    shown = {"id": take.id, "number": number, "html": render("take", *parts), "heard": heard, "request": take.request.as_json()}
    return shown | {"made_at": made_at, "left_ms": _left_ms(made_at)}


def _left_ms(made_at):
    return round(1000 * (made_at + KEPT_S - time.monotonic()))


def page_remedies(remedies):
    """Return remedies of `Studio.remedies` with the names and values of the page's boxes, where an empty length is the chart's."""
    return [(text, {"length" if name == "duration" else name: "" if name == "duration" else value for name, value in changes.items()}) for text, changes in remedies]  # fmt: skip


def report_html(built):
    """Show a dataset's report in a frame of its own, in which no script runs."""
    return render("report", built.report.read_text(encoding="utf-8"))


def take_name(number, take):
    """Name a take in the list of takes."""
    prompt = " ".join(take.request.prompt.split())
    return f"{number}. {prompt[:40] + ' ...' if len(prompt) > 40 else prompt or 'no prompt'}, {take.controls.bpm:g} bpm, seed {take.seed}"


# ---------------------------------------------------------------------------------------------------- the takes of a session


CARD = ".card.json"  # beside a take's files; a name with a dot in front is never served


def save_card(take, folder):
    """Write a take's card beside its files in the session's `folder`, where it had one in its place; returns it."""
    own = folder / take.id / CARD
    before = [other for other in cards_in(folder) if other["id"] != take.id]
    number = 1 + max((other["number"] for other in before), default=0)
    made_at = time.monotonic()
    if own.is_file():
        there = json.loads(own.read_text(encoding="utf-8"))
        number, made_at = there["number"], there["made_at"]
    shown = card(take, number, made_at)
    save_json(own, shown)
    return shown


def say_same(request, cards):
    """Say that a checked request will give takes that are there already, as it asks for the same with the same seeds; "" where it does not."""
    numbers = []
    for i in range(request.count):
        wanted = _what_sounds(replace(request, seed=request.seed + i, count=1).as_json())
        numbers += [shown["number"] for shown in cards if _what_sounds(shown["request"]) == wanted][-1:]
    if not numbers:
        return ""
    takes = f"take{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"
    return f"The settings and the seed are those of {takes}, so the sound is the same. For another, change the seed."


def _what_sounds(request):
    """Return a request's fields, as JSON has them, but for those that change nothing in the sound."""
    return json.dumps({name: value for name, value in request.items() if name not in ("dark", "listen")}, sort_keys=True)


def cards_in(folder):
    """Return the cards of a session's takes whose files are still there, the oldest first."""
    cards = []
    for path in folder.glob(f"*/{CARD}"):
        with suppress(OSError, ValueError):  # deleted meanwhile
            shown = json.loads(path.read_text(encoding="utf-8"))
            if any(path.parent.glob("*.wav")):
                cards.append(shown | {"left_ms": _left_ms(shown["made_at"])})
    return sorted(cards, key=lambda shown: shown["number"])


def style():
    """Return the page's style sheet."""
    return (PARTS / "page.css").read_text(encoding="utf-8")


def script(names):
    """Return the page's script, as elements of its head; names: those of the controls, in order."""
    return render("script", names)

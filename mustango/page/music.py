"""The page's first tab: what its widgets ask for is made and shown."""

from dataclasses import fields, replace

import gradio as gr

from musicbench import InputError
from mustango.page.asked import PageRequest
from mustango.page.desk import IN_LINE, QUIET, Desk
from mustango.page.guard import asker
from mustango.page.inputs import CONTROLS, asked_for, kept_inputs
from mustango.page.web import cards_in, page_remedies, plan_html, progress_html, save_card, say_same, stated_in, status_html
from mustango.page.widgets import inputs_column, takes_column
from mustango.page.work import Progress

RESTORED = "Your takes are below."
RELOADED = "The reload stopped the work. Press Generate to start again."
TAP = "tempo => mustango.tap(tempo)"
# A dropdown has input when it is left, too: it is emptied when it was read, and empty it changes nothing.
CHOOSE = "line => { if (line) mustango.set({chords: line}); return null; }"


class Maker:
    """What the tab's events do: they make takes, show them, and show what will be played."""

    def __init__(self, studio, files, desk):
        self.studio, self.files, self.desk = studio, files, desk

    def make(self, asked, token, request):
        """Make the takes that are asked for, showing progress and each take as it comes."""
        still, cards, folder = [gr.skip()] * len(self.desk.shown), {}, self.files.tab(token, request)
        try:
            same = say_same(self.studio.settle(asked).request, cards_in(folder))
            for event in self.files.counted(request, self.studio.play(asked, folder, *asker(request))):
                if isinstance(event, Progress):
                    yield progress_html(event, same), *still[1:], gr.skip()
                else:
                    cards[event.id] = save_card(event, folder)
                    yield *still, {"cards": [*cards.values()]}  # all: the browser may see only the last of two values
        except InputError as error:
            remedies = page_remedies(self.studio.remedies(asked))
            yield *self.desk.idle(str(error), "input error", remedies), gr.skip()
        else:
            yield *self.desk.idle(f"Done. Press play. {same}".strip(), "done"), gr.skip()

    def play(self, request: gr.Request, *values):
        """Make what the page's controls ask for; the last three values come from the browser."""
        *asked, dark, cancelled, token = values
        if cancelled:
            yield *self.desk.idle("Cancelled."), gr.skip()
            return
        yield from self.make(replace(asked_for(*asked), dark=dark), token, request)

    def play_again(self, asked, dark, cancelled, token, request: gr.Request):
        """Make what a take's request asks for, whatever the controls say now."""
        if cancelled:
            yield *self.desk.idle("Cancelled."), gr.skip()
            return
        known = {field.name for field in fields(PageRequest)}
        asked = asked if isinstance(asked, dict) else {}
        asked = {name: value for name, value in asked.items() if name in known}
        yield from self.make(PageRequest(**asked | {"dark": dark, "count": 1}), token, request)

    def restore(self, kept, token, request: gr.Request):
        """Return the inputs and takes that a tab had before it was reloaded."""
        values = kept_inputs(kept, list(self.studio.models), self.studio.loras)
        cards = cards_in(self.files.tab(token, request))
        status = status_html(RESTORED) if cards else gr.skip()
        return [*(gr.skip() if value is None else value for value in values), {"cards": cards, "restored": True}, status]

    def plan(self, *asked):
        """Return what will be played, as HTML."""
        return plan_html(asked_for(*asked), self.studio)


def music_tab(page, studio, files):
    """Place the tab that makes music, and let its widgets act."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            w = inputs_column(studio)
        with gr.Column(scale=6, min_width=320):
            v = takes_column()
    desk = Desk(v.status, w.stop, w.go)
    maker = Maker(studio, files, desk)
    controls = [getattr(w, name) for name in CONTROLS]
    let_inputs_act(page, w, v, controls, maker)
    let_takes_be_made(w, v, controls, maker)


def let_inputs_act(page, w, v, controls, maker):
    """Restore what a tab held; show the plan of what is asked; let the small buttons change it."""
    shown = [*controls, v.arrived, v.status]
    loaded = page.load(
        maker.restore, [w.kept, w.token], shown, preprocess=False, js="() => mustango.begin()", **QUIET
    )  # fmt: skip
    told = f"status => mustango.restored(status, `{status_html(RELOADED)}`)"
    loaded.then(None, v.status, v.status, js=told, **QUIET)
    changes = [c.change for c in controls]
    planned = gr.on([page.load, *changes], maker.plan, controls, w.plan, trigger_mode="always_last", preprocess=False, **QUIET)
    planned.then(None, v.status, v.status, js="status => mustango.withoutOldError(status, '#status')", **QUIET)
    v.status.change(None, None, None, js="() => mustango.sayOnce()", **QUIET)
    gr.on(changes, None, controls, None, js="(...values) => mustango.keep(values)", **QUIET)
    read = w.prompt.change(stated_in, w.prompt, w.stated, trigger_mode="always_last", **QUIET)
    filled = [w.chords, w.tempo, w.key, w.meter]
    read.then(None, [w.stated, w.key, w.meter], filled, js="(...values) => mustango.fill(...values)", **QUIET)
    w.preset.input(None, w.preset, w.preset, js=CHOOSE, **QUIET)
    w.set.click(None, controls, controls, js="(...values) => mustango.merged(values)", **QUIET)
    w.tap.click(None, w.tempo, w.tempo, js=TAP, **QUIET)
    w.dice.click(None, None, w.seed, js="() => mustango.drawSeed()", **QUIET)
    v.arrived.change(None, [v.arrived, w.seed, w.lock], w.seed, js="(...values) => mustango.arrive(...values)", **QUIET)


def let_takes_be_made(w, v, controls, maker):
    """Let the buttons start and stop the making of takes."""
    desk = maker.desk
    begin = {"js": desk.begin("mustango.lookAtStatus()"), **QUIET}
    asked = gr.on([w.go.click, w.tempo.submit], desk.waiting, None, desk.shown, **begin)
    asked_again = w.again.click(desk.waiting, None, desk.shown, **begin)
    browser = [w.dark, w.cancelled, w.token]
    run = {
        "outputs": [*desk.shown, v.arrived], "show_progress": "full", "show_progress_on": v.status,
        "api_visibility": "private", "preprocess": False,
        **IN_LINE,
    }  # fmt: skip
    runs = [
        asked.then(maker.play, [*controls, *browser], js=f"(...values) => mustango.ask(values, {desk.stopping})", **run),
        asked_again.then(maker.play_again, [w.request, *browser], js=f"() => mustango.askAgain({desk.stopping})", **run),
    ]
    desk.stoppable(runs)

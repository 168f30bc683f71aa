"""A kind of work on the page: its status, and the buttons that start and stop it."""

from typing import Any

import gradio as gr

from mustango.page.web import status_html

FAILED = "The server is full or failed; try again."
QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}  # small things, done at once
IN_LINE: dict[str, Any] = {"concurrency_limit": None}  # of what waits for its turn by itself, see `mustango.page.line`


class Desk:
    """The status of one kind of work, the buttons that start it, off while it goes on, and the one that stops it.

    `shown` are the components that `waiting` and `idle` give values for; these are for events: called while the page is
    built they would place their buttons on it.
    """

    def __init__(self, status, stop, *starts):
        self.status, self.stop, self.shown = status, stop, [status, stop, *starts]
        self._state = f"window['state of {stop.elem_id}']"  # 'running', 'stopping' or 'over'

    def _with_buttons(self, html, working):
        return [html, gr.Button(interactive=working), *(gr.Button(interactive=not working) for _ in self.shown[2:])]

    def waiting(self):
        """Return what is shown while a request waits for its turn."""
        return self._with_buttons(status_html("Waiting for its turn"), True)

    def idle(self, text, kind="note", remedies=()):
        """Return what is shown when nothing is done (any more)."""
        return self._with_buttons(status_html(text, kind, remedies), False)

    def begin(self, also=""):
        """Return the script of the event that asks for work, which may be stopped from then on.

        also: a statement more.
        """
        return f"(...values) => {{ {self._state} = 'running'; {also}; return values; }}"

    @property
    def stopping(self):
        """What tells in a script whether the work was stopped."""
        return f"{self._state} == 'stopping'"

    def stoppable(self, runs):
        """Let the stop button end `runs`, the events of `begin` or after it.

        It is said how a run ended that could not say so itself. Gradio takes a cancelled run for done or for failed,
        whichever it hears of first, and until then may show another step.
        """
        clicked, state = gr.Checkbox(visible=False, label="Cancelled"), self._state
        end = {"js": f"() => {{ const clicked = {self.stopping}; {state} = 'over'; return clicked; }}", **QUIET}
        for run in runs:
            run.failure(
                lambda clicked: self.idle("Cancelled.") if clicked else self.idle(FAILED, "error"), clicked, self.shown, **end
            )
            run.success(
                lambda clicked: self.idle("Cancelled.") if clicked else [gr.skip()] * len(self.shown), clicked, self.shown, **end
            )
        stopping = f"now => {state} == 'running' ? ({state} = 'stopping', `{status_html('Stopping')}`) : now"
        self.stop.click(None, self.status, self.status, js=stopping, cancels=runs, **QUIET)

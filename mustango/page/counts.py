"""What a server has done since it began, as Prometheus reads it (its text format 0.0.4)."""

from collections import Counter
from collections.abc import Mapping
from threading import Lock

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
TAKES, SOUND, COMPUTE = "mustango_takes_total", "mustango_sound_seconds_total", "mustango_compute_seconds_total"
REFUSED, HTTP_REFUSED, WAITING = "mustango_requests_refused_total", "mustango_http_refused_total", "mustango_requests_waiting"
METRICS = {
    TAKES: ("counter", "Takes that were begun and are over, by outcome: done, failed, or stopped because nobody listened or for its length."),
    SOUND: ("counter", "Seconds of sound in the takes that are done."),
    COMPUTE: ("counter", "Seconds of work on takes, loading of models included; counted when a turn ends."),
    REFUSED: ("counter", "Requests for takes that were let in and not begun, by reason: input that cannot be played (of the API; the page refuses it before), or a full line."),
    HTTP_REFUSED: ("counter", "HTTP requests that were not let in, by status."),
    WAITING: ("gauge", "Requests that wait for their turn."),
}  # fmt: skip


class Counts:
    """Sums by metric and label; any thread may add to them."""

    def __init__(self):
        outcomes, reasons = ("done", "failed", "stopped"), ("input", "full")
        known = [*((TAKES, f'outcome="{name}"') for name in outcomes), *((REFUSED, f'reason="{name}"') for name in reasons)]
        self._sums, self._lock = Counter(dict.fromkeys([*known, (SOUND, "")], 0)), Lock()

    def add(self, metric: str, amount: float = 1, **label: object) -> None:
        """Add to a metric's sum for a label, {name: value}."""
        text = ",".join(f'{name}="{value}"' for name, value in label.items())
        with self._lock:
            self._sums[metric, text] += amount

    def text(self, others: Mapping[str, float]) -> str:
        """Return all metrics as text. others: values of metrics that are counted elsewhere."""
        with self._lock:
            sums = {**self._sums, **{(metric, ""): value for metric, value in others.items()}}
        lines = []
        for metric, (kind, about) in METRICS.items():
            lines += [f"# HELP {metric} {about}", f"# TYPE {metric} {kind}"]
            lines += [
                f"{metric}{{{label}}} {value}" if label else f"{metric} {value}"
                for (name, label), value in sums.items()
                if name == metric
            ]
        return "\n".join(lines) + "\n"

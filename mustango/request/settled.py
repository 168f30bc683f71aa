"""A Request settled once: what each of its takes plays. Whoever asked shows it, and the pipeline plays it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from musicbench import InputError
from musicbench.sound.master import check_tail
from mustango.release.layouts import NO_PREDICTORS
from mustango.request.controls import Controls
from mustango.request.model_facts import ModelFacts
from mustango.request.reader import read
from mustango.request.request import Request


@dataclass(frozen=True)
class Settled:
    """A checked request, and the Controls of its takes as the model plays them.

    Where the model's predictors have a say, `takes` hold what would be played without them. is_exact: takes of sidecars, made again
    to the last bit.
    """

    request: Request
    takes: tuple[Controls, ...]
    is_exact: bool = False

    @property
    def seeds(self) -> list[int]:
        """The seeds of the takes."""
        return [self.request.seed + take for take in range(len(self.takes))]

    @property
    def asks_predictors(self) -> bool:
        """Whether the model's predictors are asked: where they tell something of the takes, and always where somebody wants that."""
        if self.is_exact:
            return False
        return self.request.predictors == "neural" or any(controls.left_to_predictors for controls in self.takes)

    def alone(self, take: int) -> Self:
        """Return one of the takes by itself."""
        request = replace(self.request, seed=self.request.seed + take, count=1)
        return replace(self, request=request, takes=(self.takes[take],))


def resolve(request: Request, facts: ModelFacts, predict: Callable[[str], Any] | None = None) -> Settled:
    """Check a request against a model's `facts` and settle it: what nobody stated is chosen, or told by `predict`.

    predict(prompt) -> ((times, positions), PredictedChords): the model's predictors. Without it, what they would tell stays as the
    prompt and rules have it. Raises InputError for what cannot be read or played.
    """
    request = request.checked(facts.longest_s)
    if request.predictors == "neural" and not facts.has_predictors:
        raise InputError(NO_PREDICTORS)
    if request.predictors == "reader" or not facts.has_predictors:
        predict = None
    elif predict is None:
        predict = _unheard
    return fitted(request, [read(request, facts, take, predict) for take in range(request.count)], facts)


def fitted(request: Request, takes: list[Controls], facts: ModelFacts, is_exact: bool = False) -> Settled:
    """Return a checked request with its takes as the model plays them. Raises InputError where it cannot, or the tail is too long."""
    if request.stems and not facts.takes_notes:
        raise InputError(
            "this model cannot be told of parts, so it makes no stems; leave them out, or use a model that was trained with them"
        )
    played = tuple(facts.played(controls) for controls in takes)
    for controls in played:
        check_tail(request.tail, controls.duration_s, facts.longest_s)
    return Settled(request, played, is_exact)


def _unheard(_prompt):
    """Stand for predictors that are not asked."""

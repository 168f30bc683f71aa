"""What a model can be told and what it gives, known without loading it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from musicbench import InputError
from musicbench.music.chords import VOCABULARIES
from mustango.model.control import CONTROL_CHANNELS
from mustango.release.files import read_json
from mustango.release.folder import durations_of, has_predictors, model_folder
from mustango.release.hub import is_hub_id
from mustango.release.layouts import is_released
from mustango.release.limits import check_configs
from mustango.request.controls import Controls
from mustango.request.knows import Knows, read_knows


@dataclass(frozen=True)
class ModelFacts:
    """What a model can be told and what it gives. The defaults are the released model's.

    window_s: how long clips are if nobody says; longest_s: the longest it makes; chord_types: the qualities it knows; max_position:
    the most beats in a bar; knows: what its knows.json says; takes_notes: whether it is told of parts, melody and drums.
    """

    window_s: float
    longest_s: float
    sample_rate: int = 16000
    chord_types: tuple = VOCABULARIES["mustango"]
    max_beats: int = 50
    max_chords: int = 20
    max_position: int = 5
    has_predictors: bool = False
    knows: Knows | None = None
    takes_notes: bool = False

    @classmethod
    def of(
        cls,
        pipeline_config: Mapping,
        conditioner_config: Mapping,
        sample_rate: int,
        has_predictors: bool,
        knows: Knows | None = None,
        control_channels: int = 0,
    ) -> "ModelFacts":
        """Return those of a pipeline's, a conditioner's and a mel's settings, as dicts, and of MuNet's `control_channels`."""
        return cls(
            pipeline_config["window_s"],
            pipeline_config.get("longest_s") or pipeline_config["window_s"],
            sample_rate,
            tuple(conditioner_config["chord_types"][2:]),  # after padding and N
            conditioner_config["max_beats"],
            conditioner_config["max_chords"],
            conditioner_config["n_beat_types"] - 2,
            has_predictors,
            knows,
            control_channels >= CONTROL_CHANNELS,
        )

    def played(self, controls: Controls) -> Controls:
        """Return the controls as the model plays them: chords it does not know become the nearest it has, each with a note.

        Raises InputError for more beats or chords than it takes, for a meter beyond it, and for notes where it takes none.
        """
        asked = [name for name, told in (("parts", controls.parts), ("melody", controls.melody), ("drums", controls.hits)) if told]
        if asked and not self.takes_notes:
            raise InputError(
                f"this model cannot be told of {' and '.join(asked)}; leave it out, or use a model that was trained with them"
            )
        if len(controls.beat_times) > self.max_beats:
            raise InputError(
                f"{len(controls.beat_times)} beats are above the model's {self.max_beats}; shorten the clip or slow the tempo"
            )
        highest = max(controls.beat_positions, default=1)
        if highest > self.max_position:
            raise InputError(
                f"beat position {highest} is outside the model's 1-{self.max_position}; choose a meter of at most {self.max_position} beats"
            )
        if len(controls.chords) > self.max_chords:
            raise InputError(
                f"{len(controls.chords)} chords are above the model's {self.max_chords}; give fewer chords or a shorter clip"
            )
        played = {chord: chord.reduced(self.chord_types) for chord in controls.chords}
        notes = [
            f"{chord.lead_sheet(controls.key)} is played as {nearest.lead_sheet(controls.key)}: the model has no {chord.quality}"
            for chord, nearest in played.items()
            if chord != nearest
        ]
        return replace(controls, chords=tuple(played[c] for c in controls.chords), notes=(*controls.notes, *notes))


def read_facts(model: Path | str, revision: str | None = None) -> ModelFacts:
    """Return the ModelFacts of a model, in our layout or the released one, without loading it. Raises InputError."""
    folder = model_folder(model, revision, "configs")
    if not is_released(folder) and (folder / "model_index.json").is_file():
        check_configs(folder)
    window_s, longest_s = durations_of(folder)
    with_predictors = has_predictors(folder, str(model) if is_hub_id(model) else None)
    if is_released(folder):
        return ModelFacts(window_s, longest_s, has_predictors=with_predictors)
    config = {"window_s": window_s, "longest_s": longest_s}
    try:
        sample_rate = read_json(folder / "mel" / "config.json").get("sample_rate", ModelFacts.sample_rate)
        conditioner = read_json(folder / "conditioner" / "config.json")
        control_channels = read_json(folder / "unet" / "config.json").get("control_channels", 0)
        return ModelFacts.of(config, conditioner, sample_rate, with_predictors, read_knows(folder), control_channels)
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder} has settings that cannot be read ({error}); get the folder whole again") from None

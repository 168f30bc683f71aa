"""A pipeline and its folder: loaded from it, with parts that come when they are needed, and saved whole."""

import json
import shutil
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

import torch
from diffusers import DiffusionPipeline

from musicbench import InputError
from mustango.model.devices import cast
from mustango.model.sampling import SamplingConfig
from mustango.release.classes import class_of
from mustango.release.conversion import released_components, released_predictors
from mustango.release.files import check_finite, read_json
from mustango.release.folder import (
    BUNDLED,
    has_predictors,
    model_folder,
    model_index,
    model_written_whole,
    verify,
    with_todays_names,
    write_part,
)
from mustango.release.hub import is_hub_id, upload
from mustango.release.layouts import PREDICTOR_PARTS, is_released
from mustango.release.predictors import NeuralPredictors, execution_device, predictors_from
from mustango.release.saving import CODE, check_saveable, entry_of, write_card
from mustango.release.tokenizers import TOKENIZERS, load_tokenizer, released_tokenizers

HUB_OPTIONS = ("cache_dir", "local_files_only", "token", "force_download", "proxies")
HEAVY = ("text_encoder", "unet", "vae", "vocoder")


class FolderPipeline(DiffusionPipeline):
    """A pipeline that is in a folder. Its predictors are loaded when they are first asked; with low memory, the heavy parts in turn."""

    _optional_components = [*PREDICTOR_PARTS, *HEAVY]
    # Of a pipeline that was loaded: its folder and hub id, and how parts that come later are loaded.
    _folder: Any = None  # a Path
    _hub_id: str | None = None
    _neural: NeuralPredictors | None = None
    _low_memory, _dtype, _tokenizers, _hub_options = False, torch.float32, {}, {}

    @classmethod
    def from_pretrained(
        cls,
        model: Path | str = BUNDLED,
        *,
        dtype: torch.dtype = torch.float32,
        low_memory: bool = False,
        revision: str | None = None,
        fetch_predictors: bool | None = None,
        **options: Any,
    ) -> Self:
        """Load the bundled model, a folder or a hub id; a folder in the released layout is converted on the fly.

        low_memory: keep only the components of the stage at work (text, denoising, decoding), loading each when its turn
        comes; for folders in our layout. revision: a hub id's branch, tag or commit. fetch_predictors: the released predictors'
        weights come when they are first asked; True fetches them and their tokenizers before anything is converted, False leaves the
        tokenizers alone, too. options: those of the hub (`cache_dir`, `local_files_only`, `token`, ...), `torch_dtype`, and components to use instead of those in the folder, such as `tokenizer`; for released
        folders also `beat_tokenizer` and `chord_tokenizer`, names or folders. Raises InputError.
        """
        dtype = options.pop("torch_dtype", dtype)  # diffusers' former word
        hub = {name: options.pop(name) for name in HUB_OPTIONS if name in options}
        folder = model_folder(model, revision, "predictors" if fetch_predictors else "pipeline", **hub)
        hub_id = str(model) if is_hub_id(model) else None
        tokenizers = {}
        if is_released(folder):
            if low_memory:
                raise InputError("low memory needs a folder in our layout; run `mustango convert` on the released one first")
            tokenizers = {role: options.pop(role) for role in TOKENIZERS if role in options}
            options = released_tokenizers(folder, hub_id, tokenizers, fetch_predictors) | options
            parts = {
                name: cast(part, dtype) if isinstance(part, torch.nn.Module) else part for name, part in released_components(folder)
            }
            pipeline = cls(**parts | options)
        else:
            verify(folder)
            absent = dict.fromkeys(HEAVY) if low_memory else {}
            later = dict.fromkeys(PREDICTOR_PARTS)
            pipeline = super().from_pretrained(
                str(folder), dtype=dtype, use_safetensors=True, trust_remote_code=False, **{**absent, **later, **options}
            )
            for name, part in pipeline.components.items():
                if isinstance(part, torch.nn.Module):
                    check_finite(part.state_dict(), folder / name)
        pipeline._folder, pipeline._hub_id, pipeline._tokenizers = folder, hub_id, tokenizers
        pipeline._low_memory, pipeline._dtype, pipeline._hub_options = low_memory, dtype, hub
        return pipeline

    @classmethod
    def load_config(cls, *arguments: Any, **options: Any) -> Any:
        """Read a model's index, as diffusers does, also one that was written by an older version."""
        config = super().load_config(*arguments, **options)
        return (_as_today(config[0]), *config[1:]) if isinstance(config, tuple) else _as_today(config)

    def save_pretrained(self, save_directory: Path | str, *, push_to_hub: bool = False, **options: Any) -> None:
        """Write all of the pipeline as a folder in our layout, the predictors too, and what is not loaded at the moment.

        options: as for diffusers' pipelines. Raises InputError, for one with a LoRA adapter too, which such a folder does not hold.
        """
        for name, part in self.components.items():
            if isinstance(part, torch.nn.Module):
                check_saveable(name, part)
        hub = {
            name: options.pop(name) for name in ("repo_id", "commit_message", "private", "token", "create_pr") if name in options
        }
        with model_written_whole(save_directory) as building:
            super().save_pretrained(str(building), **options)
            index = read_json(building / "model_index.json") | self._write_absent(building)
            (building / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
            if self.knows:
                self.knows.save(building)
            (building / "pipeline.py").write_text(CODE, encoding="utf-8")
        if push_to_hub:
            name = hub.pop("repo_id", Path(save_directory).name)
            write_card(save_directory, self, name)
            upload(save_directory, name, **hub)

    def push_to_hub(self, repo_id: str, **options: Any) -> Any:
        """Write the pipeline as `save_pretrained` does, with its card, and upload it. options: private, token, commit_message, create_pr."""
        with tempfile.TemporaryDirectory() as folder:
            hub = {name: options.pop(name) for name in ("private", "token", "commit_message", "create_pr") if name in options}
            self.save_pretrained(Path(folder) / "model", **options)
            write_card(Path(folder) / "model", self, repo_id)
            return upload(Path(folder) / "model", repo_id, **hub)

    def _write_absent(self, building):
        """Write what the pipeline has, but has not loaded, one part at a time; returns {name: [library, class]}."""
        if self._folder is None:
            return {}
        absent = [name for name in (*HEAVY, *PREDICTOR_PARTS) if getattr(self, name) is None]
        if not self._has_predictors:
            absent = [name for name in absent if name not in PREDICTOR_PARTS]
        if not absent:
            return {}
        folder = self._folder_with_predictors() if set(absent) & set(PREDICTOR_PARTS) else self._folder
        if is_released(folder):
            tokenizers = {name: self._predictor_tokenizer(name) for name in absent if name.endswith("tokenizer")}
            entries = {name: write_part(part, building / name) for name, part in tokenizers.items()}
            for name, part in released_predictors(folder):
                if name in absent:
                    entries[name] = write_part(part, building / name)
            return entries
        for name in absent:
            shutil.copytree(folder / name, building / name)
        index = model_index(folder)
        return {name: index.get(name) or entry_of(name, folder / name) for name in absent}

    def _dress(self):
        """Put on the denoiser, which has just been loaded, what the pipeline has on it."""

    @property
    def _execution_device(self):
        """The device that models run on, also where only some are offloaded and the others' weights do not tell."""
        device = super()._execution_device
        if device.type != "meta":
            return device
        models = [part for part in self.components.values() if isinstance(part, torch.nn.Module)]
        return next((found for found in map(execution_device, models) if found.type != "meta"), device)

    def _stage(self, *names):
        """With low memory: load the named components and let go of the others."""
        if not self._low_memory:
            return
        device = self._execution_device
        for name in set(HEAVY) - set(names):
            self.register_modules(**{name: None})
        for name in names:
            if getattr(self, name) is None:
                kind = class_of(name, *model_index(self._folder)[name])
                component = kind.from_pretrained(self._folder / name, dtype=self._dtype, use_safetensors=True)
                check_finite(component.state_dict(), self._folder / name)
                self.register_modules(**{name: component.eval().to(device)})
                if name == "unet":
                    self._dress()

    @property
    def _has_predictors(self):
        if self.beat_predictor is not None and self.chord_predictor is not None:
            return True
        return self._folder is not None and has_predictors(self._folder, self._hub_id)

    def predict(self, prompt: str) -> tuple:
        """Return ((times, positions), PredictedChords) of a prompt: what the released predictors say, loaded when first asked."""
        if self._neural is None:
            self._load_predictors()
            parts = (getattr(self, name) for name in PREDICTOR_PARTS)
            self._neural = NeuralPredictors(*parts)
        return self._neural(prompt)

    def _load_predictors(self):
        """Load those of the predictors and their tokenizers that are not there yet, in full precision, on the CPU."""
        absent = [name for name in PREDICTOR_PARTS if getattr(self, name) is None]
        if not absent:
            return
        folder = self._folder_with_predictors()
        if not is_released(folder):
            verify(folder)  # with the predictors, which may have come only now
        parts: dict[str, Any] = {name: self._predictor_tokenizer(name) for name in absent if name.endswith("tokenizer")}
        for name, part in released_predictors(folder) if is_released(folder) else predictors_from(folder):
            if name in absent:
                check_finite(part.state_dict(), folder / name)
                parts[name] = part.float()
        self.register_modules(**parts)

    def _release_predictors(self):
        """With low memory: let go of predictors that can be loaded again."""
        if self._low_memory and self._folder is not None and self._neural is not None:
            self._neural = None
            if has_predictors(self._folder, self._hub_id):
                self.register_modules(**dict.fromkeys(PREDICTOR_PARTS))

    @property
    def commit(self) -> str | None:
        """The hub's commit that the model is of, None for a folder's."""
        return self._folder.name if self._hub_id is not None and self._folder.parent.name == "snapshots" else None

    def _folder_with_predictors(self):
        """Return the model's folder with the predictors' files, which are fetched if they are not there. Raises InputError."""
        if self._hub_id is None:
            return self._folder
        return model_folder(self._hub_id, self.commit, "predictors", **self._hub_options)

    def _predictor_tokenizer(self, role):
        folder = self._folder_with_predictors()
        return load_tokenizer(folder, role, self._tokenizers.get(role) if is_released(folder) else folder / role)


def _as_today(index):
    """Return a model's index as this version writes it; until 0.1.0 the settings of inference lay among the others."""
    names = [field.name for field in fields(SamplingConfig) if field.name in index]
    sampling = {"sampling": {name: index[name] for name in names}} if names else {}
    return with_todays_names({name: value for name, value in index.items() if name not in names} | sampling)

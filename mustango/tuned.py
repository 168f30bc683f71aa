"""How a pipeline plays what is asked: its settings of inference, solver, kernel of attention and caches; the sizes of what it makes."""

from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from musicbench import InputError, quoted
from mustango import ATTENTION
from mustango.model.attention import choose_attention
from mustango.model.conditioning import TextStates
from mustango.model.sampling import SamplingConfig
from mustango.model.solvers import solver
from mustango.release.files import read_json
from mustango.release.loading import FolderPipeline
from mustango.request.knows import Knows, read_knows


class TunedPipeline(FolderPipeline):
    """A pipeline whose ways of playing can be set. Diffusers' names for them stand beside ours."""

    config: Any  # diffusers gives it: the arguments of __init__ as attributes

    _attention = "auto"

    @property
    def sampling(self) -> SamplingConfig:
        """The model's settings of inference."""
        return SamplingConfig(**self.config.sampling)

    def set_sampling(self, **settings: Any) -> None:
        """Set settings of inference by the names of SamplingConfig; the others stay as they are. Raises InputError for an unknown name."""
        try:
            sampling = replace(self.sampling if "sampling" in self.config else SamplingConfig(), **settings)
        except TypeError:
            known = [field.name for field in fields(SamplingConfig)]
            unknown = next(name for name in settings if name not in known)
            raise InputError(f"unknown sampling setting {unknown[:40]!r}; known: {', '.join(known)}") from None
        self.register_to_config(sampling=asdict(sampling))

    def set_attention(self, name: str) -> None:
        """Choose the kernel of the denoiser's attention, one of `mustango.ATTENTION`. Raises InputError."""
        if name not in ATTENTION:
            raise InputError(f"unknown attention {quoted(name)}; choose one of {', '.join(ATTENTION)}")
        self._attention = name
        if self.unet is not None:  # with low memory it comes later
            choose_attention(self.unet, name, self._execution_device)

    def set_scheduler(self, name: str) -> None:
        """Choose the sampler by name: "dpm" (DPM-Solver++, the default), "ddpm" (the original's), or another of SCHEDULERS. Raises InputError."""
        self.register_modules(scheduler=solver(name, self.scheduler.config, bool(self.sampling.restart)))

    @property
    def _texts(self):
        """The states of texts that were encoded before."""
        if "_text_states" not in self.__dict__:
            self.__dict__["_text_states"] = TextStates()
        return self.__dict__["_text_states"]

    def fuse_qkv_projections(self) -> None:
        """Let the denoiser's self-attention make queries, keys and values by one product; call it once the weights are settled."""
        self.unet.fuse_qkv_projections()

    def unfuse_qkv_projections(self) -> None:
        """Undo `fuse_qkv_projections`."""
        self.unet.unfuse_qkv_projections()

    @property
    def knows(self) -> Knows | None:
        """What the model knows, None where its folder does not say."""
        folder = self._folder or self.config.get("_name_or_path")  # the latter where diffusers' own loader loaded it
        return read_knows(Path(folder)) if folder else None

    @property
    def longest_s(self) -> float:
        """The longest clip the model makes, in seconds."""
        return self.config.longest_s or self.config.window_s

    def rows(self, duration_s: float) -> int:
        """Return how many latent rows cover `duration_s`."""
        frames_a_row = self.mel.config.fold[0] * self.vae_scale
        return -(-self.mel.frames(duration_s) // frames_a_row)

    def spans(self, duration_s: float, tail_s: float = 0.0) -> tuple[int, int, int]:
        """Return how many latent rows the lead-in, the clip and its tail have."""
        rows = self.rows(duration_s)
        return self.rows(self.sampling.lead_in_s), rows, self.rows(duration_s + tail_s) - rows

    @property
    def vae_scale(self) -> int:
        """How many of the VAE's input rows make a latent row."""
        config = self.vae.config if self.vae is not None else read_json(self._folder / "vae" / "config.json")
        return 2 ** (len(config["block_out_channels"]) - 1)

    @property
    def _unet_config(self):
        return self.unet.config if self.unet is not None else read_json(self._folder / "unet" / "config.json")

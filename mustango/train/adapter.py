"""Train an adapter (LoRA) of the denoiser: a few MB that make a model play like the rows it learnt from; the model stays as it is."""

import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path

from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file

from musicbench import __version__
from musicbench.files import save_json
from mustango.release.adapters import ABOUT, CONFIG, WEIGHTS
from mustango.train.checks import part
from mustango.train.munet import TrainMuNet

# Linear layers and convolutions that are changed: those of all three attentions, and what turns features into sound.
CHANGED = r"(.*\.streams\..*\.(to_[qkv]|to_out|proj_in|proj_out|proj|2))|(.*resnet\.conv[12])"


class TrainAdapter(TrainMuNet):
    """Low-rank changes to MuNet on cached latents; the rest is `TrainMuNet`."""

    name = "lora"  # of the folder with its state; what is made of it goes to `adapter`

    def __init__(self, data, run, device="cpu", bf16=False, recipe=None, audio=None, rank=8, licence=None):
        super().__init__(data, run, device, bf16, recipe, audio)
        self.base_sha256 = _hash_of(part(run, "unet"))
        self.run, self.rank, self.licence = Path(run), rank, licence
        self.model.requires_grad_(False)
        unet = self.model["unet"]
        unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=CHANGED, init_lora_weights=True))

    def save(self, parts):
        """Write the adapter's weights, its config, and what it learnt from."""
        target, new = self.run / "adapter", self.run / ".adapter.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        tensors = get_peft_model_state_dict(self.model["unet"])
        save_file({f"unet.{name}": tensor.half().contiguous() for name, tensor in tensors.items()}, new / WEIGHTS)
        changed = sorted({name.rsplit(".lora_", 1)[0] for name in tensors})
        save_json(
            new / CONFIG, {"peft_type": "LORA", "r": self.rank, "lora_alpha": self.rank, "bias": "none", "target_modules": changed}
        )
        about = self.about()
        save_json(new / ABOUT, about)
        (new / "README.md").write_text(card(about), encoding="utf-8")
        for path in sorted(new.iterdir()):
            target.mkdir(exist_ok=True)
            path.replace(target / path.name)
        new.rmdir()

    def about(self):
        """Return what the adapter is of and what it learnt from, as its folder tells it."""
        rows = [self.encoded.rows[index] for index in self.learnable]
        licences = Counter(str(row["license"]) for row in rows if row.get("license"))
        if self.licence:
            licences[self.licence] += 0
        index = json.loads((part(self.run, "unet") / "config.json").read_text(encoding="utf-8"))
        return {
            "rank": self.rank,
            "base": {"class": index.get("_class_name"), "unet_sha256": self.base_sha256},
            "learnt_from": {
                "rows": len(rows),
                "datasets": sorted({str(row["dataset"]) for row in rows}),
                "songs": len({row.get("source") or row["location"] for row in rows}),
                "licences": sorted(licences) or ["not told"],
            },
            "mustango": __version__,
        }


def _hash_of(folder):
    """Return the SHA-256 of a part's weights."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def card(about):
    """Return an adapter's card, Markdown."""
    learnt = about["learnt_from"]
    return (
        f"# An adapter of Mustango\n\nLoRA of rank {about['rank']} for the denoiser whose weights have the SHA-256 "
        f"`{about['base']['unet_sha256'][:16]}`. Use it with `mustango generate --lora FOLDER`.\n\n"
        f"Learnt from {learnt['rows']} rows of {learnt['songs']} songs; datasets: {', '.join(learnt['datasets'])}; "
        f"licences: {', '.join(learnt['licences'])}.\n"
    )

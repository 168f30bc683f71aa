"""A dataset folder uploaded to the Hugging Face hub."""

import re
from pathlib import Path
from typing import Any

from musicbench import InputError, on_one_line
from musicbench.build.card import CARD
from musicbench.build.dataset import ROWS, rows_file
from musicbench.build.packing import SUFFIX
from musicbench.build.row_tables import TESTS
from musicbench.build.shelves import SPLITS
from musicbench.files import alone_in

DATA = (*(f"{split}/**" for split in SPLITS), *(f"shards/{split}-*.{suffix}" for split in SPLITS for suffix in SUFFIX.values()))
MOST_SAID = 200  # letters of what the hub says


def push(folder: Path | str, repo_id: str, *, is_public: bool = False, hub: Any = None) -> str:
    """Upload a dataset folder to the hub's dataset OWNER/NAME, private unless `is_public`; returns its address.

    Card, rows, audio or shards go, not what a later build needs, nor other files. What is there of an earlier upload and is
    no longer in the folder is deleted there. Run it again to go on. hub: huggingface_hub, or what stands for it. Raises
    InputError, also where there is no token, or where the dataset is public already and `is_public` is not given.
    """
    rows_file(folder)
    if not Path(folder, CARD).is_file():
        raise InputError(f"{folder} has no {CARD}; run `musicbench build` once more, which writes it")
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", repo_id):
        raise InputError(f"{on_one_line(repo_id)[:60]!r} is no name on the hub; give OWNER/NAME")
    hub = hub or _hub()
    token = hub.get_token()
    if not token:
        raise InputError("no token for the hub; run `hf auth login`, or set HF_TOKEN to one that may write")
    try:
        with alone_in(folder):
            return _upload(hub.HfApi(token=token), folder, repo_id, is_public)
    except InputError:
        raise
    except Exception as error:  # of the hub, and of the HTTP library below, whichever it is
        said = on_one_line(str(error).replace(token, "***"))[:MOST_SAID]
        raise InputError(f"cannot upload {folder} to {repo_id} ({said}); check name, token and connection, and run again") from None


def _hub():
    try:
        import huggingface_hub
    except ImportError:
        raise InputError("an upload needs huggingface_hub; pip install huggingface_hub") from None
    return huggingface_hub


def _upload(api, folder, repo_id, is_public):
    address = api.create_repo(repo_id, repo_type="dataset", private=not is_public, exist_ok=True)
    if not is_public and not api.repo_info(repo_id, repo_type="dataset").private:
        raise InputError(f"{repo_id} is public; give --public if it is to be, or another name")
    files = [CARD, ROWS, *TESTS]
    api.upload_folder(
        repo_id=repo_id,
        repo_type="dataset",
        folder_path=str(folder),
        allow_patterns=[*files, *DATA],
        delete_patterns=[*DATA],
        commit_message="musicbench push",
    )
    return str(address)

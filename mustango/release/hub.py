"""Models on the hub: what is a name there, and the folder that what it names is fetched into."""

import re
from pathlib import Path

from musicbench import InputError
from mustango.release.files import one_line
from mustango.release.layouts import wanted_files, wanted_patterns


def is_hub_id(model: Path | str) -> bool:
    """True for what can only be a name on the hub: owner/name, and no such file or folder here."""
    return bool(re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", str(model))) and not Path(model).exists()


def fetched(hub_id: str, revision: str | None, fetch: str, hub: dict) -> Path:
    """Return the cached snapshot of a hub id, fetching what is not there yet. Raises InputError."""
    from huggingface_hub import snapshot_download

    patterns = wanted_patterns(fetch)
    try:
        names = None if hub.get("local_files_only") else _names_on_hub(hub_id, revision)
        chosen = wanted_files(names, patterns) if names else patterns
        return Path(snapshot_download(hub_id, revision=revision, allow_patterns=chosen, **hub))
    except (OSError, ValueError) as error:  # the hub's errors derive from these
        at = f" at revision {revision}" if revision else ""
        # what the connection said, where the hub tells only that there was none
        cause = one_line(error.__cause__ or error)[:160]
        raise InputError(
            f"no folder {hub_id}, and the hub does not give it{at} ({cause}); check name, revision and connection"
        ) from None


def _names_on_hub(hub_id, revision):
    """Return the names of a hub id's files, or None when the hub does not answer, where the cache may do.

    It is asked once: listing the files by pages would try six times, for 24 s, and tell of each.
    """
    from huggingface_hub import constants, model_info

    if constants.HF_HUB_OFFLINE:
        return None
    try:
        return [file.rfilename for file in model_info(hub_id, revision=revision).siblings or ()]
    except Exception:  # of the HTTP library below, whichever it is; fetching meets the same and says it
        return None


def upload(
    folder: Path | str,
    hub_id: str,
    private: bool | None = None,
    token: str | None = None,
    commit_message: str | None = None,
    create_pr: bool = False,
) -> str:
    """Upload a model's folder to a hub id, which is made if it is not there; returns the commit's address. Raises InputError."""
    from huggingface_hub import create_repo, upload_folder

    try:
        name = create_repo(hub_id, private=private, token=token, exist_ok=True).repo_id
        done = upload_folder(
            repo_id=name, folder_path=str(folder), token=token, commit_message=commit_message or "Upload model", create_pr=create_pr
        )
    except (OSError, ValueError) as error:
        raise InputError(f"cannot upload to {hub_id} ({one_line(error)[:160]}); check name, token and connection") from None
    return str(done)

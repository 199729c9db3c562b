"""Which cases an earlier run has finished: told by what their files hold, not by their names."""

import hashlib
import json
from pathlib import Path
from typing import Any

from PDL1PredictorLib import __version__
from PDL1PredictorLib.batch.request import BatchRequest
from PDL1PredictorLib.core.errors import InputError, OutputError
from PDL1PredictorLib.core.files.output import whole_file
from PDL1PredictorLib.imaging.case_files import Files
from PDL1PredictorLib.imaging.file_hashes import content_sha256

MARK = "case.json"  # in the folder of each case
REQUEST = "batch.json"  # in the folder of all
FORMAT = 1
Json = dict[str, Any]


def begin(request: BatchRequest, model_sha256: str) -> None:
    """Make the folder, or find that it is that of the same request.

    Raises:
        OutputError: It holds something else, or cannot be written.
    """
    out, asked = request.out, _request_of(request, model_sha256)
    try:
        out.mkdir(parents=True, exist_ok=True)
        used = any(path.name != REQUEST and not path.name.startswith(".") for path in out.iterdir())
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"The folder {out} cannot be written: {reason}. Choose another one.") from error
    before = _read(out / REQUEST)
    if used and before is None:
        raise OutputError(f"{out} holds something else than a batch of predictions. Choose another folder.")
    if before == asked:
        return
    if before is not None and used and not request.overwrite:
        raise OutputError(
            f"{out} holds predictions by another model, version or other options ({_changed(before, asked)}). Choose "
            "another folder, or allow them to be replaced (--overwrite)."
        )
    with whole_file(out / REQUEST, overwrite=True) as draft:
        draft.write_text(json.dumps(asked, indent=1) + "\n", encoding="utf-8")


def key_of(files: Files, request: BatchRequest, model_sha256: str) -> str:
    """Names a case, the model and all that decides the answer; equal for equal content.

    Raises:
        InputError: A file cannot be read.
    """
    named = [path for path in (files.ct, files.tumor, files.ring) if path is not None]
    try:
        contents = [content_sha256(path) for path in named]
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}.") from error
    told = [files.segment, files.series, files.resample_mask, files.ring is not None, files.clinical.to_dict()]
    told += [files.name] if request.with_patient else []
    told += ["fill_gaps"] if files.fill_gaps else []  # only then: what was predicted before keeps its key
    asked = [_request_of(request, model_sha256), contents, told]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def mark(folder: Path, key: str) -> None:
    """Write beside a case's results what they are of, and the hash of each."""
    files = {path.name: _digest(path) for path in sorted(folder.iterdir()) if path.name != MARK}
    text = json.dumps({"format": FORMAT, "key": key, "files": files}, indent=1)
    (folder / MARK).write_text(text + "\n", encoding="utf-8")


def is_marked(folder: Path) -> bool:
    """Whether a folder is that of a case of a batch."""
    return _read(folder / MARK) is not None


def is_done(folder: Path, key: str) -> bool:
    """Whether a folder holds the results of this case, every file of them as it was written."""
    found = _read(folder / MARK)
    if found is None or found.get("key") != key or not isinstance(found.get("files"), dict):
        return False
    try:
        return all(_digest(folder / name) == sha256 for name, sha256 in found["files"].items())
    except OSError:
        return False


def _request_of(request: BatchRequest, model_sha256: str) -> Json:
    asked = {"format": FORMAT, "version": __version__, "model": model_sha256, **request.settings}
    plain: Json = json.loads(json.dumps(asked, default=str))
    return plain


def _read(file: Path) -> Json | None:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _changed(before: Json, asked: Json) -> str:
    return ", ".join(name for name in asked if before.get(name) != asked[name])


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

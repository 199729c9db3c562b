"""The files of a folder from elsewhere: named, bounded, and never outside of it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.strict_json import brief

MAX_FILES = 5000
MAX_BYTES = 2**30
HEAD = 512


def files_of(folder: Path) -> Iterator[Path]:
    """The plain files of a folder and its folders, sorted; hidden ones and links are passed over.

    Raises:
        InputError: It is no folder, cannot be read, or holds more files than a model has.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder. Name the folder that holds the parts of the model.")
    count = 0
    for place, folders, names in os.walk(folder, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        count += 1 + len(names)
        if count > MAX_FILES:
            raise InputError(f"{folder} holds over {MAX_FILES} files; no model does. Name a smaller folder.")
        paths = (Path(place) / name for name in sorted(names) if not name.startswith("."))
        yield from (path for path in paths if stat.S_ISREG(path.lstat().st_mode))


def _unreadable(error: OSError) -> None:
    raise InputError(f"{error.filename} cannot be read: {error.strerror}.") from error


def part_of(folder: Path, name: str) -> Path:
    """A file that the page `import.json` names.

    Args:
        folder: Of the page.
        name: Relative to it, with forward slashes.

    Raises:
        InputError: The name leads out of the folder or through a link, or there is no such plain file.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") or not part.isprintable() or set(part) & set("\\:") for part in parts):
        raise InputError(
            f"import.json names the file {brief(name)}; a file is named from the folder on, such as "
            "'heads/PDL1.onnx', without '..'."
        )
    path = folder
    for part in parts:
        path = path / part
        try:
            mode = path.lstat().st_mode
        except OSError as error:
            raise InputError(f"import.json names {name}, which cannot be read: {error.strerror}.") from error
        if stat.S_ISLNK(mode):
            raise InputError(f"import.json names {name}, which is a link. Put the file itself there.")
    if not stat.S_ISREG(mode):
        raise InputError(f"import.json names {name}, which is no file.")
    return path


def bounded(path: Path, most: int) -> bytes:
    """The bytes of a file that is not larger than it may be.

    Raises:
        InputError: It is larger, or cannot be read.
    """
    try:
        if path.stat().st_size > most:
            raise InputError(f"{path} is larger than the {most / 2**20:g} MiB that are read of such a file.")
        with path.open("rb") as stream:
            return stream.read(most)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error


def head_of(path: Path) -> bytes:
    """The first bytes of a file.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error

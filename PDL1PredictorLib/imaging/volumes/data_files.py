"""The data file that a detached header (.nhdr, .mhd) names; the name comes from outside: it may not lead anywhere."""

import os
import posixpath
from pathlib import Path

from PDL1PredictorLib.core.errors import InputError


def data_file(header: Path, name: bytes) -> Path:
    """The file of the voxels, which must lie in the header's own folder or below.

    Args:
        header: The header file.
        name: As it stands in the header, in whatever encoding.

    Raises:
        InputError: It leads out of the folder, or there is no such file.
    """
    for text in (os.fsdecode(name), name.decode("utf-8", "surrogateescape"), name.decode("latin-1")):
        _require_inside(header, text)
        found = header.parent / text
        if found.is_file():
            return found
    raise InputError(
        f"{header.name} cannot be read: its voxels should lie in {os.fsdecode(name)}, which is not there. Copy it "
        "beside the header, or save the volume as one file."
    )


def _require_inside(header: Path, name: str) -> None:
    as_posix = posixpath.normpath(name.replace("\\", "/"))
    if "\0" in name or as_posix.startswith(("/", "..")) or as_posix[1:2] == ":":
        raise InputError(
            f"{header.name} says that its voxels lie in {name}, outside its own folder, which is not followed. Copy "
            "the file beside the header and name it there, or save the volume as one file."
        )


def require_one_file(header: Path, name: bytes) -> None:
    """Refuse the forms that spread the voxels over several files.

    Raises:
        InputError: A list, or a pattern of names.
    """
    if name.split()[:1] == [b"LIST"] or b"%" in name:
        raise InputError(
            f"{header.name} spreads its voxels over several files, which is not read. Save the volume as one file."
        )

"""Bundles in a folder of the user's own: one is taken in after it was checked whole, or taken out."""

import os
import re
import shutil
from pathlib import Path

from PDL1PredictorLib.core.errors import BundleError, InputError, OutputError
from PDL1PredictorLib.core.files.output import whole_file
from PDL1PredictorLib.models.bundle import Bundle, find_bundles, pack, read_bundle
from PDL1PredictorLib.models.bundle_files import MANIFEST
from PDL1PredictorLib.models.manifest import read_manifest

NO_FILE_NAME = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


def checked_bundle(source: Path) -> Bundle:
    """A bundle that passed every check of its files and of its manifest; nothing is unpacked.

    Args:
        source: Its folder or .zip, or the `model.json` in its folder.

    Raises:
        BundleError: With what is wrong.
    """
    bundle = read_bundle(place_of(source))
    read_manifest(bundle)
    return bundle


def place_of(chosen: Path) -> Path:
    """The folder or .zip of a bundle, of which the `model.json` may have been chosen."""
    return chosen.parent if chosen.name == MANIFEST else chosen


def installed_path(bundle: Bundle, folder: Path) -> Path:
    """Where a bundle lies after `install_bundle`."""
    name = NO_FILE_NAME.sub("_", bundle.name).strip(" .") or "model"
    return folder / f"{name}.zip"


def install_bundle(source: Path, folder: Path, overwrite: bool = False) -> Path:
    """Check a bundle, then keep a copy of it as one .zip in a folder; a copy that is there whole, or not at all.

    Args:
        source: Its folder or .zip, or the `model.json` in its folder.
        folder: Of the user's models; made where it is missing.
        overwrite: Replace a bundle of the same name.

    Returns:
        The .zip.

    Raises:
        BundleError: The bundle is damaged, unsafe or no bundle.
        OutputError: There is one of this name, or it cannot be written.
    """
    place = place_of(source)
    bundle = checked_bundle(place)
    target = installed_path(bundle, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror or error}. Choose another folder.") from error
    if place.is_dir():
        return pack(place, target, overwrite)
    with whole_file(target, overwrite) as draft:
        shutil.copyfile(place, draft)
        if read_bundle(draft).sha256 != bundle.sha256:  # it was changed while it was copied
            raise BundleError(f"{place} was changed while it was read. Import it again.")
    return target


def remove_bundle(path: Path, folder: Path) -> None:
    """Remove a bundle, sound or damaged, that lies right inside a folder of the user's.

    Args:
        path: Its folder or .zip.
        folder: Of the user's models.

    Raises:
        InputError: It lies elsewhere, or is no bundle.
        OutputError: It cannot be removed.
    """
    if path.parent.resolve() != folder.resolve() or path not in find_bundles([folder]):
        raise InputError(f"{path} is no model of the folder {folder}. Choose one that lies there.")
    gone = path.with_name(f".removed-{os.getpid()}-{path.name}")  # at once; what lies in it may take a moment
    try:
        path.rename(gone)
        if gone.is_dir() and not gone.is_symlink():
            shutil.rmtree(gone)
        else:
            gone.unlink()
    except OSError as error:
        raise OutputError(f"{path} cannot be removed: {error.strerror or error}. Close what uses it.") from error


def bytes_of(path: Path) -> int:
    """What a bundle takes on disk."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size

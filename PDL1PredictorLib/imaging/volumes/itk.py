"""Files for SimpleITK, whatever they are called.

SimpleITK takes names as UTF-8 and opens them as such. A name that is not UTF-8 (bytes of an old disk or archive, kept
by Python as surrogates) ends the whole process, in 3D Slicer the application; where the system's encoding is another
one, the file is not found. Every call that hands SimpleITK a name goes through here.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import SimpleITK as sitk

from PDL1PredictorLib.core.case import SYNTHETIC_KEY, SYNTHETIC_MARK
from PDL1PredictorLib.core.errors import InputError


def is_plain(path: Path | str) -> bool:
    """Whether SimpleITK opens this name as Python does."""
    name = str(path)
    try:
        return name.encode("utf-8") == name.encode(sys.getfilesystemencoding(), "surrogateescape")
    except UnicodeEncodeError:
        return False


@contextmanager
def plain_names(paths: Sequence[Path]) -> Iterator[list[str]]:
    """Names under which SimpleITK can read files, in their order, good inside the block.

    A file with another name is linked (copied where links are not allowed) into a private temporary folder, with its
    suffix. A header's data file is not linked with it: volume files are read by `volume_files`.

    Raises:
        InputError: No temporary folder has a name that SimpleITK can use, or the files cannot be linked there.
    """
    if all(map(is_plain, paths)):
        yield [str(path) for path in paths]
        return
    with _plain_folder() as folder:
        names = []
        for number, path in enumerate(paths):
            if is_plain(path):
                names.append(str(path))
                continue
            there = folder / f"{number}{_plain_suffixes(path)}"
            _lay(path.absolute(), there)
            names.append(str(there))
        yield names


def write_image(image: sitk.Image, path: Path, compressed: bool = False, synthetic: bool = False) -> None:
    """Write a volume that lies in one file.

    Args:
        image: The volume.
        path: File to write; its suffix names the format.
        compressed: Whether voxels are packed.
        synthetic: Whether the file is marked as of a synthetic patient, as `read_volume` finds it again.

    Raises:
        OSError: It cannot be written.
    """
    if synthetic:
        image = sitk.Image(image)
        image.SetMetaData(SYNTHETIC_KEY, SYNTHETIC_MARK)
    if is_plain(path):
        _write(image, path, compressed)
        return
    with _plain_folder() as folder:
        draft = folder / f"0{_plain_suffixes(path)}"
        _write(image, draft, compressed)
        shutil.copyfile(draft, path)


def _write(image: sitk.Image, path: Path, compressed: bool) -> None:
    try:
        sitk.WriteImage(image, str(path), useCompression=compressed)
    except RuntimeError as error:
        last = str(error).strip().splitlines()[-1] if str(error).strip() else "SimpleITK gave no reason"
        raise OSError(f"{path.name} could not be written ({last.strip()})") from error


@contextmanager
def _plain_folder() -> Iterator[Path]:
    """A private folder with a plain name, gone afterwards."""
    folder = None
    # the usual one may lie in a home folder with such a name
    for parent in (None, "/tmp", "/var/tmp"):  # noqa: S108 - mkdtemp makes a private one inside
        with suppress(OSError):
            made = Path(tempfile.mkdtemp(prefix="pdl1-", dir=parent))
            if is_plain(made):
                folder = made
                break
            made.rmdir()
    if folder is None:
        raise InputError(
            f"No temporary folder has a name that can be used: {tempfile.gettempdir()} is not plain text. Set TMPDIR "
            "(on Windows TEMP) to a folder with an English name, or rename the files."
        )
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _plain_suffixes(path: Path) -> str:
    """What SimpleITK tells the format by, such as `.nii.gz`."""
    suffix = "".join(path.suffixes[-2:]) if path.name.lower().endswith(".gz") else path.suffix
    return suffix if suffix.isascii() else ""


def _lay(source: Path, there: Path) -> None:
    """A link to a file, a copy where the system allows no link."""
    for way in (os.symlink, os.link):
        with suppress(OSError, NotImplementedError):
            way(source, there)
            return
    try:
        shutil.copyfile(source, there)
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error.strerror or error}.") from error

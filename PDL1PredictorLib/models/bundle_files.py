"""The files of a bundle, read from a folder or a .zip within limits; nothing is unpacked to disk."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from PDL1PredictorLib.core.errors import BundleError

MANIFEST = "model.json"
MAX_TOTAL_BYTES = 2**30
MAX_FILES = 256
MAX_DIRECTORY_BYTES = 2**20  # of the list at the end of a .zip; one of 256 files has at most some 100 KB
MAX_RATIO = 200  # weights and JSON shrink 1 to 20 times; a zip bomb 1000 times
AGAIN = "Get the bundle again from its source."

_LONGEST_END = 22 + 2**16  # a .zip may end in a comment


def read_contents(path: Path) -> dict[str, bytes]:
    """Every byte of a folder or a .zip, by path inside the bundle.

    Raises:
        BundleError: It is not there, unsafe, too large or damaged.
    """
    try:
        if path.is_dir():
            return _read_folder(path)
        if path.is_file():
            return _read_zip(path)
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror or error}. Check its permissions.") from error
    raise BundleError(f"There is no model bundle at {path}. Choose a bundle's folder or .zip.")


def _read_folder(folder: Path) -> dict[str, bytes]:
    if not (folder / MANIFEST).is_file():  # asked first: a wrong folder may hold a whole disk
        raise _no_manifest(folder)
    sizes: dict[Path, int] = {}
    for count, path in enumerate(folder.rglob("*"), start=1):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            check_totals(folder, count - len(sizes), 0)  # a million empty folders is no bundle either
            continue
        if not stat.S_ISREG(mode):
            raise BundleError(f"{path} is a link or a device; a bundle holds plain files only. {AGAIN}")
        sizes[path] = path.stat().st_size
        check_totals(folder, len(sizes), sum(sizes.values()))
    return {path.relative_to(folder).as_posix(): _read_at_most(path, size) for path, size in sizes.items()}


def _read_at_most(path: Path, size: int) -> bytes:
    with path.open("rb") as stream:
        return stream.read(size + 1)  # a file that grew meanwhile fails the check of its size, and fills no memory


def _read_zip(path: Path) -> dict[str, bytes]:
    check_totals(path, 1, path.stat().st_size)
    check_directory(path)
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            check_totals(path, len(infos), sum(info.file_size for info in infos))
            check_duplicates(path, [info.filename for info in infos])
            for info in infos:
                _check_entry(path, info)
            contents = {info.filename: archive.read(info) for info in infos if not info.is_dir()}
    except BundleError:
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError, LookupError) as error:
        raise BundleError(f"{path} is no .zip, or is damaged or cut short ({error}). {AGAIN}") from error
    return _without_top_folder(path, contents)


def check_directory(path: Path) -> None:
    """Bound the list at the end of a .zip before it is read: a million empty files fill a memory, too.

    Raises:
        BundleError: It is longer than a bundle's.
    """
    with path.open("rb") as stream:
        stream.seek(max(path.stat().st_size - _LONGEST_END, 0))
        end = stream.read(_LONGEST_END)
    start = end.rfind(b"PK\x05\x06")
    if start < 0 or len(end) < start + 22:
        return  # no .zip: told when it is opened
    size = int.from_bytes(end[start + 12 : start + 16], "little")
    if size > MAX_DIRECTORY_BYTES:
        raise BundleError(
            f"{path} lists more files than the {MAX_FILES} of a bundle. Choose a bundle's folder or .zip."
        )


def _check_entry(path: Path, info: zipfile.ZipInfo) -> None:
    name = info.orig_filename  # `filename` hides what follows a NUL, and on Windows the backslashes
    parts = name.removesuffix("/").split("/")
    if any(part in ("", ".", "..") for part in parts) or any(char in "\\:" or char < " " for char in name):
        raise BundleError(f"{path} holds an unsafe name, {name!r}. Do not use this bundle.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise BundleError(f"{path} holds a link, {name!r}; a bundle holds plain files only. Do not use this bundle.")
    if info.flag_bits & 1:
        raise BundleError(f"{path} is encrypted; a bundle is not. {AGAIN}")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BundleError(f"{path} packs {name!r} in an unusual way. Pack it again as an ordinary .zip (deflate).")
    if info.file_size > 2**20 and info.file_size > MAX_RATIO * info.compress_size:
        raise BundleError(f"{path} would unpack {name!r} to over {MAX_RATIO} times its size, as a zip bomb does.")


def _without_top_folder(path: Path, contents: dict[str, bytes]) -> dict[str, bytes]:
    if MANIFEST in contents:
        return contents
    tops = {name.split("/")[0] for name in contents}
    if len(tops) == 1 and f"{min(tops)}/{MANIFEST}" in contents:
        return {name.partition("/")[2]: data for name, data in contents.items()}
    raise _no_manifest(path)


def _no_manifest(path: Path) -> BundleError:
    return BundleError(f"{path} has no {MANIFEST}, so it is no model bundle. Choose a bundle's folder or .zip.")


def check_totals(path: Path, count: int, total: int) -> None:
    """Refuse more files or bytes than a bundle has.

    Raises:
        BundleError: There are more.
    """
    if count > MAX_FILES:
        raise BundleError(
            f"{path} holds more than {MAX_FILES} files; no bundle does. Choose a bundle's folder or .zip."
        )
    if total > MAX_TOTAL_BYTES:
        raise BundleError(f"{path} holds over {MAX_TOTAL_BYTES / 2**30:g} GiB; no bundle does. Choose another one.")


def check_duplicates(where: str | Path, names: Iterable[str]) -> None:
    """Refuse names that some systems cannot hold side by side.

    Raises:
        BundleError: Two differ in capitals only.
    """
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:  # Windows and macOS cannot hold both of two names that differ in case only
            raise BundleError(f"{where} holds {name!r} twice (capitals do not count). {AGAIN}")
        seen.add(name.casefold())

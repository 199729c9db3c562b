"""Zip archives in a folder from elsewhere, spreadsheets and networks that torch saved: bounded before they are read."""

import zipfile
import zlib
from pathlib import Path
from typing import Literal

from PDL1PredictorLib.core.errors import BundleError, InputError
from PDL1PredictorLib.learning.importing.pickles import look_into
from PDL1PredictorLib.models.bundle_files import check_directory

ARCHIVE_SUFFIXES = (".pth", ".pt", ".ckpt", ".xlsx", ".zip")
TORCH_SUFFIXES = (".pth", ".pt", ".ckpt")
MAX_ARCHIVE_BYTES = 2**30
MAX_RECORDS = 5000
MAX_PAGE_BYTES = 16 * 2**20  # of `data.pkl`, which names the arrays: some hundred bytes each
_TORCH = ("torch.", "collections.")


def look_into_archive(path: Path) -> tuple[Literal["network", "table", "other"], bool, str]:
    """What an archive is, whether it can be used, and words for that; nothing is unpacked but a list of arrays."""
    try:
        check_directory(path)
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (BundleError, zipfile.BadZipFile, OSError, ValueError, LookupError, RuntimeError, NotImplementedError):
        is_torch = path.suffix.lower() in TORCH_SUFFIXES
        words = "not in today's format of torch, which is a .zip; not read" if is_torch else "a damaged archive"
        return "other", False, words
    if "xl/workbook.xml" in names:
        return "table", False, "a table (Excel)"
    if not any(name.split("/")[-1] == "data.pkl" for name in names):
        return "other", False, "an archive; not unpacked here"
    try:
        check_torch_archive(path)
    except InputError as error:
        return "other", False, f"a network of torch that is not read: {error}"
    return "network", True, "weights of a network (torch, read as weights only)"


def check_torch_archive(path: Path) -> dict[str, int]:
    """Refuse what no file of weights is, before torch sees it.

    Returns:
        Bytes of every record.

    Raises:
        InputError: It is no such archive, is packed, too large, or names more than arrays.
    """
    try:
        check_directory(path)
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            _check_records(path, infos)
            page = next((info for info in infos if info.filename.split("/")[-1] == "data.pkl"), None)
            if page is None or page.file_size > MAX_PAGE_BYTES:
                raise InputError(f"{path} has no data.pkl, or one of over {MAX_PAGE_BYTES // 2**20} MiB.")
            look = look_into(archive.read(page))
    except BundleError as error:
        raise InputError(str(error)) from error
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, LookupError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path} is not in today's format of torch, which is a .zip ({error}). Save its weights again, as "
            ".safetensors or by torch.save(network.state_dict(), ...), in an environment of your own."
        ) from error
    strange = [name for name in look.strange if not name.startswith(_TORCH)]
    if strange:
        raise InputError(f"{path} names {', '.join(strange)}: it holds more than weights and may run a program.")
    return {info.filename: info.file_size for info in infos}


def _check_records(path: Path, infos: list[zipfile.ZipInfo]) -> None:
    size, held = path.stat().st_size, sum(info.file_size for info in infos)
    if len(infos) > MAX_RECORDS or max(size, held) > MAX_ARCHIVE_BYTES:
        raise InputError(
            f"{path} holds over {MAX_RECORDS} arrays or {MAX_ARCHIVE_BYTES // 2**30} GiB; no network here does."
        )
    if any(info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 for info in infos):
        raise InputError(f"{path} is packed or encrypted, as torch never writes and as a zip bomb is.")
    if held > size:
        raise InputError(f"{path} says that it holds more bytes than it has.")

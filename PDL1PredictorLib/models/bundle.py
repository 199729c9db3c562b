"""The bundle: the file format of a trained model, checked whole before anything of it is used.

A bundle is a folder or a .zip with `model.json` (the manifest) and the files that the manifest lists with size and
SHA-256. It holds numbers, graphs and text, never code: no pickle is read, nothing is executed or unpacked to disk.
"""

import hashlib
import json
import re
import stat
import struct
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from PDL1PredictorLib.core.errors import BundleError
from PDL1PredictorLib.core.files.output import whole_file, whole_folder
from PDL1PredictorLib.core.strict_json import strict_json
from PDL1PredictorLib.models.bundle_files import (
    AGAIN,
    MANIFEST,
    check_directory,
    check_duplicates,
    check_totals,
    read_contents,
)

SCHEMA_VERSION = 4  # what is written
READABLE = (1, 2, 3, 4)
MAX_MANIFEST_BYTES = 32 * 2**20
SUFFIXES = (".safetensors", ".onnx", ".md", ".json", ".csv", ".png", ".txt")
CODE_SUFFIXES = (".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib", ".npy", ".npz")

_SAFE_PART = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9_. -]*"
)  # so no "..", root, drive, backslash, hidden or look-alike name
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DATE = (1980, 1, 1, 0, 0, 0)  # equal content gives equal zip bytes, whenever it was packed


@dataclass(frozen=True, eq=False)
class Bundle:
    """A model that passed every check.

    Attributes:
        name: The model's name, from the manifest.
        sha256: Hash of the manifest, which holds the hash of every other file.
        manifest: Content of `model.json`.
        files: Every other file by its path inside the bundle.
    """

    name: str
    sha256: str
    manifest: Mapping[str, Any] = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)

    def file(self, path: str) -> bytes:
        """The content of one file.

        Args:
            path: Path inside the bundle, with forward slashes.

        Raises:
            BundleError: The bundle has no such file.
        """
        try:
            return self.files[path]
        except KeyError:
            held = ", ".join(sorted(self.files)) or "none"
            raise BundleError(f"The bundle {self.name} has no file {path!r}. Its files: {held}. {AGAIN}") from None


def read_bundle(path: Path) -> Bundle:
    """Read and check a whole bundle; nothing comes back unless all of it is as its manifest says.

    Args:
        path: A folder, or a .zip that holds the files at its root or in one folder.

    Raises:
        BundleError: It is not there, damaged, incomplete, unsafe, too large or from another version.
    """
    path = Path(path)
    return _checked(str(path), read_contents(path))


def write_bundle(
    folder: Path, manifest: Mapping[str, Any], files: Mapping[str, bytes], overwrite: bool = False
) -> Bundle:
    """Write a bundle whole or not at all, and read it back.

    Args:
        folder: The folder to make.
        manifest: Must hold `name`; `schema_version` and `files` are filled in here.
        files: Content by path inside the bundle, with forward slashes.
        overwrite: Replace an existing folder.

    Raises:
        BundleError: A name, a file or a value of the manifest cannot be part of a bundle.
        OutputError: The folder exists already or cannot be written.
    """
    folder = Path(folder)
    table = {name: {"sha256": _sha256(data), "bytes": len(data)} for name, data in files.items()}
    full = {"schema_version": SCHEMA_VERSION, **manifest, "files": table}
    contents = {**files, MANIFEST: _manifest_bytes(full)}
    _checked(str(folder), contents)  # before writing, so that the message names the folder that was asked for
    with whole_folder(folder, overwrite) as draft:
        for name, data in contents.items():
            target = draft / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return read_bundle(draft)


def pack(folder: Path, zip_path: Path, overwrite: bool = False) -> Path:
    """Pack a bundle's folder into a .zip; equal bundles give equal bytes on every machine.

    Files are stored, not compressed: weights hardly shrink, and compressors differ from machine to machine.

    Returns:
        `zip_path`.

    Raises:
        BundleError: The folder is not a sound bundle.
        OutputError: The .zip exists already or cannot be written.
    """
    folder, zip_path = Path(folder), Path(zip_path)
    contents = read_contents(folder)
    _checked(str(folder), contents)
    with whole_file(zip_path, overwrite) as draft, zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(contents):
            archive.writestr(_entry(name), contents[name])
    return zip_path


def find_bundles(folders: Iterable[Path]) -> list[Path]:
    """Bundles in these folders: each folder itself, and the folders and .zip files right inside it.

    A folder that does not exist is passed over, so that a list of usual places can be given. What is found looks like
    a bundle by its `model.json`; only `read_bundle` tells whether it is sound.

    Returns:
        Paths, sorted within each folder, none twice.
    """
    found: dict[Path, Path] = {}
    for folder in map(Path, folders):
        for path in [folder, *_inside(folder)]:
            if _looks_like_bundle(path):
                found.setdefault(path.resolve(), path)
    return list(found.values())


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:  # not there, no folder, or not ours to look into: the others are still found
        return []


def _looks_like_bundle(path: Path) -> bool:
    try:
        if path.is_dir():
            return (path / MANIFEST).is_file()
        if path.suffix.lower() != ".zip" or not path.is_file():
            return False
        check_directory(path)
        with zipfile.ZipFile(path) as archive:
            return any(name == MANIFEST or name.split("/")[1:] == [MANIFEST] for name in archive.namelist())
    except BundleError:
        return True  # it says what is wrong when it is read
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, LookupError, struct.error):
        return False


# Checking: the contents against the manifest, in memory; `where` is the path for messages.


def _checked(where: str, contents: Mapping[str, bytes]) -> Bundle:
    raw = contents[MANIFEST]
    manifest = _manifest(where, raw)
    files = {name: data for name, data in contents.items() if name != MANIFEST}
    table = manifest["files"]
    check_duplicates(where, contents)
    for name in [*table, *files]:
        _check_name(where, name)
    missing, unlisted = sorted(set(table) - set(files)), sorted(set(files) - set(table))
    if missing:
        raise BundleError(f"{where} lacks {', '.join(missing)}, which {MANIFEST} lists. {AGAIN}")
    if unlisted:
        raise BundleError(f"{where} holds {', '.join(unlisted)}, which {MANIFEST} does not list. Remove it. {AGAIN}")
    check_totals(Path(where), len(contents), sum(map(len, contents.values())))
    for name, data in files.items():
        _check_hash(where, name, data, table[name])
        _check_content(where, name, data)
    return Bundle(manifest["name"], _sha256(raw), MappingProxyType(manifest), MappingProxyType(files))


def _manifest(where: str, raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_MANIFEST_BYTES:
        raise BundleError(f"{where}: {MANIFEST} is over {MAX_MANIFEST_BYTES // 2**20} MiB; no bundle's is. {AGAIN}")
    manifest = _json(where, MANIFEST, raw)
    if not isinstance(manifest, dict):
        raise BundleError(f"{where}: {MANIFEST} must be a JSON object, got a {type(manifest).__name__}. {AGAIN}")
    version = manifest.get("schema_version")
    if type(version) is not int or version < min(READABLE):
        known = " and ".join(map(str, READABLE))
        raise BundleError(f"{where} has schema version {version!r}; this library reads {known}. {AGAIN}")
    if version > SCHEMA_VERSION:  # told before anything else, as a newer manifest may look quite different
        raise BundleError(
            f"{where} has schema version {version}; this library reads up to {SCHEMA_VERSION}. Update PDL1Predictor."
        )
    name = manifest.get("name")
    if not (isinstance(name, str) and name.strip() and name.isprintable() and len(name) <= 200):
        raise BundleError(f"{where}: {MANIFEST} must have a name of 1 to 200 letters, got {name!r}. {AGAIN}")
    table = manifest.get("files")
    if not (isinstance(table, dict) and all(_is_entry(entry) for entry in table.values())):
        raise BundleError(f"{where}: {MANIFEST} must list `files`, each with its sha256 and bytes. {AGAIN}")
    return manifest


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and set(entry) == {"sha256", "bytes"}
        and type(entry["bytes"]) is int
        and isinstance(entry["sha256"], str)
        and _SHA256.fullmatch(entry["sha256"]) is not None
    )


def _check_name(where: str, name: str) -> None:
    if not all(_SAFE_PART.fullmatch(part) for part in name.split("/")):
        raise BundleError(
            f"{where} holds or lists an unsafe name, {name!r}; names are relative, of letters a to z, digits, "
            f"'_', '-' and '.'. {AGAIN}"
        )
    suffix = Path(name).suffix.lower()
    if suffix in CODE_SUFFIXES:
        raise BundleError(f"{where} holds {name}; such a file can run code when it is read. Do not use this bundle.")
    if suffix not in SUFFIXES or name == MANIFEST:
        raise BundleError(f"{where} holds or lists {name}; only {', '.join(SUFFIXES)} may be listed. {AGAIN}")


def _check_hash(where: str, name: str, data: bytes, entry: Mapping[str, Any]) -> None:
    if len(data) != entry["bytes"]:
        raise BundleError(f"{where}: {name} has {len(data)} bytes, {MANIFEST} says {entry['bytes']}. {AGAIN}")
    if _sha256(data) != entry["sha256"]:
        raise BundleError(f"{where}: {name} has a changed byte, its SHA-256 is not that of {MANIFEST}. {AGAIN}")


def _check_content(where: str, name: str, data: bytes) -> None:
    suffix = Path(name).suffix.lower()
    if suffix == ".safetensors":
        sound = _is_safetensors(data)
    elif suffix == ".onnx":
        sound = data[:1] == b"\x08"  # protobuf's first field, the version; a pickle starts 0x80, a zip with P
    elif suffix == ".png":
        sound = data.startswith(b"\x89PNG\r\n\x1a\n")
    elif suffix == ".json":
        _json(where, name, data)
        sound = True
    else:
        sound = _is_text(data)
    if not sound:
        raise BundleError(f"{where}: {name} is not what its name says but {_kind(data)}. Do not use this bundle.")


def _is_safetensors(data: bytes) -> bool:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 10 or length > len(data) - 8 or data[8:9] != b"{":
        return False
    try:
        return isinstance(json.loads(data[8 : 8 + length]), dict)
    except (ValueError, RecursionError):
        return False


def _is_text(data: bytes) -> bool:
    try:
        return "\0" not in data.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _kind(data: bytes) -> str:
    if data[:1] == b"\x80" and data[1:2] <= b"\x05":
        return "a pickle, which can run code"
    if data.startswith(b"PK\x03\x04"):
        return "a zip, as torch archives are, which can run code"
    return "something else"


def _json(where: str, name: str, raw: bytes) -> Any:
    try:
        return strict_json(raw)
    except ValueError as error:
        raise BundleError(f"{where}: {name} is not valid JSON ({error}). {AGAIN}") from error


def _manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
        return (text + "\n").encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise BundleError(
            f"The manifest holds a value that JSON cannot hold ({error}). Give plain finite values."
        ) from error


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _DATE)
    info.create_system = 3  # else the byte differs between Windows and the rest
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    return info


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

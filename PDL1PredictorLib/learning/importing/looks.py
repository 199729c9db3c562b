"""What each file of a folder is, by its first bytes and its name, and whether it can be used; nothing is run."""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PDL1PredictorLib.core.errors import InputError, printable
from PDL1PredictorLib.learning.importing.archives import ARCHIVE_SUFFIXES, look_into_archive
from PDL1PredictorLib.learning.importing.files import MAX_BYTES, bounded, files_of, head_of
from PDL1PredictorLib.learning.importing.pickles import PickleLook, is_pickle, look_into
from PDL1PredictorLib.learning.importing.tables import COEFFICIENTS, INPUTS, SCALES
from PDL1PredictorLib.models.onnx.graph import MAX_BYTES as MAX_ONNX_BYTES
from PDL1PredictorLib.models.onnx.graph import read_graph
from PDL1PredictorLib.models.tensors import read_tensors

Kind = Literal[
    "page", "classifier", "network", "coefficients", "scales", "inputs", "table", "pickle", "absent", "other"
]
PAGE = "import.json"
PICKLE_SUFFIXES = (".pkl", ".pickle", ".joblib", ".sav", ".dill")
MAX_PICKLE_BYTES = 64 * 2**20
_POINTER = b"version https://git-lfs"
_TABLES = {COEFFICIENTS: "coefficients", SCALES: "scales", INPUTS: "inputs"}
_CODE = (".py", ".ipynb", ".m", ".r", ".sh")
_MAGIC = {
    b"\x89HDF\r\n": "an HDF5 file, as Keras writes; not read. Write its weights as .safetensors",
    b"\x93NUMPY": "an array of numpy; not read",
    b"\x1f\x8b": "packed with gzip; not unpacked here",
    b"PAR1": "a table (Parquet)",
}


@dataclass(frozen=True)
class FileLook:
    """What one file is.

    Attributes:
        name: Relative to the folder.
        kind: Of what use it can be.
        usable: Whether `import.json` can name it as it is.
        words: For people.
        pickle: What a pickle says that it holds; None of other files.
    """

    name: str
    kind: Kind
    usable: bool
    words: str
    pickle: PickleLook | None = None

    @property
    def line(self) -> str:
        """The file and what it is."""
        return f"{printable(self.name)}: {self.words}"


def look_at(folder: Path) -> tuple[FileLook, ...]:
    """Every plain file of a folder, none of it unpacked, loaded or run.

    Raises:
        InputError: It is no folder, or holds more files than a model has.
    """
    return tuple(look_at_file(path, path.relative_to(folder).as_posix()) for path in files_of(folder))


def look_at_file(path: Path, name: str) -> FileLook:
    """One file.

    Args:
        path: Where it lies.
        name: How it is called.
    """
    try:
        size, head = path.stat().st_size, head_of(path)
        if not size:
            return FileLook(name, "other", False, "empty")
        if head.startswith(_POINTER):
            return FileLook(name, "absent", False, "a pointer of Git LFS: the file itself was not fetched")
        if size > MAX_BYTES:
            return FileLook(name, "other", False, f"larger than {MAX_BYTES // 2**30} GiB; not read")
        return _by_content(path, name, head)
    except (InputError, OSError) as error:
        return FileLook(name, "other", False, f"cannot be read: {error}")


def _by_content(path: Path, name: str, head: bytes) -> FileLook:
    suffix = path.suffix.lower()
    if suffix in PICKLE_SUFFIXES or is_pickle(head):
        return _pickle(path, name)
    if head.startswith(b"PK\x03\x04") or suffix in ARCHIVE_SUFFIXES:
        return FileLook(name, *look_into_archive(path))
    for magic, words in _MAGIC.items():
        if head.startswith(magic):
            return FileLook(name, "table" if "table" in words else "other", False, words)
    reader = _READERS.get(suffix)
    if reader is not None:
        return reader(path, name)
    if suffix in _CODE:
        return FileLook(name, "other", False, "code; never run")
    return FileLook(name, "other", False, "of no use here")


def _pickle(path: Path, name: str) -> FileLook:
    if path.stat().st_size > MAX_PICKLE_BYTES:
        found = PickleLook()
        words = f"a pickle of over {MAX_PICKLE_BYTES // 2**20} MiB, refused; not looked into"
    else:
        found = look_into(bounded(path, MAX_PICKLE_BYTES))
        words = f"a pickle, refused, since reading one can run code: {found.words}"
    return FileLook(name, "pickle", False, words, found)


def _onnx(path: Path, name: str) -> FileLook:
    try:
        graph = read_graph(bounded(path, MAX_ONNX_BYTES))
        width = graph.inputs[0].shape[1]
    except (ValueError, LookupError) as error:
        return FileLook(name, "other", False, f"ONNX that a bundle does not take as a classifier: {error}")
    return FileLook(name, "classifier", True, f"a classifier of {width} inputs (ONNX)")


def _safetensors(path: Path, name: str) -> FileLook:
    try:
        count = len(read_tensors(bounded(path, MAX_BYTES)))
    except ValueError as error:
        return FileLook(name, "other", False, f"damaged .safetensors: {error}")
    return FileLook(name, "network", True, f"{count} arrays of a network (.safetensors)")


def _csv(path: Path, name: str) -> FileLook:
    head = head_of(path).decode("utf-8-sig", errors="replace").split("\n", 1)[0]
    columns = next(csv.reader([head.replace(";", ",").replace("\t", ",")]), [])
    given = {column.strip() for column in columns}
    for needed, kind in _TABLES.items():
        if set(needed) == given:
            return FileLook(name, kind, True, f"a table of {kind} ({', '.join(needed)})")  # type: ignore[arg-type]
    return FileLook(name, "table", False, "a table (CSV)")


def _json(path: Path, name: str) -> FileLook:
    is_page = name == PAGE
    return FileLook(name, "page" if is_page else "other", is_page, "the page of the import" if is_page else "JSON")


_READERS: dict[str, Callable[[Path, str], FileLook]] = {
    ".onnx": _onnx,
    ".safetensors": _safetensors,
    ".csv": _csv,
    ".json": _json,
}


def pickles_of(looks: Iterable[FileLook]) -> dict[str, PickleLook]:
    """What was told of each pickle, by its name."""
    return {look.name: look.pickle for look in looks if look.pickle is not None}

"""Where the scripted modules lie."""

import re
from collections.abc import Iterable
from pathlib import Path


def find_modules(folders: Iterable[str | Path], ignored: Iterable[str] = ()) -> list[Path]:
    """The scripted modules of some folders: files that hold a class of their own name; of two of one name the first.

    Args:
        folders: Looked through as they are, without what lies below.
        ignored: Names of modules that are left out.
    """
    left_out = set(ignored)
    found: dict[str, Path] = {}
    for folder in folders:
        for file in sorted(Path(folder).glob("*.py")):
            if file.stem not in left_out and is_module(file):
                found.setdefault(file.stem, file)
    return list(found.values())


def is_module(file: Path) -> bool:
    """Whether a Python file holds a class of its own name, as Slicer asks of a scripted module."""
    text = file.read_text(encoding="utf-8")
    return re.search(rf"^class {re.escape(file.stem)}\b", text, re.MULTILINE) is not None


def module_file(path: Path) -> Path:
    """The module that a path names: its file, its folder, or the folder of an extension that has only this one.

    Raises:
        LookupError: There is none, or more than one.
    """
    if path.is_file() and is_module(path):
        return path
    found = find_modules([path]) or find_modules(sorted(folder for folder in path.glob("*") if folder.is_dir()))
    if len(found) == 1:
        return found[0]
    if not found:
        raise LookupError(f"{path} is no scripted module: a Python file with a class of its own name is expected")
    raise LookupError(f"{path} holds {len(found)} modules, name one of them: {', '.join(map(str, found))}")

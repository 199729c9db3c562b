"""The lists of files in CMake: what is not listed is not packaged, and Slicer says nothing about it.

    python Testing/extension/list_files.py

brings the lists of both folders up to date with what git knows (outside a git checkout: with what is there).
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("PDL1Predictor", "PDL1PredictorLib")
KINDS = ("SCRIPTS", "RESOURCES")
COMMAND = "python Testing/extension/list_files.py"


def known_files(root: Path, folder: str) -> list[str]:
    """Files of a folder that belong to the project, relative to the root, sorted; no caches, no half-done files."""
    try:
        command = ["git", "-C", str(root), "ls-files", "-z", "--", folder]
        told = subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8")
    except (OSError, subprocess.CalledProcessError):
        told = ""
    names = told.split("\0") if told else [path.relative_to(root).as_posix() for path in (root / folder).rglob("*")]
    return sorted(name for name in names if _is_own(name) and (root / name).is_file())


def _is_own(name: str) -> bool:
    return bool(name) and not any(part == "__pycache__" or part.startswith(".") for part in name.split("/"))


def packaged(files: list[str], folder: str) -> dict[str, list[str]]:
    """What each of a folder's lists must hold, relative to the folder."""
    inside = [name.removeprefix(f"{folder}/") for name in files]
    inside = [name for name in inside if name != "CMakeLists.txt"]
    return {
        "SCRIPTS": [name for name in inside if name.endswith(".py")],
        "RESOURCES": [name for name in inside if not name.endswith(".py")],
    }


def listed(text: str, kind: str) -> list[str]:
    """What a list of a CMakeLists.txt holds.

    Raises:
        ValueError: There is no such list.
    """
    return _block(text, kind)[2].split()


def rewritten(text: str, wanted: dict[str, list[str]]) -> str:
    """A CMakeLists.txt with both lists as they must be."""
    for kind, names in wanted.items():
        block = _block(text, kind)
        lines = "".join(f"\n  {name}" for name in names)
        text = text.replace(block[0], f"{block[1]}{lines}\n  )")
    return text


def _block(text: str, kind: str) -> re.Match[str]:
    found = re.search(rf"(set\(MODULE_PYTHON_{kind})\b([^)]*)\)", text)
    if found is None:
        raise ValueError(f"no list set(MODULE_PYTHON_{kind} ...) in this CMakeLists.txt")
    return found


def faults(text: str, wanted: dict[str, list[str]], folder: str) -> list[str]:
    """What is wrong with a folder's lists, as sentences that say what to do."""
    found = []
    for kind, names in wanted.items():
        there = listed(text, kind)
        place = f"{folder}/CMakeLists.txt, list MODULE_PYTHON_{kind}"
        found += [
            f"{name} is not packaged: add it to {place}, or run: {COMMAND}" for name in names if name not in there
        ]
        found += [
            f"{name} does not exist: take it out of {place}, or run: {COMMAND}" for name in there if name not in names
        ]
        if not found and there != names:
            found.append(f"{place} is not sorted: run: {COMMAND}")
    return found


def main() -> int:
    """Rewrites both lists; says what changed."""
    for folder in FOLDERS:
        path = ROOT / folder / "CMakeLists.txt"
        before = path.read_text(encoding="utf-8")
        wanted = packaged(known_files(ROOT, folder), folder)
        for fault in faults(before, wanted, folder):
            print(fault.partition(": ")[0])
        path.write_text(rewritten(before, wanted), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The table of rooms in docs/architecture.md, held against the real imports, those inside functions too."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "PDL1PredictorLib"
FORBIDDEN = {"slicer", "qt", "ctk", "vtk", "pickle", "shap"}
HEAVY = {"torch", "SimpleITK", "sklearn", "onnxruntime", "scipy"}


def read_table(text: str) -> dict[str, set[str]]:
    """Rows such as "| `imaging/` | what it holds | core |": room to the rooms it may import."""
    rooms: dict[str, set[str]] = {}
    for name, allowed in re.findall(r"^\| `([\w.]+)/?` \|[^|]*\| ([^|]*) \|$", text, flags=re.MULTILINE):
        rooms[name] = set(re.findall(r"[\w.]+", allowed))
    return rooms


def imported(source: str, here: str) -> set[str]:
    """Top-level names of everything that a file imports; rooms of the library as `room`."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{here} uses a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_used(source: str, here: str) -> set[str]:
    prefix = "PDL1PredictorLib."
    parts = {name.removeprefix(prefix).split(".")[0] for name in imported(source, here) if name.startswith(prefix)}
    return {part for part in parts if (LIBRARY / part).is_dir() or (LIBRARY / f"{part}.py").is_file()}


def faults(room: str, allowed: set[str], source: str) -> set[str]:
    if allowed & {"every", "everything"}:
        return set()
    return rooms_used(source, room) - allowed - {room}


TABLE = read_table((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
FILES = sorted(LIBRARY.rglob("*.py"))


def test_the_table_names_every_room_and_no_other():
    rooms = {path.name for path in LIBRARY.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    modules = {path.name for path in LIBRARY.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert set(TABLE) == rooms | modules


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(LIBRARY)))
def test_a_room_imports_only_what_the_table_allows(file: Path):
    room = file.relative_to(LIBRARY).parts[0]
    if room in ("__init__.py", "__main__.py"):
        return
    assert not faults(room, TABLE[room], file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(LIBRARY)))
def test_the_library_imports_nothing_of_the_application_and_no_pickle(file: Path):
    names = {name.split(".")[0] for name in imported(file.read_text(encoding="utf-8"), str(file))}
    assert not names & FORBIDDEN


def test_a_forbidden_import_inside_a_function_is_seen():
    source = "def f():\n    from PDL1PredictorLib.study.recipe import train_demo\n    return train_demo\n"
    assert faults("imaging", {"core"}, source) == {"study"}


def test_an_import_of_a_room_by_the_package_is_seen():
    assert faults("core", set(), "from PDL1PredictorLib import imaging\n") == {"imaging"}


def test_nobody_imports_study_but_the_command_line():
    users = {
        file.relative_to(LIBRARY).parts[0]
        for file in FILES
        if "study" in rooms_used(file.read_text(encoding="utf-8"), str(file))
    }
    assert {user for user in users if not user.startswith("cli")} <= {"study"}


def test_importing_the_package_and_its_command_line_loads_nothing_heavy():
    import subprocess
    import sys

    code = f"import sys, PDL1PredictorLib.cli.main; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""The package stands on its own: it imports what it declares, and its wheel, alone and elsewhere, runs a module."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1]
SOURCE = PACKAGE / "src"
TOY = Path(__file__).parent / "toy"
#: Package of an index to what it lets a program import
GIVES = {
    "numpy": {"numpy"},
    "packaging": {"packaging"},
    "PySide6-Essentials": {"PySide6"},
    "shiboken6": {"shiboken6"},
    "slicer-core": {"slicer", "slicer_core"},
    "vtk": {"vtk"},
    "cmake": set(),
    "PyQt5": {"PyQt5"},
    "pytest": {"pytest"},
}
#: What the host itself makes importable
MADE_HERE = {"qt", "ctk"}


def declared() -> set[str]:
    """What the package may import of others, by its pyproject.toml."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for more in project["optional-dependencies"].values() for line in more)]
    return set().union(*(GIVES[re.split(r"[^\w-]", line)[0]] for line in lines))


def foreign_imports(sources: Iterable[str], allowed: set[str]) -> set[str]:
    """Top-level names that are imported, inside functions too, and are neither Python's own nor allowed."""
    names: set[str] = set()
    for node in (node for text in sources for node in ast.walk(ast.parse(text))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module).partition(".")[0])
    return names - allowed - set(sys.stdlib_module_names)


def test_nothing_is_imported_that_is_not_declared():
    sources = [file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py")]
    assert len(sources) > 40
    assert foreign_imports(sources, declared() | MADE_HERE | {"slicerhost"}) == set()


@pytest.mark.parametrize(
    "line", ["import scipy", "from scipy.ndimage import label", "def f():\n    import scipy.ndimage"]
)
def test_an_undeclared_import_is_seen(line):
    assert foreign_imports([line, "import os, numpy\nfrom . import page"], declared()) == {"scipy"}


def test_folders_and_files_stay_small():
    for folder in {file.parent for file in SOURCE.rglob("*.py")}:
        assert len(list(folder.glob("*.py"))) <= 20, folder
    for file in SOURCE.rglob("*.py"):
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 400, file


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, so that nothing is left beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    leave = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", ".*")
    shutil.copytree(PACKAGE, folder / "copy", ignore=leave)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    command += ["--wheel-dir", str(folder), str(folder / "copy")]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (file,) = folder.glob("*.whl")
    return file


def test_the_wheel_holds_every_file_of_the_package(wheel):
    own = [file for file in SOURCE.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    wanted = {file.relative_to(SOURCE).as_posix() for file in own if ".egg-info" not in str(file)}
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
        facts = archive.read(next(name for name in packed if name.endswith("METADATA"))).decode()
    assert wanted == {name for name in packed if ".dist-info/" not in name}
    assert {"slicerhost/cmake/UseSlicer.cmake", "slicerhost/qt5judge/slicer_widgets.json"} <= packed
    assert any(name.endswith("licenses/LICENSE") for name in packed)
    assert "License-Expression: Apache-2.0" in facts


def test_what_the_wheel_brings_runs_a_module_by_itself(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    shutil.copytree(TOY, tmp_path / "HostToy")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    command = [sys.executable, "-m", "slicerhost", "--module", "HostToy", "--self-test", "--judge"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    command = [sys.executable, "-c", "import slicerhost; print(slicerhost.__file__)"]
    place = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    assert Path(place.strip()).is_relative_to(tmp_path / "site")

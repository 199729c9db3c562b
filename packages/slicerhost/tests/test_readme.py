"""What the README shows works as it stands there, on the toy module."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import slicerhost

PACKAGE = Path(__file__).resolve().parents[1]
SOURCE = Path(slicerhost.__file__).parents[1]
README = (PACKAGE / "README.md").read_text(encoding="utf-8")
NRRD = """NRRD0004
type: int16
dimension: 3
space: left-posterior-superior
sizes: 4 3 2
space directions: (1,0,0) (0,1,0) (0,0,1)
endian: little
encoding: raw

"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def environment(extension: Path, tmp_path: Path) -> dict[str, str]:
    """As after an installation: the command is on the path, the package can be imported."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "slicerhost"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m slicerhost "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    (extension / "ct.nrrd").write_bytes(NRRD.encode() + bytes(2 * 4 * 3 * 2))
    path = os.pathsep.join([str(command.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(SOURCE)}


def done(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_commands_work(extension, environment):
    (text,) = blocks("bash")
    told = done(["bash", "-euo", "pipefail", "-c", text], extension, environment)
    assert told.returncode == 0, told.stdout + told.stderr
    assert (extension / "done.png").is_file()
    assert "100% tests passed" in told.stdout


def test_the_three_lines_are_enough_for_pytest(extension, environment):
    conftest, *tests = blocks("python")
    assert len((conftest + tests[0]).splitlines()) == 3
    (extension / "conftest.py").write_text(conftest, encoding="utf-8")
    for number, text in enumerate(tests):
        (extension / f"test_{number}.py").write_text(text, encoding="utf-8")
    (extension / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    told = done([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], extension, environment)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "3 passed" in told.stdout


def test_the_version_is_that_of_the_newest_changes():
    (newest, *_older) = re.findall(r"^## (\S+)$", (PACKAGE / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest == slicerhost.__version__

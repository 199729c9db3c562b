"""A command that lacks a package says which extra of pdl1predictor brings it; a prediction needs none."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from PDL1PredictorLib.cli.ending import failed
from PDL1PredictorLib.cli.speaker import Speaker
from PDL1PredictorLib.core.lazy import EXTRAS, extra_of

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "Resources" / "SampleData"
CT, MASK = SAMPLE / "PDL1Sample-ct.nrrd", SAMPLE / "PDL1Sample-tumor.seg.nrrd"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MODULES = {"scikit-learn": "sklearn", "pillow": "PIL", "PyWavelets": "pywt", "scikit-image": "skimage"}
#: By a package that a prediction needs: Jinja2
BROUGHT = {"markupsafe"}
OUTSIDE = {"radiomics", "threadpoolctl"}  # pyradiomics, installed by hand; what scikit-learn brings
RUN = """
import contextlib, io, json, sys
from PDL1PredictorLib.cli.main import main
for line in sys.stdin:
    with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.redirect_stdout(io.StringIO()):
        status = main([*json.loads(line), "--progress", "none"])
    print(json.dumps([status, said.getvalue()]))
"""
NEEDS = {  # command: the extra
    "train --recipe deepradscore --out O": "train",
    "train --recipe dlr --out O": "train",
    "train --recipe pdl1es --out O": "train",
    "train --recipe responder3d --out O": "train",
    "train --recipe complextransformer --out O": "train",
    "leak-test --out O": "train",
    "evaluate --model phantom-demo --cohort cases.csv --out O": "train",
    "survival --table t.csv --time t --event e --out O": "train",
    "classifiers --table t.csv --label e --out O": "train",
    "numbers --table t.csv --label e --out O": "train",
    "first-look --cohort cases.csv --out O": "train",
    "cohort features cases.csv --out O.csv": "train",
    "cohort check cases.parquet": "train",
    "backbones --out O": "train",
    "pretrain --data . --out O.safetensors": "train",
    "models import . --out O": "train",
    f"predict {CT} {MASK} --model phantom-demo --device cuda --out O": "gpu",
    f"predict {CT} {MASK} --model phantom-demo --runtime torch --out O": "gpu",
}
NEEDS_NONE = (
    "cohort check cases.csv --quick",
    "cohort describe cases.csv",
    "version",
    "models",
    "models phantom-demo",
    "examples --out start",
    "phantom --n 1 --extent tumor --out made",
)


def needed(requirements: list[str]) -> set[str]:
    """The modules of requirements, as they are imported."""
    names = {re.split(r"[\\[><=!]", one)[0] for one in requirements}
    return {MODULES.get(name, name.lower() if name != "SimpleITK" else name) for name in names}


def imported(folder: Path) -> set[str]:
    """Top-level names of all that a folder's pages import and that Python does not bring."""
    found = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module).partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"PDL1PredictorLib"}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Exit status and words of every command above, where no extra is installed."""
    folder = tmp_path_factory.mktemp("without extras")
    (folder / "cases.csv").write_text(f"case,image,mask,PDL1\na,{CT},{MASK},1\n", encoding="utf-8")
    (folder / "cases.parquet").write_bytes(b"PAR1")
    (folder / "t.csv").write_text("t,e\n1,1\n", encoding="utf-8")
    commands = [*NEEDS, *NEEDS_NONE]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "Testing" / "helpers" / "without_extras")])
    environment = {**os.environ, "PYTHONPATH": paths, "PDL1_WITHOUT": " ".join(EXTRAS)}
    given = "".join(json.dumps(command.split()) + "\n" for command in commands)
    command = [sys.executable, "-c", RUN]
    done = subprocess.run(command, input=given, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not list(folder.glob("O*"))  # nothing half made
    return dict(zip(commands, map(tuple, map(json.loads, done.stdout.splitlines())), strict=True))


@pytest.mark.parametrize("command", NEEDS)
def test_a_command_that_needs_more_names_the_extra(told, command):
    status, words = told[command]
    assert status == 2
    assert f"pdl1predictor[{NEEDS[command]}]" in words


@pytest.mark.parametrize("command", NEEDS_NONE)
def test_a_command_that_needs_none_works_without(told, command):
    assert told[command] == (0, "")


@pytest.mark.parametrize("module", EXTRAS)
def test_wherever_a_package_is_missed_its_extra_is_named(module, capsys):
    error = ModuleNotFoundError(f"No module named '{module}.inner'", name=f"{module}.inner")
    assert failed(error, Speaker("none"), "pdl1 x") == 2
    assert f"install pdl1predictor[{EXTRAS[module]}]." in capsys.readouterr().err


def test_a_package_that_every_installation_has_is_no_extra(capsys):
    assert extra_of("numpy.linalg") is None
    assert failed(ModuleNotFoundError("No module named 'numpy'", name="numpy"), Speaker("none"), "pdl1 x") == 2
    assert "Install pdl1predictor again" in capsys.readouterr().err


def test_the_extras_are_those_of_the_project():
    for module, extra in EXTRAS.items():
        assert module in needed(PROJECT["optional-dependencies"][extra])


def test_every_package_is_required_or_an_extra():
    required = needed(PROJECT["dependencies"])
    assert imported(ROOT / "PDL1PredictorLib") - required - set(EXTRAS) - BROUGHT - OUTSIDE == set()
    assert imported(ROOT / "Testing" / "cli") - required - set(EXTRAS) - BROUGHT - OUTSIDE >= {"pytest"}  # it can fail

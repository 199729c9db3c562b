"""The extension as Slicer builds it: configured, tested by ctest, installed; the installed tree works by itself."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import host_here  # noqa: F401 - puts the host on the path
import pytest
from slicerhost.here import CMAKE_FOLDER, LAUNCHER, WHY_NOT

if WHY_NOT:
    pytest.skip(WHY_NOT, allow_module_level=True)

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("CMakeLists.txt", "LICENSE", "README.md", "PDL1Predictor", "PDL1PredictorLib", "Resources", "Testing")
MODULES = "lib/Slicer-5.12/qt-scripted-modules"
TUTORIAL_PDL1 = 0.79  # docs/slicer.md and the report of `make demo`


def run(*command: str | Path, seconds: float = 300) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    texts = [str(part) for part in command]
    return subprocess.run(texts, capture_output=True, text=True, timeout=seconds, check=False, env=environment)


def tool(name: str) -> str:
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found is not None, f"{name} is missing: install requirements/host.txt"
    return found


def checkout(target: Path) -> Path:
    """What a clean checkout holds, as far as CMake needs it; half-done files that git does not know stay behind."""
    told = run("git", "-C", ROOT, "ls-files", "-z", "--", *NEEDED).stdout.split("\0")
    names = [name for name in told if name and (ROOT / name).is_file()]
    if not names:  # no git: all that is there
        names = [p.relative_to(ROOT).as_posix() for part in NEEDED for p in [ROOT / part, *(ROOT / part).rglob("*")]]
        names = [name for name in names if (ROOT / name).is_file() and "__pycache__" not in name]
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    return target


def take_compiled(source: Path, target: Path) -> None:
    """Saves half a minute: what numba compiled for one copy of the library; it looks at a page's time and size."""
    for file in source.rglob("__pycache__/*.nb[ci]"):
        place = target / file.parent.relative_to(source)
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, place)


def predict_installed(modules: Path, expected: Path) -> subprocess.CompletedProcess[str]:
    script = ROOT / "Testing" / "extension" / "predict_sample.py"
    options = ("--no-splash", "--testing", "--no-main-window", "--additional-module-paths", modules)
    return run(sys.executable, LAUNCHER, *options, "--python-script", script, expected)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configured build tree of a checkout in a folder with a space and an umlaut."""
    folder = tmp_path_factory.mktemp("Erweiterung für Slicer")
    source = checkout(folder / "source")
    options = (f"-DSlicer_DIR={CMAKE_FOLDER}", f"-DPython3_EXECUTABLE={sys.executable}")
    done = run(tool("cmake"), "-S", source, "-B", folder / "build", *options)
    assert done.returncode == 0, done.stderr
    take_compiled(ROOT / "PDL1PredictorLib", folder / "build" / MODULES / "PDL1PredictorLib")
    return folder / "build"


@pytest.fixture(scope="module")
def modules(build: Path) -> Path:
    """The installed folder of scripted modules; the library there is marked, so that it cannot be mistaken."""
    prefix = build.parent / "installed"
    done = run(tool("cmake"), "--install", build, "--prefix", prefix)
    assert done.returncode == 0, done.stderr
    page = prefix / MODULES / "PDL1PredictorLib" / "__init__.py"
    text = page.read_text(encoding="utf-8")
    marked = text.replace('__version__ = "', '__version__ = "9!')
    assert marked != text
    page.write_text(marked, encoding="utf-8")
    take_compiled(build / MODULES / "PDL1PredictorLib", page.parent)
    return prefix / MODULES


def test_ctest_runs_the_generic_test_the_self_test_and_the_sample(build):
    done = run(tool("ctest"), "--test-dir", build, "--output-on-failure")
    assert done.returncode == 0, done.stdout
    for name in ("py_nomainwindow_qSlicerPDL1PredictorModuleGenericTest", "py_PDL1Predictor", "py_predict_sample"):
        assert f" {name} " in done.stdout
    assert "100% tests passed" in done.stdout


def test_the_installed_tree_predicts_the_sample_without_the_source_tree(modules):
    done = predict_installed(modules, modules)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(next(line for line in done.stdout.splitlines() if line.startswith('{"answers"')))
    assert told["provenance"]["library_version"].startswith("9!")  # said by the background process
    assert round(told["answers"]["PDL1"], 2) == TUTORIAL_PDL1


def test_the_installed_tree_has_models_and_sample_data(modules):
    for folder in ("Models", "SampleData"):
        wanted = {path.relative_to(ROOT) for path in (ROOT / "Resources" / folder).rglob("*") if path.is_file()}
        assert wanted
        assert wanted <= {path.relative_to(modules) for path in modules.rglob("*") if path.is_file()}


def test_a_module_from_elsewhere_is_told(modules, tmp_path):
    done = predict_installed(modules, tmp_path)
    assert done.returncode == 1
    assert f"not from {tmp_path}" in done.stderr

"""onnxruntime says nothing to anybody: nothing is left in a fresh home, and nothing asked of the network."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import SimpleITK as sitk

from PDL1PredictorLib.phantom.patient import PhantomPatient
from PDL1PredictorLib.radiomics.compiled import cache_folder

ROOT = Path(__file__).resolve().parents[3]
DOORWAY = ROOT / "PDL1PredictorLib" / "models" / "onnx" / "session.py"
QUIET = "from PDL1PredictorLib.models.onnx.session import require_onnxruntime; require_onnxruntime()"
LOUD = "import onnxruntime"


def run(home: Path, code: str, *before: str) -> None:
    """Run code with a home that nothing was ever written to, as a user does: not as a test or a build server."""
    kept = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if name in kept}
    places = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME")
    places += ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")
    environment |= dict.fromkeys(places, str(home)) | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*before, sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def left(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*"))


def test_nothing_is_left_in_a_fresh_home(tmp_path: Path):
    run(tmp_path, QUIET)
    assert left(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="where the identifier lies elsewhere is not known here")
def test_without_the_doorway_something_is_left(tmp_path: Path):
    run(tmp_path, LOUD)
    assert any("deviceid" in name for name in left(tmp_path))


def asked_of_the_network(tmp_path: Path, code: str) -> list[str]:
    home, log = tmp_path / "home", tmp_path / "calls.txt"
    home.mkdir()
    run(home, code, "strace", "-f", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(log))
    return [line for line in log.read_text().splitlines() if "AF_INET" in line]


needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace, which sees the calls, is not there")


@needs_strace
def test_nothing_is_asked_of_the_network(tmp_path: Path):
    assert asked_of_the_network(tmp_path, QUIET) == []


@needs_strace
def test_a_question_to_the_network_would_be_seen(tmp_path: Path):
    code = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))"
    assert len(asked_of_the_network(tmp_path, code)) == 1


def imports(source: str) -> set[str]:
    """Top-level packages that a file imports, also by name through a function."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called in ("require_module", "import_module", "__import__"):
                names.add(str(node.args[0].value).split(".")[0])
    return names


@pytest.mark.parametrize("folder", ["PDL1PredictorLib", "PDL1Predictor", "Testing"])
def test_onnxruntime_is_imported_through_its_doorway_only(folder: str):
    files = [path for path in (ROOT / folder).rglob("*.py") if "onnxruntime" in imports(path.read_text("utf-8"))]
    assert files == ([DOORWAY] if folder == "PDL1PredictorLib" else [])


@pytest.mark.parametrize(
    "source",
    ["import onnxruntime", "from onnxruntime import capi", "import importlib; importlib.import_module('onnxruntime')"],
)
def test_another_import_is_seen(source: str):
    assert "onnxruntime" in imports(source)


def test_a_whole_prediction_leaves_nothing_but_its_result(tiny_model: Path, phantom: PhantomPatient, tmp_path: Path):
    home, data = tmp_path / "home", tmp_path / "data"
    home.mkdir()
    data.mkdir()
    for name, image in (("ct", phantom.case.ct), ("tumor", phantom.case.tumor)):
        sitk.WriteImage(image, str(data / f"{name}.nii.gz"))
    words = ["predict", "--ct", "ct.nii.gz", "--tumor", "tumor.nii.gz", "--model", str(tiny_model), "--device", "cpu"]
    kernels = os.environ.get("NUMBA_CACHE_DIR") or cache_folder() or ""  # those of the tests: compiling takes a minute
    code = f"""
import os, sys
os.chdir({str(data)!r})
os.environ["NUMBA_CACHE_DIR"] = {str(kernels)!r}
from PDL1PredictorLib.cli.main import main
sys.exit(main({[*words, "--out", "result"]!r}))
"""
    run(home, code)
    assert left(home) == []
    assert {path.name for path in data.iterdir()} == {"ct.nii.gz", "tumor.nii.gz", "result"}


@pytest.mark.parametrize("first", ["", "require_module('matplotlib', '');"])
def test_matplotlib_keeps_its_fonts_among_our_caches(tmp_path: Path, first: str):
    loads = "import PDL1PredictorLib.study.report.drawing, matplotlib.font_manager"
    run(tmp_path, f"from PDL1PredictorLib.core.lazy import require_module; {first} {loads}")
    assert {name for name in left(tmp_path) if "matplotlib" in name} == {
        name for name in left(tmp_path) if "pdl1predictor/matplotlib" in name.replace(os.sep, "/")
    }
    assert any("fontlist" in name for name in left(tmp_path))

"""A Slicer that was just installed: the window works with what Slicer brings, says what is missing, and asks."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from bundled_only import NOT_BUNDLED
from PDL1PredictorGUI.setup import packages

from PDL1PredictorLib.core.errors import MissingPackageError
from PDL1PredictorLib.core.lazy import require_module

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
PRELUDE = f"import sys; sys.path.insert(0, {str(HERE)!r}); import bundled_only; bundled_only.deny()\n"


def run_fresh(code, *arguments):
    """Runs code in a process that has only what Slicer brings."""
    command = [sys.executable, "-c", PRELUDE + code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)


@pytest.fixture(scope="module")
def walk(result_folder, tmp_path_factory):
    """What `fresh_slicer.py` saw."""
    command = [sys.executable, HERE / "fresh_slicer.py", result_folder, tmp_path_factory.mktemp("fresh ü")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_window_opens_and_lists_the_bundled_models_with_their_cards(walk):
    assert list(walk["models"]) == [
        "complextransformer-demo",
        "nsclc-radiogenomics",
        "phantom-demo",
        "responder3d-demo",
    ]
    for title, problem, card in walk["models"].values():
        assert ", version " in title
        assert problem == ""
        assert card == "<h1>"


def test_the_sample_patient_is_measured(walk):
    assert walk["volume"] == "18.19 mL"


def test_what_is_missing_is_said_and_asked_and_no_is_no_error(walk):
    wanted = [package.name for package in packages.PACKAGES if not package.bundled]
    for time in ("first", "second"):  # asked again at the next Predict
        assert [name for name in wanted if f"{name}: " not in walk[time]["asked"]] == []
        assert "from the internet" in walk[time]["asked"]
        assert "Without these packages nothing can be predicted" in walk[time]["said"]
        assert walk[time]["button"] == "Predict"
    assert [time for time in ("first", "second", "batch") if "torch" in walk[time]["asked"]] == []
    assert "Without these packages" in walk["batch"]["said"]
    assert walk["batch"]["button"].startswith("Predict all")
    assert walk["installed"] == []


def test_after_no_one_can_edit_save_and_go_on(walk):
    assert walk["edited"]["second"]
    assert walk["edited"]["ring"].endswith(" mL")
    assert walk["saved"]
    assert walk["reloaded"] == walk["edited"]["ring"]


def test_a_result_from_another_computer_is_shown_and_saved(walk):
    assert walk["result"]["rows"] == walk["loaded"] == 2
    assert {"report.html", "result.json", "features.csv", "tumor_and_ring.seg.nrrd"} <= set(walk["result"]["files"])


def test_the_modules_own_test_passes_and_no_slot_raised(walk):
    assert walk["self test"] == []
    assert walk["errors"] == []
    assert walk["loaded packages"] == []


def pages_of_the_library(folder):
    """Every page of the library that the module imports, wherever it does."""
    found = set()
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("PDL1PredictorLib"):
                found.add(node.module)
    return sorted(found)


def test_every_page_of_the_library_that_the_window_uses_needs_only_what_slicer_brings():
    pages = [*pages_of_the_library(ROOT / "PDL1Predictor"), "PDL1PredictorLib.imaging.read"]  # and what scripts read by
    assert "PDL1PredictorLib.models.manifest" in pages
    done = run_fresh("import importlib\nfor name in sys.argv[1:]: importlib.import_module(name)", *pages)
    assert done.returncode == 0, done.stderr


def test_a_page_that_needs_more_is_seen():
    done = run_fresh("import PDL1PredictorLib.prediction")
    assert done.returncode == 1
    assert "3D Slicer does not bring it" in done.stderr


def test_every_package_that_would_be_installed_is_denied_there():
    for package in packages.PACKAGES:
        name = {"scikit-image": "skimage", "PyWavelets": "pywt", "Jinja2": "jinja2"}.get(package.name, package.name)
        assert (name in NOT_BUNDLED) is not package.bundled


def test_a_package_at_its_point_of_need_says_what_to_install():
    code = (
        "from PDL1PredictorLib.radiomics.settings import PRESETS\n"
        "from PDL1PredictorLib.core.errors import MissingPackageError\n"
        "try: PRESETS['deepradscore'].margin_mm\n"
        "except MissingPackageError as error: print(error)\n"
    )
    assert "need the package PyWavelets: install it." in run_fresh(code).stdout
    with pytest.raises(MissingPackageError, match="no_such_package cannot be imported .* Do this"):
        require_module("no_such_package", "Do this.")


GENERIC = """
import unittest
sys.path[:0] = ["packages/slicerhost/src", "PDL1Predictor"]
import slicerhost
slicerhost.start(layout=False)
slicerhost.load_module("PDL1Predictor/PDL1Predictor.py")
from slicerhost.here import CMAKE_FOLDER
text = (CMAKE_FOLDER / "ModuleGenericTest.py.in").read_text(encoding="utf-8")
exec(text.replace("@MODULENAME@", "PDL1Predictor").replace("@MODULENAME_LC@", "pdl1predictor"))
done = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(
    qSlicerPDL1PredictorModuleGenericTest))
sys.exit(not (done.wasSuccessful() and done.testsRun > 3))
"""


def test_slicers_generic_test_passes_without_a_main_window():
    done = run_fresh(GENERIC)
    assert done.returncode == 0, done.stderr

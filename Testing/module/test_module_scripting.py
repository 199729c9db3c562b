"""Without a window: the module's own self-test, as Slicer's test runner runs it, and the example of the guide."""

import contextlib
import io
import unittest
from pathlib import Path

import pytest
import slicer
from PDL1PredictorGUI.scene import bridge, results
from window_steps import leftovers

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "PDL1Predictor" / "PDL1Predictor.py"
EXAMPLE = Path(__file__).with_name("example_scripting.py")


@pytest.fixture
def module(loaded):
    loaded(FILE)
    import PDL1Predictor

    return PDL1Predictor


def test_the_self_test_passes_and_leaves_no_file(module):
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(module.PDL1PredictorTest)
    found = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
    assert found.testsRun == 3
    assert "PDL1Predictor" in slicer.selfTests  # where Slicer's test runner finds it
    assert found.wasSuccessful(), [*found.failures, *found.errors]
    assert leftovers() == []


def test_the_self_test_notices_a_broken_module(module, monkeypatch):
    monkeypatch.setattr(bridge, "why_not_ct", lambda _node: "broken")
    test = module.PDL1PredictorTest("test_the_window_measures_a_tumor")
    assert not unittest.TextTestRunner(stream=io.StringIO()).run(test).wasSuccessful()


def run_example(text):
    """Runs the example as in the Python console; gives what it prints, and its variables."""
    from PDL1PredictorGUI.scene import sample

    sample.register()  # as at Slicer's start
    printed, names = io.StringIO(), {"__name__": "__main__"}
    with contextlib.redirect_stdout(printed):
        exec(compile(text, str(EXAMPLE), "exec"), names)
    return printed.getvalue().splitlines(), names


def test_the_example_of_the_guide_runs(module, slicer_scene):
    printed, names = run_example(EXAMPLE.read_text(encoding="utf-8"))
    answers = [line for line in printed if "% to " in line]
    assert len(answers) == 10
    assert answers[0].startswith("PD-L1: ")
    assert "cancelled" in printed
    assert printed[-1] == "Tumor 1: PD-L1 heat map"
    assert [result.main for result in results.all_results()] == [names["result"].main]
    assert leftovers() == []


def test_a_refused_case_raises_with_what_to_do(module, put_case, small_images):
    from PDL1PredictorLib.core.errors import PDL1Error

    case = put_case(*small_images)
    with pytest.raises(PDL1Error, match="no tumor segment"):
        module.PDL1PredictorLogic().predict(case.volume, case.segmentation, "Nothing", model="phantom-demo")
    assert leftovers() == []

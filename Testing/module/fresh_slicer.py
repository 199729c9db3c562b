"""A walk through the window in a Slicer that was just installed: no package is there that Slicer does not bring.

    python Testing/module/fresh_slicer.py RESULT FOLDER

RESULT is a folder that `pdl1 predict` wrote on another computer, FOLDER an empty one. What was seen is printed as JSON
in the last line. A process of its own: the tests' process has imported every package long ago.
"""

import json
import sys
import unittest
from pathlib import Path
from typing import Any

import bundled_only

bundled_only.deny()
ROOT = Path(__file__).resolve().parents[2]
for place in ("packages/slicerhost/src", "PDL1Predictor"):
    sys.path.insert(0, str(ROOT / place))

import slicerhost  # noqa: E402

slicerhost.start()

import slicer  # noqa: E402
from slicerhost.user import click  # noqa: E402

MODULE = ROOT / "PDL1Predictor" / "PDL1Predictor.py"


def models(window: Any) -> dict[str, Any]:
    """The models that can be chosen, and the first letters of their cards."""
    from PDL1PredictorGUI.setup.models import card_html

    entries = window.predict.model.models
    return {entry.key: [entry.title, entry.problem, card_html(entry.path)[:4]] for entry in entries}


def decline(window: Any, button: str, label: str) -> dict[str, str]:
    """Presses a button, says no, and tells what was asked and said."""
    with slicerhost.user_answers("Cancel") as dialogs:
        click(getattr(window.ui, button))
        asked = dialogs.texts[-1]
    return {"asked": asked, "said": getattr(window.ui, label).text, "button": getattr(window.ui, button).text}


def outline_more(window: Any) -> dict[str, Any]:
    """Edits: another tumor, another ring, another device."""
    parameters = window.shared.parameters
    first = parameters.segment_id
    click(window.ui.newTumorButton)
    second, parameters.segment_id = parameters.segment_id, first
    parameters.ring_mm = 5.0
    window.shared.live.settle()
    return {"second": second not in ("", first), "ring": window.ui.ringVolumeLabel.text}


def batch(window: Any, folder: Path) -> dict[str, str]:
    """A batch of the scene's tumors, declined."""
    ui = window.ui
    ui.batchSection.collapsed = False
    ui.batchSourceComboBox.setCurrentIndex(1)
    ui.batchOutEdit.currentPath = str(folder / "batch")
    click(ui.findCasesButton)
    return decline(window, "batchButton", "batchOutcomeLabel")


def result_from_elsewhere(window: Any, result: Path, folder: Path) -> dict[str, Any]:
    """A result that a colleague's scene brought is shown and saved."""
    from PDL1PredictorGUI.scene import results, saving

    window.results.show(results.store(result, window.shared.request()))
    window.shared.live.settle()
    saved = saving.save_results(window.results.result, folder / "saved")
    return {"rows": window.ui.predictionsTable.rowCount, "files": sorted(path.name for path in saved.iterdir())}


def self_test() -> list[str]:
    """The module's own test, as Slicer runs it."""
    cases = unittest.defaultTestLoader.loadTestsFromTestCase(sys.modules["PDL1Predictor"].PDL1PredictorTest)
    done = unittest.TextTestRunner(stream=sys.stderr).run(cases)
    assert done.testsRun >= 3
    return [text for _case, text in (*done.errors, *done.failures)]


def main(result: Path, folder: Path) -> dict[str, Any]:
    """The whole walk."""
    slicerhost.load_module(MODULE)
    main_window = slicerhost.MainWindow("PDL1Predictor")
    window = slicer.modules.PDL1PredictorWidget
    seen: dict[str, Any] = {"models": models(window)}
    click(window.ui.sampleButton)
    window.shared.live.settle()
    seen["volume"] = window.ui.tumorVolumeLabel.text
    seen["first"] = decline(window, "predictButton", "outcomeLabel")
    seen["edited"] = outline_more(window)
    seen["second"] = decline(window, "predictButton", "outcomeLabel")
    seen["batch"] = batch(window, folder)
    seen["result"] = result_from_elsewhere(window, result, folder)
    seen["saved"] = bool(slicer.util.saveScene(str(folder / "scene.mrb")))
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(str(folder / "scene.mrb"))
    seen["loaded"] = window.ui.predictionsTable.rowCount
    window.onReload()
    window = slicer.modules.PDL1PredictorWidget
    window.shared.live.settle()
    seen["reloaded"] = window.ui.ringVolumeLabel.text
    seen["self test"] = self_test()
    main_window.dismiss()
    slicer.app.moduleManager().unload("PDL1Predictor")
    seen["installed"] = slicerhost.packages.installed
    seen["errors"] = [repr(error) for error in slicerhost.slot_errors]
    seen["loaded packages"] = sorted(bundled_only.NOT_BUNDLED & {name.partition(".")[0] for name in sys.modules})
    return seen


if __name__ == "__main__":
    print(json.dumps(main(*map(Path, sys.argv[1:]))))

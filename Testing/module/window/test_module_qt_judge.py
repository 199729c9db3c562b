"""The window and its code before a second judge: Qt 5.15, as in the official builds of Slicer; nothing is run."""

import re
from pathlib import Path

from slicerhost.qt5judge.code_judge import judged_uses
from slicerhost.qt5judge.module_judge import module_faults, module_sources, module_widgets, ui_files

MODULE = Path(__file__).resolve().parents[3] / "PDL1Predictor" / "PDL1Predictor.py"


def test_window_and_code_use_nothing_that_qt_5_or_pythonqt_does_not_have(qt5_facts):
    assert [file.name for file in ui_files(MODULE)] == ["PDL1Predictor.ui"]
    assert module_faults(MODULE, qt5_facts) == []


def test_most_of_the_code_is_judged(qt5_facts):
    sources, widgets = module_sources(MODULE), module_widgets(MODULE)
    assert "PDL1PredictorGUI/window/section.py" in sources
    uses = judged_uses(sources, widgets, qt5_facts)
    assert len(uses) > 150
    made = set(re.findall(r"\bqt\.(Q\w+)\(", "\n".join(sources.values())))
    assert made - {use.partition(".")[0] for use in uses} <= {"QBrush", "QIcon", "QKeySequence", "QRegularExpression"}
    assert {"QLabel.text", "QPushButton.clicked(bool)", "ctkPathLineEdit.filters"} <= uses  # here a list, not a sum

"""The judge of .ui files: what Qt 5.15 and Slicer's widgets do not have is told."""

import json

import pytest

from slicerhost import qt5judge
from slicerhost.qt5judge import read_facts
from slicerhost.qt5judge.ui_judge import ui_faults

UI = """<?xml version="1.0" encoding="UTF-8"?>
<ui version="4.0"><class>Panel</class>
 <widget class="qMRMLWidget" name="Panel"><layout class="QVBoxLayout" name="box">
  <item><widget class="qMRMLNodeComboBox" name="selector">
   <property name="nodeTypes"><stringlist><string>vtkMRMLScalarVolumeNode</string></stringlist></property>
  </widget></item>
  <item><widget class="ctkSliderWidget" name="ringSlider">
   <property name="decimals"><number>1</number></property>
  </widget></item>
  <item><widget class="QLabel" name="label">
   <property name="wordWrap"><bool>true</bool></property>
   <property name="textFormat"><enum>Qt::PlainText</enum></property>
   <property name="frameShape"><enum>QFrame::StyledPanel</enum></property>
  </widget></item>
  <item><widget class="QTableWidget" name="table">
   <property name="editTriggers"><set>QAbstractItemView::NoEditTriggers</set></property>
  </widget></item>
  <item><widget class="QComboBox" name="combo">
   <property name="sizeAdjustPolicy"><enum>QComboBox::AdjustToContents</enum></property>
  </widget></item>
  <item><widget class="QProgressBar" name="bar"/></item>
  <item><widget class="ctkCollapsibleButton" name="more">
   <property name="collapsed"><bool>true</bool></property>
  </widget></item>
 </layout></widget>
 <connections><connection><sender>Panel</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
  <receiver>selector</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection></connections>
</ui>
"""


def test_the_judge_is_qt_5_and_knows_slicers_widgets(qt5_facts):
    assert qt5_facts.version.startswith("5.15.")
    assert qt5_facts.kind("QLabel", "text") == "property"
    assert qt5_facts.kind("QPushButton", "clicked") == "signal"
    assert qt5_facts.kind("QTableWidgetItem", "text") == "method"
    assert qt5_facts.kind("QHeaderView", "Stretch") == "value"
    assert qt5_facts.kind("ctkPathLineEdit", "toolTip") == "property"
    assert qt5_facts.kind("QLabel", "nothing") == ""


def test_what_qt_5_has_is_not(qt5_facts):
    assert ui_faults(UI, qt5_facts) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('name="wordWrap"', 'name="wrapWords"', "no property 'wrapWords'"),
        ('name="wordWrap"', 'name="hasSelectedText"', "property 'hasSelectedText' is read only"),
        ("<enum>Qt::PlainText<", "<enum>Qt::PlainWords<", "'Qt::PlainWords' is no value of Qt::TextFormat"),
        ("<enum>Qt::PlainText<", "<enum>Qt::TextFormat::PlainText<", "'Qt::TextFormat::PlainText' is no value of"),
        ("<enum>QFrame::StyledPanel<", "<enum>Qt::StyledPanel<", "'Qt::StyledPanel' is no value of QFrame::Shape"),
        ("<enum>Qt::PlainText</enum>", "<set>Qt::PlainText</set>", "takes one value, not a set"),
        ("<set>QAbstractItemView::NoEditTriggers<", "<set>QAbstractItemView::Never<", "is no value of"),
        ("<bool>true</bool>", "<string>true</string>", "of type bool is set by <string>"),
        ("<bool>true</bool>", "<bool>yes</bool>", "'yes' is no bool"),
        ('class="QProgressBar"', 'class="QProgressBarr"', "have no such class"),
        ('class="ctkSliderWidget" name="ringSlider"', 'class="ctkKnob" name="ringSlider"', "have no such class"),
        ('name="collapsed"', 'name="folded"', "no property 'folded'"),
        ('name="nodeTypes"', 'name="nodeKinds"', "no property 'nodeKinds'"),
        ('name="sizeAdjustPolicy"', 'name="labelDrawingMode"', "no property 'labelDrawingMode'"),  # Qt 6.9 has it
        ("<signal>mrmlSceneChanged(vtkMRMLScene*)", "<signal>mrmlSceneChanged()", "has no signal 'mrmlSceneChanged()'"),
        ("<slot>setMRMLScene(vtkMRMLScene*)", "<slot>setScene(vtkMRMLScene*)", "has no slot 'setScene("),
    ],
)
def test_what_qt_5_does_not_have_is_told(qt5_facts, old, new, fault):
    assert old in UI
    assert any(fault in found for found in ui_faults(UI.replace(old, new, 1), qt5_facts))


def test_a_judge_that_cannot_ask_says_so(monkeypatch, tmp_path):
    (tmp_path / "facts.py").write_text("raise SystemExit('no Qt here')")
    monkeypatch.setattr(qt5judge, "HERE", tmp_path)
    with pytest.raises(RuntimeError, match=r"Qt 5.15 gave no facts, is PyQt5 installed\? no Qt here"):
        read_facts()


def test_further_widgets_can_be_made_known(tmp_path, qt5_facts):
    text = UI.replace("QProgressBar", "ctkThermometer").replace('name="bar"/>', 'name="bar">{}</widget>')
    text = text.format('<property name="degrees"><double>1.5</double></property>')
    (fault,) = ui_faults(text, qt5_facts)
    assert "if Slicer has it, give its facts to read_facts(more=...)" in fault
    facts = {"base": "QWidget", "properties": {"degrees": {"type": "double", "writable": True}}}
    table = {"classes": {"ctkThermometer": {**facts, "signals": [], "slots": [], "enums": {}}}}
    (tmp_path / "more.json").write_text(json.dumps(table))
    assert ui_faults(text, read_facts(tmp_path / "more.json")) == []

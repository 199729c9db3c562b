"""The .ui loader: what Slicer would drop in silence is an error here."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("slicer_scene")

UI = """<?xml version="1.0" encoding="UTF-8"?>
<ui version="4.0"><class>Panel</class>
 <widget class="qMRMLWidget" name="Panel"><layout class="QVBoxLayout" name="box">
  <item><widget class="qMRMLNodeComboBox" name="selector">
   <property name="nodeTypes"><stringlist><string>vtkMRMLScalarVolumeNode</string></stringlist></property>
   <property name="SlicerParameterName" stdset="0"><string>volume</string></property>
  </widget></item>
  <item><widget class="QPushButton" name="button"><property name="text"><string>Go</string></property></widget></item>
 </layout></widget>
 <customwidgets>
  <customwidget><class>qMRMLWidget</class><extends>QWidget</extends><header>x.h</header><container>1</container></customwidget>
  <customwidget><class>qMRMLNodeComboBox</class><extends>QWidget</extends><header>x.h</header></customwidget>
 </customwidgets>
 <connections><connection><sender>Panel</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
  <receiver>selector</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection></connections>
</ui>
"""


def load(folder: Path, text: str):
    import slicer

    file = folder / "Panel.ui"
    file.write_text(text, encoding="utf-8")
    return slicer.util.loadUI(str(file))


def test_a_file_becomes_widgets_with_properties_and_connections(tmp_path):
    import slicer

    panel = load(tmp_path, UI)
    ui = slicer.util.childWidgetVariables(panel)
    assert ui.selector.nodeTypes == ["vtkMRMLScalarVolumeNode"]
    assert ui.selector.property("SlicerParameterName") == "volume"
    assert ui.button.text == "Go"
    panel.setMRMLScene(slicer.mrmlScene)
    assert ui.selector.mrmlScene() is slicer.mrmlScene


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name="nodeTypes"', 'name="nodeTypez"', "no property 'nodeTypez'"),
        ('name="text"', 'name="caption"', "no property 'caption'"),
        ('class="QPushButton"', 'class="ctkThermometer"', "no stand-in for the widget class ctkThermometer"),
        ("mrmlSceneChanged(vtkMRMLScene*)</signal>", "sceneChanged()</signal>", "sceneChanged"),
        ("<slot>setMRMLScene(", "<slot>setScene(", "no slot 'setScene"),
        ("<receiver>selector", "<receiver>chooser", "unknown object 'chooser'"),
        ("<class>qMRMLNodeComboBox</class>", "<class>qMRMLOther</class>", "not listed under <customwidgets>"),
    ],
)
def test_what_does_not_exist_is_refused(tmp_path, old, new, message):
    from slicerhost.pythonqt.ui_loader import UiError

    assert old in UI
    with pytest.raises(UiError, match=message):
        load(tmp_path, UI.replace(old, new))


def test_a_missing_file_is_refused_as_in_slicer(tmp_path):
    import slicer

    with pytest.raises(RuntimeError, match="file not found"):
        slicer.util.loadUI(str(tmp_path / "nothing.ui"))

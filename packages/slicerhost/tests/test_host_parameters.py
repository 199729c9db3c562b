"""slicer.parameterNodeWrapper: typed values in the scene, bound to widgets, kept in a .mrb."""

import enum
import pathlib
from typing import Annotated

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("slicer_scene")


class Device(enum.Enum):
    CPU = "cpu"
    GPU = "cuda"


def parameter_class():
    import slicer
    from slicer.parameterNodeWrapper import Choice, Default, Minimum, WithinRange, parameterNodeWrapper

    @parameterNodeWrapper
    class Parameters:
        ct: slicer.vtkMRMLScalarVolumeNode
        heatMap: slicer.vtkMRMLScalarVolumeNode | None
        device: Device
        ringMm: Annotated[float, WithinRange(1.0, 10.0), Default(3.0)]
        count: Annotated[int, Minimum(1)] = 2
        gene: Annotated[str, Choice(["KRAS", "EGFR"])] = "KRAS"
        exclude: bool = True
        model: pathlib.Path
        names: list[str]
        window: tuple[float, float] = (0.0, 1.0)

        def widest(self):
            return self.ringMm * self.count

    return Parameters


def node():
    import slicer

    existing = slicer.mrmlScene.GetSingletonNode("Study", "vtkMRMLScriptedModuleNode")
    if existing is not None:
        return existing
    made = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
    made.UnRegister(None)
    made.SetSingletonTag("Study")
    return slicer.mrmlScene.AddNode(made)


def volume(name="CT"):
    import slicer

    return slicer.util.addVolumeFromArray(np.zeros((2, 3, 4), np.int16), name=name)


def test_defaults_come_from_the_annotation_the_assignment_or_the_type():
    p = parameter_class()(node())
    assert (p.ct, p.heatMap, p.device, p.ringMm, p.count) == (None, None, Device.CPU, 3.0, 2)
    assert (p.exclude, p.names, p.window, p.gene) == (True, [], (0.0, 1.0), "KRAS")
    assert p.widest() == 6.0


def test_values_survive_a_scene_bundle(tmp_path, slicer_scene):
    import slicer

    p = parameter_class()(node())
    p.ct, p.heatMap = volume("CT"), volume("map")
    p.device, p.ringMm, p.count, p.exclude = Device.GPU, 5.5, 7, False
    p.model = tmp_path / "Modèle"
    p.names.append("GTV-1")
    p.window = (-1.5, 2.0)
    file = tmp_path / "case.mrb"
    assert slicer.util.saveScene(str(file))
    slicer_scene.Clear(0)
    assert parameter_class()(node()).ringMm == 3.0
    slicer_scene.Clear(0)
    slicer.util.loadScene(str(file))
    p = parameter_class()(node())
    assert (p.ct.GetName(), p.heatMap.GetName()) == ("CT", "map")
    assert (p.device, p.ringMm, p.count, p.exclude) == (Device.GPU, 5.5, 7, False)
    assert (p.model, p.names, p.window) == (tmp_path / "Modèle", ["GTV-1"], (-1.5, 2.0))
    assert slicer.util.arrayFromVolume(p.ct).shape == (2, 3, 4)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("ringMm", 0.5, ValueError),
        ("ringMm", "3", TypeError),
        ("ringMm", None, ValueError),
        ("count", 0, ValueError),
        ("count", 1.5, TypeError),
        ("gene", "ALK", ValueError),
        ("device", "cpu", TypeError),
        ("exclude", 1, TypeError),
        ("model", "/tmp", TypeError),
        ("heatMap", "node", TypeError),
        ("names", [1], TypeError),
    ],
)
def test_what_slicer_refuses_is_refused_and_nothing_changes(name, value, error):
    p = parameter_class()(node())
    before = getattr(p, name)
    with pytest.raises(error):
        setattr(p, name, value)
    assert getattr(p, name) == before


def test_a_node_of_another_class_is_refused():
    import slicer

    p = parameter_class()(node())
    with pytest.raises(TypeError, match="must be of type"):
        p.ct = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode")


def test_an_unknown_type_or_a_reserved_name_is_refused_when_the_class_is_made():
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    with pytest.raises(TypeError, match="no storage"):
        parameterNodeWrapper(type("P", (), {"__annotations__": {"x": complex}}))
    with pytest.raises(ValueError, match="reserved name 'connectGui'"):
        parameterNodeWrapper(type("P", (), {"__annotations__": {"connectGui": int}}))


def widgets():
    import ctk
    import qt
    import slicer

    ui = type("", (), {})()
    ui.selector, ui.device, ui.ring = slicer.qMRMLNodeComboBox(), qt.QComboBox(), ctk.ctkSliderWidget()
    ui.count, ui.gene, ui.exclude = qt.QSpinBox(), qt.QComboBox(), qt.QCheckBox()
    ui.selector.noneEnabled = True
    ui.selector.setMRMLScene(slicer.mrmlScene)
    names = {"selector": "ct", "device": "device", "ring": "ringMm"}
    names |= {"count": "count", "gene": "gene", "exclude": "exclude"}
    for widget, parameter in names.items():
        getattr(ui, widget).setProperty("SlicerParameterName", parameter)
    return ui


def test_widgets_follow_the_node_and_the_node_follows_the_widgets():
    p, ui, ct = parameter_class()(node()), widgets(), volume()
    tag = p.connectGui(ui)
    assert (ui.ring.value, ui.ring.minimum, ui.ring.maximum) == (3.0, 1.0, 10.0)
    assert [ui.device.itemText(i) for i in range(ui.device.count)] == ["CPU", "GPU"]
    assert ui.selector.nodeTypes == ["vtkMRMLScalarVolumeNode"]
    ui.selector.setCurrentNode(ct)
    ui.device.currentIndex, ui.ring.value, ui.count.value, ui.exclude.checked = 1, 4.25, 9, False
    ui.gene.setCurrentText("EGFR")
    assert (p.ct, p.device, p.ringMm, p.count, p.exclude, p.gene) == (ct, Device.GPU, 4.25, 9, False, "EGFR")
    p.ringMm, p.ct = 8.0, None
    assert ui.ring.value == 8.0
    assert ui.selector.currentNode() is None
    p.disconnectGui(tag)
    ui.ring.value = 2.0
    assert p.ringMm == 8.0
    p.ringMm = 6.0
    assert ui.ring.value == 2.0


@pytest.mark.parametrize(
    ("widget", "parameter", "error", "message"),
    [
        ("QLabel", "ringMm", RuntimeError, "Unable to create GUI connector"),
        ("QComboBox", "names", RuntimeError, "Unable to create GUI connector"),
        ("QSlider", "count", RuntimeError, "unbounded"),
        ("QSpinBox", "unknown", ValueError, "Cannot find a param"),
    ],
)
def test_a_pair_that_slicer_does_not_know_is_refused(widget, parameter, error, message):
    import qt

    made = getattr(qt, widget)()
    made.setProperty("SlicerParameterName", parameter)
    ui = type("", (), {})()
    ui.made = made
    with pytest.raises(error, match=message):
        parameter_class()(node()).connectGui(ui)


def test_a_removed_node_leaves_none_behind(slicer_scene):
    p, ct = parameter_class()(node()), volume()
    p.ct = ct
    slicer_scene.RemoveNode(ct)
    assert p.ct is None

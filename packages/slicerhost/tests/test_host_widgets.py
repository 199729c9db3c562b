"""Node selectors, segment selector and segment editor over a real scene."""

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("slicer_scene")


def volume(name):
    import slicer

    node = slicer.util.addVolumeFromArray(np.zeros((4, 5, 6), np.int16), name=name)
    node.CreateDefaultDisplayNodes()
    return node


def selector(**properties):
    import slicer

    made = slicer.qMRMLNodeComboBox()
    for name, value in {"nodeTypes": ["vtkMRMLScalarVolumeNode"], "noneEnabled": True, **properties}.items():
        setattr(made, name, value)
    made.setMRMLScene(slicer.mrmlScene)
    return made


def test_a_selector_offers_its_types_and_hides_what_it_must(slicer_scene):
    ct = volume("CT")
    labels = slicer_scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    slicer_scene.AddNewNodeByClass("vtkMRMLTableNode", "table")
    everything = selector()
    assert [everything.nodeFromIndex(i) for i in range(everything.nodeCount())] == [ct, labels]
    assert selector(hideChildNodeTypes=["vtkMRMLLabelMapVolumeNode"]).nodeCount() == 1
    assert selector(showChildNodeTypes=False).nodeCount() == 1
    ct.SetHideFromEditors(True)
    assert selector(showHidden=True).nodeCount() == 2
    assert selector().nodeCount() == 1


def test_a_selector_follows_added_renamed_and_removed_nodes(slicer_scene):
    seen = []
    box = selector()
    box.connect("currentNodeChanged(vtkMRMLNode*)", seen.append)
    first = volume("first")
    assert box.currentNode() is None
    box.setCurrentNode(first)
    first.SetName("CT of today")
    assert box._box.currentText == "CT of today"
    slicer_scene.RemoveNode(first)
    assert seen == [first, None]
    assert box.currentNodeID == ""


def test_without_none_the_first_node_is_chosen():
    seen = []
    box = selector(noneEnabled=False)
    box.connect("currentNodeChanged(bool)", seen.append)
    ct = volume("CT")
    assert box.currentNode() is ct
    assert seen == [True]


def test_attributes_restrict_the_offer():
    import slicer

    ct, pet = volume("CT"), volume("PET")
    pet.SetAttribute("modality", "PET")
    box = selector()
    box.addAttribute("vtkMRMLScalarVolumeNode", "modality", "PET")
    assert box.nodeCount() == 1
    box.setCurrentNode(ct)
    assert box.currentNode() is None
    made = box.addNode()
    assert made.GetAttribute("modality") == "PET"
    assert box.currentNode() is made
    assert isinstance(made, slicer.vtkMRMLScalarVolumeNode)


def test_a_selector_is_empty_after_the_scene_is_closed(slicer_scene):
    box = selector()
    box.setCurrentNode(volume("CT"))
    slicer_scene.Clear(0)
    assert box.currentNode() is None
    assert box.nodeCount() == 0


def test_several_nodes_are_chosen_by_check_marks():
    import qt
    import slicer

    box = slicer.qMRMLCheckableNodeComboBox()
    box.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    box.setMRMLScene(slicer.mrmlScene)
    seen = []
    box.connect("checkedNodesChanged()", lambda: seen.append(1))
    a, b = volume("a"), volume("b")
    box.setCheckState(b, qt.Qt.Checked)
    assert (box.checkedNodes(), box.uncheckedNodes(), seen) == ([b], [a], [1])


def segmentation(*names):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "regions")
    node.CreateDefaultDisplayNodes()
    for name in names:
        node.GetSegmentation().AddEmptySegment(name, name)
    return node


def test_the_segment_selector_follows_the_segmentation():
    import slicer

    box = slicer.qMRMLSegmentSelectorWidget()
    box.setMRMLScene(slicer.mrmlScene)
    seen = []
    box.connect("currentSegmentChanged(QString)", seen.append)
    node = segmentation("tumor", "ring")
    box.setCurrentNode(node)
    assert box.currentNodeID() == node.GetID()
    assert box.segmentIDs() == ["tumor", "ring"]
    box.setCurrentSegmentID("ring")
    node.GetSegmentation().RemoveSegment("ring")
    assert box.currentSegmentID() == "tumor"
    assert seen == ["tumor", "ring", "tumor"]


def editor():
    import slicer

    made = slicer.qMRMLSegmentEditorWidget()
    made.setMRMLScene(slicer.mrmlScene)
    made.setMRMLSegmentEditorNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode"))
    return made


def test_the_editor_thresholds_and_undoes_for_real():
    import slicer

    values = np.zeros((4, 5, 6), np.int16)
    values[1:3, 2:4, 1:5] = 100
    ct = slicer.util.addVolumeFromArray(values, name="CT")
    node = segmentation("tumor")
    made = editor()
    made.setMaximumNumberOfUndoStates(10)
    assert made.maximumNumberOfUndoStates == 10
    made.setSegmentationNode(node)
    made.setSourceVolumeNode(ct)
    assert made.currentSegmentID() == "tumor"
    made.setActiveEffectByName("Threshold")
    effect = made.activeEffect()
    effect.setParameter("MinimumThreshold", 50)
    effect.setParameter("MaximumThreshold", 150)
    effect.self().onApply()
    found = slicer.util.arrayFromSegmentBinaryLabelmap(node, "tumor", ct)
    assert np.array_equal(found > 0, values > 0)
    made.undo()
    assert not slicer.util.arrayFromSegmentBinaryLabelmap(node, "tumor", ct).any()


def test_the_editor_shows_the_effects_that_were_asked_for():
    made = editor()
    made.setEffectNameOrder(["Paint", "Erase", "Scissors"])
    made.unorderedEffectsVisible = False
    texts = [made._grid.itemAt(i).widget().text for i in range(made._grid.count())]
    assert texts == ["Paint", "Erase", "Scissors"]
    made.setActiveEffectByName("Paint")
    assert made.activeEffect().name == "Paint"
    made.setActiveEffect(None)
    assert made.activeEffect() is None


def test_without_its_node_the_editor_does_nothing_as_in_slicer():
    import slicer

    made = slicer.qMRMLSegmentEditorWidget()
    made.setMRMLScene(slicer.mrmlScene)
    made.setActiveEffectByName("Paint")
    made.setSegmentationNode(segmentation("tumor"))
    assert made.activeEffect() is None
    assert made.segmentationNode() is None


def test_a_slider_keeps_to_its_limits_and_decimals():
    import ctk

    seen = []
    slider = ctk.ctkSliderWidget()
    slider.connect("valueChanged(double)", seen.append)
    slider.minimum, slider.maximum, slider.decimals = 1.0, 10.0, 1
    slider.value = 2.34
    slider.setValue(99)
    assert seen == [1.0, 2.3, 10.0]


def test_a_range_keeps_its_order():
    import ctk

    box = ctk.ctkRangeWidget()
    box.setRange(0, 10)
    box.setValues(8, 2)
    assert (box.minimumValue, box.maximumValue) == (2, 8)


def test_a_collapsed_button_hides_its_children():
    import ctk
    import qt

    button = ctk.ctkCollapsibleButton("Advanced")
    child = qt.QLabel("x", button)
    seen = []
    button.connect("contentsCollapsed(bool)", seen.append)
    button.show()
    button.collapsed = True
    assert (child.visible, seen) == (False, [True])
    button.collapsed = False
    assert child.visible


def test_checkable_items_are_listed():
    import ctk
    import qt

    box = ctk.ctkCheckableComboBox()
    box.addItems(["ALK", "EGFR", "KRAS"])
    box.setCheckState(box.model().index(1, 0), qt.Qt.Checked)
    assert [index.row() for index in box.checkedIndexes()] == [1]
    assert not box.allChecked()

"""The window, used by mouse and keyboard: every control, and the sections Patient, Tumor and Regions."""

import sys

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import slicerhost
import vtk
from PDL1PredictorGUI.scene import bridge, ring
from slicerhost.user import choose, click
from window_steps import second_tumor, start, text_of, wait_for_end

OFF_WORDS = ("Off", "Choose", "Find cases", "No case", "Press", "The prediction is being stopped")


# --- every control


def controls(window):
    """Everything that the window's file names and a user can change or press."""
    from PySide6 import QtWidgets

    kinds = (
        *(QtWidgets.QAbstractButton, QtWidgets.QComboBox, QtWidgets.QAbstractSpinBox, QtWidgets.QLineEdit),
        *(QtWidgets.QAbstractItemView, QtWidgets.QPlainTextEdit, QtWidgets.QProgressBar),
        *(slicer.qMRMLNodeComboBox, sys.modules["ctk"].ctkSliderWidget, sys.modules["ctk"].ctkPathLineEdit),
    )
    return {
        name: widget
        for name, widget in vars(window.ui).items()
        if isinstance(widget, kinds) and not name.startswith("qt_")
    }


def tips(window, seen):
    """Collects the tooltips of what is on and of what is off."""
    for name, widget in controls(window).items():
        assert widget.toolTip, f"{name} has no tooltip"
        seen.setdefault(name, {True: set(), False: set()})[bool(widget.enabled)].add(widget.toolTip)


def test_every_control_says_what_it_does_or_why_it_is_off(shown, case_in_scene, worker, result_folder, tmp_path):
    seen = {}
    for name in ("logGroup", "computerGroup", "featuresGroup", "batchSection", "modelsSection", "studyLogGroup"):
        getattr(shown.ui, name).collapsed = False
    tips(shown, seen)
    case = case_in_scene()
    parameters = shown.shared.parameters
    parameters.volume, parameters.segmentation, parameters.segment_id = case.volume, case.segmentation, case.segment_id
    parameters.show_ring = True
    shown.shared.live.settle()
    tips(shown, seen)
    own = ring.ring_of(parameters.segmentation, parameters.segment_id)
    parameters.segmentation.GetSegmentation().GetSegment(own).SetTag(ring.EDITED, "1")
    shown.shared.live.settle()
    tips(shown, seen)
    start(shown)
    tips(shown, seen)
    worker.let_go()
    wait_for_end(shown)
    tips(shown, seen)
    slicer.mrmlScene.RemoveNode(shown.results.result.heat_maps[parameters.endpoint])
    tips(shown, seen)
    shown.batch.batch = object()  # as while one runs
    shown.batch.update()
    tips(shown, seen)
    shown.batch.batch = None
    parameters.model = str(tmp_path / "no model")
    tips(shown, seen)
    assert len(seen) > 45
    for name, found in seen.items():
        assert not found[True] & found[False], f"{name} says the same when it is off: {found[False]}"
        for tip in found[False]:
            assert tip.startswith(OFF_WORDS) or "cannot be used" in tip or "no model" in tip, (name, tip)
    off = {name for name, found in seen.items() if found[False]}
    expected = {"predictButton", "newTumorButton", "tumorComboBox", "ringSlider", "excludeAirCheckBox", "modelComboBox"}
    expected |= {
        "deviceComboBox",
        "sampleButton",
        "heatMapCheckBox",
        "modelCardButton",
        "batchButton",
        "drawRingButton",
    }
    assert expected <= off
    assert expected <= {name for name, found in seen.items() if found[True]} | {"batchButton"}


def test_a_section_opens_and_closes_and_hides_again_what_is_not_to_be_seen(ready):
    click(ready.ui.predictSection)
    assert not ready.ui.predictButton.visible
    click(ready.ui.predictSection)
    assert ready.ui.predictButton.visible
    for name in ("progressPanel", "outcomeLabel", "whyNotLabel", "modelProblemLabel"):
        assert not getattr(ready.ui, name).visible, name


def test_the_window_stays_narrow_whatever_nodes_are_called(answered):
    def widths():
        slicerhost.process_events(0.05)
        sections = ("patient", "regions", "predict", "results")
        return [getattr(answered.ui, f"{name}Section").minimumSizeHint().width() for name in sections]

    before = widths()
    assert max(before) < 380
    long_name = "A very long name of a series that a scanner has made up " * 3
    answered.shared.parameters.volume.SetName(long_name)
    answered.shared.parameters.segmentation.GetSegmentation().GetNthSegment(0).SetName(long_name)
    answered.shared.refresh()
    assert widths() == before


# --- 1. patient


def test_the_sample_patient_is_ready_to_be_predicted(shown):
    click(shown.ui.sampleButton)
    shown.shared.live.settle()
    assert shown.shared.parameters.volume is not None
    assert "mL" in shown.ui.tumorVolumeLabel.text
    shown.shared.parameters.model = "phantom-demo"
    assert shown.ui.predictButton.enabled
    assert slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode().GetBackgroundVolumeID()


def test_without_a_ct_the_window_says_what_to_do(shown):
    assert "Choose a CT in section 1" in shown.ui.whyNotLabel.text
    assert shown.ui.tumorHintLabel.text == "Choose a CT first."
    with pytest.raises(AssertionError, match="predictButton is off: Choose a CT"):
        click(shown.ui.predictButton)


def test_an_mr_is_refused_with_the_reason(ready, small_images):
    bridge.volume_of_image(sitk.Abs(small_images[0]), "MR of the head")
    choose(ready.ui.volumeSelector, "MR of the head")
    ready.shared.live.settle()
    assert ready.ui.volumeProblemLabel.visible
    assert "Choose a CT, not an MR" in ready.ui.volumeProblemLabel.text
    assert not ready.ui.predictButton.enabled
    assert "MR of the head: The voxels run from" in ready.ui.whyNotLabel.text
    choose(ready.ui.volumeSelector, "CT")
    ready.shared.live.settle()
    assert not ready.ui.volumeProblemLabel.visible
    assert ready.ui.predictButton.enabled


def test_a_chosen_ct_is_shown(ready, small_images):
    other = bridge.volume_of_image(small_images[0], "Another CT")
    choose(ready.ui.volumeSelector, "Another CT")
    for name in ("Red", "Yellow", "Green"):
        composite = slicer.app.layoutManager().sliceWidget(name).mrmlSliceCompositeNode()
        assert composite.GetBackgroundVolumeID() == other.GetID()


def test_the_next_patient_does_not_keep_the_last_ones_values(ready, small_images):
    choose(ready.ui.smokingComboBox, "current")
    ready.ui.ageSpinBox.value = 61
    assert ready.shared.parameters.age == 61
    bridge.volume_of_image(small_images[0], "Another CT")
    choose(ready.ui.volumeSelector, "Another CT")
    assert ready.ui.ageSpinBox.value == -1
    assert text_of(ready.ui.smokingComboBox) == "unknown"


@pytest.mark.parametrize("kind", ["linear", "bent"])
def test_a_ct_under_a_transform(ready, kind):
    names = {"linear": "vtkMRMLLinearTransformNode", "bent": "vtkMRMLBSplineTransformNode"}
    transform = slicer.mrmlScene.AddNewNodeByClass(names[kind])
    if kind == "linear":
        shift = vtk.vtkTransform()
        shift.Translate(7, 0, 0)
        transform.SetMatrixTransformToParent(shift.GetMatrix())
    parameters = ready.shared.parameters
    before = ready.ui.tumorVolumeLabel.text
    for node in (parameters.volume, parameters.segmentation):
        node.SetAndObserveTransformNodeID(transform.GetID())
    ready.shared.refresh()
    ready.shared.live.settle()
    if kind == "linear":
        assert ready.ui.predictButton.enabled
        assert ready.ui.tumorVolumeLabel.text == before
    else:
        assert "which is not linear" in ready.ui.volumeProblemLabel.text
        assert not ready.ui.predictButton.enabled


# --- 2. tumor


def test_a_tumor_is_outlined_by_clicks(shown, small_images):
    shown.shared.parameters.volume = bridge.volume_of_image(small_images[0], "CT")
    assert not shown.ui.segmentEditor.visible
    click(shown.ui.newTumorButton)
    assert text_of(shown.ui.tumorComboBox) == "Tumor 1"
    assert shown.ui.segmentEditor.visible
    shown.shared.live.settle()
    assert "The segment Tumor 1 is empty" in shown.ui.tumorHintLabel.text
    assert "is empty" in shown.ui.whyNotLabel.text
    editor = shown.ui.segmentEditor
    editor.setActiveEffectByName("Threshold")
    effect = editor.activeEffect()
    effect.setParameter("MinimumThreshold", 0)
    effect.setParameter("MaximumThreshold", 200)
    effect.self().onApply()
    shown.shared.live.settle()
    assert "mL" in shown.ui.tumorVolumeLabel.text
    assert not shown.ui.tumorHintLabel.visible
    editor.undo()
    shown.shared.live.settle()
    assert "is empty" in shown.ui.tumorHintLabel.text
    assert shown.ui.tumorVolumeLabel.text == "–"


def test_only_the_tools_for_a_lung_tumor_are_offered(ready):
    from PySide6 import QtWidgets

    buttons = {button.text for button in ready.ui.segmentEditor.findChildren(QtWidgets.QToolButton) if button.visible}
    assert {"Threshold", "Paint", "Draw", "Erase", "Islands"} <= buttons
    assert not {"Hollow", "Logical operators", "Mask volume"} & buttons
    assert ready.ui.segmentEditor.maximumNumberOfUndoStates == 10


def test_the_editors_keys_work_only_while_the_module_is_shown(ready):
    editor = ready.ui.segmentEditor
    editor.setActiveEffectByName("Paint")
    assert editor._shortcuts_installed
    slicer.app.moduleManager().select("")
    assert not editor._shortcuts_installed
    assert editor.activeEffect() is None
    assert not editor._view_observations
    slicer.app.moduleManager().select("PDL1Predictor")
    assert editor._shortcuts_installed


def test_painting_never_eats_the_ring_and_other_modules_paint_as_before(ready):
    node = ready.ui.segmentEditor.mrmlSegmentEditorNode()
    assert node.GetOverwriteMode() == node.OverwriteNone
    slicer.app.moduleManager().select("")
    assert node.GetOverwriteMode() == node.OverwriteAllSegments


def test_what_is_chosen_in_the_editor_is_what_is_predicted(ready, phantom):
    other = second_tumor(ready, phantom)
    click(ready.ui.showRingCheckBox)
    ready.shared.live.settle()
    first = ready.shared.parameters.segment_id
    ready.ui.segmentEditor.setCurrentSegmentID(other)
    assert ready.shared.parameters.segment_id == other
    ready.ui.segmentEditor.setCurrentSegmentID(ring.ring_of(ready.shared.parameters.segmentation, first))
    assert ready.shared.parameters.segment_id == first  # the ring's own tumor, so that it can be edited
    choose(ready.ui.tumorComboBox, "Tumor 1")
    assert ready.ui.segmentEditor.currentSegmentID() == ready.shared.parameters.segment_id == other


def test_a_segment_of_another_scan_is_refused(ready, put_case, small_images):
    far = sitk.Image(small_images[1])
    far.SetOrigin((900.0, 900.0, 900.0))
    case = put_case(small_images[0], far, "Other")
    case.segmentation.SetName("From elsewhere")
    choose(ready.ui.segmentationSelector, "From elsewhere")
    ready.shared.live.settle()
    assert "the two do not overlap" in ready.ui.whyNotLabel.text
    assert not ready.ui.predictButton.enabled


# --- 3. regions


def test_the_ring_is_shown_by_a_click_and_hidden_by_another(ready):
    parameters = ready.shared.parameters
    click(ready.ui.showRingCheckBox)
    ready.shared.live.settle()
    assert ring.ring_of(parameters.segmentation, parameters.segment_id)
    click(ready.ui.showRingCheckBox)
    ready.shared.live.settle()
    assert not ring.ring_of(parameters.segmentation, parameters.segment_id)


def test_a_tumor_at_the_border_is_told(ready, phantom):
    parameters = ready.shared.parameters
    values = sitk.GetArrayFromImage(phantom.case.tumor)
    inside = np.argwhere(values)[:, 1:]
    values[:, : inside[:, 0].max(), inside[:, 1].min() : inside[:, 1].max()] = 1  # up to the first row
    mask = sitk.GetImageFromArray(values)
    mask.CopyInformation(phantom.case.tumor)
    bridge.put_segment(parameters.segmentation, parameters.segment_id, mask, parameters.volume)
    ready.shared.live.settle()
    assert "touches the border of the CT" in ready.ui.ringNoteLabel.text
    assert ready.ui.predictButton.enabled  # a warning, not a refusal

"""One click in section 2: a contour to be checked, where it was clicked; a reader's work stays; Esc leaves nothing."""

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import slicerhost
import vtk
from clicked import made_ct
from PDL1PredictorGUI.background.case_files import export_case
from PDL1PredictorGUI.scene import bridge, outline
from PDL1PredictorGUI.scene.ring import tag
from PDL1PredictorGUI.setup import packages
from PDL1PredictorGUI.window.tumor import new_tumor
from PySide6 import QtCore
from PySide6.QtTest import QTest
from slicerhost.user import click

from PDL1PredictorLib import resources
from PDL1PredictorLib.imaging.case_files import Files, read_case
from PDL1PredictorLib.segmentation.prompt import Prompt
from PDL1PredictorLib.segmentation.segment import segment
from PDL1PredictorLib.statistics.contours.overlap import dice


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """The classical method alone, whatever is installed here."""
    monkeypatch.setattr(resources, "segmenter_folder", lambda: None)


@pytest.fixture
def made():
    return made_ct(radius_mm=7.0)


@pytest.fixture
def at_ct(shown, made):
    """The window with a made-up CT, and no tumor."""
    shown.shared.parameters.volume = bridge.volume_of_image(made.ct, "CT")
    slicerhost.process_events()
    return shown


def ras(point):
    return -point[0], -point[1], point[2]


def placed_nodes():
    return slicer.util.getNodesByClass("vtkMRMLMarkupsNode")


def interaction():
    return slicer.app.applicationLogic().GetInteractionNode()


def place(*points):
    """What Slicer's views do in place mode."""
    (node,) = placed_nodes()
    assert slicer.app.applicationLogic().GetSelectionNode().GetActivePlaceNodeID() == node.GetID()
    for point in points:
        node.AddControlPointWorld(vtk.vtkVector3d(*ras(point)))
        slicerhost.process_events()


def one_click_at(window, *points):
    click(window.ui.pointButton if len(points) == 1 else window.ui.lineButton)
    place(*points)


def chosen(window):
    parameters = window.shared.parameters
    return parameters.segmentation, parameters.segment_id


def mask(window):
    return bridge.mask_of_segment(*chosen(window), window.shared.parameters.volume)


def voxels(window):
    return sitk.GetArrayFromImage(mask(window)) > 0


def change(window):
    """A reader's stroke: half of the contour goes."""
    values = voxels(window).astype(np.uint8)
    values[: int(np.argwhere(values)[:, 0].mean())] = 0
    changed = sitk.GetImageFromArray(values)
    changed.CopyInformation(mask(window))
    bridge.put_segment(*chosen(window), changed, window.shared.parameters.volume)
    slicerhost.process_events()


def test_a_click_draws_what_the_library_draws_there(at_ct, made):
    one_click_at(at_ct, made.center)
    expected = segment(made.ct, Prompt((made.center,)))
    assert (voxels(at_ct) == (sitk.GetArrayFromImage(expected.mask) > 0)).all()
    assert dice(voxels(at_ct), made.tumor) > 0.8
    segmentation, segment_id = chosen(at_ct)
    drawn = segmentation.GetSegmentation().GetSegment(segment_id)
    assert drawn.GetName() == "Tumor 1"
    assert tag(drawn, outline.STATUS) == "inprogress"
    assert tag(drawn, "PDL1_PointsLPS") == "0.00,0.00,-160.00"
    found = outline.outline_in(segmentation, segment_id)
    assert (found.method, found.prompt, found.edited, found.checked) == ("classical", "point", False, False)
    assert placed_nodes() == []
    assert interaction().GetCurrentInteractionMode() != interaction().Place
    assert not at_ct.ui.pointButton.checked
    at_ct.shared.live.settle()
    text = at_ct.ui.clickLabel.text
    assert "semi-automatic (classical, from a point), as drawn, not yet checked by a reader." in text
    assert f"Contour of {at_ct.shared.live.preview.tumor.volume_ml:.2f} mL: " in text
    assert "three planes" in text


@pytest.mark.parametrize(("kind", "word"), [("AUTOMATIC", "automatic"), ("SEMIAUTOMATIC", "semi-automatic")])
def test_a_segment_of_another_programs_dicom_seg_says_so(at_ct, made, kind, word, tmp_path):
    one_click_at(at_ct, made.center)
    segmentation, segment_id = chosen(at_ct)
    segment = segmentation.GetSegmentation().GetSegment(segment_id)
    for name in (*outline.outline_in(segmentation, segment_id).notes(), outline.STATUS):
        segment.RemoveTag(name)
    segment.SetTag("DICOM.SegmentAlgorithmType", kind)  # what Slicer keeps of it
    segment.SetTag("DICOM.SegmentAlgorithmName", "Lesion finder")
    at_ct.shared.live.settle()
    words = f"{word} (Lesion finder), as its file says, whether a reader has checked it is not known"
    assert words in at_ct.ui.clickLabel.text
    assert at_ct.ui.contourCheckedCheckBox.visible
    assert not outline.may_be_replaced(segmentation, segment_id)
    files = export_case(at_ct.shared.parameters.volume, segmentation, segment_id, tmp_path)
    assert read_case(Files(files.ct, files.tumor)).case.outline.text == words
    click(at_ct.ui.contourCheckedCheckBox)
    assert outline.outline_in(segmentation, segment_id).text.endswith("as its file says, checked by a reader")
    segment.SetTag("DICOM.SegmentAlgorithmType", "MANUAL")
    assert outline.outline_in(segmentation, segment_id) is None


def test_a_click_is_semi_automatic_where_slicer_exports_it_as_dicom(at_ct, made):
    one_click_at(at_ct, made.center)
    segmentation, segment_id = chosen(at_ct)
    drawn = segmentation.GetSegmentation().GetSegment(segment_id)
    assert tag(drawn, "DICOM.SegmentAlgorithmType") == "SEMIAUTOMATIC"
    assert tag(drawn, "DICOM.SegmentAlgorithmName") == "PDL1Predictor, classical"
    assert outline.outline_in(segmentation, segment_id).clicked


def test_a_line_needs_both_ends(at_ct, made):
    x, y, z = made.center
    click(at_ct.ui.lineButton)
    assert "one end" in at_ct.ui.clickLabel.text
    place((x, y - 7, z))
    assert "the other end" in at_ct.ui.clickLabel.text
    assert chosen(at_ct) == (None, "")
    place((x, y + 7, z))
    assert outline.outline_in(*chosen(at_ct)).prompt == "line"
    assert dice(voxels(at_ct), made.tumor) > 0.8


def test_a_contour_follows_a_turned_and_moved_ct(at_ct, made):
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkTransform()
    matrix.Translate(11.0, -7.0, 23.0)
    matrix.RotateZ(25.0)
    transform.SetMatrixTransformToParent(matrix.GetMatrix())
    at_ct.shared.parameters.volume.SetAndObserveTransformNodeID(transform.GetID())
    slicerhost.process_events()
    x, y, z = matrix.TransformPoint(*ras(made.center))
    one_click_at(at_ct, (-x, -y, z))
    assert dice(voxels(at_ct), made.tumor) > 0.8
    assert outline.outline_in(*chosen(at_ct)).edited is False


def test_a_ct_that_is_bent_is_refused_before_anything_is_placed(at_ct):
    grid = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLBSplineTransformNode")
    click(at_ct.ui.pointButton)
    at_ct.shared.parameters.volume.SetAndObserveTransformNodeID(grid.GetID())
    at_ct.shared.refresh()
    assert not at_ct.ui.pointButton.enabled
    assert "not linear" in at_ct.ui.pointButton.toolTip
    assert placed_nodes() == []


def test_esc_another_press_and_another_mode_leave_nothing(at_ct):
    main = slicer.util.mainWindow()
    for leave in (
        lambda: QTest.keyClick(main, QtCore.Qt.Key.Key_Escape),
        lambda: click(at_ct.ui.pointButton),
        lambda: interaction().SetCurrentInteractionMode(interaction().ViewTransform),
        lambda: slicer.mrmlScene.RemoveNode(placed_nodes()[0]),
        lambda: slicer.app.moduleManager().select(""),
    ):
        click(at_ct.ui.pointButton)
        assert interaction().GetCurrentInteractionMode() == interaction().Place
        assert "Esc cancels" in at_ct.ui.clickLabel.text
        leave()
        slicerhost.process_events()
        assert placed_nodes() == []
        assert interaction().GetCurrentInteractionMode() != interaction().Place
        assert not at_ct.ui.pointButton.checked
        assert chosen(at_ct) == (None, "")
    assert slicerhost.slot_errors == []


def test_a_closed_scene_ends_the_placing(at_ct):
    click(at_ct.ui.lineButton)
    slicer.mrmlScene.Clear()
    slicerhost.process_events()
    assert placed_nodes() == []
    assert not at_ct.ui.lineButton.checked


def test_a_click_in_air_is_said_and_draws_nothing(at_ct, made):
    one_click_at(at_ct, (made.center[0] - 25, *made.center[1:]))
    assert "There is no tissue" in at_ct.ui.clickLabel.text
    assert chosen(at_ct) == (None, "")
    one_click_at(at_ct, made.center)
    assert "There is no tissue" not in at_ct.ui.clickLabel.text


def test_doubts_are_said_in_words_until_it_is_checked(shown):
    made = made_ct(wall_mm=5.0)
    shown.shared.parameters.volume = bridge.volume_of_image(made.ct, "CT")
    slicerhost.process_events()
    one_click_at(shown, made.center)
    assert "touches tissue that is as dense" in shown.ui.clickLabel.text
    assert "segment_attached" in outline.outline_in(*chosen(shown)).warnings
    click(shown.ui.contourCheckedCheckBox)
    assert "touches tissue" not in shown.ui.clickLabel.text


def test_another_click_replaces_it_and_undo_brings_it_back(at_ct, made):
    one_click_at(at_ct, made.center)
    first, before = chosen(at_ct), voxels(at_ct)
    x, y, z = made.center
    one_click_at(at_ct, (x, y - 4, z), (x, y + 4, z))
    assert chosen(at_ct) == first
    assert not np.array_equal(voxels(at_ct), before)
    at_ct.ui.segmentEditor.undo()
    assert np.array_equal(voxels(at_ct), before)
    assert outline.outline_in(*first).edited is False


def test_an_empty_tumor_is_filled(at_ct, made):
    click(at_ct.ui.newTumorButton)
    empty = chosen(at_ct)
    one_click_at(at_ct, made.center)
    assert chosen(at_ct) == empty


@pytest.mark.parametrize("work", ["drawn", "edited", "checked"])
def test_a_readers_work_is_left_as_it_is(at_ct, made, work):
    one_click_at(at_ct, made.center)
    if work == "drawn":
        segmentation, own = new_tumor(at_ct.shared.parameters.volume, chosen(at_ct)[0])
        bridge.put_segment(segmentation, own, mask(at_ct), at_ct.shared.parameters.volume)
        at_ct.shared.parameters.segment_id = own
    elif work == "edited":
        change(at_ct)
    else:
        click(at_ct.ui.contourCheckedCheckBox)
    (segmentation, own), before = chosen(at_ct), voxels(at_ct)
    name = segmentation.GetSegmentation().GetSegment(own).GetName()
    one_click_at(at_ct, made.center)
    assert chosen(at_ct)[1] != own
    assert np.array_equal(
        sitk.GetArrayFromImage(bridge.mask_of_segment(segmentation, own, at_ct.shared.parameters.volume)) > 0, before
    )
    assert f"{name} was left as it is; this contour is a new tumor." in at_ct.ui.clickLabel.text


def test_an_edit_is_told_and_the_box_is_the_status(at_ct, made):
    one_click_at(at_ct, made.center)
    change(at_ct)
    assert "edited by a reader, not yet checked" in at_ct.ui.clickLabel.text
    click(at_ct.ui.contourCheckedCheckBox)
    segmentation, segment_id = chosen(at_ct)
    drawn = segmentation.GetSegmentation().GetSegment(segment_id)
    assert tag(drawn, outline.STATUS) == "completed"
    assert "edited by a reader, checked by a reader" in at_ct.ui.clickLabel.text
    drawn.SetTag(outline.STATUS, "flagged")  # in Slicer's table of segments
    slicerhost.process_events()
    assert not at_ct.ui.contourCheckedCheckBox.checked


def test_a_contour_by_hand_has_no_such_line_and_no_notes(ready):
    assert not ready.ui.contourCheckedCheckBox.visible
    assert ready.ui.clickLabel.text == ""
    assert outline.notes_of(*chosen(ready)) == {}


@pytest.mark.parametrize("edited", [False, True])
def test_what_is_predicted_from_it_knows_it(at_ct, made, edited, tmp_path):
    one_click_at(at_ct, made.center)
    if edited:
        change(at_ct)
    files = export_case(at_ct.shared.parameters.volume, *chosen(at_ct), tmp_path)
    read = read_case(Files(files.ct, files.tumor))
    assert read.case.outline == outline.outline_in(*chosen(at_ct))
    assert read.case.outline.edited is edited
    assert [w.code for w in read.warnings] == ["contour_unchecked"]
    click(at_ct.ui.contourCheckedCheckBox)
    export_case(at_ct.shared.parameters.volume, *chosen(at_ct), tmp_path)
    again = read_case(Files(files.ct, files.tumor))
    assert again.warnings == ()
    assert again.case.outline == dataclasses.replace(read.case.outline, checked=True)


def test_a_saved_segmentation_keeps_it_for_slicer_and_for_the_library(at_ct, made, tmp_path):
    one_click_at(at_ct, made.center)
    click(at_ct.ui.contourCheckedCheckBox)
    segmentation, segment_id = chosen(at_ct)
    before, path = outline.outline_in(segmentation, segment_id), tmp_path / "Kontur.seg.nrrd"
    assert slicer.util.saveNode(segmentation, str(path))
    loaded = slicer.util.loadSegmentation(str(path))
    assert outline.outline_in(loaded, loaded.GetSegmentation().GetNthSegmentID(0)) == before
    assert outline.told_of(loaded, loaded.GetSegmentation().GetNthSegmentID(0)) == []
    sitk.WriteImage(made.ct, str(tmp_path / "ct.nrrd"))
    assert read_case(Files(tmp_path / "ct.nrrd", path)).case.outline == before


def test_a_network_without_what_runs_it_is_asked_for_once(at_ct, made, monkeypatch, tmp_path):
    real = packages.installed_version
    monkeypatch.setattr(resources, "segmenter_folder", lambda: tmp_path)
    monkeypatch.setattr(packages, "installed_version", lambda name: None if name == "onnxruntime" else real(name))
    with slicerhost.user_answers("Cancel") as dialogs:
        one_click_at(at_ct, made.center)
    assert "onnxruntime" in dialogs.shown[0].text
    assert "onnxruntime is not installed" in at_ct.ui.clickLabel.text
    one_click_at(at_ct, made.center)  # not asked again
    monkeypatch.setattr(packages, "installed_version", real)
    one_click_at(at_ct, made.center)
    assert "cannot be used" in at_ct.ui.clickLabel.text  # an empty folder is no network
    assert outline.outline_in(*chosen(at_ct)).method == "classical"

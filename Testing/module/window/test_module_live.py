"""What follows the contour: measures as the library gives them, and a ring that knows whether a hand has changed it."""

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import slicerhost
from PDL1PredictorGUI.scene import bridge, ring
from PDL1PredictorGUI.window.tumor import TERMINOLOGY, new_tumor

from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.preview import preview


def own_ring(window):
    parameters = window.shared.parameters
    return ring.ring_of(parameters.segmentation, parameters.segment_id)


def mask_of(window, segment_id):
    parameters = window.shared.parameters
    return bridge.mask_of_segment(parameters.segmentation, segment_id, parameters.volume)


def change(window, segment_id, edit):
    """Changes a segment's voxels as an editor's effect does."""
    parameters = window.shared.parameters
    image = mask_of(window, segment_id)
    values = sitk.GetArrayFromImage(image)
    edit(values)
    changed = sitk.GetImageFromArray(values)
    changed.CopyInformation(image)
    bridge.put_segment(parameters.segmentation, segment_id, changed, parameters.volume)


def take_half(values):
    values[: np.argwhere(values)[:, 0].mean().astype(int)] = 0


@pytest.fixture
def with_ring(window_with_case):
    window_with_case.shared.parameters.show_ring = True
    window_with_case.shared.live.settle()
    return window_with_case


def test_the_measures_are_the_librarys(window_with_case, phantom):
    expected = preview(phantom.case, RegionSettings())
    found = window_with_case.shared.live.preview
    assert found.tumor == expected.tumor
    assert found.ring == expected.ring
    assert window_with_case.ui.tumorVolumeLabel.text == f"{expected.tumor.volume_ml:.2f} mL"
    assert window_with_case.ui.diameterLabel.text == f"{expected.tumor.longest_axial_diameter_mm:.1f} mm"
    assert window_with_case.ui.meanHuLabel.text == f"{expected.tumor.mean_hu:.0f} HU"
    assert window_with_case.ui.ringVolumeLabel.text == f"{expected.ring.volume_ml:.2f} mL"


def test_the_measures_follow_the_contour_once_it_is_still(window_with_case):
    live, label = window_with_case.shared.live, window_with_case.ui.tumorVolumeLabel
    before = label.text
    change(window_with_case, window_with_case.shared.parameters.segment_id, take_half)
    assert live.waiting
    assert label.text == before  # not while it is being drawn
    slicerhost.wait_until(lambda: not live.waiting, 10)
    assert float(label.text.split()[0]) < 0.7 * float(before.split()[0])


def test_nothing_is_measured_while_another_module_is_shown(window_with_case):
    slicer.app.moduleManager().select("")
    change(window_with_case, window_with_case.shared.parameters.segment_id, take_half)
    assert not window_with_case.shared.live.waiting


def test_coming_back_measures_what_was_drawn_elsewhere(window_with_case):
    before = window_with_case.ui.tumorVolumeLabel.text
    slicer.app.moduleManager().select("")
    change(window_with_case, window_with_case.shared.parameters.segment_id, take_half)
    slicer.app.moduleManager().select("PDL1Predictor")
    slicerhost.wait_until(lambda: window_with_case.ui.tumorVolumeLabel.text != before, 10)


def test_a_small_contour_says_what_is_missing(window_with_case):
    def leave_a_speck(values):
        voxels = np.argwhere(values)[:10]
        values[:] = 0
        values[tuple(voxels.T)] = 1

    change(window_with_case, window_with_case.shared.parameters.segment_id, leave_a_speck)
    window_with_case.shared.live.settle()
    assert "10 voxels" in window_with_case.shared.live.problem
    assert window_with_case.ui.tumorVolumeLabel.text == "–"
    assert not window_with_case.ui.predictButton.enabled
    assert "10 voxels" in window_with_case.ui.predictButton.toolTip


def test_the_ring_is_drawn_as_the_prediction_will_measure_it(with_ring, phantom):
    expected = sitk.GetArrayFromImage(preview(phantom.case, RegionSettings()).ring_on_ct)
    found = own_ring(with_ring)
    assert np.array_equal(sitk.GetArrayFromImage(mask_of(with_ring, found)), expected)
    segment = with_ring.shared.parameters.segmentation.GetSegmentation().GetSegment(found)
    assert segment.GetName() == "Tumor ring"
    assert with_ring.shared.live.edited_ring == ""
    assert not with_ring.ui.drawRingButton.enabled


def test_a_ring_is_no_tumor(with_ring):
    parameters = with_ring.shared.parameters
    assert [found for found, _segment in ring.tumors(parameters.segmentation)] == [parameters.segment_id]
    assert with_ring.ui.tumorComboBox.count == 1


def test_a_thicker_ring_is_drawn_anew(with_ring):
    before = sitk.GetArrayFromImage(mask_of(with_ring, own_ring(with_ring))).sum()
    with_ring.ui.ringSlider.value = 6.0
    with_ring.shared.live.settle()
    assert sitk.GetArrayFromImage(mask_of(with_ring, own_ring(with_ring))).sum() > 1.5 * before


def test_the_ring_goes_when_it_is_not_wanted(with_ring):
    with_ring.ui.showRingCheckBox.click()
    with_ring.shared.live.settle()
    assert own_ring(with_ring) == ""


def test_an_edited_ring_is_noticed_and_kept(with_ring):
    change(with_ring, own_ring(with_ring), take_half)
    with_ring.shared.live.settle()
    half = sitk.GetArrayFromImage(mask_of(with_ring, own_ring(with_ring)))
    assert with_ring.shared.live.edited_ring == own_ring(with_ring)
    assert with_ring.shared.request().ring_segment_id == own_ring(with_ring)
    assert "edited by hand" in with_ring.ui.ringNoteLabel.text
    assert not with_ring.ui.ringSlider.enabled
    with_ring.shared.parameters.ring_mm = 6.0  # by a script
    with_ring.shared.live.settle()
    assert np.array_equal(sitk.GetArrayFromImage(mask_of(with_ring, own_ring(with_ring))), half)


def test_the_edited_ring_is_what_is_measured(with_ring):
    whole = with_ring.shared.live.preview.ring.volume_ml
    change(with_ring, own_ring(with_ring), take_half)
    with_ring.shared.live.settle()
    assert with_ring.shared.live.preview.ring.volume_ml < 0.7 * whole


def test_an_edited_ring_can_be_drawn_again(with_ring, phantom):
    change(with_ring, own_ring(with_ring), take_half)
    with_ring.shared.live.settle()
    with_ring.ui.drawRingButton.click()
    expected = sitk.GetArrayFromImage(preview(phantom.case, RegionSettings()).ring_on_ct)
    assert np.array_equal(sitk.GetArrayFromImage(mask_of(with_ring, own_ring(with_ring))), expected)
    assert with_ring.shared.live.edited_ring == ""
    assert with_ring.ui.ringSlider.enabled
    assert with_ring.shared.request().ring_segment_id is None


def test_a_ring_that_is_edited_away_says_so(with_ring):
    held = with_ring.shared.parameters.segmentation.GetSegmentation()
    held.GetSegment(own_ring(with_ring)).GetRepresentation("Binary labelmap").Initialize()
    with_ring.shared.live.settle()
    assert "ring" in with_ring.shared.live.problem
    assert "is empty" in with_ring.shared.live.problem


def test_a_tumor_that_grows_over_its_ring_does_not_edit_it(with_ring):
    parameters = with_ring.shared.parameters
    grown = sitk.GetArrayFromImage(sitk.BinaryDilate(mask_of(with_ring, parameters.segment_id), [1, 1, 1]))

    def grow(values):
        values[:] = grown

    change(with_ring, parameters.segment_id, grow)
    change(with_ring, own_ring(with_ring), lambda values: values.__imul__(1 - grown))  # as without overlap
    with_ring.shared.live.settle()
    assert with_ring.shared.live.edited_ring == ""


@pytest.mark.parametrize("edited", [False, True])
def test_an_opened_scene_knows_whether_the_ring_was_edited(with_ring, tmp_path, edited):
    if edited:
        change(with_ring, own_ring(with_ring), take_half)
        with_ring.shared.live.settle()
    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    with_ring.shared.live.settle()
    assert bool(with_ring.shared.live.edited_ring) == edited


def test_a_ring_goes_with_its_tumor(with_ring):
    parameters = with_ring.shared.parameters
    other = new_tumor(parameters.volume, parameters.segmentation)[1]
    parameters.segmentation.GetSegmentation().RemoveSegment(parameters.segment_id)
    slicerhost.process_events()
    assert parameters.segment_id == other
    change_of_other = sitk.GetArrayFromImage(bridge.image_of_volume(parameters.volume)) > 0
    mask = sitk.GetImageFromArray(change_of_other.astype(np.uint8))
    mask.CopyInformation(bridge.image_of_volume(parameters.volume))
    bridge.put_segment(parameters.segmentation, other, mask, parameters.volume)
    with_ring.shared.live.settle()
    assert all(
        ring.tag(segment, ring.RING_OF) in ("", other) for _id, segment in ring.segments(parameters.segmentation)
    )


def test_two_tumors_have_a_ring_each(with_ring, phantom):
    parameters = with_ring.shared.parameters
    first = parameters.segment_id
    other = new_tumor(parameters.volume, parameters.segmentation)[1]
    bridge.put_segment(parameters.segmentation, other, phantom.case.tumor, parameters.volume)
    parameters.segment_id = other
    with_ring.shared.live.settle()
    rings = {ring.ring_of(parameters.segmentation, tumor) for tumor in (first, other)}
    assert len(rings - {""}) == 2
    parameters.segment_id = first  # going back and forth is no edit
    with_ring.shared.live.settle()
    assert with_ring.shared.live.edited_ring == ""


def test_a_new_tumor_is_named_colored_and_coded(slicer_scene, small_images):
    volume = bridge.volume_of_image(small_images[0], "CT")
    segmentation, first = new_tumor(volume)
    _same, second = new_tumor(volume, segmentation)
    held = segmentation.GetSegmentation()
    assert [held.GetSegment(found).GetName() for found in (first, second)] == ["Tumor 1", "Tumor 2"]
    assert held.GetSegment(first).GetColor() != held.GetSegment(second).GetColor()
    entry = slicer.vtkSlicerTerminologyEntry()
    logic = slicer.app.moduleLogic("Terminologies")
    assert ring.tag(held.GetSegment(first), "TerminologyEntry") == TERMINOLOGY
    assert logic.DeserializeTerminologyEntry(TERMINOLOGY, entry)
    assert entry.GetTypeObject().GetCodeMeaning() == "Neoplasm, Primary"
    assert entry.GetRegionObject().GetCodeMeaning() == "Lung"
    grid = segmentation.GetNodeReference(segmentation.GetReferenceImageGeometryReferenceRole())
    assert grid is volume

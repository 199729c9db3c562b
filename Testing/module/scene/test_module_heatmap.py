"""The heat map lies where it must in the three slice views, and looks as it must."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import slicer
import slicerhost
import vtk
from heatmap_steps import (
    OBLIQUE,
    PIXEL_TOLERANCE,
    STRAIGHT,
    center_views,
    colored,
    expected_pixel,
    hot_volume,
    make_case,
    misses,
    show,
    store_hot_result,
    views,
)
from PDL1PredictorGUI.scene import heatmap, results
from PDL1PredictorGUI.scene.heatmap import HeatMapDisplay

from PDL1PredictorLib.report.colors import HEAT_COLORS


@pytest.fixture
def put(slicer_scene, result_folder, tmp_path):
    """A function that stores a result whose EGFR heat map has one hot cell; gives the result and the spot in RAS."""
    return partial(store_hot_result, result_folder, tmp_path / "hot")


# --- where it lies


@pytest.mark.parametrize("direction", [STRAIGHT, OBLIQUE], ids=["straight", "oblique"])
def test_the_bright_spot_is_at_its_place_in_all_three_views(put, direction):
    result, spot = put(direction)
    show(result)
    center_views(spot)
    assert max(misses(spot).values()) < PIXEL_TOLERANCE, misses(spot)


def test_the_spot_is_at_its_place_under_a_transform(put):
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    turn = vtk.vtkTransform()
    turn.Translate(30, -20, 10)
    turn.RotateWXYZ(35, 3, 1, 2)
    transform.SetMatrixTransformToParent(turn.GetMatrix())
    result, spot = put(OBLIQUE, transform)
    assert result.heat_maps["EGFR"].GetParentTransformNode() == transform
    show(result)
    center_views(spot)
    assert max(misses(spot).values()) < PIXEL_TOLERANCE, misses(spot)


def shift(result, *ras_mm):
    node = result.heat_maps["EGFR"]
    node.SetOrigin(*np.add(node.GetOrigin(), ras_mm))


@pytest.mark.parametrize("wrong_mm", [(3, 0, 0), (0, 3, 0), (0, 0, 1.2)])
def test_a_map_that_lies_wrong_is_noticed(put, wrong_mm):
    result, spot = put(STRAIGHT)
    show(result)
    shift(result, *wrong_mm)
    center_views(spot)
    assert max(misses(spot).values()) > PIXEL_TOLERANCE


def test_a_map_in_another_slice_is_noticed(put):
    result, spot = put(STRAIGHT)
    show(result)
    shift(result, 0, 0, 3)
    center_views(spot)
    with pytest.raises(AssertionError, match="no heat map in this view"):
        misses(spot)


def test_a_mirrored_map_is_noticed(put):
    result, spot = put(STRAIGHT)
    show(result)
    node = result.heat_maps["EGFR"]
    slicer.util.arrayFromVolume(node)[:] = slicer.util.arrayFromVolume(node)[:, :, ::-1].copy()
    slicer.util.arrayFromVolumeModified(node)
    center_views(spot)
    with pytest.raises(AssertionError, match="no heat map in this view"):  # gone from the sagittal view
        misses(spot)


def test_the_map_is_as_thick_as_a_slice_and_on_no_other(put):
    result, spot = put(STRAIGHT)
    show(result)
    center_views(spot)
    red = views()["Red"]
    for offset, seen in ((1.0, True), (-1.0, True), (1.6, False), (-1.6, False)):
        red.node.SetSliceOffset(spot[2] + offset)
        assert colored(red).any() == seen, offset


def test_jumping_centers_all_views_on_the_tumor_in_the_maps_slice(put):
    result, _ = put(OBLIQUE)
    show(result)
    assert HeatMapDisplay().jump_to_tumor(result)
    center = np.array(heatmap.tumor_center_ras(result))
    ball = [(n - 1) / 2 + shift for n, shift in zip((100, 120, 30), (4, -6, 2), strict=True)]
    truth = np.array(make_case(OBLIQUE).ct.TransformContinuousIndexToPhysicalPoint(ball)) * (-1, -1, 1)
    assert np.linalg.norm(center - truth) < 1.5  # half a voxel of the working lattice and of the slices
    for view in views().values():
        np.testing.assert_allclose(expected_pixel(view, center), (239.5, 199.5), atol=1.0)
        to_ras = view.node.GetSliceToRAS()
        normal = np.array([to_ras.GetElement(row, 2) for row in range(3)])
        origin = np.array([to_ras.GetElement(row, 3) for row in range(3)])
        assert abs(normal @ (center - origin)) < 1e-6


def test_aligned_views_show_the_whole_map_of_an_oblique_ct(put):
    result, _ = put(OBLIQUE)
    show(result)
    display = HeatMapDisplay()
    display.jump_to_tumor(result)
    band = int(colored(views()["Red"]).sum())
    display.jump_to_tumor(result, align=True)
    assert colored(views()["Red"]).sum() > 3 * max(band, 1)


def test_without_maps_the_tumor_is_found_by_the_measured_regions(case_in_scene, result_folder):
    result = results.store(result_folder, case_in_scene())
    center = heatmap.tumor_center_ras(result)
    np.testing.assert_allclose(np.multiply(center, (-1, -1, 1)), result.lesion["center_lps_mm"], atol=2.0)
    for node in result.heat_maps.values():
        slicer.mrmlScene.RemoveNode(node)
    assert np.linalg.norm(np.subtract(heatmap.tumor_center_ras(result), center)) < 4.0
    slicer.mrmlScene.RemoveNode(result.regions)
    assert heatmap.tumor_center_ras(result) is None
    assert not HeatMapDisplay().jump_to_tumor(result)


# --- how it looks


def test_the_threshold_leaves_the_ct_alone(put):
    result, spot = put(STRAIGHT)
    areas = []
    for threshold in (0.05, 0.5, 0.9):
        show(result, threshold=threshold)
        center_views(spot)
        areas.append(int(colored(views()["Red"]).sum()))
    assert areas[0] > 2 * areas[1] > 4 * areas[2] > 0


def test_the_opacity_mixes_map_and_ct(put):
    result, spot = put(STRAIGHT)
    brightness = []
    for opacity in (1.0, 0.5):
        show(result, opacity=opacity)
        center_views(spot)
        brightness.append(int(views()["Red"].pixels().max()))
    assert brightness[1] == pytest.approx(brightness[0] / 2, abs=3)


def test_the_colors_are_the_reports():
    from PDL1PredictorLib.report.pictures import heat_rgba

    for value in (0.0, 0.2, 0.5, 0.77, 1.0):
        expected = heat_rgba(np.array([[value]]))[0, 0, :3]
        np.testing.assert_allclose(np.array(heatmap.color_at(value)) * 255, expected, atol=1.0)


def test_the_spots_color_on_the_screen_is_the_tables_end(put):
    result, spot = put(STRAIGHT)
    show(result)
    center_views(spot)
    view = views()["Red"]
    column, row = np.rint(expected_pixel(view, spot)).astype(int)
    np.testing.assert_allclose(view.pixels()[row, column], HEAT_COLORS[-1], atol=25)  # the peak lies between pixels


def test_only_the_shown_map_has_a_visible_legend(put):
    result, _ = put(STRAIGHT)
    display = HeatMapDisplay()

    def legends():
        found = slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")
        return {n.GetTitleText() for n in found if n.GetVisibility()}

    display.show(result, "PDL1")
    assert legends() == {"PD-L1 heat map\n1 = its own maximum"}
    display.show(result, "EGFR")
    told = "EGFR heat map\n1 = its own maximum\n< 1 % in tumor and ring\nlooks outside the tumor"
    assert legends() == {told}  # of the other map, which is empty, no share is known
    display.hide()
    assert legends() == set()


def test_the_legend_is_drawn(put):
    result, _ = put(STRAIGHT)
    HeatMapDisplay().show(result, "EGFR", opacity=0.0)
    assert (np.ptp(views()["Red"].pixels().astype(int), axis=2) > 60).sum() > 100
    HeatMapDisplay().hide()
    assert not (np.ptp(views()["Red"].pixels().astype(int), axis=2) > 60).any()


def test_a_picture_for_the_eye(put):
    result, _ = put(OBLIQUE)
    display = HeatMapDisplay()
    display.show(result, "EGFR")
    result.volume.GetDisplayNode().SetWindowLevelMinMax(-1350, 150)
    display.jump_to_tumor(result, align=True)
    out = Path(__file__).parents[2] / "out"
    out.mkdir(exist_ok=True)
    window = slicerhost.MainWindow(size=(1100, 800))
    path = window.screenshot(out / "heatmap_oblique.png")
    window.dismiss()
    assert path.stat().st_size > 5000


# --- a map that is a volume


@pytest.mark.parametrize("direction", [STRAIGHT, OBLIQUE], ids=["straight", "oblique"])
def test_a_volume_of_heat_is_at_its_place_in_all_three_views(put, direction):
    result, spot = put(direction, make_map=hot_volume)
    show(result)
    center_views(spot)
    assert max(misses(spot).values()) < PIXEL_TOLERANCE, misses(spot)
    shift(result, 0, 2, 0)
    assert max(misses(spot).values()) > PIXEL_TOLERANCE  # one that lies wrong would be seen


def test_a_volume_of_heat_is_seen_on_every_slice_that_it_fills(put):
    result, _spot = put(STRAIGHT, make_map=hot_volume)
    slicer.util.arrayFromVolume(result.heat_maps["EGFR"])[:] = 0.5
    slicer.util.arrayFromVolumeModified(result.heat_maps["EGFR"])
    show(result)
    HeatMapDisplay().jump_to_tumor(result)
    for view in views().values():
        middle = view.node.GetSliceOffset()
        for offset, seen in ((0, True), (20, True), (-20, True), (40, False), (-40, False)):
            view.node.SetSliceOffset(middle + offset)
            assert colored(view).any() == seen, offset
    assert "1 = its own maximum" in heatmap._legend_title(result.endpoint("EGFR"))

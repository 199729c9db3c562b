"""The heat map lies where it must in the three slice views, and the user's own layers come back.

The expected pixels are worked out apart from the module: the bright spot's place in patient space (LPS) comes from the
library's patch, is turned to RAS by hand, and goes to the screen by the slice view's own matrix.
"""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import slicerhost
import vtk
from PDL1PredictorGUI import bridge, heatmap, results
from PDL1PredictorGUI.heatmap import HeatMapDisplay

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.patch import deep_patch, place_map
from PDL1PredictorLib.imaging.regions import make_regions
from PDL1PredictorLib.report.nrrd import write_nrrd

VIEWS = {"Red": "Axial", "Yellow": "Sagittal", "Green": "Coronal"}
STRAIGHT = np.eye(3)
PIXEL_TOLERANCE = 2.0  # of 0.5 mm or so each; an axis swapped or a sign lost is 64 mm


def turned(degrees, *axis):
    turn = vtk.vtkTransform()
    turn.RotateWXYZ(degrees, *axis)
    return np.array([[turn.GetMatrix().GetElement(row, column) for column in range(3)] for row in range(3)])


OBLIQUE = turned(20, 1, 2, 3)


def make_case(direction):
    """A CT of air with a ball, three different spacings, any direction (LPS)."""
    spacing, size = np.array([1.1, 0.9, 2.5]), np.array([100, 120, 30])
    center = (size - 1) / 2 + [4, -6, 2]
    k, j, i = np.indices(size[::-1])
    distance = np.sqrt(sum(((at - c) * s) ** 2 for at, c, s in zip((i, j, k), center, spacing, strict=True)))
    ct = sitk.GetImageFromArray(np.where(distance < 12, 40, -1000).astype(np.int16))
    tumor = sitk.GetImageFromArray((distance < 12).astype(np.uint8))
    for image in (ct, tumor):
        image.SetSpacing(spacing.tolist())
        image.SetDirection(direction.ravel().tolist())
        image.SetOrigin((17.0, -33.0, 250.0))
    return Case(ct, tumor)


def hot_map(case, row=1, column=3):
    """A heat map of 5 x 5 cells, one of them hot, as the library places it; and the hot spot in LPS."""
    patch = deep_patch(case, make_regions(case, RegionSettings()), RegionSettings())
    cells = np.zeros((5, 5))
    cells[row, column] = 1.0
    pixels = patch.image.GetSize()[0]
    spot = [(cell + 0.5) * pixels / 5 - 0.5 for cell in (column, row)]
    return place_map(cells, patch), np.array(patch.image.TransformContinuousIndexToPhysicalPoint([*spot, 0.0]))


@pytest.fixture
def put(slicer_scene, result_folder, tmp_path):
    """A function that stores a result whose EGFR heat map has one hot cell; gives the result and the spot in RAS."""

    def store(direction, transform=None):
        case = make_case(direction)
        image, spot_lps = hot_map(case)
        folder = tmp_path / "hot"
        shutil.copytree(result_folder, folder)
        for name in ("gradcam.nrrd", "gradcam_EGFR.nrrd"):
            write_nrrd(folder / name, sitk.GetArrayFromImage(image), image)
        volume = bridge.volume_of_image(case.ct, "CT")
        segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
        segmentation.CreateDefaultDisplayNodes()
        segment_id = bridge.put_segment(segmentation, "Segment_1", case.tumor, volume, name="Tumor")
        segmentation.GetDisplayNode().SetVisibility(False)
        volume.GetDisplayNode().AutoWindowLevelOff()
        volume.GetDisplayNode().SetWindowLevelMinMax(0, 4000)  # the CT is black
        if transform is not None:  # the folder is written in the world: the CT is where it was under the transform
            back = vtk.vtkMatrix4x4()
            transform.GetMatrixTransformFromWorld(back)
            volume.ApplyTransformMatrix(back)
            volume.SetAndObserveTransformNodeID(transform.GetID())
        request = SimpleNamespace(
            volume=volume,
            segmentation=segmentation,
            segment_id=segment_id,
            ring_segment_id=None,
            model="m",
            regions=None,
        )
        slicer.util.setSliceViewerLayers(background=volume)
        fit_views()
        return results.store(folder, request), spot_lps * (-1, -1, 1)

    return store


def views():
    return slicer.app.layoutManager().slice_views


def fit_views():
    for name, view in views().items():
        view.node.SetOrientation(VIEWS[name])  # a test that turned them leaves them turned
        view.resize(480, 400)
        view.fit()


def center_views(spot_ras):
    for view in views().values():
        view.node.JumpSliceByCentering(*spot_ras)


def expected_pixel(view, spot_ras):
    """Column and row, from the top left, of a point of the patient."""
    to_screen = vtk.vtkMatrix4x4()
    to_screen.DeepCopy(view.node.GetXYToRAS())
    to_screen.Invert()
    x, y = to_screen.MultiplyPoint([*spot_ras, 1.0])[:2]
    return np.array([x, view.pixels().shape[0] - 1 - y])


def hottest_pixel(view):
    """Center of the brightest colored pixels."""
    pixels = view.pixels().astype(int)
    colored = np.ptp(pixels, axis=2) > 12  # the CT is gray
    heat = np.where(colored, pixels[..., 0] + pixels[..., 1], -1)
    assert colored.any(), "no heat map in this view"
    rows, columns = np.nonzero(heat >= heat.max() - 4)
    return np.array([columns.mean(), rows.mean()])


def misses(spot_ras):
    """Distance in pixels of the bright spot from where it must be, in each view."""
    found = {}
    for name in VIEWS:
        view = views()[name]
        found[name] = float(np.linalg.norm(hottest_pixel(view) - expected_pixel(view, spot_ras)))
    return found


def show(result, **options):
    display = HeatMapDisplay()
    assert display.show(result, "EGFR", **{"opacity": 1.0, "threshold": 0.05, **options})
    heatmap._hide_legends()  # colored too
    return display


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
        assert (np.ptp(red.pixels().astype(int), axis=2) > 12).any() == seen, offset


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

    def colored():
        return int((np.ptp(views()["Red"].pixels().astype(int), axis=2) > 12).sum())

    display.jump_to_tumor(result)
    band = colored()
    display.jump_to_tumor(result, align=True)
    assert colored() > 3 * max(band, 1)


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
        areas.append(int((np.ptp(views()["Red"].pixels().astype(int), axis=2) > 12).sum()))
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
    from PDL1PredictorLib.report.pictures import HEAT_COLORS, heat_rgba

    assert heatmap.COLORS == HEAT_COLORS
    for value in (0.0, 0.2, 0.5, 0.77, 1.0):
        expected = heat_rgba(np.array([[value]]))[0, 0, :3]
        np.testing.assert_allclose(np.array(heatmap.color_at(value)) * 255, expected, atol=1.0)


def test_the_spots_color_on_the_screen_is_the_tables_end(put):
    result, spot = put(STRAIGHT)
    show(result)
    center_views(spot)
    view = views()["Red"]
    column, row = np.rint(expected_pixel(view, spot)).astype(int)
    np.testing.assert_allclose(view.pixels()[row, column], heatmap.COLORS[-1], atol=25)  # the peak lies between pixels


def test_only_the_shown_map_has_a_visible_legend(put):
    result, _ = put(STRAIGHT)
    display = HeatMapDisplay()

    def legends():
        found = slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")
        return {n.GetTitleText() for n in found if n.GetVisibility()}

    display.show(result, "PDL1")
    assert legends() == {"PD-L1 heat map"}
    display.show(result, "EGFR")
    assert legends() == {"EGFR heat map"}
    display.hide()
    assert legends() == set()


def test_the_legend_is_drawn(put):
    result, _ = put(STRAIGHT)
    HeatMapDisplay().show(result, "EGFR", opacity=0.0)
    assert (np.ptp(views()["Red"].pixels().astype(int), axis=2) > 60).sum() > 100
    HeatMapDisplay().hide()
    assert not (np.ptp(views()["Red"].pixels().astype(int), axis=2) > 60).any()


# --- the user's own layers


def layers():
    found = {}
    for node in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        if node.GetLayoutName() in VIEWS:
            found[node.GetLayoutName()] = (
                node.GetBackgroundVolumeID(),
                node.GetForegroundVolumeID(),
                round(node.GetForegroundOpacity(), 6),
                node.GetCompositing(),
            )
    return found


@pytest.fixture
def own_layers(put):
    """A result, and a user who has a different fusion in each view."""
    result, spot = put(STRAIGHT)
    pet = slicer.util.addVolumeFromArray(np.zeros((4, 4, 4), np.float32), name="PET")
    for n, node in enumerate(slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")):
        if n:
            node.SetForegroundVolumeID(pet.GetID())
            node.SetForegroundOpacity(0.1 + 0.2 * n)
            node.SetCompositing(n)
        if n == 2:
            node.SetBackgroundVolumeID(None)
    return SimpleNamespace(result=result, pet=pet, before=layers(), spot=spot)


def test_the_users_layers_come_back_in_every_view(own_layers):
    assert len(set(own_layers.before.values())) == 3
    display = HeatMapDisplay()
    display.show(own_layers.result, "EGFR", opacity=0.7)
    heat, ct = own_layers.result.heat_maps["EGFR"].GetID(), own_layers.result.volume.GetID()
    assert set(layers().values()) == {(ct, heat, 0.7, slicer.vtkMRMLSliceCompositeNode.Alpha)}
    display.show(own_layers.result, "PDL1", opacity=0.4)  # another map in between
    display.hide()
    assert layers() == own_layers.before
    assert display.shown() is None


def test_hiding_twice_or_without_a_map_changes_nothing(own_layers):
    HeatMapDisplay().hide()
    HeatMapDisplay().hide()
    assert layers() == own_layers.before


def test_layers_that_the_user_chose_meanwhile_stay(own_layers):
    display = HeatMapDisplay()
    display.show(own_layers.result, "EGFR")
    red = views()["Red"].logic.GetSliceCompositeNode()
    red.SetForegroundVolumeID(own_layers.pet.GetID())
    red.SetForegroundOpacity(0.25)
    chosen = layers()["Red"]
    display.hide()
    assert layers() == {**own_layers.before, "Red": chosen}


def test_a_choice_made_while_a_map_was_shown_is_what_comes_back_from_the_next(own_layers):
    display = HeatMapDisplay()
    display.show(own_layers.result, "EGFR")
    red = views()["Red"].logic.GetSliceCompositeNode()
    red.SetForegroundVolumeID(own_layers.pet.GetID())
    chosen = layers()["Red"]
    display.show(own_layers.result, "PDL1")
    display.hide()
    assert layers()["Red"] == chosen


def test_a_layer_that_was_deleted_meanwhile_is_left_empty(own_layers):
    display = HeatMapDisplay()
    display.show(own_layers.result, "EGFR")
    slicer.mrmlScene.RemoveNode(own_layers.pet)
    display.hide()
    assert {foreground for _, foreground, _, _ in layers().values()} == {None}


def test_removing_the_result_gives_the_layers_back(own_layers):
    HeatMapDisplay().show(own_layers.result, "EGFR")
    results.remove(own_layers.result)
    assert layers() == own_layers.before
    assert HeatMapDisplay().shown() is None


def test_an_endpoint_without_a_map_shows_none(own_layers):
    display = HeatMapDisplay()
    assert display.show(own_layers.result, "EGFR")
    slicer.mrmlScene.RemoveNode(own_layers.result.heat_maps["PDL1"])
    assert not display.show(own_layers.result, "PDL1")
    assert layers() == own_layers.before


def test_closing_the_scene_with_a_map_shown_leaves_nothing_behind(own_layers, slicer_scene):
    HeatMapDisplay().show(own_layers.result, "EGFR")
    slicer_scene.Clear(0)
    assert HeatMapDisplay().shown() is None
    HeatMapDisplay().hide()
    assert {(back, front) for back, front, _, _ in layers().values()} == {(None, None)}


def test_the_map_and_the_users_layers_survive_a_bundle(own_layers, tmp_path):
    HeatMapDisplay().show(own_layers.result, "EGFR", opacity=1.0, threshold=0.3)
    file = tmp_path / "shown.mrb"
    assert slicer.util.saveScene(str(file))
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(str(file))
    (result,) = results.all_results()
    results.restore(result)
    display = HeatMapDisplay()
    assert display.shown() == result.heat_maps["EGFR"]
    node = result.heat_maps["EGFR"].GetDisplayNode()
    assert (node.GetLowerThreshold(), node.GetApplyThreshold()) == (pytest.approx(0.3), 1)
    heatmap._hide_legends()
    fit_views()
    center_views(own_layers.spot)
    assert max(misses(own_layers.spot).values()) < PIXEL_TOLERANCE
    display.hide()
    pet, ct = slicer.util.getNode("PET").GetID(), slicer.util.getNode("CT").GetID()
    assert layers() == {
        name: (back and ct, front and pet, opacity, compositing)
        for name, (back, front, opacity, compositing) in own_layers.before.items()
    }


def test_a_picture_for_the_eye(put):
    result, _ = put(OBLIQUE)
    display = HeatMapDisplay()
    display.show(result, "EGFR")
    result.volume.GetDisplayNode().SetWindowLevelMinMax(-1350, 150)
    display.jump_to_tumor(result, align=True)
    out = Path(__file__).parents[1] / "out"
    out.mkdir(exist_ok=True)
    window = slicerhost.MainWindow(size=(1100, 800))
    path = window.screenshot(out / "heatmap_oblique.png")
    window.dismiss()
    assert path.stat().st_size > 5000

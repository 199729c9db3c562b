"""What the tests of the heat map do again and again: a result with one bright spot, and where the screen shows it.

The expected pixels are worked out apart from the module: the bright spot's place in patient space (LPS) comes from the
library's patch, is turned to RAS by hand, and goes to the screen by the slice view's own matrix.
"""

import shutil
from types import SimpleNamespace

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from PDL1PredictorGUI.scene import bridge, heatmap, results
from PDL1PredictorGUI.scene.heatmap import HeatMapDisplay

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.settings import RegionSettings, VolumeSettings
from PDL1PredictorLib.imaging.patch import deep_patch, place_map
from PDL1PredictorLib.imaging.regions import make_regions
from PDL1PredictorLib.imaging.volume import tumor_volume
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


def hot_volume(case, at=(4, 9, 13)):
    """A heat map of 18 voxels a side about the tumor, as a network of volumes gives it, one of them hot; k, j, i."""
    cut = tumor_volume(case, VolumeSettings(18, 3.0))
    heat = np.zeros((18, 18, 18), np.float32)
    heat[at] = 1.0
    image = sitk.GetImageFromArray(heat)
    image.CopyInformation(cut.image)
    return image, np.array(image.TransformIndexToPhysicalPoint([int(n) for n in at[::-1]]))


def store_hot_result(result_folder, folder, direction, transform=None, make_map=hot_map):
    """Stores a copy of a result whose EGFR heat map has one hot cell; gives the result and the spot in RAS."""
    case = make_case(direction)
    image, spot_lps = make_map(case)
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
        clinical=None,
        clinical_inputs=(),
        model="m",
        regions=None,
    )
    slicer.util.setSliceViewerLayers(background=volume)
    fit_views()
    return results.store(folder, request), spot_lps * (-1, -1, 1)


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


def colored(view):
    """Which pixels of a view show a heat map, rows from the top: the CT is gray."""
    return np.ptp(view.pixels().astype(int), axis=2) > 12


def hottest_pixel(view):
    """Center of the brightest colored pixels."""
    pixels, hot = view.pixels().astype(int), colored(view)
    heat = np.where(hot, pixels[..., 0] + pixels[..., 1], -1)
    assert hot.any(), "no heat map in this view"
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

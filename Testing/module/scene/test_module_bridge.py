"""Nodes to images and back: every physical point stays where it is, and what cannot be placed is refused."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
from mask_image import mask_image
from PDL1PredictorGUI.background import case_files
from PDL1PredictorGUI.scene import bridge

from PDL1PredictorLib.core.case import Case, same_grid
from PDL1PredictorLib.core.errors import EmptyRegionError, GridMismatchError, InputError
from PDL1PredictorLib.imaging.read import read_ct


def turn(axis, degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = [n for n in range(3) if n != axis]
    matrix = np.eye(3)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return matrix


OBLIQUE = turn(0, 20) @ turn(1, -35) @ turn(2, 50)
DIRECTIONS = {
    "axial": np.eye(3),
    "flipped": np.diag([1.0, 1.0, -1.0]),  # slices from head to foot
    "flipped twice": np.diag([-1.0, -1.0, 1.0]),
    "sagittal": np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]),  # slices run from left to right
    "coronal, left-handed": np.array([[1.0, 0, 0], [0, 0, 1], [0, 1, 0]]),
    "oblique": OBLIQUE,
    "oblique and flipped": OBLIQUE @ np.diag([1.0, 1.0, -1.0]),
}


def in_direction(images, direction):
    for image in images:
        image.SetDirection(direction.ravel().tolist())
    return images


def in_hounsfield_units(ct):
    """Values from -1000 to 399, which lie as those of a CT do; each differs from its neighbors still."""
    image = sitk.GetImageFromArray(((sitk.GetArrayFromImage(ct) + 1000) % 1400 - 1000).astype(np.int16))
    image.CopyInformation(ct)
    return image


def transform_above(node, matrix, name="Transform"):
    """Puts a node under a new linear transform (RAS)."""
    import slicer

    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode", name)
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    node.SetAndObserveTransformNodeID(transform.GetID())
    return transform


def rigid(shift=(5.0, -7.0, 9.0)):
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn(2, 30) @ turn(0, 10), shift
    return matrix


def ras_of_voxel(node, ijk):
    """Where Slicer itself says that a voxel is, in world RAS."""
    import slicer
    import vtk

    local = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(local)
    point = list(local.MultiplyPoint([*map(float, ijk), 1.0])[:3])
    general = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(node.GetParentTransformNode(), None, general)
    return np.array(general.TransformPoint(point))


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_a_volume_goes_into_the_scene_and_back_unchanged(put_case, small_images, direction):
    ct, mask = in_direction(small_images, direction)
    case = put_case(ct, mask)
    back = bridge.image_of_volume(case.volume)
    assert np.array_equal(sitk.GetArrayFromImage(back), sitk.GetArrayFromImage(ct))
    assert same_grid(back, ct)
    assert back.GetPixelID() == ct.GetPixelID()


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
@pytest.mark.parametrize("moved", [False, True], ids=["alone", "under a rigid transform"])
def test_a_voxel_lies_where_slicer_shows_it(put_case, small_images, direction, moved):
    case = put_case(*in_direction(small_images, direction))
    if moved:
        transform_above(case.volume, rigid())
    image = bridge.image_of_volume(case.volume)
    for ijk in [(0, 0, 0), (29, 0, 3), (4, 19, 11)]:
        l, p, s = image.TransformIndexToPhysicalPoint(ijk)  # noqa: E741
        assert np.allclose((-l, -p, s), ras_of_voxel(case.volume, ijk), atol=1e-6)


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_a_segment_comes_back_on_the_volumes_grid(put_case, small_images, direction):
    ct, mask = in_direction(small_images, direction)
    case = put_case(ct, mask)
    back = bridge.mask_of_segment(case.segmentation, case.segment_id, case.volume)
    assert back.GetPixelID() == sitk.sitkUInt8
    assert same_grid(back, ct)
    assert np.array_equal(sitk.GetArrayFromImage(back), sitk.GetArrayFromImage(mask))


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_slicers_own_export_agrees(put_case, small_images, direction):
    import slicer

    ct, mask = in_direction(small_images, direction)
    case = put_case(ct, mask)
    own = slicer.util.arrayFromSegmentBinaryLabelmap(case.segmentation, case.segment_id, case.volume)
    assert np.array_equal(own, sitk.GetArrayFromImage(mask))


def test_volume_and_segmentation_under_one_rigid_transform_stay_together(put_case, small_images):
    case = put_case(in_hounsfield_units(small_images[0]), small_images[1])
    transform = transform_above(case.volume, rigid())
    case.segmentation.SetAndObserveTransformNodeID(transform.GetID())
    mask = bridge.mask_of_segment(case.segmentation, case.segment_id, case.volume)
    assert np.array_equal(sitk.GetArrayFromImage(mask), sitk.GetArrayFromImage(small_images[1]))
    Case(bridge.image_of_volume(case.volume), mask)


def test_a_segment_under_a_transform_of_its_own_is_moved(put_case, small_images):
    case = put_case(*small_images)
    shift = np.eye(4)
    shift[:3, 3] = [-2.0, 3.0, 2.5]  # RAS: two voxels to larger i, two to smaller j, one to larger k
    transform_above(case.segmentation, shift)
    mask = sitk.GetArrayFromImage(bridge.mask_of_segment(case.segmentation, case.segment_id, case.volume))
    box = [(int(found.min()), int(found.max())) for found in np.nonzero(mask)]
    assert box == [(4, 8), (3, 9), (9, 22)]


def test_transforms_add_up(put_case, small_images):
    case = put_case(*small_images)
    upper = rigid((1.0, 2.0, 3.0))
    transform = transform_above(case.volume, rigid())
    transform_above(transform, upper, "Upper")
    image = bridge.image_of_volume(case.volume)
    l, p, s = image.TransformIndexToPhysicalPoint((3, 4, 5))  # noqa: E741
    assert np.allclose((-l, -p, s), ras_of_voxel(case.volume, (3, 4, 5)), atol=1e-6)


BAD = {
    "sheared": np.array([[1, 0.2, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
    "scaled": np.diag([1.1, 1.1, 1.1, 1]),
    "mirrored": np.diag([-1.0, 1, 1, 1]),
}


@pytest.mark.parametrize("matrix", BAD.values(), ids=BAD)
def test_a_transform_that_is_not_rigid_is_refused(put_case, small_images, matrix):
    case = put_case(*small_images)
    transform_above(case.volume, matrix, "Stretch")
    with pytest.raises(InputError, match="CT is under the transform Stretch, which scales, shears or mirrors"):
        bridge.image_of_volume(case.volume)
    assert "Stretch" in bridge.why_not_ct(case.volume)
    with pytest.raises(InputError, match="Stretch"):
        bridge.mask_of_segment(case.segmentation, case.segment_id, case.volume)


@pytest.mark.parametrize("matrix", BAD.values(), ids=BAD)
def test_a_segmentation_under_such_a_transform_is_refused(put_case, small_images, matrix):
    case = put_case(*small_images)
    transform_above(case.segmentation, matrix, "Stretch")
    with pytest.raises(InputError, match="CT segmentation is under the transform Stretch"):
        bridge.mask_of_segment(case.segmentation, case.segment_id, case.volume)
    with pytest.raises(InputError, match="Stretch"):
        bridge.put_segment(case.segmentation, "Ring", small_images[1], case.volume)


def test_a_non_linear_transform_is_refused(put_case, small_images):
    import slicer
    import vtk

    case = put_case(*small_images)
    spline = vtk.vtkThinPlateSplineTransform()
    points = vtk.vtkPoints()
    moved = vtk.vtkPoints()
    for corner in np.ndindex(2, 2, 2):
        points.InsertNextPoint(*(10.0 * np.array(corner)))
        moved.InsertNextPoint(*(10.0 * np.array(corner) + [corner[1] * corner[2], 0, 0]))
    spline.SetSourceLandmarks(points)
    spline.SetTargetLandmarks(moved)
    spline.SetBasisToR()
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode", "Bend")
    transform.SetAndObserveTransformToParent(spline)
    case.volume.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(InputError, match="Bend, which is not linear"):
        bridge.image_of_volume(case.volume)
    assert "Bend" in bridge.why_not_ct(case.volume)


def test_a_sheared_grid_is_refused(put_case, small_images):
    import slicer

    case = put_case(*small_images)
    sheared = slicer.util.vtkMatrixFromArray(np.array([[1, 0, 0.4, 0], [0, 1, 0, 0], [0, 0, 2.0, 0], [0, 0, 0, 1]]))
    case.volume.SetIJKToRASMatrix(sheared)
    assert "sheared" in bridge.why_not_ct(case.volume)
    with pytest.raises(InputError, match="sheared"):
        bridge.image_of_volume(case.volume)


def test_a_segment_drawn_on_another_grid_keeps_its_place_and_size(put_case, small_images):
    ct, _mask = small_images
    fine = sitk.Image([60, 60, 60], sitk.sitkUInt8)
    fine.SetSpacing((0.5, 0.6, 0.7))
    fine.SetDirection(OBLIQUE.ravel().tolist())
    center = np.array(ct.TransformContinuousIndexToPhysicalPoint((14.0, 9.0, 6.0)))
    middle = OBLIQUE @ (np.array([29.5, 29.5, 29.5]) * fine.GetSpacing())
    fine.SetOrigin((center - middle).tolist())
    k, j, i = np.indices((60, 60, 60)) - 29.5
    ball = ((i * 0.5) ** 2 + (j * 0.6) ** 2 + (k * 0.7) ** 2 <= 8.0**2).astype(np.uint8)
    values = sitk.GetImageFromArray(ball)
    values.CopyInformation(fine)
    case = put_case(ct, values)
    mask = bridge.mask_of_segment(case.segmentation, case.segment_id, case.volume)
    assert same_grid(mask, ct)
    inside = np.argwhere(sitk.GetArrayFromImage(mask))[:, ::-1]
    found = ct.TransformContinuousIndexToPhysicalPoint(inside.mean(axis=0).tolist())
    assert np.allclose(found, center, atol=0.3)
    volume = len(inside) * np.prod(ct.GetSpacing())
    assert volume == pytest.approx(4 / 3 * np.pi * 8.0**3, rel=0.05)


def test_a_segment_kept_as_a_surface_is_used(put_case, small_images):
    import slicer
    import vtk

    ct, mask = small_images
    case = put_case(ct, mask)
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Contours")
    segmentation.GetSegmentation().SetSourceRepresentationName("Closed surface")
    sphere = vtk.vtkSphereSource()
    l, p, s = ct.TransformContinuousIndexToPhysicalPoint((14.0, 9.0, 6.0))  # noqa: E741
    sphere.SetCenter(-l, -p, s)
    sphere.SetRadius(8.0)
    sphere.SetThetaResolution(60)
    sphere.SetPhiResolution(60)
    sphere.Update()
    segment = slicer.vtkSegment()
    segment.SetName("Ball")
    segment.AddRepresentation("Closed surface", sphere.GetOutput())
    segmentation.GetSegmentation().AddSegment(segment, "Ball")
    found = bridge.mask_of_segment(segmentation, "Ball", case.volume)
    volume = np.count_nonzero(sitk.GetArrayFromImage(found)) * np.prod(ct.GetSpacing())
    assert volume == pytest.approx(4 / 3 * np.pi * 8.0**3, rel=0.06)
    assert not segmentation.GetSegmentation().ContainsRepresentation("Binary labelmap")  # the node is left alone


def test_an_empty_segment_and_a_missing_one_are_refused(put_case, small_images):
    ct, mask = small_images
    case = put_case(ct, mask)
    empty = case.segmentation.GetSegmentation().AddEmptySegment("Empty", "Nothing yet")
    with pytest.raises(InputError, match="The segment Nothing yet is empty. Outline the tumor"):
        bridge.mask_of_segment(case.segmentation, empty, case.volume)
    with pytest.raises(InputError, match="There is no tumor segment"):
        bridge.mask_of_segment(case.segmentation, "other", case.volume)
    with pytest.raises(InputError, match="There is no tumor segment"):
        bridge.mask_of_segment(None, "other", case.volume)
    bridge.put_segment(case.segmentation, case.segment_id, mask * 0, case.volume)
    with pytest.raises(InputError, match="The segment Tumor is empty"):
        bridge.mask_of_segment(case.segmentation, case.segment_id, case.volume)


def test_a_segment_of_another_scan_is_refused(put_case, small_images):
    ct, mask = small_images
    case = put_case(ct, mask)
    far = sitk.Image(mask)
    far.SetOrigin((500.0, 500.0, 500.0))
    bridge.put_segment(case.segmentation, "Far", far, case.volume)
    with pytest.raises((GridMismatchError, EmptyRegionError)):
        bridge.mask_of_segment(case.segmentation, "Far", case.volume)
    cut = sitk.Image(mask)
    cut.SetOrigin(ct.TransformIndexToPhysicalPoint((-9, 0, 0)))
    bridge.put_segment(case.segmentation, "Cut", cut, case.volume)
    with pytest.raises(GridMismatchError, match="lie outside the CT"):
        bridge.mask_of_segment(case.segmentation, "Cut", case.volume)


def test_putting_a_mask_replaces_one_segment_and_leaves_the_others(put_case, small_images):
    ct, mask = small_images
    case = put_case(ct, mask)
    segmentation = case.segmentation.GetSegmentation()
    values = np.zeros(mask.GetSize()[::-1], np.uint8)
    values[0:2, 0:2, 0:2] = 1
    other = sitk.GetImageFromArray(values)
    other.CopyInformation(ct)
    bridge.put_segment(case.segmentation, "Ring", other, case.volume, "Ring")
    segmentation.CollapseBinaryLabelmaps(False)  # both in one layer, as the segment editor keeps them
    assert segmentation.GetNumberOfLayers() == 1
    bridge.put_segment(case.segmentation, "Ring", ct > 100, case.volume)
    tumor = bridge.mask_of_segment(case.segmentation, case.segment_id, case.volume)
    ring = bridge.mask_of_segment(case.segmentation, "Ring", case.volume)
    assert np.array_equal(sitk.GetArrayFromImage(tumor), sitk.GetArrayFromImage(mask))
    assert np.array_equal(sitk.GetArrayFromImage(ring), sitk.GetArrayFromImage(ct) > 100)
    assert segmentation.GetSegment("Ring").GetName() == "Ring"


def test_putting_a_mask_makes_the_surface_anew(put_case, small_images):
    ct, mask = small_images
    case = put_case(ct, mask)
    case.segmentation.CreateClosedSurfaceRepresentation()
    segment = case.segmentation.GetSegmentation().GetSegment(case.segment_id)
    before = segment.GetRepresentation("Closed surface").GetBounds()
    smaller = sitk.GetArrayFromImage(mask)
    smaller[:, :, 12:] = 0
    image = sitk.GetImageFromArray(smaller)
    image.CopyInformation(mask)
    bridge.put_segment(case.segmentation, case.segment_id, image, case.volume)
    after = segment.GetRepresentation("Closed surface").GetBounds()
    assert after[1] - after[0] < 0.6 * (before[1] - before[0])


def test_a_mask_goes_into_a_segmentation_under_a_transform(put_case, small_images):
    ct, mask = small_images
    case = put_case(ct, mask)
    transform_above(case.segmentation, rigid())
    bridge.put_segment(case.segmentation, "Ring", mask, case.volume)
    back = bridge.mask_of_segment(case.segmentation, "Ring", case.volume)
    assert np.array_equal(sitk.GetArrayFromImage(back), sitk.GetArrayFromImage(mask))


def test_the_reason_why_a_volume_is_no_ct(put_case, small_images):
    import slicer

    ct, mask = small_images
    case = put_case(ct, mask)
    assert bridge.why_not_ct(case.volume) == ""
    assert bridge.why_not_ct(None) == "Choose a CT volume."
    label = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "Labels")
    assert "Labels is not a scalar volume" in bridge.why_not_ct(label)
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    assert "Empty holds no voxels" in bridge.why_not_ct(empty)
    flat = bridge.volume_of_image(ct[:, :, :2], "Flat")
    assert "Flat has 30 x 20 x 2 voxels" in bridge.why_not_ct(flat)
    mr = bridge.volume_of_image(sitk.Cast(ct + 1000, sitk.sitkUInt16), "MR")
    assert "MR: The voxels run from 50 to 1150" in bridge.why_not_ct(mr)
    air = bridge.volume_of_image(ct * 0 - 1000, "Air")
    assert "Air: The voxels run from -1000 to -1000" in bridge.why_not_ct(air)
    stored = np.asarray(sitk.GetArrayFromImage(ct), np.int32) + 1024
    stored[:, :, :3] = -2000  # padding, which the lowest voxel alone would take for air
    padded = bridge.volume_of_image(sitk.Cast(sitk.GetImageFromArray(stored), sitk.sitkInt16), "Padded")
    assert "Padded: The voxels are no Hounsfield units" in bridge.why_not_ct(padded)
    slicer.util.arrayFromVolume(padded)[:] = sitk.GetArrayViewFromImage(ct)
    slicer.util.arrayFromVolumeModified(padded)
    assert bridge.why_not_ct(padded) == ""  # judged anew, as the voxels changed
    color = slicer.util.addVolumeFromArray(
        np.zeros((4, 4, 4, 3), np.uint8), name="Color", nodeClassName="vtkMRMLVectorVolumeNode"
    )
    assert "Color" in bridge.why_not_ct(color)


def test_what_dicom_says_of_the_modality_is_believed(put_case, small_images):
    import slicer

    case = put_case(*small_images)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.GetItemByDataNode(case.volume) or hierarchy.CreateItem(hierarchy.GetSceneItemID(), case.volume)
    hierarchy.SetItemAttribute(item, "DICOM.Modality", "PT")
    assert bridge.why_not_ct(case.volume) == "CT is PT, not CT. Choose a CT."
    hierarchy.SetItemAttribute(item, "DICOM.Modality", "CT")
    assert bridge.why_not_ct(case.volume) == ""


@pytest.mark.parametrize("pixel", [sitk.sitkInt16, sitk.sitkInt32, sitk.sitkFloat32, sitk.sitkFloat64])
def test_an_exported_case_is_read_as_it_was(put_case, small_images, tmp_path, pixel):
    ct, mask = in_direction(small_images, OBLIQUE)
    ct = sitk.Cast(in_hounsfield_units(ct), pixel)
    case = put_case(ct, mask)
    folder = tmp_path / "Fälle von Łódź, 患者 1"
    folder.mkdir()
    known = {"age_years": 63.0, "sex": None}
    files = case_files.export_case(case.volume, case.segmentation, case.segment_id, folder, case.segment_id, known)
    read = read_ct(files.ct)
    assert same_grid(read.image, ct)
    assert read.image.GetPixelID() == pixel
    assert np.array_equal(sitk.GetArrayFromImage(read.image), sitk.GetArrayFromImage(ct))
    for path in (files.tumor, files.ring):
        tumor = mask_image(path, read.image)
        assert np.array_equal(sitk.GetArrayFromImage(tumor), sitk.GetArrayFromImage(mask))
    assert json.loads(files.clinical.read_text(encoding="utf-8")) == {"age_years": 63.0}


def test_nothing_is_written_for_a_case_that_is_refused(put_case, small_images, tmp_path):
    case = put_case(*small_images)
    with pytest.raises(InputError):
        case_files.export_case(case.volume, case.segmentation, "none", tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_is_not_known_makes_no_file(put_case, small_images, tmp_path):
    case = put_case(*small_images)
    files = case_files.export_case(case.volume, case.segmentation, case.segment_id, tmp_path, None, {"sex": None})
    assert files.ring is None
    assert files.clinical is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ct.nrrd", "tumor.nrrd"]

"""The one door between the scene and the library: nodes to images and back.

The scene speaks RAS and knows transforms above nodes; the library speaks LPS and knows none. Nothing else changes
coordinates, or turns arrays into images. Every image that leaves here lies where the user sees it: in world space.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from PDL1PredictorGUI.setup.library import make_importable

if TYPE_CHECKING:
    import SimpleITK as sitk

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
CORNER_TOLERANCE_MM = 0.5  # files round; nobody moves a PET by less
RIGID_TOLERANCE = 1e-4  # of a unit vector: 0.05 mm over a chest; what files and registrations leave of rounding
_BINARY = "Binary labelmap"  # vtkSegmentationConverter's name, which is a constant of the file format


def input_error(text: str) -> Exception:
    """The library's `InputError`: a sentence that is shown as it is."""
    make_importable()
    from PDL1PredictorLib.core.errors import InputError

    return InputError(text)


# --- where things are


def _array_of_matrix(matrix: Any) -> np.ndarray:
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def _matrix_of_array(values: np.ndarray) -> Any:
    matrix = vtk.vtkMatrix4x4()
    for row in range(4):
        for column in range(4):
            matrix.SetElement(row, column, float(values[row, column]))
    return matrix


def _is_rigid(matrix: np.ndarray) -> bool:
    """Whether lengths, angles and sides stay: a rotation and a shift."""
    turn = matrix[:3, :3]
    return np.abs(turn.T @ turn - np.eye(3)).max() <= RIGID_TOLERANCE and np.linalg.det(turn) > 0


def _has_right_angles(matrix: np.ndarray) -> bool:
    steps = matrix[:3, :3]
    lengths = np.linalg.norm(steps, axis=0)
    if not lengths.all():
        return False
    axes = steps / lengths
    return np.abs(axes.T @ axes - np.eye(3)).max() <= RIGID_TOLERANCE


def why_not_placed(node: Any) -> str:
    """Why the transform above a node cannot be followed; empty when it can."""
    parent = node.GetParentTransformNode()
    if parent is None:
        return ""
    if not parent.IsTransformToWorldLinear():
        return _(
            "{name} is under the transform {transform}, which is not linear: it bends the image. "
            "Harden the transform (Data module), or take the node out of it."
        ).format(name=node.GetName(), transform=parent.GetName())
    if not _is_rigid(_to_world(node)):
        return _(
            "{name} is under the transform {transform}, which scales, shears or mirrors: sizes would no longer be the "
            "patient's. Use a rotation and a shift only, or take the node out of it."
        ).format(name=node.GetName(), transform=parent.GetName())
    return ""


def _to_world(node: Any) -> np.ndarray:
    """From the node's own RAS to the world's, through all linear transforms above it."""
    matrix = vtk.vtkMatrix4x4()
    parent = node.GetParentTransformNode()
    if parent is not None:
        parent.GetMatrixTransformToWorld(matrix)
    return _array_of_matrix(matrix)


def _ijk_to_ras(data: Any) -> np.ndarray:
    """The matrix of a volume node, which has `GetIJKToRASMatrix`, or of oriented image data, which has its own."""
    matrix = vtk.vtkMatrix4x4()
    if hasattr(data, "GetIJKToRASMatrix"):
        data.GetIJKToRASMatrix(matrix)
    else:
        data.GetImageToWorldMatrix(matrix)
    return _array_of_matrix(matrix)


def _image(voxels: np.ndarray, ijk_to_world_ras: np.ndarray) -> "sitk.Image":
    """An image from voxels (k, j, i) and the matrix that places voxel (i, j, k)."""
    import SimpleITK as sitk

    placed = RAS_TO_LPS @ ijk_to_world_ras
    spacing = np.linalg.norm(placed[:3, :3], axis=0)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(placed[:3, 3].tolist())
    image.SetDirection((placed[:3, :3] / spacing).ravel().tolist())
    return image


def _ijk_to_world_ras_of(image: "sitk.Image") -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return RAS_TO_LPS @ matrix


# --- from the scene


def why_not_ct(volumeNode: Any) -> str:
    """Why a volume cannot be used as the CT; empty when it can.

    Quick enough to be asked whenever the selection changes: the voxels are judged once, and again when they changed.
    """
    if volumeNode is None:
        return _("Choose a CT volume.")
    name = volumeNode.GetName()
    if not volumeNode.IsA("vtkMRMLScalarVolumeNode") or volumeNode.IsA("vtkMRMLLabelMapVolumeNode"):
        return _("{name} is not a scalar volume. Choose the CT, not a segmentation or a color image.").format(name=name)
    data = volumeNode.GetImageData()
    if data is None or data.GetPointData().GetScalars() is None:
        return _("{name} holds no voxels. Load it again.").format(name=name)
    if data.GetNumberOfScalarComponents() != 1:
        text = _("{name} has {count} values per voxel; a CT has one. Choose the CT.")
        return text.format(name=name, count=data.GetNumberOfScalarComponents())
    if min(data.GetDimensions()) < 3:
        text = _("{name} has {size} voxels; at least 3 along each axis are needed. Load the whole series.")
        return text.format(name=name, size=" x ".join(map(str, data.GetDimensions())))
    modality = modality_of(volumeNode)
    if modality and modality != "CT":
        return _("{name} is {modality}, not CT. Choose a CT.").format(name=name, modality=modality)
    if not _has_right_angles(_ijk_to_ras(volumeNode)):
        return _("The slices of {name} are sheared. Resample it to a grid with right angles first.").format(name=name)
    return why_not_placed(volumeNode) or _why_not_hounsfield(volumeNode)


_judged: dict[str, tuple[int, str]] = {}  # node to the time of its voxels and what was found then


def _why_not_hounsfield(volumeNode: Any) -> str:
    """The library's judgement, made once as long as the voxels stay."""
    make_importable()
    from PDL1PredictorLib.core.hounsfield import judge

    changed = volumeNode.GetImageData().GetMTime()
    when, refusal = _judged.get(volumeNode.GetID(), (0, ""))
    if when != changed:
        refusal = judge(slicer.util.arrayFromVolume(volumeNode)).refusal
        _judged[volumeNode.GetID()] = (changed, refusal)
    return f"{volumeNode.GetName()}: {refusal}" if refusal else ""


def modality_of(volumeNode: Any) -> str:
    """The DICOM modality of a volume where it is known, such as CT, MR or PT; else empty."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(volumeNode.GetScene())
    if hierarchy is None:
        return ""
    item = hierarchy.GetItemByDataNode(volumeNode)
    return (hierarchy.GetItemAttribute(item, "DICOM.Modality") if item else "").strip().upper()


def image_of_volume(volumeNode: Any) -> "sitk.Image":
    """A volume as an image in world space.

    Args:
        volumeNode: A scalar volume; rotations and shifts above it are honored.

    Raises:
        InputError: It holds no voxels, or lies under a transform that is not rigid.
    """
    if volumeNode is None or volumeNode.GetImageData() is None:
        raise input_error(_("The volume holds no voxels. Choose a CT volume."))
    reason = why_not_placed(volumeNode)
    if reason:
        raise input_error(reason)
    placed = _to_world(volumeNode) @ _ijk_to_ras(volumeNode)
    if not _has_right_angles(placed):
        text = _("The slices of {name} are sheared. Resample it to a grid with right angles first.")
        raise input_error(text.format(name=volumeNode.GetName()))
    return _image(slicer.util.arrayFromVolume(volumeNode), placed)


def fills_the_same_box(volumeNode: Any, image: "sitk.Image") -> bool:
    """Whether a volume, without the transforms above it, has the corners of an image, in whatever order of axes."""
    own = _corners(_ijk_to_ras(volumeNode), volumeNode.GetImageData().GetDimensions())
    other = _corners(_ijk_to_world_ras_of(image), image.GetSize())
    apart = np.linalg.norm(own[:, None] - other[None], axis=-1)
    return bool((apart.min(axis=1) <= CORNER_TOLERANCE_MM).all())


def _corners(ijk_to_ras: np.ndarray, size: Any) -> np.ndarray:
    """The centers of the outermost voxels, (8, 3)."""
    last = np.array(size) - 1
    places = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * last
    return np.asarray(places @ ijk_to_ras[:3, :3].T + ijk_to_ras[:3, 3])


def moved_like(volumeNode: Any, image: "sitk.Image") -> "sitk.Image":
    """An image in a volume's own space, moved as the transforms above the volume move that.

    Raises:
        InputError: The volume lies under a transform that is not rigid.
    """
    import SimpleITK as sitk

    reason = why_not_placed(volumeNode)
    if reason:
        raise input_error(reason)
    return _image(sitk.GetArrayFromImage(image), _to_world(volumeNode) @ _ijk_to_world_ras_of(image))


def mask_of_segment(segmentationNode: Any, segmentID: str, volumeNode: Any) -> "sitk.Image":
    """A segment as uint8 0/1 on the volume's grid, whatever grid or transform the segment itself has.

    Voxels are copied where the two grids agree; anything else is interpolated linearly and cut at 0.5.

    Raises:
        InputError: There is no such segment, it is empty, or it lies under a transform that is not rigid.
        GridMismatchError: Part of it lies outside the volume.
    """
    return place_segment(segmentationNode, segmentID, image_of_volume(volumeNode))


def place_segment(segmentationNode: Any, segmentID: str, image: "sitk.Image") -> "sitk.Image":
    """As `mask_of_segment`, for a volume that is an image already."""
    make_importable()
    from PDL1PredictorLib.imaging.placing import place_mask

    segment = segmentationNode.GetSegmentation().GetSegment(segmentID) if segmentationNode is not None else None
    if segment is None:
        raise input_error(_("There is no tumor segment. Choose or draw one in the Tumor section."))
    reason = why_not_placed(segmentationNode)
    if reason:
        raise input_error(reason)
    mask = _stored(segmentationNode, _labelmap(segmentationNode, segmentID, image))
    if mask is None:
        text = _("The segment {name} is empty. Outline the tumor, then predict.")
        raise input_error(text.format(name=segment.GetName()))
    return place_mask(mask, image, resample=True).image


def stored_mask(segmentationNode: Any, segmentID: str) -> "sitk.Image | None":
    """A segment as uint8 0/1 in world space, no larger than it is stored; None if it is empty or has no voxels."""
    if not segmentationNode.GetSegmentation().ContainsRepresentation(_BINARY):
        return None
    return _stored(segmentationNode, _labelmap(segmentationNode, segmentID, None))


def _stored(segmentationNode: Any, labelmap: Any) -> "sitk.Image | None":
    voxels = _array_of_image_data(labelmap)
    if not voxels.any():
        return None
    return _image((voxels != 0).astype(np.uint8), _to_world(segmentationNode) @ _first_voxel(labelmap))


def _array_of_image_data(data: Any) -> np.ndarray:
    from vtk.util.numpy_support import vtk_to_numpy

    scalars = data.GetPointData().GetScalars()
    if scalars is None or scalars.GetNumberOfTuples() == 0:
        return np.zeros((0, 0, 0), np.uint8)
    return vtk_to_numpy(scalars).reshape(data.GetDimensions()[::-1])


def _first_voxel(labelmap: Any) -> np.ndarray:
    """IJK to RAS of a labelmap counted from its first stored voxel: an extent need not begin at 0."""
    shift = np.eye(4)
    shift[:3, 3] = labelmap.GetExtent()[::2]
    return _ijk_to_ras(labelmap) @ shift


def _labelmap(segmentationNode: Any, segmentID: str, image: "sitk.Image | None") -> Any:
    """The voxels of a segment, made from its surface or contours on the image's grid where it has none."""
    labelmap = slicer.vtkOrientedImageData()
    if segmentationNode.GetSegmentation().ContainsRepresentation(_BINARY):
        segmentationNode.GetBinaryLabelmapRepresentation(segmentID, labelmap)
        return labelmap
    copy = slicer.vtkSegmentation()  # the node itself stays as the user has it
    copy.SetSourceRepresentationName(segmentationNode.GetSegmentation().GetSourceRepresentationName())
    copy.CopySegmentFromSegmentation(segmentationNode.GetSegmentation(), segmentID)
    parameter = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    copy.SetConversionParameter(parameter, _geometry_text(segmentationNode, image))
    if copy.CreateRepresentation(_BINARY):
        found = copy.GetSegment(segmentID).GetRepresentation(_BINARY)
        if found is not None:
            labelmap.DeepCopy(found)
    return labelmap


def _geometry_text(segmentationNode: Any, image: "sitk.Image | None") -> str:
    """An image's grid, as the segmentation sees it, in the words of Slicer's conversion parameter."""
    assert image is not None
    grid = slicer.vtkOrientedImageData()
    grid.SetImageToWorldMatrix(
        _matrix_of_array(np.linalg.inv(_to_world(segmentationNode)) @ _ijk_to_world_ras_of(image))
    )
    grid.SetExtent([bound for size in image.GetSize() for bound in (0, size - 1)])
    return str(slicer.vtkSegmentationConverter.SerializeImageGeometry(grid))


def lps_of_ras(point: Any) -> tuple[float, float, float]:
    """A place in the world, in mm: Slicer's coordinates to the library's."""
    x, y, z, _one = RAS_TO_LPS @ [*point, 1.0]
    return float(x), float(y), float(z)


# --- to the scene


def volume_of_image(image: "sitk.Image", name: str) -> Any:
    """A new scalar volume of an image's voxels, at the same place.

    Args:
        image: Three-dimensional, one value per voxel, in patient space (LPS, mm).
        name: Of the node.
    """
    import SimpleITK as sitk

    matrix = _matrix_of_array(_ijk_to_world_ras_of(image))
    return slicer.util.addVolumeFromArray(sitk.GetArrayFromImage(image), ijkToRAS=matrix, name=name)


def put_segment(segmentationNode: Any, segmentID: str, mask: "sitk.Image", volumeNode: Any, name: str = "") -> str:
    """Puts a mask into a segment: all of its former voxels are replaced, other segments stay as they are.

    Args:
        segmentationNode: Where.
        segmentID: The segment; made if there is none of this ID.
        mask: Not 0 inside, in world space (LPS, mm).
        volumeNode: The volume that the mask belongs to; the segmentation keeps its grid if it has none yet.
        name: Of a segment that is made.

    Returns:
        The segment's ID.

    Raises:
        InputError: The segmentation lies under a transform that is not rigid.
    """
    reason = why_not_placed(segmentationNode)
    if reason:
        raise input_error(reason)
    segmentation = segmentationNode.GetSegmentation()
    if segmentation.GetNumberOfSegments() and segmentation.GetSourceRepresentationName() != _BINARY:
        # As the segment editor does when it edits contours: voxels become what the other forms are made from.
        segmentation.CreateRepresentation(_BINARY)
        segmentation.SetSourceRepresentationName(_BINARY)
    if segmentationNode.GetNodeReference(segmentationNode.GetReferenceImageGeometryReferenceRole()) is None:
        segmentationNode.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    labelmap = _oriented_image_data(mask, np.linalg.inv(_to_world(segmentationNode)))
    segment = segmentation.GetSegment(segmentID)
    if segment is None:
        segment = slicer.vtkSegment()
        segment.SetName(name or segmentID)
        segment.AddRepresentation(_BINARY, labelmap)
        segmentation.AddSegment(segment, segmentID)
        return segmentID
    segmentation.SeparateSegmentLabelmap(segmentID)  # else the voxels of segments in the same layer would go too
    empty = slicer.vtkOrientedImageData()
    empty.DeepCopy(labelmap)
    empty.GetPointData().GetScalars().Fill(0)
    segment.AddRepresentation(_BINARY, empty)
    segment.SetLabelValue(1)
    logic = slicer.vtkSlicerSegmentationsModuleLogic  # also makes surfaces anew and tells the views
    logic.SetBinaryLabelmapToSegment(labelmap, segmentationNode, segmentID, logic.MODE_REPLACE)
    return segmentID


def _oriented_image_data(mask: "sitk.Image", world_to_local: np.ndarray) -> Any:
    """A mask as Slicer's segments hold it, cut to its voxels: a ring is a small part of a CT."""
    import SimpleITK as sitk
    from vtk.util.numpy_support import numpy_to_vtk

    voxels = (sitk.GetArrayViewFromImage(mask) != 0).astype(np.uint8)
    matrix = world_to_local @ _ijk_to_world_ras_of(mask)
    extent = [0, -1] * 3
    if voxels.any():
        corners = [np.flatnonzero(voxels.any(axis=tuple({0, 1, 2} - {2 - axis}))) for axis in range(3)]
        extent = [int(bound) for inside in corners for bound in (inside[0], inside[-1])]
        voxels = voxels[extent[4] : extent[5] + 1, extent[2] : extent[3] + 1, extent[0] : extent[1] + 1]
    data = slicer.vtkOrientedImageData()
    data.SetImageToWorldMatrix(_matrix_of_array(matrix))
    data.SetExtent(extent)
    data.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    if voxels.size and extent[1] >= 0:
        data.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(voxels).ravel(), deep=True))
    return data

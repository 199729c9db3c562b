"""What a prediction was made from, in a form that survives saving: so that a result can tell when it is out of date."""

import hashlib
import json
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import vtk_to_numpy

MATRIX_TOLERANCE = 1e-3  # mm; files round origin and spacing, nobody moves a scan by a micrometer
_voxel_hashes: dict[str, tuple[int, str]] = {}  # volume ID -> (modified time, hash): a CT takes tenths of a second


def fingerprint(request: Any) -> dict[str, Any]:
    """What the answer depends on: CT, PET, contour, edited ring, model, region settings, clinical values.

    And what the result says of its contour: whether a reader has checked it.

    Of the CT its voxels and place; of the clinical values those that the model asks for. The device and other clinical
    values are left out: the answer does not depend on them. Plain values, so that it can be kept in the scene; compare
    two by `changes`.

    Args:
        request: A `predictor.PredictRequest`.
    """
    from PDL1PredictorGUI.scene.outline import seen_in  # which reads prints of segments from here

    regions = request.regions
    ring = request.ring_segment_id
    known, pet = request.clinical or {}, getattr(request, "pet", None)
    return {
        "ct": volume_print(request.volume),
        "tumor": segment_print(request.segmentation, request.segment_id),
        "checked": seen_in(request.segmentation, request.segment_id),
        "ring": segment_print(request.segmentation, ring) if ring else None,
        "pet": None if pet is None else volume_print(pet),
        "model": str(request.model),
        "regions": None if regions is None else regions.to_dict(),
        "clinical": {name: known[name] for name in request.clinical_inputs if name in known} or None,
    }


def changes(before: dict[str, Any] | None, now: dict[str, Any] | None) -> list[str]:
    """In words, what is no longer as it was; empty if the result still holds."""
    if not before or not now:
        return [_("What the result was made from is no longer there")]
    checked = now.get("checked") == "yes"
    words = {
        "ct": _("the CT has changed"),
        "tumor": _("the contour has changed"),
        "checked": _("the contour was marked as checked since, which the result does not say")
        if checked
        else _("the contour is no longer marked as checked, as the result says"),
        "pet": _("the PET has changed"),
        "ring": _("the ring was edited or drawn anew"),
        "model": _("another model is chosen"),
        "regions": _("the region settings have changed"),
        "clinical": _("clinical values that the model asks for have changed"),
    }
    if not now.get("model"):  # for another patient's CT none is chosen yet, which the section says by itself
        del words["model"]
    if not (before.get("checked") and now.get("checked")):  # a reader's contour, none, or of an earlier version
        del words["checked"]
    return [text for part, text in words.items() if not _alike(before.get(part), now.get(part))]


def to_text(value: dict[str, Any]) -> str:
    """One line for a node attribute."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def from_text(text: str | None) -> dict[str, Any] | None:
    """Back from `to_text`; None where there is none, or one that cannot be read."""
    try:
        value = json.loads(text or "")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def volume_print(volume: Any) -> dict[str, Any] | None:
    """Hash of the voxels, and where they lie in the world; None for a volume without voxels."""
    image = volume.GetImageData() if volume is not None else None
    if image is None or image.GetPointData().GetScalars() is None:
        return None
    scalars = image.GetPointData().GetScalars()
    stamp = max(image.GetMTime(), scalars.GetMTime())
    known = _voxel_hashes.get(volume.GetID())
    if known is None or known[0] != stamp:
        known = (stamp, _hash(np.ascontiguousarray(vtk_to_numpy(scalars))))
        _voxel_hashes[volume.GetID()] = known
    ijk_to_local = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(ijk_to_local)
    return {"voxels": known[1], "size": list(image.GetDimensions()), "matrix": to_world(volume, ijk_to_local)}


def segment_print(segmentation: Any, segment_id: str) -> dict[str, Any] | None:
    """Hash of a segment's voxels, free of how much empty space is stored around them, and where they lie.

    A segment that is not kept as voxels gives the hash of its surface's points instead; an empty one, or none, None.
    """
    segment = segmentation.GetSegmentation().GetSegment(segment_id) if segmentation is not None else None
    if segment is None:
        return None
    source = segmentation.GetSegmentation().GetSourceRepresentationName()
    shape = segment.GetRepresentation(source)
    if shape is None:
        return None
    if not shape.IsA("vtkOrientedImageData"):
        points = shape.GetPoints() if shape.IsA("vtkPolyData") else None
        return None if points is None else {"points": _hash(vtk_to_numpy(points.GetData()))}
    scalars = shape.GetPointData().GetScalars()
    if scalars is None:
        return None
    voxels = vtk_to_numpy(scalars).reshape(shape.GetDimensions()[::-1]) == segment.GetLabelValue()
    if not voxels.any():
        return None
    box = [np.flatnonzero(voxels.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    inside = voxels[tuple(slice(found[0], found[-1] + 1) for found in box)]
    first_ijk = [low + int(found[0]) for low, found in zip(shape.GetExtent()[::2], box[::-1], strict=True)]
    matrix = vtk.vtkMatrix4x4()
    shape.GetImageToWorldMatrix(matrix)
    for row, value in enumerate(matrix.MultiplyPoint([*first_ijk, 1])[:3]):
        matrix.SetElement(row, 3, value)
    return {
        "voxels": _hash(np.packbits(inside)),
        "size": list(inside.shape[::-1]),
        "matrix": to_world(segmentation, matrix),
    }


def to_world(node: Any, matrix: vtk.vtkMatrix4x4) -> list[float]:
    """A matrix to the node's own coordinates, taken further through its parent transforms: 16 numbers, row by row."""
    world = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(node.GetParentTransformNode(), None, world)
    product = vtk.vtkMatrix4x4()
    vtk.vtkMatrix4x4.Multiply4x4(world, matrix, product)
    return [product.GetElement(row, column) for row in range(4) for column in range(4)]


def _hash(values: np.ndarray) -> str:
    return hashlib.blake2b(np.ascontiguousarray(values).view(np.uint8).data, digest_size=16).hexdigest()


def _alike(a: Any, b: Any) -> bool:
    if not (isinstance(a, dict) and isinstance(b, dict) and "matrix" in a and "matrix" in b):
        return bool(a == b)
    same_content = {k: v for k, v in a.items() if k != "matrix"} == {k: v for k, v in b.items() if k != "matrix"}
    return same_content and bool(np.allclose(a["matrix"], b["matrix"], rtol=0, atol=MATRIX_TOLERANCE))

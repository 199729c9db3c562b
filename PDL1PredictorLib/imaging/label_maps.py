"""Choosing one region of a mask that may hold several: label maps, and segmentations of 3D Slicer (.seg.nrrd)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import EmptyRegionError, InputError

MAX_LABELS = 1000


@dataclass(frozen=True)
class Entry:
    """One region of a mask: its number in the file, and its name, which may be empty."""

    number: int
    name: str = ""

    def __str__(self) -> str:
        return f"{self.number} ({self.name})" if self.name else str(self.number)


def choose(entries: Sequence[Entry], segment: str | None, source: str) -> int:
    """Position of the wanted region: by name first, then by number; the only one if none is named.

    Raises:
        InputError: None was named and there are several, or there is none, or two, of that name; all are listed.
    """
    listed = ", ".join(str(entry) for entry in entries)
    if segment is None:
        if len(entries) == 1:
            return 0
        raise InputError(f"{source} holds {len(entries)} regions: {listed}. Choose one by name or number (--segment).")
    wanted = [n for n, entry in enumerate(entries) if entry.name == segment]
    wanted = wanted or [n for n, entry in enumerate(entries) if str(entry.number) == segment.strip()]
    if len(wanted) == 1:
        return wanted[0]
    if wanted:
        raise InputError(f"{source} holds {len(wanted)} regions named {segment!r}: {listed}. Choose one by number.")
    raise InputError(f"{source} holds no region {segment!r}. It holds: {listed}.")


def pick_label(image: sitk.Image, segment: str | None, source: str) -> sitk.Image:
    """One region of a label map as uint8 0/1 on its own grid.

    Args:
        image: Labels in whole numbers; several layers (components) as 3D Slicer writes overlapping segments.
        segment: Name or label value; None if there is only one.
        source: File name, for messages.

    Raises:
        InputError: Not a label map, or the choice is not clear.
        EmptyRegionError: No label is set.
    """
    if image.GetDimension() != 3:
        raise InputError(
            f"The mask {source} has {image.GetDimension()} dimensions; a volume of 3 is needed. Choose one volume."
        )
    segments = _slicer_segments(image)
    if segments:
        layer, label = segments[choose([entry for entry, _ in segments], segment, source)][1]
        plane = sitk.VectorIndexSelectionCast(image, layer) if image.GetNumberOfComponentsPerPixel() > 1 else image
        return plane == label
    if image.GetNumberOfComponentsPerPixel() > 1:
        raise InputError(
            f"The mask {source} has {image.GetNumberOfComponentsPerPixel()} values per voxel and no names of segments; "
            "save it as a label map, or as .seg.nrrd."
        )
    labels = _labels(image, source)
    return image == labels[choose([Entry(label) for label in labels], segment, source)]


def _labels(image: sitk.Image, source: str) -> list[int]:
    values = sitk.GetArrayViewFromImage(image)
    distinct = np.unique(values[values != 0])
    if len(distinct) == 0:
        raise EmptyRegionError(f"The mask {source} has no voxel. Outline the tumor, then predict.")
    if not np.isfinite(distinct).all():
        raise InputError(f"The mask {source} has voxels that are NaN or infinite. Export it again as a label map.")
    if (distinct != np.rint(distinct)).any() or len(distinct) > MAX_LABELS:
        raise InputError(
            f"The mask {source} holds {len(distinct)} different values from {distinct[0]:.4g} to {distinct[-1]:.4g}; a "
            "label map of whole numbers is needed. Choose the mask, not the image, and cut probabilities at 0.5."
        )
    return [int(value) for value in distinct]


def _slicer_segments(image: sitk.Image) -> list[tuple[Entry, tuple[int, int]]]:
    """Segments that a .seg.nrrd header names, each with its layer and label value."""
    segments = []
    number = 0
    while image.HasMetaDataKey(f"Segment{number}_Name") or image.HasMetaDataKey(f"Segment{number}_ID"):
        name = _meta(image, f"Segment{number}_Name") or _meta(image, f"Segment{number}_ID")
        label = int(_meta(image, f"Segment{number}_LabelValue") or 1)
        layer = int(
            _meta(image, f"Segment{number}_Layer") or (number if image.GetNumberOfComponentsPerPixel() > 1 else 0)
        )
        segments.append((Entry(number + 1, name), (layer, label)))
        number += 1
    return segments


def _meta(image: sitk.Image, key: str) -> str:
    return image.GetMetaData(key).strip() if image.HasMetaDataKey(key) else ""

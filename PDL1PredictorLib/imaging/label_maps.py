"""Choosing one region of a mask that may hold several: label maps, and segmentations of 3D Slicer (.seg.nrrd)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import EmptyRegionError, InputError
from PDL1PredictorLib.core.provenance import NOTES, STATUS_NOTE, outline_of
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.loaded import Loaded

MOST_LABELS = 256  # an atlas of the whole body has about 120
MOST_LISTED = 10
LARGEST_LABEL = 2**31 - 1
STATUS = "Segmentation.Status"  # 3D Slicer's tag
WHOLE = 1e-3  # how far a value may lie from a whole number: single precision, interpolation of a constant


@dataclass(frozen=True)
class Entry:
    """One region of a mask: its number in the file, and its name, which may be empty."""

    number: int
    name: str = ""

    def __str__(self) -> str:
        return f"{self.number} ({self.name})" if self.name else str(self.number)


def _listed(entries: Sequence[Entry]) -> str:
    """All that have a name; of mere numbers the first ten."""
    shown = list(entries) if any(entry.name for entry in entries) else list(entries[:MOST_LISTED])
    more = len(entries) - len(shown)
    return ", ".join(str(entry) for entry in shown) + (f" and {more} more" if more else "")


def choose(entries: Sequence[Entry], segment: str | None, source: str) -> int:
    """Position of the wanted region: by name first, then by number; the only one if none is named.

    Raises:
        InputError: None was named and there are several, or there is none, or two, of that name; all are listed.
    """
    listed = _listed(entries)
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


def pick_label(image: sitk.Image, segment: str | None, source: str) -> Loaded:
    """One region of a label map as uint8 0/1 on its own grid.

    Args:
        image: Labels in whole numbers; several layers (components) as 3D Slicer writes overlapping segments.
        segment: Name or label value; None if there is only one.
        source: File name, for messages.

    Returns:
        The region, with a warning if values were rounded.

    Raises:
        InputError: Not a label map, or the choice is not clear.
        EmptyRegionError: No label is set.
    """
    if image.GetDimension() != 3:
        raise InputError(
            f"The mask {source} has {image.GetDimension()} dimensions; a volume of 3 is needed. Choose one volume."
        )
    values = sitk.GetArrayViewFromImage(image)
    layers = image.GetNumberOfComponentsPerPixel()
    segments = _slicer_segments(image, source)
    if segments:
        number = choose([entry for entry, _ in segments], segment, source)
        layer, label = segments[number][1]
        if not 0 <= layer < layers:
            raise InputError(f"A segment of {source} lies in layer {layer}; the file has {layers}. Save it again.")
        region = _region((values[..., layer] if layers > 1 else values) == label, image)
        return Loaded(region, outline=outline_of(_tags(image, number)))
    if layers > 1:
        raise InputError(
            f"The mask {source} has {layers} values per voxel and no names of segments; "
            "save it as a label map, or as .seg.nrrd."
        )
    found = _labels(values, source)
    label = found.labels[choose([Entry(label) for label in found.labels], segment, source)]
    inside = values == label if not found.warnings else np.rint(values) == label
    notes = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys() if key.startswith(NOTES)}
    return Loaded(_region(inside, image), found.warnings, outline=outline_of(notes))


def _region(inside: np.ndarray, grid: sitk.Image) -> sitk.Image:
    region = sitk.GetImageFromArray(inside.astype(np.uint8))
    region.CopyInformation(grid)
    return region


class _Labels(NamedTuple):
    labels: list[int]
    warnings: tuple[CaseWarning, ...]


def _labels(values: np.ndarray, source: str) -> _Labels:
    """The labels of a map, in order.

    Raises:
        InputError: Values that are no labels: an image, probabilities, or below 0.
        EmptyRegionError: There is none.
    """
    distinct, off = _distinct(values)
    if len(distinct) > MOST_LABELS or (len(distinct) > MOST_LISTED and distinct[0] < 0):
        least = MOST_LABELS if len(distinct) > MOST_LABELS else MOST_LISTED
        raise InputError(
            f"{source} looks like an image, not a mask: it holds more than {least} different values from "
            f"{values.min():.6g} to {values.max():.6g}; a label map of whole numbers is needed. Choose the mask of the "
            "tumor."
        )
    if len(distinct) == 0:
        nearly = f": its values are all within {WHOLE:g} of 0" if off else ""
        raise EmptyRegionError(f"The mask {source} has no voxel{nearly}. Outline the tumor, then predict.")
    if not np.isfinite(distinct).all():
        raise InputError(f"The mask {source} has voxels that are NaN or infinite. Export it again as a label map.")
    if (distinct != np.rint(distinct)).any():
        raise _not_whole(distinct, source)
    if distinct[0] < 0 or distinct[-1] > LARGEST_LABEL:
        bad = distinct[0] if distinct[0] < 0 else distinct[-1]
        raise InputError(
            f"The mask {source} holds the value {bad:.6g}; labels are whole numbers from 1 to {LARGEST_LABEL}. Export "
            "it again as a label map."
        )
    return _Labels([int(label) for label in distinct], _rounded(values, off, source) if off else ())


def _distinct(values: np.ndarray) -> tuple[np.ndarray, float]:
    """The values other than 0, float64 in order, those near a whole number as that; and the largest rounding.

    They are not looked for to the end where there are more than a label map has.
    """
    found, off = np.empty(0), 0.0
    for plane in values:
        used = plane[plane != 0].astype(np.float64)
        if values.dtype.kind == "f" and len(used):
            whole = np.rint(used)
            with np.errstate(invalid="ignore"):  # of what is not finite
                apart = np.abs(used - whole)
            near = apart <= WHOLE
            off = max(off, float(apart.max(where=near, initial=0)))
            used = np.where(near, whole, used)
        found = np.union1d(found, used[used != 0])
        if len(found) > MOST_LABELS:
            break
    return found, off


def _not_whole(distinct: np.ndarray, source: str) -> InputError:
    worst = distinct[np.abs(distinct - np.rint(distinct)).argmax()]
    if distinct[0] > 0 and distinct[-1] <= 1 + WHOLE:
        return InputError(
            f"The mask {source} holds values between 0 and 1, such as {worst:.6g}, as probabilities or partial volumes "
            "do; a label map of whole numbers is needed. Cut it at 0.5 first."
        )
    return InputError(
        f"The mask {source} holds values that are no whole numbers, such as {worst:.6g}; a label map of whole "
        "numbers is needed. Choose the mask, not an image, or round it first."
    )


def _rounded(values: np.ndarray, off: float, source: str) -> tuple[CaseWarning, ...]:
    count = sum(int(np.count_nonzero(plane != np.rint(plane))) for plane in values)
    text = (
        f"{count} voxels of the mask {source} lie up to {off:.2g} off a whole number and were rounded; up to {WHOLE:g} "
        "is taken for rounding of the program that wrote it."
    )
    return (CaseWarning("mask_rounded", text),)


def _slicer_segments(image: sitk.Image, source: str) -> list[tuple[Entry, tuple[int, int]]]:
    """Segments that a .seg.nrrd header names, each with its layer and label value."""
    segments = []
    number = 0
    while image.HasMetaDataKey(f"Segment{number}_Name") or image.HasMetaDataKey(f"Segment{number}_ID"):
        name = _meta(image, f"Segment{number}_Name") or _meta(image, f"Segment{number}_ID")
        several = image.GetNumberOfComponentsPerPixel() > 1
        label = _number(image, f"Segment{number}_LabelValue", 1, source)
        layer = _number(image, f"Segment{number}_Layer", number if several else 0, source)
        segments.append((Entry(number + 1, name), (layer, label)))
        number += 1
    return segments


def _tags(image: sitk.Image, number: int) -> dict[str, str]:
    """What 3D Slicer keeps of a segment besides, by name; its status under the name that `outline_of` reads."""
    pairs = (tag.partition(":") for tag in _meta(image, f"Segment{number}_Tags").split("|"))
    tags = {name: value for name, colon, value in pairs if colon}
    return tags | {STATUS_NOTE: tags.get(STATUS, "")}


def _number(image: sitk.Image, key: str, missing: int, source: str) -> int:
    text = _meta(image, key)
    try:
        return int(text) if text else missing
    except ValueError as error:
        raise InputError(f"{source} gives {key} {text[:40]!r}, which is no whole number. Save it again.") from error


def _meta(image: sitk.Image, key: str) -> str:
    return image.GetMetaData(key).strip() if image.HasMetaDataKey(key) else ""

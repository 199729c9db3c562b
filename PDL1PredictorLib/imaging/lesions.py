"""Separate tumors in one mask: how many there are, which are meant, and what is left out."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.core.errors import EmptyRegionError, InputError
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.core.settings import MIN_TUMOR_VOXELS
from PDL1PredictorLib.imaging.lattice import lattice_of

LARGEST, ALL = "largest", "all"
TOLD_PARTS = 5  # volumes that a warning lists one by one


@dataclass(frozen=True, eq=False)
class Tumors:
    """The tumors of a mask that are meant.

    Attributes:
        chosen: Number and mask (uint8, the mask's grid) of each; 1 is the largest of the mask.
        found: How many the mask has, of at least 64 voxels.
        warnings: What was left out, in mL: `parts_left_out`, `specks_left_out`.
    """

    chosen: tuple[tuple[int, sitk.Image], ...]
    found: int
    warnings: tuple[CaseWarning, ...]


def require_lesion(lesion: str) -> None:
    """Refuse what names no tumor.

    Raises:
        InputError: Neither `largest`, `all` nor a number from 1.
    """
    if lesion not in (LARGEST, ALL) and not (lesion.isascii() and lesion.isdigit() and int(lesion) >= 1):
        raise InputError(f"The lesion must be 'largest', 'all' or a number from 1, got {lesion!r}.")


def choose_tumors(mask: sitk.Image, lesion: str = LARGEST) -> Tumors:
    """The tumors to measure; one rule for predictions, tables of features and training.

    Args:
        mask: 0 outside; any grid. Parts that touch at least by a corner are one tumor.
        lesion: `largest`, `all`, or a number: 1 for the largest, 2 for the next.

    Raises:
        InputError: There is no tumor of that number.
        EmptyRegionError: No part has 64 voxels.
    """
    require_lesion(lesion)
    labels, sizes, box = _label(mask)
    masks = _masks(mask, labels, sizes, box, MIN_TUMOR_VOXELS)
    volumes_ml = -np.sort(-sizes) * math.prod(mask.GetSpacing()) / 1000
    if not masks:
        raise EmptyRegionError(
            f"No connected part of the mask has {MIN_TUMOR_VOXELS} voxels or more ({len(sizes)} smaller parts). "
            "Check the contour."
        )
    if lesion.isdigit() and int(lesion) > len(masks):
        raise InputError(
            f"Tumor {int(lesion)} was asked for; the mask has {len(masks)} of at least {MIN_TUMOR_VOXELS} voxels."
        )
    numbers = range(1, len(masks) + 1) if lesion == ALL else [1 if lesion == LARGEST else int(lesion)]
    warnings = (
        *_parts_left_out(volumes_ml[: len(masks)], numbers),
        *_specks_left_out(volumes_ml[len(masks) :]),
    )
    return Tumors(tuple((number, masks[number - 1]) for number in numbers), len(masks), warnings)


def axial_slice(image: sitk.Image, point_lps_mm: Sequence[float]) -> tuple[int, int]:
    """Which axial slice of a volume holds a patient point: its number, counted from the feet, from 1; and of how many.

    For a point beyond them it is the nearest slice.
    """
    lattice = lattice_of(image, 1.0)
    axis, slices = 2 - lattice.native_axes[0], lattice.native_shape[0]
    along = round(float(image.TransformPhysicalPointToContinuousIndex(list(point_lps_mm))[axis]))
    number = slices - along if lattice.reversed_axes[0] else along + 1
    return min(max(number, 1), slices), slices


def require_one_for_ring(count: int, ring: sitk.Image | None) -> None:
    """Refuse an edited ring for several tumors.

    Raises:
        InputError: With how many there are.
    """
    if ring is not None and count > 1:
        raise InputError(
            f"An edited ring belongs to one tumor, and {count} are to be measured. Take them one by one (--lesion 1)."
        )


def _parts_left_out(volumes_ml: np.ndarray, taken: range | list[int]) -> list[CaseWarning]:
    left = [volume for number, volume in enumerate(volumes_ml, start=1) if number not in taken]
    if not left:
        return []
    listed = ", ".join(f"{volume:.2f}" for volume in left[:TOLD_PARTS])
    more = f" and {len(left) - TOLD_PARTS} more" if len(left) > TOLD_PARTS else ""
    text = (
        f"The mask has {len(volumes_ml)} separate parts. Part {taken[0]} of {volumes_ml[taken[0] - 1]:.2f} mL was "
        f"taken; {sum(left):.2f} mL in {len(left)} part(s) were left out ({listed}{more} mL). Check that they are "
        "other tumors, and not pieces of this one."
    )
    return [CaseWarning("parts_left_out", text)]


def _specks_left_out(volumes_ml: np.ndarray) -> list[CaseWarning]:
    if not len(volumes_ml):
        return []
    text = (
        f"{len(volumes_ml)} separate part(s) of the mask have fewer than {MIN_TUMOR_VOXELS} voxels and were left out, "
        f"{volumes_ml.sum():.2g} mL in all."
    )
    return [CaseWarning("specks_left_out", text)]


def split_lesions(mask: sitk.Image, minimum_voxels: int = 1) -> tuple[sitk.Image, ...]:
    """The connected parts of a mask (26 neighbors), each as a mask of its own, the largest first.

    Parts of equal size follow in the order of their first voxel in memory (i fastest).

    Args:
        mask: 0 outside; any grid.
        minimum_voxels: Smaller parts are left out, so that a mask full of specks does not fill the memory.

    Returns:
        uint8 masks on the same grid; none for an empty mask.
    """
    return _masks(mask, *_label(mask), minimum_voxels)


def each_part(mask: sitk.Image, minimum_voxels: int) -> Iterator[sitk.Image]:
    """The same parts one after another, so that only one fills the memory at a time."""
    labels, sizes, box = _label(mask)
    for number in np.argsort(-sizes, kind="stable"):
        if sizes[number] >= max(minimum_voxels, 1):
            yield _mask_like(mask, labels == number + 1, box)


def _masks(
    mask: sitk.Image, labels: np.ndarray, sizes: np.ndarray, box: tuple[slice, ...], minimum_voxels: int
) -> tuple[sitk.Image, ...]:
    order = [int(n) for n in np.argsort(-sizes, kind="stable") if sizes[n] >= max(minimum_voxels, 1)]
    return tuple(_mask_like(mask, labels == n + 1, box) for n in order)


def _label(mask: sitk.Image) -> tuple[np.ndarray, np.ndarray, tuple[slice, ...]]:
    """Labels in the bounding box, number of voxels of label 1, 2 ..., and that box."""
    values = sitk.GetArrayViewFromImage(mask)
    box = []
    for axis in range(3):
        hit = np.flatnonzero(values.any(axis=tuple(other for other in range(3) if other != axis)))
        box.append(slice(int(hit[0]), int(hit[-1]) + 1) if len(hit) else slice(0, 0))
    labels, _ = ndimage.label(values[tuple(box)] != 0, structure=np.ones((3, 3, 3), bool))
    return labels, np.bincount(labels.ravel())[1:], tuple(box)


def _mask_like(mask: sitk.Image, part: np.ndarray, box: tuple[slice, ...]) -> sitk.Image:
    values = np.zeros(mask.GetSize()[::-1], np.uint8)
    values[box] = part
    image = sitk.GetImageFromArray(values)
    image.CopyInformation(mask)
    return image

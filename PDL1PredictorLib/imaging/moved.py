"""The same case as another reader or scanner might have given it: the contour moved, noise added, slices thicker.

What a feature or an answer does under these moves tells how far it can be trusted; see
`docs/methods.md`, "Stability".
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.imaging.lattice import lattice_of

CONTOUR_MM = 1.0
NOISE_HU = 15.0  # SD; what two scans of one patient at usual doses differ by in soft tissue
THICK_MM = 3.0
FAR_MM = 1e6
SEED = 20_061  # the same noise for every case: nothing here is drawn by chance


def moved_contour(case: Case, by_mm: float) -> Case:
    """The tumor's contour moved outwards, or inwards where `by_mm` is negative, in three dimensions.

    Along an axis whose voxels are more than twice as long as that, the contour stays: a reader draws it slice by slice,
    and the first and last slice hold it wherever it ends between them and the next.

    Raises:
        EmptyRegionError: Too little is left of the tumor.
    """
    box = _box_around(case.tumor, max(by_mm, 0.0))
    values = sitk.GetArrayFromImage(case.tumor) > 0
    inside = values[box]
    spacing = np.array(case.tumor.GetSpacing()[::-1])
    sampling = np.where(spacing > 2 * abs(by_mm), FAR_MM, spacing)
    outwards = _depth(~inside, sampling)
    inwards = _depth(inside, sampling)
    half = float(spacing.min()) / 2  # the contour lies halfway between voxels inside and outside
    moved = np.zeros_like(values, dtype=np.uint8)
    moved[box] = np.where(inside, half - inwards, outwards - half) <= by_mm
    tumor = sitk.GetImageFromArray(moved)
    tumor.CopyInformation(case.tumor)
    return replace(case, tumor=tumor)


def with_noise(case: Case, sd_hu: float = NOISE_HU) -> Case:
    """Independent Gaussian noise added to every voxel; the same for every case of that size."""
    values = sitk.GetArrayFromImage(case.ct)
    noise = np.random.default_rng(SEED).normal(0.0, sd_hu, values.shape)
    return replace(case, ct=_like(case.ct, np.rint(values + noise)))


def with_thick_slices(case: Case, thickness_mm: float = THICK_MM) -> Case:
    """Every slice the mean over that thickness along the slices' normal; as it is where the CT's own are no thinner."""
    lattice = lattice_of(case.ct, 1.0)
    between = lattice.native_spacing_mm[0]
    slices = round(thickness_mm / between)
    if slices < 2:
        return case
    values = sitk.GetArrayFromImage(case.ct).astype(np.float64)
    means = ndimage.uniform_filter1d(values, slices, axis=lattice.native_axes[0])
    return replace(case, ct=_like(case.ct, np.rint(means)))


MOVES: dict[str, Callable[[Case], Case]] = {
    "contour_in": lambda case: moved_contour(case, -CONTOUR_MM),
    "contour_out": lambda case: moved_contour(case, CONTOUR_MM),
    "noise": with_noise,
    "thick_slices": with_thick_slices,
}
"""What the block `moved` of a prepared cohort holds the features of, in this order."""


def _depth(inside: np.ndarray, sampling: np.ndarray) -> np.ndarray:
    """Distance of every voxel inside to the nearest outside, in mm; far where all is inside."""
    if inside.all():
        return np.full(inside.shape, FAR_MM)
    return np.asarray(ndimage.distance_transform_edt(inside, sampling=sampling))


def _box_around(mask: sitk.Image, margin_mm: float) -> tuple[slice, ...]:
    """Where the mask lies in its array, with a margin and one voxel more."""
    occupied = np.argwhere(sitk.GetArrayViewFromImage(mask) > 0)
    margin = np.ceil(margin_mm / np.array(mask.GetSpacing()[::-1])).astype(int) + 1
    start, stop = np.maximum(occupied.min(0) - margin, 0), occupied.max(0) + margin + 1
    return tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))


def _like(image: sitk.Image, values: np.ndarray) -> sitk.Image:
    kind = np.int16 if image.GetPixelID() in (sitk.sitkInt16, sitk.sitkInt32) else np.float32
    limits = np.iinfo(np.int16)
    made = sitk.GetImageFromArray(np.clip(values, limits.min, limits.max).astype(kind))
    made.CopyInformation(image)
    return made

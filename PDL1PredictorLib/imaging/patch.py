"""The square axial patch that the network sees, and the way back from a map over it to the patient."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.settings import NEIGHBORS, RegionSettings
from PDL1PredictorLib.imaging.lattice import Box, Lattice, lattice_of, sample_hu, weights
from PDL1PredictorLib.imaging.regions import Regions

PADDING_HU = -1024.0


@dataclass(frozen=True, eq=False)
class Patch:
    """One axial slice of the lattice around the tumor.

    Attributes:
        image: float32 HU, (n, n, 1) voxels; -1024 HU where it leaves the CT, with true geometry there too.
        tumor: uint8 on the same grid.
        slab_mm: Thickness that the slice stands for: at least the distance of the CT's own slices.
        padded_fraction: Share of the pixels to be shown that lie outside the CT, 0 to 1.
    """

    image: sitk.Image
    tumor: sitk.Image
    slab_mm: float
    padded_fraction: float


def deep_patch(case: Case, regions: Regions, settings: RegionSettings) -> Patch:
    """The axial slice with the largest tumor area, cut to a square centered on the tumor's centroid in that slice.

    Of slices with equal area the one nearest the tumor's centroid is taken, of two at equal distance the lower. The
    square's center is the lattice position nearest the centroid (between four voxels if the pixels are even in number).

    Args:
        case: The case that `regions` were made from.
        regions: From `make_regions` with the same settings.
        settings: Spacing and number of pixels.
    """
    return neighbor_patches(case, regions, settings, ())[0]


def neighbor_patches(
    case: Case, regions: Regions, settings: RegionSettings, offsets: Sequence[int]
) -> tuple[Patch, ...]:
    """The patch of `deep_patch`, then the same square on other slices, those without tumor left out.

    Args:
        case: As `deep_patch`.
        regions: As `deep_patch`.
        settings: As `deep_patch`.
        offsets: Which slices, in lattice slices above the deep patch's; negative ones lie below.
    """
    return slice_patches(case.ct, regions.tumor, settings, offsets)


def deep_patches(case: Case, regions: Regions, settings: RegionSettings) -> tuple[Patch, ...]:
    """The deep patch and its `NEIGHBORS`, always as many: a slice without tumor teaches nothing and is the first again.

    Args:
        case: As `deep_patch`.
        regions: As `deep_patch`.
        settings: As `deep_patch`.
    """
    found = neighbor_patches(case, regions, settings, NEIGHBORS)
    return found + found[:1] * (len(NEIGHBORS) + 1 - len(found))


def slice_patches(
    ct: sitk.Image, tumor_image: sitk.Image, settings: RegionSettings, offsets: Sequence[int]
) -> tuple[Patch, ...]:
    """As `neighbor_patches`, of a tumor too small for features or in a crop too small for a case.

    Args:
        ct: HU on its native grid.
        tumor_image: On the CT's lattice, at least one voxel, as `make_regions` gives it.
        settings: Spacing and number of pixels.
        offsets: As `neighbor_patches`.
    """
    lattice = lattice_of(ct, settings.spacing_mm)
    tumor_box = lattice.box_of(tumor_image)
    tumor = sitk.GetArrayFromImage(tumor_image) > 0
    middle = _largest_slice(tumor)
    center = np.argwhere(tumor[middle]).mean(axis=0) + tumor_box.start[1:]
    pixels = settings.patch_pixels
    j0, i0 = (int(np.floor(c - (pixels - 1) / 2 + 0.5)) for c in center)
    wanted = [middle, *(middle + offset for offset in offsets)]
    slices = [k for k in wanted if 0 <= k < len(tumor) and tumor[k].any()]
    seen = _seen(tumor, tumor_box, settings)
    return tuple(
        _patch_on(ct, lattice, tumor, tumor_box, Box((at, j0, i0), (at + 1, j0 + pixels, i0 + pixels)), seen)
        for at in (tumor_box.start[0] + k for k in slices)
    )


def _seen(tumor: np.ndarray, tumor_box: Box, settings: RegionSettings) -> Box | None:
    """The box around the tumor with the margin that the network may see; None where it may see all."""
    if settings.patch_margin_mm is None:
        return None
    occupied = np.argwhere(tumor)
    (k0, j0, i0), (k1, j1, i1) = (
        (occupied.min(0) + tumor_box.start).tolist(),
        (occupied.max(0) + tumor_box.start).tolist(),
    )
    return Box((k0, j0, i0), (k1 + 1, j1 + 1, i1 + 1)).grown(round(settings.patch_margin_mm / settings.spacing_mm))


def _patch_on(ct: sitk.Image, lattice: Lattice, tumor: np.ndarray, tumor_box: Box, box: Box, seen: Box | None) -> Patch:
    inside = box.clipped(tumor_box)
    mask = np.zeros(box.shape, np.uint8)
    mask[inside.slices_in(box)] = tumor[inside.slices_in(tumor_box)]
    shown = box if seen is None else box.clipped(seen)
    hu = np.full(box.shape, PADDING_HU, np.float32)
    hu[shown.slices_in(box)] = sample_hu(ct, lattice, shown, PADDING_HU)
    in_ct = shown.clipped(lattice.whole).shape
    return Patch(
        image=lattice.image(hu, box),
        tumor=lattice.image(mask, box),
        slab_mm=max(lattice.spacing_mm, lattice.native_spacing_mm[0]),
        padded_fraction=1 - in_ct[1] * in_ct[2] / (shown.shape[1] * shown.shape[2]),
    )


def place_map(values: np.ndarray, patch: Patch) -> sitk.Image:
    """Put a coarse map that covers a whole patch into patient space.

    Each value belongs to the center of its cell, so that the map is not shifted; between centers it is bilinear, beyond
    the outermost centers constant.

    Args:
        values: (rows j, columns i), any size, rows towards posterior, columns towards the patient's left.
        patch: The patch that the map was made from.

    Returns:
        float32 on the patch's pixels, one slice of `slab_mm` centered on the patch, so that at least one slice of the
        CT crosses it.
    """
    columns, rows, _ = patch.image.GetSize()
    fine = spread_map(values, (rows, columns))[None].astype(np.float32)
    image = sitk.GetImageFromArray(fine)
    image.SetOrigin(patch.image.GetOrigin())
    image.SetDirection(patch.image.GetDirection())
    image.SetSpacing([*patch.image.GetSpacing()[:2], patch.slab_mm])
    return image


def spread_map(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A coarse map over all pixels that it covers; see `place_map`.

    Args:
        values: (rows, columns), any size.
        shape: Number of pixels, (rows, columns).
    """
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(f"A map has two dimensions, rows and columns; got the shape {values.shape}.")
    down, across = (
        weights((np.arange(pixels) + 0.5) * cells / pixels - 0.5, cells, "linear")
        for pixels, cells in zip(shape, values.shape, strict=True)
    )
    return np.asarray(down @ values.astype(np.float64) @ across.T)


def _largest_slice(tumor: np.ndarray) -> int:
    areas = tumor.sum(axis=(1, 2))
    centroid_k = float(np.average(np.arange(len(areas)), weights=areas))
    best = np.flatnonzero(areas == areas.max())
    return int(best[np.argmin(np.abs(best - centroid_k).round(6))])

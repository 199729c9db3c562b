"""The cube about the tumor that a network sees in three dimensions, and the way back from a map over it."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.errors import EmptyRegionError, InputError
from PDL1PredictorLib.core.settings import VolumeSettings
from PDL1PredictorLib.imaging.lattice import (
    Box,
    Lattice,
    canonical_view,
    lattice_of,
    sample,
    sample_hu,
    weights,
)

PADDING_HU = -1024.0
SUV_STEPS = 100  # a SUV is kept in hundredths
MOST_SUV = 300.0
INSIDE = 0.5 - 1e-6  # part of a voxel that the mask covers: as of `lattice.sample_mask`


@dataclass(frozen=True, eq=False)
class Volume:
    """A cube of the lattice around the tumor.

    Attributes:
        image: float32 HU, (n, n, n) voxels; -1024 HU where it leaves the CT, with true geometry there too.
        tumor: uint8 on the same grid.
        suv: float32 SUV on the same grid, 0 where there is no PET; None of a case without one.
        padded_fraction: Share of the voxels that lie outside the CT, 0 to 1.
    """

    image: sitk.Image
    tumor: sitk.Image
    suv: sitk.Image | None
    padded_fraction: float


def tumor_volume(case: Case, settings: VolumeSettings) -> Volume:
    """The cube whose center is the lattice position nearest the tumor's centroid.

    The CT by cubic spline, the mask linear and cut at 0.5, the PET linear, each from its own grid.

    Args:
        case: CT, tumor and, where there is one, PET.
        settings: Edge and spacing.

    Raises:
        EmptyRegionError: The tumor is too small for that spacing.
        InputError: The PET does not cover the tumor.
    """
    lattice = lattice_of(case.ct, settings.spacing_mm)
    found, covered = _tumor_on(lattice, case.tumor)
    if not (covered >= INSIDE).any():
        raise EmptyRegionError(
            f"The tumor is too small for voxels of {settings.spacing_mm:g} mm. Check the contour, or use a model of "
            "slices."
        )
    places = np.indices(covered.shape).reshape(3, -1)
    center = places @ covered.ravel() / covered.sum() + found.start
    _require_covered(case.pet, lattice.point_lps_mm(center))
    k, j, i = (int(np.floor(c - (settings.voxels - 1) / 2 + 0.5)) for c in center)
    box = Box((k, j, i), (k + settings.voxels, j + settings.voxels, i + settings.voxels))
    mask = np.zeros(box.shape, np.uint8)
    inside = found.clipped(box)
    mask[inside.slices_in(box)] = covered[inside.slices_in(found)] >= INSIDE
    image = lattice.image(sample_hu(case.ct, lattice, box, PADDING_HU), box)
    return Volume(
        image=image,
        tumor=lattice.image(mask, box),
        suv=None if case.pet is None else on_grid_of(image, case.pet),
        padded_fraction=1 - float(np.prod(box.clipped(lattice.whole).shape) / np.prod(box.shape)),
    )


def _tumor_on(lattice: Lattice, mask: sitk.Image) -> tuple[Box, np.ndarray]:
    """The box that the tumor reaches on the lattice, and how much of each point it covers, 0 to 1."""
    occupied = np.argwhere(canonical_view(mask, lattice))
    (k0, j0, i0), (k1, j1, i1) = occupied.min(0).tolist(), occupied.max(0).tolist()
    box = lattice.box_over_native((k0, j0, i0), (k1, j1, i1)).grown(1).clipped(lattice.whole)
    return box, sample(mask, lattice, box, "linear")


def _require_covered(pet: sitk.Image | None, center_lps_mm: tuple[float, float, float]) -> None:
    """Refuse a PET that does not show the tumor: outside it there would be a SUV of 0."""
    if pet is None:
        return
    at = pet.TransformPhysicalPointToContinuousIndex(center_lps_mm)
    if not all(-0.5 <= place <= size - 0.5 for place, size in zip(at, pet.GetSize(), strict=True)):
        raise InputError("The PET does not cover the tumor. Choose the PET of this scan, or leave it out.")


def on_grid_of(image: sitk.Image, pet: sitk.Image) -> sitk.Image:
    """A PET in SUV on another grid: linear, 0 beyond it, float32."""
    return sitk.Resample(pet, image, sitk.Transform(), sitk.sitkLinear, 0.0, sitk.sitkFloat32)


def volume_arrays(volume: Volume, with_pet: bool) -> dict[str, np.ndarray]:
    """The cube as a cohort's cache keeps it, in few bytes; its channels are made when a network asks.

    Args:
        volume: The cube.
        with_pet: Whether the SUV is kept; of a case without one it is 0, and `pet` says so.

    Returns:
        Blocks of one case, without the axis of the cases; see `cohort.prepared.PreparedCohort`.
    """
    found = {
        "volume": sitk.GetArrayFromImage(volume.image).astype(np.int16),
        "volume_tumor": sitk.GetArrayFromImage(volume.tumor).astype(bool),
    }
    if not with_pet:
        return found
    suv = np.zeros(found["volume"].shape) if volume.suv is None else sitk.GetArrayFromImage(volume.suv)
    kept = np.rint(np.clip(suv, 0.0, MOST_SUV) * SUV_STEPS).astype(np.int16)
    return {**found, "volume_suv": kept, "pet": np.array(volume.suv is not None)}


def place_volume_map(values: np.ndarray, volume: Volume) -> sitk.Image:
    """Put a coarse map that covers a whole cube into patient space.

    Each value belongs to the center of its cell, so that the map is not shifted; between centers it is trilinear,
    beyond the outermost centers constant.

    Args:
        values: (k, j, i), any size, along the axes of the cube.
        volume: The cube that the map was made from.

    Returns:
        float32 on the cube's voxels.
    """
    image = sitk.GetImageFromArray(spread_volume_map(values, volume.image.GetSize()[::-1]).astype(np.float32))
    image.CopyInformation(volume.image)
    return image


def spread_volume_map(values: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """A coarse map over all voxels that it covers, (k, j, i); see `place_volume_map`.

    Raises:
        ValueError: It has not three dimensions.
    """
    if values.ndim != 3 or 0 in values.shape:
        raise ValueError(f"A map of a volume has three dimensions; got the shape {values.shape}.")
    spread = values.astype(np.float64)
    for axis, (voxels, cells) in enumerate(zip(shape, values.shape, strict=True)):
        matrix = weights((np.arange(voxels) + 0.5) * cells / voxels - 0.5, cells, "linear")
        spread = np.moveaxis(np.tensordot(matrix, spread, axes=(1, axis)), 0, axis)
    return spread

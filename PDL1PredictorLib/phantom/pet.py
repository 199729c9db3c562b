"""A PET of a phantom patient in SUV: how much sugar the tumor takes up, which no CT shows.

It lies on a coarser grid of its own, is blurred as a PET is, and its noise grows with the root of the value, as counts
do. Lung, soft tissue and air are told by the CT.
"""

import math

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.phantom import draws, exact

VOXEL_MM = 3.0
PSF_MM = 6.0  # full width at half maximum
NOISE_AT_1 = 0.15  # SD where the SUV is 1
LUNG_SUV, SOFT_SUV = 0.5, 1.2
LUNG_HU, SOFT_HU = -930, -300  # from where on a voxel is lung, and soft tissue
LEAST_SUV, RANGE_SUV = 2.0, 6.0  # of the tumor: 2.5 to 7.5, since the uptake is clipped
DIGITS = 100  # a SUV is kept to a hundredth


def tumor_suv(uptake: float) -> float:
    """SUV of a tumor without blur and noise."""
    return LEAST_SUV + RANGE_SUV * float(exact.expit(uptake))


def make_pet(ct: sitk.Image, tumor: sitk.Image, uptake: float, rng: np.random.Generator) -> sitk.Image:
    """The PET of a scanned patient.

    Args:
        ct: In HU; without rotation, as the phantom's are.
        tumor: 1 inside, on the CT's grid.
        uptake: Of the tumor.
        rng: For the noise.

    Returns:
        float32, SUV, voxels of 3 mm over the CT's field of view, in patient coordinates.
    """
    hu, inside = sitk.GetArrayViewFromImage(ct), sitk.GetArrayViewFromImage(tumor) > 0
    spacing_kji_mm = ct.GetSpacing()[::-1]
    steps = [VOXEL_MM / one for one in spacing_kji_mm]
    hot = tumor_suv(uptake)
    slices = [
        _averaged(_averaged(_activity(values, mask, hot), steps[1], 0), steps[2], 1)
        for values, mask in zip(hu, inside, strict=True)
    ]
    clean = np.maximum(_blurred(_averaged(np.stack(slices), steps[0], 0).astype(np.float32)), 0)
    suv = clean + np.float32(NOISE_AT_1) * np.sqrt(clean) * _noise(clean.shape, rng)
    image = sitk.GetImageFromArray(np.rint(np.maximum(suv, 0) * np.float32(DIGITS)) / np.float32(DIGITS))
    image.SetSpacing((VOXEL_MM,) * 3)
    shift = [(VOXEL_MM - one) / 2 for one in ct.GetSpacing()]  # both fields begin at the same edge
    image.SetOrigin([start + by for start, by in zip(ct.GetOrigin(), shift, strict=True)])
    return image


def _activity(hu: np.ndarray, inside: np.ndarray, hot_suv: float) -> np.ndarray:
    tissue = np.where(hu >= SOFT_HU, SOFT_SUV, np.where(hu >= LUNG_HU, LUNG_SUV, 0.0))
    return np.where(inside, hot_suv, tissue)


def _averaged(values: np.ndarray, step: float, axis: int) -> np.ndarray:
    """Means over consecutive pieces of `step` voxels along an axis, float64; a voxel on an edge counts in part."""
    size = values.shape[axis]
    edges = np.arange(int(size / step) + 1) * step
    lower = np.minimum(np.floor(edges).astype(int), size - 1)
    share = (edges - lower).reshape([-1 if one == axis else 1 for one in range(values.ndim)])
    total = np.cumsum(values, axis=axis) - values  # of all voxels before
    at_edge = total.take(lower, axis) + share * values.take(lower, axis)
    return np.asarray(np.diff(at_edge, axis=axis) / step)


def _blurred(values: np.ndarray) -> np.ndarray:
    for axis in range(3):
        values = exact.blur(values, _sd_voxels(), axis)
    return values


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Noise of SD 1, as coarse as the PET is blurred."""
    middle, *beyond = (exact.gaussian_weights(_sd_voxels()) ** 2).tolist()
    kept = middle + 2 * exact.total(beyond)  # variance left, per axis
    return np.asarray(_blurred(draws.NormalNumbers(rng).draw(shape)) / np.float32(kept * math.sqrt(kept)))


def _sd_voxels() -> float:
    return PSF_MM / VOXEL_MM / math.sqrt(8 * math.log(2))

"""Axial slabs of a tumor, from below to above in the patient, each with a row of features of its own."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.needs import require_slabs
from PDL1PredictorLib.imaging.regions import Regions
from PDL1PredictorLib.radiomics.features.texture import image_features
from PDL1PredictorLib.radiomics.filters import at_voxels
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.radiomics.voxels import RegionVoxels

LEAST_VOXELS = 16  # of a slab that is measured: the pairs of fewer fill no matrix
AREA = "slab_MeanArea"
CLASSES = ("firstorder", "glcm")
SLAB_FEATURES = (
    AREA,
    "firstorder_Mean",
    "firstorder_10Percentile",
    "firstorder_90Percentile",
    "firstorder_InterquartileRange",
    "firstorder_Skewness",
    "firstorder_Kurtosis",
    "firstorder_Entropy",
    "glcm_Contrast",
    "glcm_Correlation",
    "glcm_Idm",
    "glcm_JointEntropy",
)
"""What is measured of a slab, on the unfiltered CT: names, units and meaning as in `radiomics.table`.

`slab_MeanArea`, in mm^2, is the mean of the layers of voxels that the slab holds: parts of equal height hold one layer
more or less, by which their volumes would differ.
"""
ROUNDING_SLACK = 1e-6  # of a slab's height: a center on the plane between two slabs lies in the upper one


class Slabs(NamedTuple):
    """The slabs of one tumor, the lowest first.

    Attributes:
        features: (s, g), in the order of `SLAB_FEATURES`; NaN where undefined, and throughout of a slab that was not
            measured.
        measured: (s,) bool: whether the slab holds `LEAST_VOXELS`.
    """

    features: np.ndarray
    measured: np.ndarray


def slab_of_voxels(tumor: sitk.Image, n_slabs: int) -> np.ndarray:
    """Which slab each voxel lies in: parts of equal height between the tumor's lowest and highest face.

    Height is the patient's, whatever the direction of the image's axes; a voxel belongs where its center lies.

    Args:
        tumor: Mask with at least one voxel.
        n_slabs: 2 to 16.

    Returns:
        Integers (k, j, i): 0 for the lowest slab; -1 outside the tumor.

    Raises:
        InputError: The number of slabs is out of its bounds.
    """
    require_slabs(n_slabs)
    inside = sitk.GetArrayViewFromImage(tumor) != 0
    upwards_ijk = np.reshape(tumor.GetDirection(), (3, 3))[2] * tumor.GetSpacing()
    heights_mm = np.argwhere(inside) @ upwards_ijk[::-1]
    half_voxel_mm = np.abs(upwards_ijk).sum() / 2
    low, high = heights_mm.min() - half_voxel_mm, heights_mm.max() + half_voxel_mm
    found = np.full(inside.shape, -1, np.int8)
    found[inside] = np.floor((heights_mm - low) / (high - low) * n_slabs + ROUNDING_SLACK)
    return found


def measure_slabs(regions: Regions, n_slabs: int, settings: FeatureSettings) -> Slabs:
    """Features of every slab that holds voxels enough; the others are told, and never filled.

    Args:
        regions: CT and tumor on the lattice.
        n_slabs: 2 to 16.
        settings: Whose gray levels are taken.

    Raises:
        InputError: The number of slabs is out of its bounds.
        MissingPackageError: numba is not installed.
    """
    numbers = slab_of_voxels(regions.tumor, n_slabs)
    how = replace(settings, classes=CLASSES, original=True, wavelet=None, log_sigma_mm=())
    read = at_voxels(sitk.GetArrayViewFromImage(regions.ct))
    i_mm, j_mm, k_mm = regions.tumor.GetSpacing()
    features = np.full((n_slabs, len(SLAB_FEATURES)), np.nan)
    measured = np.bincount(numbers[numbers >= 0], minlength=n_slabs) >= LEAST_VOXELS
    for number in np.flatnonzero(measured):
        region = RegionVoxels.of(numbers == number, (k_mm, j_mm, i_mm))
        found = image_features(read(region), region, how)
        found[AREA] = region.size * i_mm * j_mm / region.inside.shape[0]
        features[number] = [found[name] for name in SLAB_FEATURES]
    return Slabs(features, measured)

"""Maps: a texture feature of the surroundings of every voxel of a region."""

from collections.abc import Callable

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.radiomics.checks import MANY_GRAY_LEVELS, require_measurable
from PDL1PredictorLib.radiomics.features.glcm import glcm_features
from PDL1PredictorLib.radiomics.features.gldm import gldm_features
from PDL1PredictorLib.radiomics.features.glrlm import glrlm_features
from PDL1PredictorLib.radiomics.features.glszm import glszm_features
from PDL1PredictorLib.radiomics.features.gray_levels import bin_edges, gray_levels
from PDL1PredictorLib.radiomics.features.ngtdm import ngtdm_features
from PDL1PredictorLib.radiomics.filters import Intensities, WaveletBands, at_voxels, laplacian_of_gaussian
from PDL1PredictorLib.radiomics.patches import Patches
from PDL1PredictorLib.radiomics.settings import FeatureSettings, log_image_name
from PDL1PredictorLib.radiomics.table import lookup
from PDL1PredictorLib.radiomics.voxels import DIRECTIONS, RegionVoxels

RADIUS_RANGE = (1, 3)
CELLS_AT_ONCE = 4_000_000


def feature_map(
    ct: sitk.Image,
    mask: sitk.Image,
    settings: FeatureSettings,
    feature_name: str,
    kernel_radius: int = 1,
    progress: Progress = SILENT,
    only: np.ndarray | None = None,
) -> sitk.Image:
    """A texture feature of the cube around each voxel of a region.

    The gray levels are those of the whole region; of a cube only what lies in the region counts. These are the values
    of pyradiomics 3.0.1 with `voxelBased`, but for MCC: where a cube has no pair of neighbors along a direction that
    others have, pyradiomics fails and leaves the whole map 0.

    Args:
        ct: Intensities in HU on the grid on which is measured.
        mask: The region, not 0 inside, on the same grid.
        settings: Gray levels, and the wavelet or widths of the filtered image that is asked for.
        feature_name: Full name, such as `tumor_original_glcm_Contrast`.
        kernel_radius: Half the edge of the cube without its middle voxel, 1 to 3 voxels.
        progress: A step per portion of the voxels.
        only: Voxels of the region whose value is wanted, bool (k, j, i) on the grid of the CT; None: all. Their gray
            levels and surroundings are those of the whole region.

    Returns:
        float64 on the grid of the CT; 0 outside the region, NaN where the feature is not defined or was not wanted.

    Raises:
        EmptyRegionError: The region has too few voxels.
        GridMismatchError: The mask lies on another grid.
        InputError: The feature is no texture feature of these settings, or the image cannot be measured.
        CancelledError: The user cancelled.
    """
    feature = lookup(feature_name)
    region_name, image_name, family, name = feature_name.split("_")
    low, high = RADIUS_RANGE
    if not (type(kernel_radius) is int and low <= kernel_radius <= high):
        raise InputError(f"kernel_radius must be a whole number from {low} to {high}, got {kernel_radius!r}.")
    if feature.family not in _MEASURE:
        raise InputError(f"{feature_name} is no texture feature. Choose one of the classes {', '.join(_MEASURE)}.")
    require_measurable(ct, {region_name: mask}, settings, MANY_GRAY_LEVELS)
    i_mm, j_mm, k_mm = ct.GetSpacing()
    region = RegionVoxels.of(sitk.GetArrayViewFromImage(mask), (k_mm, j_mm, i_mm))
    values = _image(ct, image_name, settings, region)(region)
    gray = gray_levels(values, bin_edges(float(values.min()), float(values.max()), settings))
    box = np.zeros(region.inside.shape, np.int64)
    box[region.inside] = gray.ranks
    cubes = np.lib.stride_tricks.sliding_window_view(np.pad(box, kernel_radius), (2 * kernel_radius + 1,) * 3)
    wanted = np.arange(region.size) if only is None else np.flatnonzero(only[_places(region)])
    k, j, i = (index[wanted] for index in region.indices)
    found = np.full(region.size, np.nan)
    edge = 2 * kernel_radius + 1
    at_once = max(1, CELLS_AT_ONCE // (len(DIRECTIONS) * max(gray.present.size * 27, int(gray.present[-1]), edge**3)))
    for start in range(0, wanted.size, at_once):
        progress.step("map", start / wanted.size, feature_name)
        part = slice(start, start + at_once)
        ranks = cubes[k[part], j[part], i[part]].reshape(-1, edge**3)
        found[wanted[part]] = _MEASURE[family](Patches(ranks, gray.present, edge), len(ranks), name)
    progress.step("map", 1.0)
    return _on_grid_of(ct, region, found)


def _image(ct: sitk.Image, name: str, settings: FeatureSettings, region: RegionVoxels) -> Intensities:
    """One of the images that the settings name.

    Raises:
        InputError: They do not name it.
    """
    if name not in settings.image_names():
        raise InputError(
            f"The settings {settings.name} have no image {name}, only {', '.join(settings.image_names())}."
        )
    if name.startswith("wavelet-") and settings.wavelet is not None:
        band = name.removeprefix("wavelet-")
        return WaveletBands(sitk.GetArrayViewFromImage(ct), settings.wavelet, [region]).pair(band[:2])[band]
    for sigma_mm in settings.log_sigma_mm:
        if name == log_image_name(sigma_mm):
            return laplacian_of_gaussian(ct, sigma_mm, [region])
    return at_voxels(sitk.GetArrayFromImage(ct))


def _on_grid_of(ct: sitk.Image, region: RegionVoxels, values: np.ndarray) -> sitk.Image:
    whole = np.zeros(ct.GetSize()[::-1])
    whole[_places(region)] = values
    image = sitk.GetImageFromArray(whole)
    image.CopyInformation(ct)
    return image


def _places(region: RegionVoxels) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of a region's voxels on the grid of the CT, (k, j, i)."""
    k, j, i = region.indices
    return k + region.start[0], j + region.start[1], i + region.start[2]


def _glcm(patches: Patches, n: int, name: str) -> np.ndarray:
    pairs, owners = patches.cooccurrences()
    if not owners.size:
        return np.full(n, np.nan)
    per_direction = np.full(n * len(DIRECTIONS), np.nan, complex if name == "MCC" else float)
    per_direction[owners] = glcm_features(pairs, with_mcc=name == "MCC")[name]
    values = per_direction.reshape(n, len(DIRECTIONS))
    if name == "JointAverage":  # pyradiomics takes the plain mean here
        return np.asarray(values.mean(axis=1))
    return _defined_mean(values)


def _glrlm(patches: Patches, n: int, name: str) -> np.ndarray:
    return _defined_mean(glrlm_features(patches.run_lengths())[name].reshape(n, len(DIRECTIONS)))


def _defined_mean(values: np.ndarray) -> np.ndarray:
    defined = ~np.isnan(values)
    n = defined.sum(axis=1)
    total = np.where(defined, values, 0).sum(axis=1).real
    return np.asarray(np.divide(total, n, out=np.full(len(values), np.nan), where=n > 0))


_MEASURE: dict[str, Callable[[Patches, int, str], np.ndarray]] = {
    "glcm": _glcm,
    "glrlm": _glrlm,
    "glszm": lambda patches, n, name: glszm_features(patches.zones())[name],
    "gldm": lambda patches, n, name: gldm_features(patches.dependences())[name],
    "ngtdm": lambda patches, n, name: ngtdm_features(patches.tone_differences())[name],
}

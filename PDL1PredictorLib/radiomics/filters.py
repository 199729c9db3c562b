"""Filtered images, read at the voxels of the regions only."""

from collections.abc import Callable
from typing import Any

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.radiomics.compiled import compiled
from PDL1PredictorLib.radiomics.kernels import convolve_at, convolve_columns, convolve_rows
from PDL1PredictorLib.radiomics.settings import WAVELET_BANDS
from PDL1PredictorLib.radiomics.voxels import RegionVoxels

Intensities = Callable[[RegionVoxels], np.ndarray]
"""Gives the intensity of each voxel of a region on one image, float64."""


def at_voxels(image: np.ndarray) -> Intensities:
    """The intensities of an image that is there as a whole, (k, j, i)."""

    def read(region: RegionVoxels) -> np.ndarray:
        k, j, i = (slice(start, stop) for start, stop in zip(region.start, region.stop, strict=True))
        return np.ascontiguousarray(image[k, j, i][region.inside], np.float64)

    return read


def laplacian_of_gaussian(image: sitk.Image, sigma_mm: float, regions: list[RegionVoxels]) -> Intensities:
    """Laplacian of Gaussian, times sigma^2.

    Args:
        image: float64.
        sigma_mm: Width of the Gaussian.
        regions: Where it will be read.

    Source: ITK's recursive Gaussian (Deriche 1993), which pyradiomics 3.0.1 calls in `imageoperations.getLoGImage`.
    """
    laplacian = sitk.LaplacianRecursiveGaussianImageFilter()
    laplacian.SetNormalizeAcrossScale(True)
    laplacian.SetSigma(sigma_mm)
    read = at_voxels(sitk.GetArrayViewFromImage(filtered := laplacian.Execute(image)))
    values = {region: read(region) for region in regions}
    del filtered  # the view lives no longer than the image
    return values.__getitem__


def wavelet_bands(image: np.ndarray, wavelet: str, regions: list[RegionVoxels]) -> dict[str, Intensities]:
    """The 8 undecimated bands of the first level.

    Filters along i and j act on the box that holds the regions; the last one, along k, on the regions' voxels only.
    Where a region lies so near the end of the image that the transform wraps around, PyWavelets transforms it all.

    Args:
        image: float64 (k, j, i).
        wavelet: Name of a discrete wavelet.
        regions: Where the bands will be read.

    Returns:
        By name: the first letter is the filter along i, the last along k; L is the low pass.

    Source: pyradiomics 3.0.1, `imageoperations._swt3`; PyWavelets, `swtn`.
    """
    import pywt

    chosen = pywt.Wavelet(wavelet)
    taps = {"L": np.array(chosen.dec_lo), "H": np.array(chosen.dec_hi)}
    after = chosen.dec_len // 2  # how far the filter reaches to either side of a voxel
    before = chosen.dec_len - 1 - after
    low = tuple(min(region.start[axis] for region in regions) for axis in range(3))
    high = tuple(max(region.stop[axis] for region in regions) for axis in range(3))
    if min(low) < before or any(end + after > n for end, n in zip(high, image.shape, strict=True)):
        return {name: at_voxels(band) for name, band in _whole_bands(image, chosen).items()}
    box = image[tuple(slice(start - before, end + after) for start, end in zip(low, high, strict=True))]
    box = np.ascontiguousarray(box)
    planes = {}
    for i_pass, i_taps in taps.items():
        rows = np.zeros((*box.shape[:2], high[2] - low[2]))
        compiled(convolve_rows)(box, i_taps, rows)
        for j_pass, j_taps in taps.items():
            columns = np.zeros((box.shape[0], high[1] - low[1], high[2] - low[2]))
            compiled(convolve_columns)(rows, j_taps, columns)
            planes[i_pass + j_pass] = columns
    places = {region: _places(region, (low[0], low[1], low[2]), planes["LL"].shape) for region in regions}
    return {band: _along_k(planes[band[:2]], places, taps[band[2]]) for band in WAVELET_BANDS}


def _places(region: RegionVoxels, low: tuple[int, int, int], shape: tuple[int, ...]) -> np.ndarray:
    """Where the last filter starts for each voxel, in a flat volume whose first voxel starts that of voxel `low`."""
    k, j, i = (ours - theirs for ours, theirs in zip(low, region.start, strict=True))
    return region.flat_in(shape, (k, j, i))


def _along_k(volume: np.ndarray, places: dict[RegionVoxels, np.ndarray], taps: np.ndarray) -> Intensities:
    """The last filter, at the voxels of a region."""

    def read(region: RegionVoxels) -> np.ndarray:
        values = np.empty(region.size)
        stride = np.uint64(volume.shape[1] * volume.shape[2])
        compiled(convolve_at)(volume.reshape(-1), places[region], stride, taps, values)
        return values

    return read


def _whole_bands(image: np.ndarray, wavelet: Any) -> dict[str, np.ndarray]:
    """Every band of the whole image; an odd edge is made even with a copy of the first plane, then cut off."""
    import pywt

    even = np.pad(image, [(0, n % 2) for n in image.shape], "wrap")
    bands = pywt.swtn(even, wavelet, level=1, start_level=0, axes=(2, 1, 0))[0]
    k, j, i = image.shape
    return {key.replace("a", "L").replace("d", "H"): band[:k, :j, :i] for key, band in bands.items()}

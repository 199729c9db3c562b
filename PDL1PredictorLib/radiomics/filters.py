"""Filtered images, read at the voxels of the regions only."""

from collections.abc import Callable
from typing import Any

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.radiomics.compiled import compiled
from PDL1PredictorLib.radiomics.features.kernels import convolve_at, convolve_columns, convolve_rows
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
    """Laplacian of Gaussian, times sigma^2, computed in 64-bit numbers.

    Args:
        image: Of any type.
        sigma_mm: Width of the Gaussian.
        regions: Where it will be read.

    Source: ITK's recursive Gaussian (Deriche 1993), which pyradiomics 3.0.1 calls in `imageoperations.getLoGImage`.
    """
    laplacian = sitk.LaplacianRecursiveGaussianImageFilter()
    laplacian.SetNormalizeAcrossScale(True)
    laplacian.SetSigma(sigma_mm)
    read = at_voxels(sitk.GetArrayViewFromImage(filtered := laplacian.Execute(sitk.Cast(image, sitk.sitkFloat64))))
    values = {region: read(region) for region in regions}
    del filtered  # the view lives no longer than the image
    return values.__getitem__


class WaveletBands:
    """The 8 undecimated bands of the first level of an image, two at a time.

    Filters along i and j act on the box that holds the regions; the last one, along k, on the regions' voxels only. Two
    bands share what precedes it, which takes as much memory as the box and is held no longer than they are.
    Where a region lies so near the end of the image that the transform wraps around, PyWavelets transforms it all.

    Args:
        image: (k, j, i), of any type; a view is not copied, so what it views must be kept.
        wavelet: Name of a discrete wavelet.
        regions: Where the bands will be read.

    Source: pyradiomics 3.0.1, `imageoperations._swt3`; PyWavelets, `swtn`.
    """

    PAIRS = tuple(dict.fromkeys(band[:2] for band in sorted(WAVELET_BANDS, reverse=True)))
    """The first two letters of the bands."""

    def __init__(self, image: np.ndarray, wavelet: str, regions: list[RegionVoxels]) -> None:
        import pywt

        chosen = pywt.Wavelet(wavelet)
        self._taps = {"L": np.array(chosen.dec_lo), "H": np.array(chosen.dec_hi)}
        after = chosen.dec_len // 2  # how far the filter reaches to either side of a voxel
        before = chosen.dec_len - 1 - after
        k, j, i = (min(region.start[axis] for region in regions) for axis in range(3))
        low, high = (k, j, i), tuple(max(region.stop[axis] for region in regions) for axis in range(3))
        self._wrapped: dict[str, dict[RegionVoxels, np.ndarray]] = {}
        if min(low) < before or any(end + after > n for end, n in zip(high, image.shape, strict=True)):
            for name, band in _whole_bands(image.astype(np.float64), chosen).items():
                self._wrapped[name] = {region: at_voxels(band)(region) for region in regions}
            return
        spans = (slice(start - before, end + after) for start, end in zip(low, high, strict=True))
        self._box = image[tuple(spans)]
        self._filtered_shape = (
            self._box.shape[0],
            *(end - start for start, end in zip(low[1:], high[1:], strict=True)),
        )
        self._places = {region: _places(region, low, self._filtered_shape) for region in regions}

    def pair(self, passes: str) -> dict[str, Intensities]:
        """The two bands whose names begin with these letters.

        Args:
            passes: The filters along i and j; L is the low pass.

        Returns:
            By name, the last letter of which is the filter along k.
        """
        if self._wrapped:
            return {passes + last: self._wrapped[passes + last].__getitem__ for last in "LH"}
        both = np.zeros(self._filtered_shape)
        for k in range(len(both)):  # plane by plane: what a plane needs stays in the processor's cache
            plane = np.ascontiguousarray(self._box[k : k + 1], np.float64)
            along_i = np.zeros((1, plane.shape[1], both.shape[2]))
            compiled(convolve_rows)(plane, self._taps[passes[0]], along_i)
            compiled(convolve_columns)(along_i, self._taps[passes[1]], both[k : k + 1])
        return {passes + last: _along_k(both, self._places, self._taps[last]) for last in "LH"}


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

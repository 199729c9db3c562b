"""The filters of IBSI-2 that this library measures on: Laplacian of Gaussian and separable wavelets.

They are those of `radiomics.filters` with the choices that IBSI fixes: the image is mirrored at its border, the
Gaussian is cut at 4 sigma, not normalized across scales and measured in voxels, and a wavelet's response is averaged
over all rotations by 90 degrees. Source: Whybra et al. 2024, doi 10.1148/radiol.231319, and the IBSI reference manual,
chapter "Filters".
"""

import math
from collections.abc import Sequence
from itertools import combinations, permutations, product

import numpy as np

MIRRORED = "reflect"  # scipy's name for d c b a | a b c d | d c b a


def laplacian_of_gaussian(image: np.ndarray, sigma_voxels: Sequence[float], truncate: float = 4.0) -> np.ndarray:
    """Laplacian of Gaussian (L6PA), along as many last axes as there are widths: slice by slice with two.

    Args:
        image: float64 (k, j, i).
        sigma_voxels: Width of the Gaussian along each filtered axis, in voxels.
        truncate: Where the Gaussian is cut off, in sigma.
    """
    from scipy import ndimage

    axes = tuple(range(image.ndim - len(sigma_voxels), image.ndim))
    # scipy's own takes second derivatives across slices too: the filter is put together here
    response = np.zeros_like(image)
    for second in axes:
        part = image
        for axis, sigma in zip(axes, sigma_voxels, strict=True):
            order = 2 if axis == second else 0
            part = ndimage.gaussian_filter1d(part, sigma, axis, order, mode=MIRRORED, truncate=truncate)
        response += part
    return response


def wavelet(image: np.ndarray, name: str, passes: str, level: int) -> np.ndarray:
    """Undecimated separable wavelet response, the mean over all rotations of the filter by 90 degrees.

    Args:
        image: float64 (k, j, i).
        name: Of a discrete wavelet, such as `db3`.
        passes: One letter per filtered axis, `L` for the low pass or `H`, the first along i: `LH` is slice by slice.
        level: 1 or more; the levels before it are low pass along every axis.
    """
    from scipy import ndimage

    axes = range(image.ndim - 1, image.ndim - 1 - len(passes), -1)
    taps = {letter: _taps(name, letter, level) for letter in set(passes)}
    turned = _rotations(passes)
    response = np.zeros_like(image)
    for rotation in turned:
        part = image
        for axis, (letter, sense) in zip(axes, rotation, strict=True):
            part = ndimage.convolve1d(part, taps[letter][::sense], axis, mode=MIRRORED)
        response += part
    return response / len(turned)


Rotation = tuple[tuple[str, int], ...]
"""Per axis: which filter lies along it, and whether it is turned round (-1) or not (1)."""


def _rotations(passes: str) -> list[Rotation]:
    """Every different filter that turning by 90 degrees gives; a reflection is no rotation."""
    n = len(passes)
    found: set[Rotation] = set()
    for order in permutations(range(n)):
        swaps = sum(one > other for one, other in combinations(order, 2))
        for senses in product((1, -1), repeat=n):
            if (-1) ** swaps * math.prod(senses) == 1:
                found.add(tuple((passes[axis], sense) for axis, sense in zip(order, senses, strict=True)))
    return sorted(found)


def _taps(name: str, letter: str, level: int) -> np.ndarray:
    """The filter of one axis with those of the levels before it; holes between the taps grow (a trous)."""
    import pywt

    chosen = pywt.Wavelet(name)
    taps = np.ones(1)
    for step in range(1, level + 1):
        own = [*(chosen.dec_hi if (letter, step) == ("H", level) else chosen.dec_lo)]
        if len(own) % 2 == 0:
            own.append(0.0)  # gives it a middle
        apart = np.zeros((len(own) - 1) * 2 ** (step - 1) + 1)
        apart[:: 2 ** (step - 1)] = own
        taps = np.convolve(taps, apart)
    return taps

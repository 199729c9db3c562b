"""Elementary functions that give the same bits on every processor.

A library's exp, cos or power differs in the last bit between processors (AVX-512, AVX2, none, arm64), as does a sum
whose products are fused. Here are only steps that IEEE 754 rounds in one way: +, -, *, /, square root and rounding to
whole numbers of float64, each a call of numpy of its own, so that no compiler can fuse two; no matrix product, and each
sum in a stated order. Errors are a few units in the last place of float64.

Source of the reductions: Cody and Waite 1980, "Software Manual for the Elementary Functions"; the splits of pi / 2 and
ln 2 are those of fdlibm.
"""

from collections.abc import Callable, Iterable
from functools import reduce, wraps
from math import factorial
from operator import add
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

Number = TypeVar("Number", float, np.ndarray)

_BLOCK = 1 << 14  # values worked on at once: what they need stays in the cache
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_HALF_PI = (1.57079632673412561417e00, 6.07710050630396597660e-11, 2.02226624879595063154e-21)  # 33, 33 and more bits
_EXP = [1 / factorial(n) for n in range(14)]  # on +-ln(2) / 2: the first term left out is below 1e-17
_SIN = [(-1) ** n / factorial(2 * n + 1) for n in range(9)]  # on +-pi / 4
_COS = [(-1) ** n / factorial(2 * n) for n in range(10)]
_LOG = [2 / (2 * n + 1) for n in range(11)]  # of (m - 1) / (m + 1), m from 0.7 to 1.42
_ATAN = [(-1) ** n / (2 * n + 1) for n in range(12)]  # on 0 to tan(pi / 16)


def total(values: Iterable[Number]) -> Number:
    """The sum from left to right, at least one value; Python's own `sum` compensates since 3.12, and did not before."""
    return reduce(add, values)


_Function = Callable[[np.ndarray], np.ndarray]


def _blockwise(function: _Function) -> Callable[[ArrayLike], np.ndarray]:
    """A function of float64 (n,) as one of any shape and number; a scalar gives an array of no dimension."""

    @wraps(function)
    def whole(values: ArrayLike) -> np.ndarray:
        array = np.asarray(values, np.float64)
        flat = array.reshape(-1)
        result = np.empty_like(flat)
        for first in range(0, len(flat), _BLOCK):
            result[first : first + _BLOCK] = function(flat[first : first + _BLOCK])
        return result.reshape(array.shape)

    return whole


def _polynomial(x: np.ndarray, coefficients: list[float]) -> np.ndarray:
    """The sum of coefficients[n] * x**n, by Horner's rule."""
    total = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total *= x
        total += coefficient
    return total


@_blockwise
def exp(x: np.ndarray) -> np.ndarray:
    """The exponential, for -700 to 700; below it is that of -700."""
    x = np.maximum(x, -700.0)
    twos = np.rint(x * (1 / (_LN2_HIGH + _LN2_LOW)))
    rest = (x - twos * _LN2_HIGH) - twos * _LN2_LOW
    return np.asarray(np.ldexp(_polynomial(rest, _EXP), twos.astype(np.int32)))


@_blockwise
def log(x: np.ndarray) -> np.ndarray:
    """The natural logarithm of positive numbers."""
    mantissa, twos = np.frexp(x)
    small = mantissa < 0.7071067811865476
    mantissa = np.where(small, 2 * mantissa, mantissa)
    power = (twos - small).astype(np.float64)
    ratio = (mantissa - 1) / (mantissa + 1)
    return np.asarray(power * _LN2_HIGH + (ratio * _polynomial(ratio * ratio, _LOG) + power * _LN2_LOW))


def sin(x: ArrayLike) -> np.ndarray:
    """The sine, for angles up to 100000."""
    return _turned(x, 0)


def cos(x: ArrayLike) -> np.ndarray:
    """The cosine, for angles up to 100000."""
    return _turned(x, 1)


def _turned(x: ArrayLike, quarters: int) -> np.ndarray:
    """The sine of x plus so many right angles."""

    @_blockwise
    def turned(angle: np.ndarray) -> np.ndarray:
        turns = np.rint(angle * (2 / np.pi))
        rest = angle
        for part in _HALF_PI:
            rest = rest - turns * part
        square = rest * rest
        sine, cosine = rest * _polynomial(square, _SIN), _polynomial(square, _COS)
        quadrant = turns.astype(np.int64) + quarters
        return np.asarray(np.where(quadrant & 1, cosine, sine) * (1.0 - (quadrant & 2)))

    return turned(x)


@_blockwise
def tanh(x: np.ndarray) -> np.ndarray:
    """The hyperbolic tangent; near 0 its absolute error, not its relative one, is that of float64."""
    return 1 - 2 / (exp(2 * np.minimum(x, 300.0)) + 1)


@_blockwise
def expit(x: np.ndarray) -> np.ndarray:
    """The logistic function 1 / (1 + exp(-x))."""
    return 1 / (1 + exp(-np.maximum(x, -700.0)))


def power(base: ArrayLike, exponent: float) -> np.ndarray:
    """A power of numbers of 0 or more; 0 stays 0."""
    base = np.asarray(base, np.float64)
    positive = base > 0
    return np.asarray(np.where(positive, exp(exponent * log(np.where(positive, base, 1.0))), 0.0))


def angle(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The angle of points (x, y) from the positive x axis, -pi to pi, as arctan2 gives it; 0 for the origin."""
    y, x = np.broadcast_arrays(np.asarray(y, np.float64), np.asarray(x, np.float64))
    high, low = np.maximum(np.abs(x), np.abs(y)), np.minimum(np.abs(x), np.abs(y))
    turn = _first_octant(low / np.where(high > 0, high, 1.0))
    turn = np.where(np.abs(y) > np.abs(x), np.pi / 2 - turn, turn)
    turn = np.where(x < 0, np.pi - turn, turn)
    return np.asarray(np.where(y < 0, -turn, turn))


@_blockwise
def _first_octant(ratio: np.ndarray) -> np.ndarray:
    """The arc tangent of 0 to 1: the angle is halved twice, then a series."""
    for _ in range(2):
        ratio = ratio / (1 + np.sqrt(1 + ratio * ratio))
    return np.asarray(4 * (ratio * _polynomial(ratio * ratio, _ATAN)))


def length(*parts: np.ndarray) -> np.ndarray:
    """The square root of the sum of squares, in float64: what hypot gives, but summed from left to right."""
    total = np.square(parts[0], dtype=np.float64)
    for part in parts[1:]:
        total = total + np.square(part, dtype=np.float64)
    return np.asarray(np.sqrt(total))


def gaussian_weights(sd: float, truncate: float = 3.0) -> np.ndarray:
    """The half of a sampled Gaussian whose full sum is 1: its middle first, float64 (reach + 1,).

    Reach and values are those of `scipy.ndimage.gaussian_filter1d`.
    """
    reach = int(truncate * sd + 0.5)
    at = np.arange(-reach, reach + 1)
    weights = exp(-0.5 / (sd * sd) * np.square(at, dtype=np.float64))
    return np.asarray((weights / weights.sum())[reach:])


def blur(values: np.ndarray, sd: float, axis: int, mirrored: bool = False) -> np.ndarray:
    """Gaussian blur along one axis, summed in float64 from the outermost pair to the innermost.

    Args:
        values: float32, any shape.
        sd: Of the Gaussian, in voxels.
        axis: Along which.
        mirrored: Beyond the ends the values are mirrored, else the last one goes on.

    Returns:
        float32, the shape of `values`; equal to `scipy.ndimage.gaussian_filter1d` (truncate 3, modes "reflect" and
        "nearest"), whose C code a compiler may fuse.
    """
    weights = gaussian_weights(sd)
    reach, size = len(weights) - 1, values.shape[axis]
    at = np.arange(-reach, size + reach)
    if mirrored:
        at = at % (2 * size)
        at = np.where(at < size, at, 2 * size - 1 - at)
    padded = values.astype(np.float64).take(np.clip(at, 0, size - 1), axis)

    def shifted(by: int) -> np.ndarray:
        where = [slice(None)] * values.ndim
        where[axis] = slice(reach + by, reach + by + size)
        return np.asarray(padded[tuple(where)])

    total = shifted(0) * weights[0]
    for by in range(reach, 0, -1):
        total = total + (shifted(-by) + shifted(by)) * weights[by]
    return np.asarray(total.astype(np.float32))

"""Random numbers that are the same on every processor.

A generator's whole numbers and its shares of 1 are the same everywhere. What numpy makes of them is not: where a
compiler fuses low + range * share (arm64), the last bit differs. Normal numbers come from the ziggurat method, in which
one in eighty is compared with an exponential before it is taken; in float32 a fused sum turns one such comparison in
some million the other way, and then all that follows is another draw. So the sum is made here, and float32 normal
numbers by the same method from the generator's whole numbers, in steps that every processor rounds in one way
(`exact`); but for the last bit of one in 4000, they are those of numpy on x86-64.

Source: Marsaglia and Tsang 2000, doi 10.18637/jss.v005.i08; layers and order of the draws as in
numpy/random/src/distributions/distributions.c.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from PDL1PredictorLib.phantom import exact

TAIL = 3.6541528853610088  # where the lowest layer's tail begins
_AREA = 0.004928673233974655  # of each layer, the tail with the lowest
_LAYERS = 256


def uniform(rng: np.random.Generator, low: float, high: float, shape: tuple[int, ...] | None = None) -> Any:
    """What `rng.uniform` gives: a float, or with a shape an array."""
    return low + (high - low) * rng.random(shape)


def normal(rng: np.random.Generator, shape: int | tuple[int, ...]) -> np.ndarray:
    """Standard normal numbers, float64, as `rng.standard_normal` draws them.

    A comparison of numbers of 53 bits turns out the other way once in 10^14, and one number in a hundred needs one:
    that never happens. Only numbers beyond `TAIL`, one in 3900, are made with a logarithm, whose last bit may differ:
    they are rounded to a millionth.
    """
    numbers = rng.standard_normal(shape)
    return np.where(np.abs(numbers) > TAIL, np.rint(numbers * 1e6) / 1e6, numbers)


class _Layers(NamedTuple):
    """The ziggurat for 23 random bits: each (256,)."""

    sure: np.ndarray  # uint32: below it a number is taken without a comparison
    width: np.ndarray  # float32: of one step
    height: np.ndarray  # float32: of the density at the layer's edge


@cache
def _layers() -> _Layers:
    edge = np.empty(_LAYERS)
    edge[-1] = TAIL
    density = float(exact.exp(-0.5 * TAIL * TAIL))
    height = np.empty(_LAYERS)
    height[-1] = density
    for layer in range(_LAYERS - 2, 0, -1):
        density += _AREA / edge[layer + 1]
        height[layer] = density
        edge[layer] = float(np.sqrt(-2 * exact.log(density)))
    height[0], edge[0] = 1.0, _AREA / height[-1]  # the lowest layer, tail included, as wide as its area makes it
    steps = 2.0**23
    inner = np.concatenate([[TAIL, 0.0], edge[1:-1]])
    return _Layers(
        np.rint(inner / edge * steps).astype(np.uint32), (edge / steps).astype(np.float32), height.astype(np.float32)
    )


class NormalNumbers:
    """Standard normal numbers, float32, from a generator that nothing else draws from any more."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._bits = rng.bit_generator
        state = self._bits.state
        kept = [state["uinteger"]] if state["has_uint32"] else []  # half of a number that was drawn before
        self._waiting = np.array(kept, np.uint32)

    def draw(self, shape: tuple[int, ...]) -> np.ndarray:
        """The next numbers, as `Generator.standard_normal(shape, dtype=float32)` draws them."""
        count = int(np.prod(shape))
        self._fill(count + count // 16 + 64)
        numbers, taken, used = _ziggurat(self._waiting, count)
        while taken < count:  # more were refused than ever is likely
            self._fill(2 * len(self._waiting))
            numbers, taken, used = _ziggurat(self._waiting, count)
        self._waiting = self._waiting[used:]
        return numbers.reshape(shape)

    def _fill(self, count: int) -> None:
        missing = count - len(self._waiting)
        if missing > 0:
            raw = np.asarray(self._bits.random_raw((missing + 1) // 2), np.uint64)
            halves = np.stack([raw & np.uint64(0xFFFFFFFF), raw >> np.uint64(32)], axis=1).reshape(-1)
            self._waiting = np.concatenate([self._waiting, halves.astype(np.uint32)])


def _ziggurat(words: np.ndarray, count: int) -> tuple[np.ndarray, int, int]:
    """As many numbers as random words (n,) give, `count` at most; how many those are, and how many words they took."""
    layers = _layers()
    layer, steps = (words & 0xFF).astype(np.int64), (words >> 9) & 0x7FFFFF
    values = steps.astype(np.float32) * layers.width[layer]
    np.negative(values, out=values, where=(words & 0x100) > 0)
    given = steps < layers.sure[layer]
    after = np.arange(1, len(words) + 1)
    open_ = np.nonzero(~given)[0]
    accepted = _under_the_curve(words, layer, values, open_)
    free, limit = 0, len(words)  # words before `free` are used up; draws from `limit` on lack a word
    for at, taken in zip(open_.tolist(), accepted.tolist(), strict=True):
        if at < free:
            continue
        if layer[at]:
            free = at + 2
        else:
            found, free = _tail(words, at)
            values[at] = found if not steps[at] >> 8 & 1 else -found
            taken = True
        if free > len(words):
            limit = at
            break
        given[at], given[at + 1 : free], after[at] = taken, False, free
    places = np.nonzero(given[:limit])[0][:count]
    return values[places], len(places), int(after[places[-1]]) if len(places) else 0


def _under_the_curve(words: np.ndarray, layer: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Whether the numbers at those places (m,) lie under the density; the next word decides."""
    height = _layers().height
    share = _share(words[np.minimum(at + 1, len(words) - 1)])
    upper, lower = height[layer[at] - 1], height[layer[at]]
    level = (upper - lower) * share + lower
    return np.asarray(level < exact.exp(-0.5 * np.square(values[at], dtype=np.float64)))


def _tail(words: np.ndarray, at: int) -> tuple[float, int]:
    """A number beyond the last layer, and the first word that it did not take."""
    while at + 2 < len(words):
        along, up = -exact.log(1 - _share(words[at + 1 : at + 3]).astype(np.float64)).astype(np.float32)
        beyond = np.float32(1 / TAIL) * along
        at += 2
        if up + up > beyond * beyond:
            return float(np.float32(TAIL) + beyond), at + 1
    return 0.0, len(words) + 1


def _share(words: np.ndarray) -> np.ndarray:
    """Random words as float32 in 0 to 1, 1 excluded."""
    return (words >> 8).astype(np.float32) * np.float32(2.0**-24)

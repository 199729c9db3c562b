"""A network's weights as a bundle holds them: 8 bits with a scale per output channel, or 16 or 32 bits; and back.

A matrix or kernel in 8 bits is whole numbers from -127 to 127 under its name, and under `NAME/scale` one 32-bit number
per output channel that they are multiplied by. Vectors (batch norm, biases) are a hundredth of the bytes: 16 bits. So
have the first layers: in `phantom-demo` the very first, a thousandth of the weights, makes most of the error.
"""

from collections.abc import Mapping

import numpy as np

from PDL1PredictorLib.models.tensors import read_tensors

SCALE = "/scale"
EXACT = ("reduce.weight", "classifier.weight")  # small, and every answer goes through them
FIRST_SHARE = 0.045  # of the weights: an error in the first layers goes through all others, and they are few
COUNTER = "num_batches_tracked"  # of a batch norm: only its training reads it
LARGEST_8 = 127


def rounded(state: Mapping[str, np.ndarray], bits: int) -> dict[str, np.ndarray]:
    """The weights as they are written.

    Args:
        state: By name, 32-bit, in the order of the layers; batch norms' counters are left out.
        bits: 8, 16, or 32: as they are.
    """
    written: dict[str, np.ndarray] = {}
    exact = {*EXACT, *_first(state)}
    for name, value in state.items():
        if name.endswith(COUNTER):
            continue
        if bits == 32:
            written[name] = np.ascontiguousarray(value, np.float32)
        elif bits == 8 and value.ndim > 1 and name not in exact:
            written[name], written[name + SCALE] = _in_8_bits(value)
        else:
            written[name] = _in_16_bits(value)
    return written


def _first(state: Mapping[str, np.ndarray]) -> list[str]:
    """Names of the first kernels that together have at most a share of the weights."""
    kernels = [name for name, value in state.items() if value.ndim > 1]
    so_far = np.cumsum([state[name].size for name in kernels])
    return [name for name, n in zip(kernels, so_far, strict=True) if n <= FIRST_SHARE * so_far[-1]]


def _in_8_bits(value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    peaks = np.abs(value).reshape(len(value), -1).max(axis=1)
    scale = (np.where(peaks > 0, peaks, 1.0) / LARGEST_8).astype(np.float32)
    whole = np.rint(value / scale.reshape(-1, *[1] * (value.ndim - 1)))
    return np.clip(whole, -LARGEST_8, LARGEST_8).astype(np.int8), scale


def _in_16_bits(value: np.ndarray) -> np.ndarray:
    """16 bits where they hold every number, else 32."""
    with np.errstate(over="ignore"):
        narrow = np.ascontiguousarray(value, np.float16)
    return narrow if np.isfinite(narrow).all() else np.ascontiguousarray(value, np.float32)


def restored(written: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights as they are used: 32-bit by name, scales multiplied in, batch norms' counters left out.

    Raises:
        ValueError: Whole numbers have no scale or one of another shape, or a scale belongs to nothing.
    """
    found: dict[str, np.ndarray] = {}
    for name, value in written.items():
        if name.endswith(COUNTER):
            continue
        if name.endswith(SCALE):
            if written.get(name.removesuffix(SCALE), value).dtype != np.int8:
                raise ValueError(f"the scale {name[:120]!r} belongs to no weights of 8 bits.")
        elif value.dtype == np.int8:
            found[name] = value.astype(np.float32) * _scale(name, value, written.get(name + SCALE))
        elif value.dtype.kind == "f":
            with np.errstate(over="ignore"):  # a weight beyond 32 bits gives deep features that are refused
                found[name] = value.astype(np.float32)
        else:
            raise ValueError(f"the weights {name[:120]!r} are of the kind {value.dtype}; floats or 8 bits are read.")
    return found


def _scale(name: str, value: np.ndarray, scale: np.ndarray | None) -> np.ndarray:
    if value.ndim < 1 or scale is None or scale.shape != value.shape[:1] or scale.dtype != np.float32:
        raise ValueError(f"the 8-bit weights {name[:120]!r} need {SCALE} of one 32-bit number per output channel.")
    return scale.reshape(-1, *[1] * (value.ndim - 1))


def read_weights(data: bytes) -> dict[str, np.ndarray]:
    """The weights of a .safetensors file, as they are used.

    Raises:
        ValueError: The file is damaged, or not as `rounded` writes it.
    """
    return restored(read_tensors(data))

"""A .safetensors file, read by ourselves: every entry of its header is held against the bytes that are there.

Source: the format's description, github.com/huggingface/safetensors. It is read without that package, so that a model
can be checked before anything was installed.
"""

import math
from typing import Any

import numpy as np

from PDL1PredictorLib.core.strict_json import brief, strict_json, whole_number

MAX_HEADER_BYTES = 16 * 2**20
MAX_TENSORS = 20_000
MAX_DIMENSIONS = 8
KINDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}


def read_tensors(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of a .safetensors file, by name; they are views of `data` and cannot be written to.

    Raises:
        ValueError: The header is damaged or does not describe the bytes that follow it, an array has numbers of a
            kind that is not read, or holds one that is not finite.
    """
    header, start = _header(data)
    if len(header) > MAX_TENSORS:
        raise ValueError(f"it names {len(header)} arrays; at most {MAX_TENSORS} are read.")
    entries = sorted((_entry(name, entry) for name, entry in header.items()), key=lambda entry: entry[3:])
    position = 0
    arrays: dict[str, np.ndarray] = {}
    for name, kind, shape, begin, end in entries:
        if begin != position:
            raise ValueError(
                f"the array {brief(name)} begins at byte {begin}, but the one before it ends at {position}."
            )
        size = math.prod(shape) * np.dtype(kind).itemsize
        if end - begin != size or start + end > len(data):
            raise ValueError(f"the array {brief(name)} has {end - begin} bytes, its shape {list(shape)} needs {size}.")
        array = np.frombuffer(data, kind, math.prod(shape), start + begin).reshape(shape)
        if not np.isfinite(array).all():
            raise ValueError(f"the array {brief(name)} holds a number that is not finite.")
        arrays[name] = array
        position = end
    if start + position != len(data):
        raise ValueError(f"{len(data) - start - position} bytes at its end belong to no array.")
    return arrays


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(len(data) - 8, MAX_HEADER_BYTES):
        raise ValueError(f"its header would have {length} bytes.")
    header = strict_json(data[8 : 8 + length])
    if not isinstance(header, dict):
        raise ValueError("its header is no JSON object.")
    header.pop("__metadata__", None)
    return header, 8 + length


def _entry(name: str, entry: Any) -> tuple[str, str, tuple[int, ...], int, int]:
    if not (isinstance(entry, dict) and set(entry) == {"dtype", "shape", "data_offsets"}):
        raise ValueError(f"the array {brief(name)} needs its dtype, shape and data_offsets.")
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"the array {brief(name)} has numbers of the kind {brief(kind)}; {', '.join(KINDS)} are read.")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise ValueError(f"the array {brief(name)} has the shape {brief(shape)}; at most {MAX_DIMENSIONS} lengths.")
    if not isinstance(offsets, list) or len(offsets) != 2:
        raise ValueError(f"the array {brief(name)} needs two data_offsets, got {brief(offsets)}.")
    lengths = tuple(whole_number(n, f"a length of the array {brief(name)}", 0, 2**40) for n in shape)
    begin, end = (whole_number(n, f"an offset of the array {brief(name)}", 0, 2**40) for n in offsets)
    return name, KINDS[kind], lengths, begin, end

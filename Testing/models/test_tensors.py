"""A .safetensors file: its header must describe the bytes that are there, and the numbers must be numbers."""

import json
import struct
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from PDL1PredictorLib.models.tensors import read_tensors


def written(header: Any, body: bytes = b"") -> bytes:
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + body


def entry(kind: str = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": offsets}


BODY = np.array([1.0, 2.0], np.float32).tobytes()


def test_the_arrays_are_those_that_the_package_reads():
    arrays = {
        "a/b": np.arange(6, dtype=np.float16).reshape(2, 3),
        "scalar": np.array(2.5),
        "empty": np.zeros((0, 4), np.float32),
        "steps": np.array([7], np.int64),
    }
    data = safetensors.numpy.save(arrays, metadata={"who": "a test"})
    found, wanted = read_tensors(data), safetensors.numpy.load(data)
    assert set(found) == set(wanted)
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "header would have 0 bytes"),
        (struct.pack("<Q", 2**60) + b"{}", f"header would have {2**60} bytes"),
        (written([]), "its header is no JSON object"),
        (written({"a": 1}), "needs its dtype, shape and data_offsets"),
        (written({"a": entry() | {"more": 1}}, BODY), "needs its dtype, shape and data_offsets"),
        (written({"a": entry("BF16", (4,))}, BODY), "numbers of the kind 'BF16'; F64, F32, F16"),
        (written({"a": entry("F8_E4M3", (8,))}, BODY), "numbers of the kind 'F8_E4M3'"),
        (written({"a": entry(["F32"])}, BODY), "numbers of the kind"),
        (written({"a": entry(shape=2)}, BODY), "has the shape 2"),
        (written({"a": entry(shape=[1] * 9)}, BODY), "at most 8 lengths"),
        (written({"a": entry(shape=[-2])}, BODY), "must be a whole number from 0"),
        (written({"a": entry(shape=[2.0])}, BODY), "must be a whole number from 0"),
        (written({"a": entry(shape=[2**40, 2**40])}, BODY), "has 8 bytes, its shape"),
        (written({"a": entry(shape=[3])}, BODY), r"has 8 bytes, its shape \[3\] needs 12"),
        (written({"a": entry(offsets=[0])}, BODY), "needs two data_offsets"),
        (written({"a": entry(offsets=[0, 8.0])}, BODY), "an offset of the array 'a' must be a whole number"),
        (written({"a": entry(offsets=[8, 0])}, BODY), "begins at byte 8"),
        (written({"a": entry(), "b": entry()}, BODY), "array 'b' begins at byte 0, but the one before it ends at 8"),
        (written({"a": entry(offsets=[4, 12])}, BODY + b"1234"), "begins at byte 4, but the one before it ends at 0"),
        (written({"a": entry()}, BODY[:-1]), "has 8 bytes"),
        (written({"a": entry()}, BODY + b"x"), "1 bytes at its end belong to no array"),
        (written({"a": entry()}, np.array([1, np.nan], np.float32).tobytes()), "'a' holds a number that is not finite"),
        (written({"a": entry("F16", (4,))}, np.full(4, np.inf, np.float16).tobytes()), "is not finite"),
        (struct.pack("<Q", 20) + b'{"a": 1, "a": 2}    ', "the key 'a' stands there twice"),
        (written({str(n): entry() for n in range(20_001)}), "names 20001 arrays; at most 20000"),
    ],
)
def test_a_header_that_does_not_describe_its_bytes_is_refused(data, words):
    with pytest.raises(ValueError, match=words):
        read_tensors(data)

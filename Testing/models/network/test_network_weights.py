"""Weights in 8 or 16 bits: sums by hand, and what no file of ours holds."""

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numbers

from PDL1PredictorLib.models.network.weights import read_weights, restored, rounded

STATE = {
    "conv.weight": np.array([[[[12.7, -6.4]]], [[[0.0, 0.0]]]], np.float32),
    "bn.weight": np.array([1.0, 70000.0], np.float32),
    "bn.num_batches_tracked": np.array(7),
    "reduce.weight": np.array([[1.0, 3.0]], np.float32),
}


def test_8_bits_are_whole_numbers_and_a_scale_per_output_channel():
    written = rounded(STATE, 8)
    assert written["conv.weight"].tolist() == [[[[127, -64]]], [[[0, 0]]]]
    np.testing.assert_allclose(written["conv.weight/scale"], [0.1, 1 / 127], rtol=1e-6)
    assert {name: value.dtype.name for name, value in written.items()} == {
        "conv.weight": "int8",
        "conv.weight/scale": "float32",
        "bn.weight": "float32",  # beyond 16 bits
        "reduce.weight": "float16",  # every answer goes through it
    }
    back = restored(written)
    assert back.keys() == {"conv.weight", "bn.weight", "reduce.weight"}
    np.testing.assert_allclose(back["conv.weight"].ravel(), [12.7, -6.4, 0, 0], rtol=1e-6)


def test_the_first_layers_keep_16_bits_as_long_as_they_are_few():
    state = {
        "first.weight": np.full((2, 2), 0.123, np.float32),
        "bn.weight": np.ones(50, np.float32),
        "second.weight": np.full((1, 1), 0.123, np.float32),
        "third.weight": np.full((5, 22), 0.123, np.float32),
        "last.weight": np.full((1, 1), 0.123, np.float32),
    }
    kinds = {name: value.dtype.name for name, value in rounded(state, 8).items() if "scale" not in name}
    assert kinds == {  # 5 of 116 weights are within the first 4.5 %
        "first.weight": "float16",
        "bn.weight": "float16",
        "second.weight": "float16",
        "third.weight": "int8",
        "last.weight": "int8",
    }


def test_16_bits_keep_the_names_and_leave_the_counters_out():
    assert {name: value.dtype.name for name, value in rounded(STATE, 16).items()} == {
        "conv.weight": "float16",
        "bn.weight": "float32",
        "reduce.weight": "float16",
    }


@settings(deadline=None)
@given(numbers.arrays(np.float32, (3, 4, 2, 2), elements=st.floats(-1e3, 1e3, width=32)))
def test_no_weight_moves_by_more_than_half_a_step_of_its_channel(value: np.ndarray):
    back = restored(rounded({"w": value}, 8))["w"]
    step = np.abs(value).max(axis=(1, 2, 3), keepdims=True) / 127
    assert (np.abs(back - value) <= 0.5 * step * (1 + 1e-4) + 1e-30).all()


def test_weights_of_the_first_bundles_are_read_without_their_counters():
    stored = {"w": np.array([1.5], np.float16), "bn.num_batches_tracked": np.array(3)}
    found = read_weights(safetensors.numpy.save(stored))
    assert {name: (value.dtype.name, value.tolist()) for name, value in found.items()} == {"w": ("float32", [1.5])}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"w": np.ones((2, 3), np.int8)}, "the 8-bit weights 'w' need /scale"),
        ({"w": np.ones((2, 3), np.int8), "w/scale": np.ones(3, np.float32)}, "one 32-bit number per output channel"),
        ({"w": np.ones((2, 3), np.int8), "w/scale": np.ones(2)}, "one 32-bit number per output channel"),
        ({"w": np.array(1, np.int8), "w/scale": np.float32(1)}, "one 32-bit number per output channel"),
        ({"w": np.ones(2, np.float32), "w/scale": np.ones(2, np.float32)}, "belongs to no weights of 8 bits"),
        ({"w/scale": np.ones(2, np.float32)}, "belongs to no weights of 8 bits"),
        ({"w": np.ones(2, np.int32)}, "are of the kind int32; floats or 8 bits are read"),
    ],
)
def test_what_is_not_written_so_is_refused(written, words):
    with pytest.raises(ValueError, match=words):
        restored(written)

"""What a manifest may say of the frame of a network's slices."""

from typing import Any

import pytest

from PDL1PredictorLib.core.settings import FrameSettings
from PDL1PredictorLib.models.schema.network import NetworkInputs, read_network

FRAME = {"pixels": 48, "margin_pixels": 5, "keep_aspect": True}


def entry(**inputs: Any) -> dict[str, Any]:
    return {
        "file": "network.safetensors",
        "graph": "network.onnx",
        "backbone": "joint",
        "n_deep": 0,
        "bits": 8,
        "head": "linear",
        "moved": None,
        "slices": 5,
        "inputs": {"picture": "slices", "table": [], "mean": [], "sd": [], **inputs},
        "outputs": "answers",
    }


def test_a_frame_is_read_as_it_was_written_and_left_out_where_there_is_none():
    found = read_network(entry(frame=FRAME))
    assert found.inputs.frame == FrameSettings(48, 5, True)
    assert found.inputs.to_dict()["frame"] == FRAME
    assert read_network(entry()).inputs.frame is None
    assert "frame" not in NetworkInputs().to_dict()


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({**FRAME, "pixels": 4}, "16 to 512"),
        ({**FRAME, "margin_pixels": 2.5}, "whole numbers"),
        ({"pixels": 48}, "A frame has"),
        ("48", "A frame has"),
    ],
)
def test_a_frame_that_cannot_be_is_refused(frame, words):
    with pytest.raises(ValueError, match=rf"network.inputs.frame: .*{words}"):
        read_network(entry(frame=frame))


def test_only_slices_of_a_network_that_answers_have_a_frame():
    volume = {**entry(picture="volume", frame=FRAME), "slices": 0}
    deep = {**entry(frame=FRAME), "outputs": "deep", "n_deep": 10, "backbone": "densenet121"}
    for wrong in (volume, deep):
        with pytest.raises(ValueError, match="only slices of a network that answers by itself"):
            read_network(wrong)

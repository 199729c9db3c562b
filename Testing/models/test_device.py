"""The device that was asked for, the fallback when its memory does not suffice."""

import pytest
import torch

from PDL1PredictorLib.core.errors import DeviceError, InputError
from PDL1PredictorLib.models.device import choose_device, run_with_fallback


def test_the_cpu_is_always_there():
    assert choose_device("cpu") == "cpu"


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == "cpu"


def test_a_gpu_that_is_not_there_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="cuda was asked for.*Use --device cpu"):
        choose_device("cuda")


def test_an_unknown_device_is_refused():
    with pytest.raises(InputError, match="one of auto, cpu, cuda, mps, got 'tpu'"):
        choose_device("tpu")


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA"), RuntimeError("MPS backend out of memory")])
def test_too_little_gpu_memory_falls_back_to_the_cpu_with_a_warning(error: RuntimeError):
    tried = []

    def compute(device: str) -> str:
        tried.append(device)
        if device != "cpu":
            raise error
        return "answer"

    value, device, warnings = run_with_fallback(compute, "mps")
    assert (value, device, tried) == ("answer", "cpu", ["mps", "cpu"])
    assert [w.code for w in warnings] == ["gpu_out_of_memory"]


def test_other_errors_do_not_fall_back():
    def compute(device: str) -> None:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        run_with_fallback(compute, "mps")


def test_the_cpu_out_of_memory_is_not_tried_twice():
    tried = []

    def compute(device: str) -> None:
        tried.append(device)
        raise torch.OutOfMemoryError("x")

    with pytest.raises(torch.OutOfMemoryError):
        run_with_fallback(compute, "cpu")
    assert tried == ["cpu"]

"""The device that was asked for, the fallback when its memory does not suffice."""

import sys
from types import SimpleNamespace

import pytest
import torch

from PDL1PredictorLib.core.errors import DeviceError, InputError, MissingPackageError
from PDL1PredictorLib.models import device
from PDL1PredictorLib.models.device import choose_device, gpu_can_be_here, run_with_fallback


def test_the_cpu_is_always_there():
    assert choose_device("cpu") == "cpu"


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(device, "gpu_can_be_here", lambda name: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == "cpu"


@pytest.mark.parametrize(("here", "installed"), [(False, True), (True, False)])
def test_auto_does_not_import_torch_without_a_gpu_or_without_torch(monkeypatch, here: bool, installed: bool):
    monkeypatch.setattr(device, "gpu_can_be_here", lambda name: here)
    monkeypatch.setattr(device, "_torch", lambda: pytest.fail("torch was imported"))
    monkeypatch.setattr(device, "sys", SimpleNamespace(modules={}, platform="linux"))
    monkeypatch.setattr(device.importlib.util, "find_spec", lambda name: object() if installed else None)
    assert choose_device("auto") == "cpu"


@pytest.mark.parametrize(
    ("system", "machine", "cuda", "mps"),
    [("darwin", "arm64", False, True), ("darwin", "x86_64", False, False), ("linux", "arm64", True, False)],
)
def test_which_gpu_can_be_here_is_told_by_the_system_and_the_drivers_files(
    monkeypatch, tmp_path, system: str, machine: str, cuda: bool, mps: bool
):
    (tmp_path / "version").write_text("NVRM", encoding="utf-8")
    monkeypatch.setattr(device, "_NVIDIA_FILES", (str(tmp_path / "version"),))
    monkeypatch.setattr(device, "sys", SimpleNamespace(platform=system))
    monkeypatch.setattr(device.platform, "machine", lambda: machine)
    assert (gpu_can_be_here("cuda"), gpu_can_be_here("mps")) == (cuda, mps)


def test_on_windows_the_drivers_library_tells_of_an_nvidia_card(monkeypatch, tmp_path):
    monkeypatch.setattr(device, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path))
    assert not gpu_can_be_here("cuda")
    (tmp_path / "System32").mkdir()
    (tmp_path / "System32" / "nvcuda.dll").touch()
    assert gpu_can_be_here("cuda")


def test_a_gpu_that_is_asked_for_without_torch_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingPackageError, match=r"pip install pdl1predictor\[gpu\], or use --device cpu"):
        choose_device("cuda")


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

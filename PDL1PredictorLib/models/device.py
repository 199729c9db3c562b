"""Where the network runs, and what happens when a GPU has too little memory.

torch is needed on a GPU only, and importing it takes seconds: it is imported when a GPU was asked for, or can be there.
"""

import importlib.util
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from PDL1PredictorLib.core.errors import DeviceError, InputError
from PDL1PredictorLib.core.lazy import require_module
from PDL1PredictorLib.core.results import CaseWarning

DEVICES = ("auto", "cpu", "cuda", "mps")
TORCH_REMEDY = "A GPU needs PyTorch. Install it with: pip install pdl1predictor[gpu], or use --device cpu."
# Each is there wherever an NVIDIA driver is: on Linux, in a container, in WSL.
_NVIDIA_FILES = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg")
T = TypeVar("T")


def choose_device(wanted: str = "auto") -> str:
    """The device to use; `auto` takes a GPU where torch finds one.

    Raises:
        InputError: There is no such device name.
        DeviceError: The device is not there.
        MissingPackageError: A GPU was asked for, and torch is not installed.
    """
    if wanted not in DEVICES:
        raise InputError(f"The device must be one of {', '.join(DEVICES)}, got {wanted!r}.")
    if wanted == "cpu":
        return wanted
    if wanted == "auto":
        return next((name for name in ("cuda", "mps") if _worth_asking(name) and _is_available(name)), "cpu")
    if not _is_available(wanted):
        raise DeviceError(
            f"The device {wanted} was asked for, but torch {_torch().__version__} finds none. "
            "Use --device cpu, or install a torch build and driver that support it."
        )
    return wanted


def _worth_asking(name: str) -> bool:
    """Whether torch is installed and such a GPU can be there, as far as can be told without importing torch."""
    return gpu_can_be_here(name) and (
        "torch" in sys.modules or importlib.util.find_spec("torch") is not None  # asked last: it looks into folders
    )


def gpu_can_be_here(name: str) -> bool:
    """Whether this computer can have such a GPU: an NVIDIA driver for `cuda`, Apple silicon for `mps`."""
    if name == "mps":
        return sys.platform == "darwin" and platform.machine() == "arm64"
    if sys.platform == "darwin":
        return False
    if sys.platform == "win32":
        return (Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "nvcuda.dll").exists()
    return any(Path(file).exists() for file in _NVIDIA_FILES)


def _is_available(name: str) -> bool:
    torch = _torch()
    return bool(torch.cuda.is_available() if name == "cuda" else torch.backends.mps.is_available())


def _torch() -> ModuleType:
    return require_module("torch", TORCH_REMEDY)


def run_with_fallback(compute: Callable[[str], T], device: str) -> tuple[T, str, tuple[CaseWarning, ...]]:
    """Compute on `device`; when its memory does not suffice, compute on the CPU and say so.

    Args:
        compute: Receives the device's name; must not keep state of a failed try.
        device: `cpu`, `cuda` or `mps`.

    Returns:
        The result, the device on which it was made, and a warning if that is another one.
    """
    try:
        return compute(device), device, ()
    except RuntimeError as error:
        if device == "cpu" or not _is_out_of_memory(error):
            raise
    if device == "cuda":
        _torch().cuda.empty_cache()
    text = f"The {device} device ran out of memory; the network ran on the CPU instead, which only takes longer."
    return compute("cpu"), "cpu", (CaseWarning("gpu_out_of_memory", text),)


def is_device_failure(error: RuntimeError) -> bool:
    """Whether an error says that the device, not the program, failed: lost on the way, or out of memory."""
    lost = getattr(sys.modules.get("torch"), "AcceleratorError", ())  # an older torch raises RuntimeError with the text
    return isinstance(error, lost) or "CUDA error" in str(error) or _is_out_of_memory(error)


def _is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch says so, by the error's kind or in words."""
    known = getattr(sys.modules.get("torch"), "OutOfMemoryError", ())
    return isinstance(error, known) or "out of memory" in str(error).lower()

"""Where the network runs, and what happens when a GPU has too little memory."""

from collections.abc import Callable
from typing import TypeVar

import torch

from PDL1PredictorLib.core.errors import DeviceError, InputError
from PDL1PredictorLib.core.results import CaseWarning

DEVICES = ("auto", "cpu", "cuda", "mps")
T = TypeVar("T")


def choose_device(wanted: str = "auto") -> str:
    """The device to use; `auto` takes a GPU where torch finds one.

    Raises:
        InputError: There is no such device name.
        DeviceError: The device is not there.
    """
    if wanted not in DEVICES:
        raise InputError(f"The device must be one of {', '.join(DEVICES)}, got {wanted!r}.")
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if present[name])
    if not present[wanted]:
        raise DeviceError(
            f"The device {wanted} was asked for, but torch {torch.__version__} finds none. "
            "Use --device cpu, or install a torch build and driver that support it."
        )
    return wanted


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
        torch.cuda.empty_cache()
    text = f"The {device} device ran out of memory; the network ran on the CPU instead, which only takes longer."
    return compute("cpu"), "cpu", (CaseWarning("gpu_out_of_memory", text),)


def is_device_failure(error: RuntimeError) -> bool:
    """Whether an error says that the device, not the program, failed: lost on the way, or out of memory."""
    lost = getattr(torch, "AcceleratorError", ())  # an older torch raises a plain RuntimeError with the text below
    return isinstance(error, lost) or "CUDA error" in str(error) or _is_out_of_memory(error)


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower()

"""What a computation takes: seconds, and the peak of the memory."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch

from PDL1PredictorLib.core.running.memory import MEGABYTE, peak_memory_mb

RESET_PEAK = Path("/proc/self/clear_refs")


@dataclass
class Cost:
    """Filled when the measured block ends.

    Attributes:
        seconds: Wall time.
        peak_memory_mb: On an NVIDIA GPU what the block's tensors took there at most; else the process's memory at its
            peak, all that it had loaded before included. None where the system does not tell.
    """

    seconds: float = 0.0
    peak_memory_mb: float | None = None


@contextmanager
def measured(device: str = "cpu") -> Iterator[Cost]:
    """Measure the block.

    Args:
        device: Where it computes.
    """
    cost = Cost()
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)
    else:
        with suppress(OSError):  # only Linux forgets an earlier peak
            RESET_PEAK.write_text("5", encoding="ascii")
    started = perf_counter()
    yield cost
    cost.seconds = perf_counter() - started
    cost.peak_memory_mb = torch.cuda.max_memory_allocated(device) / MEGABYTE if on_gpu else peak_memory_mb()

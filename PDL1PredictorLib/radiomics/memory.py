"""Whether an extraction fits into memory, estimated before it starts."""

import sys
from collections.abc import Iterable
from pathlib import Path

import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.radiomics.voxels import RegionVoxels

WAVELET_GAIN = 3  # how much wider the intensities of a band spread
PER_VOXEL_OF_REGION = 160  # lists of places, intensities and their powers, per thread
PER_VOXEL_OF_BOX = 12  # gray levels, runs and zones, per thread
GIGABYTE = 1e9


def require_memory(
    ct: sitk.Image, regions: Iterable[RegionVoxels], settings: FeatureSettings, threads: int, range_hu: float
) -> None:
    """Refuse what would not fit into the memory that is free.

    Args:
        ct: The image that is measured.
        regions: What is measured on it.
        settings: Filters and gray levels.
        threads: How many images are measured at a time.
        range_hu: Span of the intensities in the widest region.

    Raises:
        InputError: With the estimate, and what would make it smaller.
    """
    free = available_bytes()
    needed = estimated_bytes(ct, list(regions), settings, threads, range_hu)
    if free is not None and needed > free:
        raise InputError(
            f"The features need about {needed / GIGABYTE:.1f} GB of memory, {free / GIGABYTE:.1f} GB are free. "
            "Close other programs, or choose a larger bin_width, larger voxels, fewer filters or smaller regions."
        )


def estimated_bytes(
    ct: sitk.Image, regions: list[RegionVoxels], settings: FeatureSettings, threads: int, range_hu: float
) -> int:
    """About how much memory an extraction takes at its peak, rather too much than too little."""
    voxels = ct.GetNumberOfPixels()
    image = 8 * voxels
    if settings.wavelet is not None:
        image += 10 * 8 * voxels  # where the transform of the whole image is needed; else of the regions' box only
    if settings.log_sigma_mm:
        image += 2 * 40 * voxels  # two filters at a time
    largest = max(regions, key=lambda region: region.inside.size)
    lists = PER_VOXEL_OF_REGION * largest.size + PER_VOXEL_OF_BOX * largest.inside.size
    levels = settings.bin_count or min(largest.size, int(WAVELET_GAIN * range_hu / (settings.bin_width or 1)) + 2)
    cells = min(levels**2, 2 * largest.size)
    matrices = 16 * levels**2 + 13 * 100 * min(cells, 4_000_000)
    return int(image + threads * (lists + matrices))


def available_bytes() -> int | None:
    """Memory that programs can still have; None where the system does not tell."""
    if sys.platform == "linux":
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return _available_on_windows()
    return None


def _available_on_windows() -> int | None:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = [
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *(
                (name, ctypes.c_ulonglong)
                for name in ("total", "free", "pages", "free_pages", "own", "free_own", "more")
            ),
        ]

    status = Status()
    status.length = ctypes.sizeof(status)
    asked = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))  # type: ignore[attr-defined,unused-ignore]
    return int(status.free) if asked else None

"""Other processors, as far as this one can play them: what to put into a child's environment.

The one place that says so: `make test-processors` runs the suite in each of them, test_processors.py a few results.
"""

import os
import platform
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy._core import _multiarray_umath as compiled

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)


def numpy_features() -> list[str]:
    """Optional instructions that this processor has and numpy has loops for."""
    return [name for name in compiled.__cpu_dispatch__ if compiled.__cpu_features__.get(name)]


def _without(features: list[str], libm: str) -> dict[str, str]:
    """Without some of numpy's loops, and of the C library's functions."""
    numpy = {"NPY_DISABLE_CPU_FEATURES": ",".join(features)} if features else {}
    return numpy | ({"GLIBC_TUNABLES": f"glibc.cpu.hwcaps={libm}"} if platform.machine() == "x86_64" else {})


def _plain() -> dict[str, str]:
    """No optional instruction anywhere; one thread."""
    return (
        _without(numpy_features(), "-AVX512F,-AVX2,-FMA,-FMA4")
        | {
            "NUMBA_CPU_NAME": "generic",
            "NUMBA_CPU_FEATURES": "",
            "ATEN_CPU_CAPABILITY": "default",
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "MKL_CBWR": "COMPATIBLE",
        }
        | ({"OPENBLAS_CORETYPE": "Prescott"} if platform.machine() == "x86_64" else {"OPENBLAS_CORETYPE": "ARMV8"})
        | threads(1)
    )


def _haswell() -> dict[str, str]:
    """AVX2 and fused products, no AVX-512: most processors of ten years."""
    newer = [name for name in numpy_features() if name.startswith("AVX512") or name == "X86_V4"]
    return _without(newer, "-AVX512F") | {
        "OPENBLAS_CORETYPE": "Haswell",
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
    }


def threads(count: int) -> dict[str, str]:
    """So many threads in every library."""
    return dict.fromkeys(THREADS, str(count))


def environments() -> dict[str, dict[str, str]]:
    """By name, what to add to the environment of a child; on a processor without AVX2 there is no "haswell"."""
    found = {"plain": _plain(), "one thread": threads(1), "two threads": threads(2)}
    if compiled.__cpu_features__.get("AVX2"):
        found["haswell"] = _haswell() | threads(2)
    return found


PLACES: dict[str, dict[str, str]] = {  # where the computer stands: language, time, order of dictionaries of old
    "C locale": {"LC_ALL": "C", "PYTHONUTF8": "1", "PYTHONHASHSEED": "0"},  # UTF-8: the tests' files have such names
    "far east": {"TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
}


def child(more: Mapping[str, str]) -> dict[str, str]:
    """This environment, changed; what an outer run had set of the same kind goes."""
    kinds = {key for place in (*environments().values(), *PLACES.values()) for key in place}
    return {key: value for key, value in os.environ.items() if key not in kinds} | dict(more)


# How far results may lie apart; docs/reproducibility.md says why
FEATURE_SHARE = 1e-8  # of a feature, relative
NEARLY_ZERO = 1e-9  # of a feature that vanishes by cancellation
PROBABILITY = 1e-4
LOG_ODDS = 1e-3  # of an input's effect
HEAT = 1e-3  # of a heat map, which goes from 0 to 1


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What two processors' results (`results_here.py`) may not differ in and do, in words; no entry if all is well."""
    found = [f"phantom {key}" for key in one["phantom"] if one["phantom"][key] != other["phantom"].get(key)]
    for key, expected in one.get("voxels", {}).items():
        found += [] if other["voxels"][key] == expected else [f"voxels of {key}"]
    bounds = {"features": (FEATURE_SHARE, NEARLY_ZERO), "answers": (0, PROBABILITY), "effects": (0, LOG_ODDS)}
    for key, (share, least) in (bounds | {"heat": (0, HEAT)}).items():
        if key not in one or key not in other:
            continue
        first, second = (table[key] for table in (one, other))
        if isinstance(first, Mapping) and list(first) != list(second):
            found.append(f"{key}: other names")
            continue
        a, b = (np.array(list(x.values()) if isinstance(x, Mapping) else x, float) for x in (first, second))
        near = np.isclose(a, b, rtol=share, atol=least, equal_nan=True)
        if not near.all():
            worst = int(np.argmax(np.where(near, 0, np.abs(a - b))))
            found.append(f"{key}: {int((~near).sum())} differ, such as {a[worst]} and {b[worst]}")
    return found

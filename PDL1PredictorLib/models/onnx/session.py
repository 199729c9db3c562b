"""The one doorway to onnxruntime: nothing is sent or left behind, and a classifier comes from checked bytes."""

import os
from contextlib import suppress
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from PDL1PredictorLib.core.lazy import require_module
from PDL1PredictorLib.models.onnx.graph import INPUT, OUTPUT

_REMEDY = "Install it with: pip install onnxruntime"
MAX_MEMORY_BYTES = 2**30  # of all classifiers together; one needs some megabytes
_SAME = 1e-3  # two 32-bit probabilities of one case add up to 1 within this


def require_onnxruntime() -> ModuleType:
    """onnxruntime, imported when first needed, with its telemetry switched off.

    Left to itself it writes an identifier and an event with the path of the program into the user's home when it is
    imported, and looks for its collector on the network. It asks the environment variable before all that; the call
    is for builds that send through Windows.

    Raises:
        MissingPackageError: It cannot be imported.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    onnxruntime = require_module("onnxruntime", _REMEDY)
    with suppress(AttributeError):
        onnxruntime.disable_telemetry_events()
    return onnxruntime


@cache
def _bounded_memory(onnxruntime: ModuleType) -> bool:
    """Give onnxruntime a bounded memory, once a process: whether sessions may use it.

    A small file can ask for much: a column times a row of 100 000 numbers makes 40 GB.
    """
    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    settings = {"max_mem": MAX_MEMORY_BYTES, "arena_extend_strategy": 1}  # 1: as much as is asked for
    try:
        onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg(settings))
    except Exception:  # another part of the application gave it one already
        return False
    return True


class Classifier:
    """A classifier ready to answer.

    Args:
        data: Content of an ONNX file that `onnx.graph.check_classifier` let pass.

    Raises:
        ValueError: onnxruntime cannot use it.
        MissingPackageError: onnxruntime is not installed.
    """

    def __init__(self, data: bytes) -> None:
        onnxruntime = require_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # twelve numbers in, two out
        options.enable_mem_pattern = False
        options.log_severity_level = 4
        if _bounded_memory(onnxruntime):
            options.add_session_config_entry("session.use_env_allocators", "1")
        try:
            self._session: Any = onnxruntime.InferenceSession(
                data,
                options,
                providers=["CPUExecutionProvider"],
                enable_fallback=0,  # which would print, and try again
            )
        except Exception as error:  # onnxruntime's errors share no base but Exception
            raise ValueError(f"onnxruntime cannot use it ({error}).") from error

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """Probability of positive for rows of standardized inputs: (n, d) to (n,), 0 to 1.

        Raises:
            ValueError: The classifier fails, or gives what are no probabilities.
        """
        try:
            found = self._session.run([OUTPUT], {INPUT: np.ascontiguousarray(rows, dtype=np.float32)})[0]
        except Exception as error:
            raise ValueError(f"it cannot be computed ({error}).") from error
        pairs = np.asarray(found, dtype=np.float64)
        if pairs.shape != (len(rows), 2):
            raise ValueError(f"it gives numbers of shape {pairs.shape} for {len(rows)} cases; two a case are needed.")
        fits = (pairs >= -_SAME) & (pairs <= 1 + _SAME)  # also refuses NaN
        if not (fits.all() and (np.abs(pairs.sum(axis=1) - 1) <= _SAME).all()):
            worst = pairs[int(np.argmin(fits.all(axis=1)))].tolist()
            raise ValueError(f"it gives {worst[0]:g} and {worst[1]:g}; probabilities lie from 0 to 1 and add up to 1.")
        return np.clip(pairs[:, 1], 0.0, 1.0)

"""A network run by onnxruntime: the graph that was checked, its weights joined to it in memory."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from PDL1PredictorLib.models.network_graph import INPUT, OUTPUTS, Step, check_network, joined, read_network_graph
from PDL1PredictorLib.models.onnx.session import require_onnxruntime

MOST_THREADS = 4
MOST_PATCHES = 8  # at once; the memory that the graph may ask for is bounded for each


class NetworkSession:
    """A network ready to answer on the processor.

    Args:
        graph: Content of an .onnx file without weights.
        weights: By name, 32-bit.
        n_deep: Width of the deep feature vector.
        n_endpoints: Number of outputs.

    Raises:
        ValueError: The graph is not one that is read.
    """

    def __init__(self, graph: bytes, weights: Mapping[str, np.ndarray], n_deep: int, n_endpoints: int) -> None:
        self._steps: tuple[Step, ...] = read_network_graph(graph)
        self._graph, self._weights = graph, weights
        self._n_deep, self._n_endpoints = n_deep, n_endpoints
        self._session: Any = None

    def run(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One forward pass.

        Args:
            x: Input channels, (n, 3, h, w), 32-bit; n from 1 to `MOST_PATCHES`.

        Returns:
            Last feature maps (n, c, h', w'), deep features (n, n_deep) and logits (n, n_endpoints), 32-bit.

        Raises:
            ValueError: The network does not fit its weights or the patch, asks for too much, or cannot be computed.
            MissingPackageError: onnxruntime is not installed.
        """
        if x.ndim != 4 or not 1 <= len(x) <= MOST_PATCHES:
            raise ValueError(f"1 to {MOST_PATCHES} patches (n, channels, h, w) are needed, got the shape {x.shape}.")
        shapes = {name: array.shape for name, array in self._weights.items()}
        known = check_network(self._steps, shapes, (x.shape[2], x.shape[3]), self._n_deep, self._n_endpoints)
        if self._session is None:
            used = {name: array for name, array in self._weights.items() if name in known}
            self._session = _session(joined(self._graph, used))
        try:
            maps, deep, logits = self._session.run(list(OUTPUTS), {INPUT: np.ascontiguousarray(x, np.float32)})
        except Exception as error:  # onnxruntime's errors share no base but Exception
            raise ValueError(f"it cannot be computed ({error}).") from error
        for name, found in zip(OUTPUTS, (maps, deep, logits), strict=True):
            wanted = (len(x), *known[name][1:])
            if found.shape != wanted:
                raise ValueError(f"it makes {name} of the shape {found.shape}, {wanted} was expected.")
        return maps, deep, logits


def _session(model: bytes) -> Any:
    onnxruntime = require_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = _threads(), 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # threads that wait leave the processor
    options.enable_cpu_mem_arena = False  # what was needed is given back; the sizes are bounded by the shapes
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except Exception as error:  # as above
        raise ValueError(f"onnxruntime cannot use it ({str(error)[:500]}).") from error


def _threads() -> int:
    """As many as there are processors for us, a few at most; fewer where OMP_NUM_THREADS says so."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(here, MOST_THREADS, int(told) if told.isdecimal() else MOST_THREADS))

"""A network run by onnxruntime: the graph that was checked, its weights joined to it in memory."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from PDL1PredictorLib.models.network.graph import (
    CONTOUR,
    INPUT,
    Graph,
    Sizes,
    check_network,
    joined,
    read_network_graph,
)
from PDL1PredictorLib.models.onnx.session import require_onnxruntime

MOST_THREADS = 4
MOST_PATCHES = 8  # at once; the memory that the graph may ask for is bounded for each


class NetworkSession:
    """A network ready to answer on the processor.

    Args:
        graph: Content of an .onnx file without weights.
        weights: By name, 32-bit.
        n_deep: Width of the deep feature vector; 0 where it gives none.
        n_endpoints: Number of outputs.

    Raises:
        ValueError: The graph is not one that is read.
    """

    def __init__(self, graph: bytes, weights: Mapping[str, np.ndarray], n_deep: int, n_endpoints: int) -> None:
        self.graph: Graph = read_network_graph(graph)
        self._data, self._weights = graph, weights
        self._sizes = Sizes(n_deep, n_endpoints)
        self._session: Any = None

    def run(self, x: np.ndarray, contour: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One forward pass of a network of deep features.

        Args:
            x: Input channels, (n, 3, h, w), 32-bit; n from 1 to `MOST_PATCHES`.
            contour: (n, 1, h, w), 1 inside, 32-bit, of a network that pools its maps within it; None of any other.

        Returns:
            Last feature maps (n, c, h', w'), deep features (n, n_deep) and logits (n, n_endpoints), 32-bit.

        Raises:
            ValueError: The network does not fit its weights or the patch, asks for too much, or cannot be computed.
            MissingPackageError: onnxruntime is not installed.
        """
        if x.ndim != 4 or not 1 <= len(x) <= MOST_PATCHES:
            raise ValueError(f"1 to {MOST_PATCHES} patches (n, channels, h, w) are needed, got the shape {x.shape}.")
        found = self.outputs({INPUT: x} if contour is None else {INPUT: x, CONTOUR: contour})
        maps, deep, logits = found.values()
        return maps, deep, logits

    def outputs(self, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One forward pass.

        Args:
            given: By name of the input, 32-bit, as many cases n in each. A network that answers by itself takes one
                case at a time: its graph may hold the number of cases.

        Returns:
            What the graph gives, by name, in its order, (n, ...) 32-bit.

        Raises:
            ValueError: As `run`.
            MissingPackageError: As `run`.
        """
        known = self.check({name: (1, *array.shape[1:]) for name, array in given.items()})
        if self._session is None:
            used = {name: array for name, array in self._weights.items() if name in known}
            self._session = _session(joined(self._data, used))
        ready = {name: np.ascontiguousarray(array, np.float32) for name, array in given.items()}
        try:
            made = self._session.run(list(self.graph.outputs), ready)
        except Exception as error:  # onnxruntime's errors share no base but Exception
            raise ValueError(f"it cannot be computed ({error}).") from error
        n = len(next(iter(ready.values())))
        for name, found in zip(self.graph.outputs, made, strict=True):
            wanted = known[name] if self.graph.answers else (n, *known[name][1:])
            if found.shape != wanted:
                raise ValueError(f"it makes {name} of the shape {found.shape}, {wanted} was expected.")
        return dict(zip(self.graph.outputs, made, strict=True))

    def check(self, given: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        """Shapes of weights and outputs, without computing; see `graph.check_network`.

        Args:
            given: Shape of each input, the first length 1.

        Raises:
            ValueError: The network does not fit its weights or what it is given, or asks for too much.
        """
        return check_network(
            self.graph, {name: array.shape for name, array in self._weights.items()}, given, self._sizes
        )


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

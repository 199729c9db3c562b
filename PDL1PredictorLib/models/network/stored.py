"""A bundle's network as it is stored: weights and graph, read when they are first needed."""

from functools import cached_property

import numpy as np

from PDL1PredictorLib.core.errors import BundleError
from PDL1PredictorLib.models.network.session import NetworkSession
from PDL1PredictorLib.models.network.weights import read_weights


class StoredNetwork:
    """What every network of a bundle is read from.

    Args:
        model: The model's name, for messages.
        weights: Content of its .safetensors file.
        graph: Content of its .onnx file; None where it has none.
        n_deep: Width of the deep feature vector.
        n_endpoints: Number of answers.
    """

    def __init__(self, model: str, weights: bytes, graph: bytes | None, n_deep: int, n_endpoints: int) -> None:
        self._model, self._data, self._graph = model, weights, graph
        self._n_deep, self._n_endpoints = n_deep, n_endpoints

    @cached_property
    def _weights(self) -> dict[str, np.ndarray]:
        try:
            return read_weights(self._data)
        except ValueError as error:
            raise self._unfit(str(error)) from error

    @cached_property
    def _session(self) -> NetworkSession:
        try:
            return NetworkSession(self._graph or b"", self._weights, self._n_deep, self._n_endpoints)
        except ValueError as error:
            raise self._unfit(str(error)) from error

    def _unfit(self, why: str) -> BundleError:
        return BundleError(f"The weights of {self._model} do not fit its network: {why}")

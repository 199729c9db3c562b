"""A network that answers by itself: from a picture, from a table, or from both; always run by onnxruntime.

Such networks are small, or run once a case: a GPU would save nothing, and no page of torch has to know them. Heat maps
follow from the last feature maps and the head that the bundle stores with the weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.explain.class_activation import class_activation_maps, scaled_to_one
from PDL1PredictorLib.models.network.graph import ANSWER, INPUT, TABLE, VOLUME
from PDL1PredictorLib.models.network.output import LINEAR, NetworkOutput, mean_of_slices
from PDL1PredictorLib.models.network.stored import StoredNetwork
from PDL1PredictorLib.models.schema.network import NetworkEntry

HEAD_MAPS, HEAD_TABLE, HEAD_BIAS = "head.maps", "head.table", "head.bias"
"""Names, beside the weights, of what each feature map's mean and each column count for each answer, and what is added:
(e, c), (e, t) and (e,)."""
_SAME = 1e-2  # the head as it is stored explains the answers within this share of the largest


@dataclass(frozen=True, eq=False)
class Shown:
    """What a network is shown of a case.

    Attributes:
        pictures: Its slices (m, c, h, w), or its volume (1, c, d, h, w), 32-bit; None where it sees none.
        table: Standardized columns, (t,); (0,) where it has none.
    """

    pictures: np.ndarray | None = None
    table: np.ndarray = field(default_factory=lambda: np.empty(0))


class AnsweringNetwork(StoredNetwork):
    """The network of a bundle whose answers are those of the network.

    Args:
        model: The model's name, for messages.
        entry: What the manifest says of the network.
        weights: Content of its .safetensors file.
        graph: Content of its .onnx file.
        n_endpoints: Number of answers.
    """

    def __init__(self, model: str, entry: NetworkEntry, weights: bytes, graph: bytes, n_endpoints: int) -> None:
        super().__init__(model, weights, graph, entry.n_deep, n_endpoints)
        self._entry = entry

    def run(self, shown: Shown, runtime: str = "auto") -> NetworkOutput:
        """Answers, and heat maps of the first picture.

        Args:
            shown: The case.
            runtime: `auto` or `onnxruntime`.

        Raises:
            InputError: Another runtime was asked for.
            BundleError: The weights do not fit the network.
            MissingPackageError: onnxruntime is not installed.
        """
        if runtime not in ("auto", "onnxruntime"):
            raise InputError(f"The network of {self._model} is run by onnxruntime alone. Leave --runtime out.")
        found = [self.outputs(given) for given in self._each(shown)]
        answers = mean_of_slices([one[ANSWER] for one in found])
        deep = mean_of_slices([one["deep"] for one in found]) if self._entry.n_deep else np.empty(0)
        maps, method = np.zeros((0, 1, 1)), ""
        if shown.pictures is not None and self._entry.head == LINEAR:
            raw = class_activation_maps(found[0]["maps"][0], self._head(found[0], shown.table))
            maps, method = scaled_to_one(raw), "class activation map"
        return NetworkOutput(deep, maps, method, "cpu", "onnxruntime", (), answers, found[0].get("attention"))

    def outputs(self, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """All that the graph gives for one case, by name: for explanations that ask again and again.

        Args:
            given: By name of the graph's input, (1, ...) 32-bit.

        Raises:
            BundleError: The weights do not fit the network.
        """
        try:
            return self._session.outputs(given)
        except ValueError as error:
            raise self._unfit(str(error)) from error

    def check(self, given: Mapping[str, tuple[int, ...]]) -> None:
        """Follow shapes through the network, without computing.

        Args:
            given: By name of the graph's input, the first length 1.

        Raises:
            BundleError: Something does not fit.
        """
        try:
            self._session.check(given)
        except ValueError as error:
            raise self._unfit(str(error)) from error

    def _each(self, shown: Shown) -> Sequence[dict[str, np.ndarray]]:
        """What the graph is given, slice by slice."""
        table = {TABLE: shown.table[None].astype(np.float32)} if self._entry.inputs.table else {}
        if shown.pictures is None:
            return [table]
        name = VOLUME if self._entry.inputs.picture == "volume" else INPUT
        return [{name: picture[None].astype(np.float32), **table} for picture in shown.pictures]

    def _head(self, found: Mapping[str, np.ndarray], table: np.ndarray) -> np.ndarray:
        """What each feature map's mean counts for each answer, (e, c); the answers must follow from it."""
        maps = found["maps"][0].astype(np.float64)
        try:
            head = self._weights[HEAD_MAPS].astype(np.float64)
            again = head @ maps.reshape(len(maps), -1).mean(axis=1) + self._weights[HEAD_BIAS]
            if self._entry.inputs.table:
                again = again + self._weights[HEAD_TABLE].astype(np.float64) @ table
            apart = np.abs(again - found[ANSWER][0])
        except (KeyError, ValueError) as error:
            raise self._unfit(f"its head does not fit it ({error}).") from error
        if not apart.max() <= _SAME * max(1.0, float(np.abs(found[ANSWER]).max())):
            raise self._unfit("its answers do not follow from its head, as the model says.")
        return np.asarray(head)

"""What a network over a table makes of each column for one case: asked of onnxruntime alone, by small differences."""

from typing import NamedTuple

import numpy as np

from PDL1PredictorLib.explain.path_differences import path_differences
from PDL1PredictorLib.models.network.answering import AnsweringNetwork, Shown
from PDL1PredictorLib.models.network.graph import ANSWER, TABLE
from PDL1PredictorLib.models.network.output import NetworkOutput


class Inside(NamedTuple):
    """Of one case, t columns and e endpoints.

    Attributes:
        names: Of the columns.
        row: Standardized, (t,).
        shares: What each moved each answer of the network by, from that of the mean case, (t, e): integrated gradients.
        attention: Share of each column in what the network asked, (t,); empty where it asks none.
    """

    names: tuple[str, ...]
    row: np.ndarray
    shares: np.ndarray
    attention: np.ndarray

    def of(self, endpoint: int) -> "Inside":
        """For one endpoint: shares (t,)."""
        return self._replace(shares=self.shares[:, endpoint])


def look_inside(network: AnsweringNetwork, names: tuple[str, ...], shown: Shown, output: NetworkOutput) -> Inside:
    """Ask the network along the path from the mean case to this one.

    Args:
        network: That sees a table and no picture.
        names: Of its columns.
        shown: The case.
        output: What the network gave for it.

    Raises:
        BundleError: The weights do not fit the network.
    """

    def answers(row: np.ndarray) -> np.ndarray:
        found = network.outputs({TABLE: row[None].astype(np.float32)})[ANSWER]
        return np.asarray(found[0], dtype=np.float64)

    asked = np.empty(0) if output.attention is None else np.asarray(output.attention, dtype=np.float64).reshape(-1)
    if asked.shape != shown.table.shape:
        asked = np.empty(0)
    shares = path_differences(answers, shown.table)
    missing = answers(shown.table) - answers(np.zeros_like(shown.table)) - shares.sum(axis=0)
    return Inside(names, shown.table, shares + missing * _weights(shares), asked)


def _weights(shares: np.ndarray) -> np.ndarray:
    """How what the corners of the path left over is divided, (t, e): by the size of the shares."""
    sizes = np.abs(shares)
    total = sizes.sum(axis=0)
    return np.asarray(sizes / np.where(total > 0, total, 1.0))

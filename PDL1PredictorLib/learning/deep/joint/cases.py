"""Slices of a cohort within their rectangles, and the table beside them, as a network sees them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.settings import FrameSettings
from PDL1PredictorLib.learning.deep.joint.settings import JointTraining
from PDL1PredictorLib.networks.channels import channels
from PDL1PredictorLib.networks.framing import framed


@dataclass(frozen=True, eq=False)
class Framed:
    """Slices of n cases within their rectangles.

    Attributes:
        hu: (n, s, p, p) 32-bit, s slices a case.
        tumor: (n, s, p, p) bool.
        labels: (n, e), 0 or 1, NaN where not known.
        table: (n, t) standardized columns.
    """

    hu: np.ndarray
    tumor: np.ndarray
    labels: np.ndarray
    table: np.ndarray

    @property
    def slices(self) -> int:
        """Of a case."""
        return int(self.hu.shape[1])

    def with_table(self, table: np.ndarray) -> "Framed":
        """The same beside another table."""
        return replace(self, table=table)

    def channels(self, rows: np.ndarray, index: int) -> np.ndarray:
        """What the network is given of one slice of these cases, (m, 3, p, p) 32-bit."""
        return channels(self.hu[rows, index], self.tumor[rows, index])

    def columns(self, rows: np.ndarray) -> np.ndarray:
        """The table of these cases, (m, t) 32-bit."""
        return np.asarray(self.table[rows], dtype=np.float32)


def framed_of(cohort: PreparedCohort, frame: FrameSettings) -> Framed:
    """The slices of a cohort; each is cut by its own contour.

    Raises:
        InputError: The cases were prepared without slices.
    """
    hu, tumor = cohort.patches_hu, cohort.patches_tumor
    shape = (*hu.shape[:2], frame.pixels, frame.pixels)
    shown, inside = np.empty(shape, np.float32), np.empty(shape, bool)
    for row in np.ndindex(shape[:2]):
        shown[row], inside[row] = framed(hu[row], tumor[row], frame)
    return Framed(shown, inside, cohort.labels, np.zeros((len(cohort), 0)))


def batches(
    cases: Framed, rows: np.ndarray, settings: JointTraining, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """One epoch in random order: channels (b, 3, p, p), columns (b, t), labels (b, e).

    What does not fill a batch waits for the next epoch: a batch of one breaks batch norm.
    """
    every = np.arange(cases.slices)
    samples = np.array([(row, index) for row in rows for index in (every if settings.all_slices else every[:1])])
    if not settings.all_slices:
        samples[:, 1] = rng.integers(cases.slices, size=len(samples))
    order = rng.permutation(len(samples))
    size = min(settings.batch, len(order))
    for number in range(len(order) // size):
        own = samples[order[number * size : (number + 1) * size]]
        hu, tumor = cases.hu[own[:, 0], own[:, 1]], cases.tumor[own[:, 0], own[:, 1]]
        if settings.mirror:
            hu, tumor = _moved(hu, tumor, rng)
        x = torch.from_numpy(channels(hu, tumor))
        if settings.noise:
            x = x + settings.noise * torch.from_numpy(rng.standard_normal(x.shape, dtype=np.float32))
        labels = torch.from_numpy(cases.labels[own[:, 0]].astype(np.float32))
        yield x, torch.from_numpy(cases.columns(own[:, 0])), labels


def _moved(hu: np.ndarray, tumor: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Some slices turned by 180 degrees, some mirrored along the diagonal."""
    around, across = rng.random((2, len(hu))) < 0.5
    found = np.stack([hu, tumor.astype(np.float32)], axis=1)
    found[around] = found[around, :, ::-1, ::-1]
    found[across] = found[across].swapaxes(2, 3)
    return found[:, 0], found[:, 1] > 0

"""A training so small that it takes no time: a backbone of one layer, and two cohorts of pictures."""

import numpy as np
import pytest
import torch
from prepared import prepared
from torch import nn

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.learning.deep.training import TrainedDeepCT
from PDL1PredictorLib.networks.backbones import TABLE


def one_layer_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = TABLE["densenet121"]._replace(
        build=lambda: nn.Sequential(nn.Conv2d(3, 5, 3, stride=2), nn.BatchNorm2d(5)), channels=5, least_pixels=8
    )
    monkeypatch.setitem(TABLE, "densenet121", tiny)


def cohort(n: int, seed: int = 0) -> PreparedCohort:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, (n, 2)).astype(float)
    labels[0, 1] = np.nan
    hu = rng.integers(-900, 200, (n, 3, 20, 20)).astype(np.int16)
    names = tuple(f"case-{i}" for i in range(n))
    return prepared(names, ("A", "B"), (), np.zeros((n, 0)), hu, rng.random((n, 3, 20, 20)) < 0.3, labels)


FIT, VALIDATION = cohort(11), cohort(5, seed=1)


def same_weights(a: TrainedDeepCT, b: TrainedDeepCT) -> bool:
    ours, theirs = a.network.state_dict(), b.network.state_dict()
    return all(torch.equal(ours[name], theirs[name]) for name in ours) and a.history == b.history

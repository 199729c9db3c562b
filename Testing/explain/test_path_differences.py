"""Shares by differences: those of integrated gradients, and they add up."""

import numpy as np
import pytest
import torch

from PDL1PredictorLib.explain.integrated_gradients import integrated_gradients
from PDL1PredictorLib.explain.path_differences import path_differences

ROW = np.array([0.4, -1.2, 2.0])


def curved(x: np.ndarray) -> np.ndarray:
    return np.array([np.tanh(x[0] * x[1]) + x[2] ** 2, 3 * x[0] - x[2]])


def curved_by_torch(x: torch.Tensor) -> torch.Tensor:
    return torch.tanh(x[:, 0] * x[:, 1]) + x[:, 2] ** 2


def test_shares_are_those_of_integrated_gradients():
    wanted = integrated_gradients(curved_by_torch, torch.tensor(ROW), torch.zeros(3).double(), steps=2000)
    np.testing.assert_allclose(path_differences(curved, ROW)[:, 0], wanted.values.numpy(), atol=2e-3)


def test_shares_add_up_to_the_difference_of_the_scores():
    found = path_differences(curved, ROW)
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found.sum(axis=0), curved(ROW) - curved(np.zeros(3)), atol=2e-3)


def test_a_sum_is_shared_exactly():
    np.testing.assert_allclose(path_differences(curved, ROW)[:, 1], [1.2, 0, -2], atol=1e-9)


def test_too_few_points_do_not_add_up():
    steep = lambda x: np.array([np.tanh(8 * (x[0] - 1.0))])  # noqa: E731
    row = np.array([2.0, 0.0, 0.0])
    assert path_differences(steep, row, points=1).sum() != pytest.approx(2.0, abs=0.5)
    assert path_differences(steep, row, points=40).sum() == pytest.approx(2.0, abs=0.02)


def test_what_lies_at_the_mean_is_not_asked():
    asked = []
    path_differences(lambda x: asked.append(x.copy()) or np.zeros(1), np.array([1.0, 0.0]), points=1)
    assert all(row[1] == 0 for row in asked)

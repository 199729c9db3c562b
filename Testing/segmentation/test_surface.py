"""The surface: directions, the best radii by hand, what neighbors decide."""

import numpy as np
import pytest

from PDL1PredictorLib.segmentation.rays import reach_of, surface_about
from PDL1PredictorLib.segmentation.settings import CLASSICAL
from PDL1PredictorLib.segmentation.sphere import COARSE, FINE, sphere
from PDL1PredictorLib.segmentation.surface import best_surface


@pytest.mark.parametrize(("divisions", "n"), [(COARSE, 162), (FINE, 642)])
def test_directions_are_unit_vectors_with_five_or_six_neighbors(divisions, n):
    ball = sphere(divisions)
    assert ball.directions.shape == (n, 3)
    np.testing.assert_allclose(np.linalg.norm(ball.directions, axis=1), 1)
    assert sorted(np.unique(np.bincount(ball.first))) == [5, 6]
    assert np.bincount(np.bincount(ball.first))[5] == 12  # Euler: every such net has twelve of five
    np.testing.assert_array_equal(ball.first[ball.back], ball.second)


def test_the_table_keeps_a_constant_and_a_slope():
    ball = sphere(FINE)
    assert np.allclose(ball.spread(np.ones(642)), 1)
    heights = ball.spread(ball.directions[:, 0])
    assert heights[0].mean() > 0.98
    assert heights[-1].mean() < -0.98


def test_where_costs_are_clear_each_direction_gets_its_own_and_the_blind_one_its_neighbors():
    ball = sphere(COARSE)
    costs = np.ones((162, 20), np.float32)
    costs[:, 9] = 0
    costs[40] = 1  # sees nothing
    assert (best_surface(costs, ball, 0.05) == 9).all()


def test_one_wrong_direction_is_overruled_only_as_far_as_its_neighbors_cost():
    ball = sphere(COARSE)
    costs = np.ones((162, 20), np.float32)
    costs[:, 9] = 0
    costs[40] = 1
    costs[40, 12] = 0
    # three steps off cost 9 times the stiffness at each of 5 or 6 neighbors; staying costs 1
    assert best_surface(costs, ball, 0.3)[40] == 9
    assert best_surface(costs, ball, 0.01)[40] == 12


def test_a_ball_of_likeness_gives_its_radius_and_its_middle():
    away = np.linalg.norm(np.indices((41, 41, 41)).T - np.array([20, 20, 24]), axis=-1).T
    like = (away <= 9).astype(np.float32)
    found = surface_about(like, 1.0, np.array([20.0, 20, 20]), np.geomspace(2, 18, 48), CLASSICAL, sphere(COARSE))
    assert found.mean_mm == pytest.approx(9.3, abs=0.7)
    assert np.abs(found.centroid(1.0) - [20, 20, 24]).max() < 0.8
    assert found.edge.all()
    inside, clear = reach_of(found, like.shape, 1.0)
    assert clear.all()
    assert 2 * ((inside > 0) & (like > 0)).sum() / ((inside > 0).sum() + (like > 0).sum()) > 0.9

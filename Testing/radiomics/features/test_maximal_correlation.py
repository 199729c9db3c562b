"""The short way to the maximal correlation coefficient against all eigenvalues, where the short way is hard."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from PDL1PredictorLib.radiomics.features import maximal_correlation
from PDL1PredictorLib.radiomics.features.matrices import listed
from PDL1PredictorLib.radiomics.features.maximal_correlation import maximal_correlations


def both_ways(matrices: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """MCC of symmetric count matrices by the short way, and as pyradiomics computes it."""
    pairs = listed(matrices, np.arange(1, len(matrices[0]) + 1))
    total = np.bincount(pairs.matrix, pairs.counts, pairs.n)
    share = pairs.counts / total[pairs.matrix]
    marginal = np.zeros((pairs.n, pairs.levels.size))
    np.add.at(marginal, (pairs.matrix, pairs.rows), share)
    return maximal_correlations(pairs, share, marginal), maximal_correlation._dense(pairs, share, marginal).real


def band_with_rare_parts(rng: np.random.Generator, n_main: int, n_parts: int, scale: float, width: float) -> np.ndarray:
    """A band of frequent pairs, and some rare levels that are neighbors only of each other."""
    gap = np.abs(np.subtract.outer(np.arange(n_main), np.arange(n_main)))
    matrix = np.zeros((n_main + 3 * n_parts,) * 2, np.int64)
    matrix[:n_main, :n_main] = rng.poisson(scale * np.exp(-gap / width))
    for part in range(n_parts):
        at = slice(n_main + 3 * part, n_main + 3 * part + 3)
        matrix[at, at] = rng.integers(0, 2, (3, 3))
    return matrix + matrix.T


@st.composite
def count_matrices(draw: st.DrawFn) -> np.ndarray:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_main, n_parts = draw(st.integers(11, 40)), draw(st.integers(0, 3))
    scale, width = draw(st.sampled_from([30, 3000, 1_000_000])), draw(st.floats(0.5, 5))
    return band_with_rare_parts(rng, n_main, n_parts, scale, width)


@settings(max_examples=60, deadline=None)
@given(count_matrices())
def test_the_short_way_finds_what_all_eigenvalues_give(matrix: np.ndarray):
    short, dense = both_ways([matrix])
    assert short == pytest.approx(dense, rel=1e-9, abs=1e-7)


def test_rare_levels_of_their_own_are_seen_beside_the_main_part():
    matrix = np.zeros((20, 20), np.int64)
    matrix[:16, :16] = 100_000
    matrix[16, 17] = matrix[17, 16] = 1  # epsilon takes most here,
    matrix[18, 19] = matrix[19, 18] = 50  # and least here
    short, dense = both_ways([matrix])
    assert short == pytest.approx(dense, rel=1e-12)
    assert 1 - 1e-4 < short[0] < 1


def test_rare_levels_that_epsilon_takes_out_of_second_place_are_not_taken_for_it():
    for seed in range(100):  # the first-order correction alone is wrong for several of these
        rng = np.random.default_rng(seed)
        short, dense = both_ways([band_with_rare_parts(rng, 15, 1, 1_000_000, rng.uniform(0.5, 5))])
        assert short == pytest.approx(dense, rel=1e-9, abs=1e-7)


def test_neighbors_that_know_nothing_of_each_other_are_computed_as_pyradiomics_does():
    matrix = np.full((15, 15), 4, np.int64)
    short, dense = both_ways([matrix])
    np.testing.assert_array_equal(short, dense)  # rounding, but the same rounding


def test_several_matrices_are_independent_of_each_other():
    rng = np.random.default_rng(0)
    made = [rng.integers(0, 9, (14, 14)) for _ in range(3)]
    matrices = [matrix + matrix.T for matrix in made]
    together, _ = both_ways(matrices)
    assert together.tolist() == [both_ways([matrix])[0][0] for matrix in matrices]


def test_one_gray_level_has_the_coefficient_of_pyradiomics():
    pairs = listed([np.array([[8]])], np.array([3]))
    assert maximal_correlations(pairs, np.ones(1), np.ones((1, 1))) == 1

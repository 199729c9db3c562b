"""The LASSO that selects: signal is kept, noise is not, and the path is what it says."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from PDL1PredictorLib.learning.lasso import Lasso, lasso_path


def cases(n: int = 240, seed: int = 0, strength: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Forty numbers, of which the third and the eighth raise and lower the odds."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 40))
    odds = strength * (z[:, 2] - z[:, 7])
    return z, (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int)


@pytest.mark.parametrize("ranked_first", [True, False])
def test_what_tells_is_kept_and_most_else_is_not(ranked_first: bool):
    z, labels = cases()
    kept = set(Lasso(1, ranked_first)(z, labels, np.ones(40, bool)).tolist())
    assert {2, 7} <= kept
    assert len(kept) < 25


def test_ranking_first_lets_only_significant_columns_in():
    z, labels = cases()
    varies = np.ones(40, bool)
    assert len(Lasso(1).entering(z, labels, varies)) < len(Lasso(1, False).entering(z, labels, varies)) == 40
    varies[2] = False
    assert 2 not in Lasso(1)(z, labels, varies)


def test_of_noise_little_is_left():
    kept = [len(Lasso(seed, False)(*cases(seed=seed, strength=0.0), np.ones(40, bool))) for seed in range(4)]
    assert np.median(kept) <= 4


def test_the_path_holds_the_coefficients_of_every_penalty_and_the_best_of_held_out_cases():
    z, labels = cases()
    columns = np.array([2, 7, 11])
    path = lasso_path(z, labels, columns, seed=3)
    assert path.coefficients.shape == (12, 3)
    assert (np.diff(path.penalties) > 0).all()
    assert not path.coefficients[0].any()  # the strongest penalty lets nothing through
    assert path.best == path.loss.argmin()
    assert (path.error[path.best] > 0).all()
    alone = LogisticRegression(C=path.penalties[5], l1_ratio=1.0, solver="liblinear", intercept_scaling=10.0)
    np.testing.assert_allclose(path.coefficients[5], alone.fit(z[:, columns], labels).coef_[0], atol=1e-3)
    assert set(path.kept.tolist()) <= set(columns.tolist())

"""Brier scores of two models on the same cases: by hand, by a paired t test, and under the null."""

import numpy as np
import pytest
from scipy import stats

from PDL1PredictorLib.statistics.external.brier import brier_test


def test_the_difference_by_hand():
    found = brier_test([1, 0], [0.9, 0.2], [0.5, 0.5])
    assert found.difference == pytest.approx((0.01 + 0.04) / 2 - 0.25)


def test_with_a_patient_a_case_it_is_the_paired_t_test():
    rng = np.random.default_rng(1)
    labels, a, b = rng.integers(2, size=40), rng.random(40), rng.random(40)
    found = brier_test(labels, a, b)
    expected = stats.ttest_1samp((a - labels) ** 2 - (b - labels) ** 2, 0)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.interval == pytest.approx(tuple(expected.confidence_interval()))


def test_a_model_against_itself():
    assert brier_test([1, 0, 1], [0.2, 0.3, 0.4], [0.2, 0.3, 0.4]) == (0.0, (0.0, 0.0), 1.0)


def test_tumors_of_one_patient_do_not_count_as_many():
    rng = np.random.default_rng(2)
    labels, a, b = rng.integers(2, size=30), rng.random(30), rng.random(30)
    alone = brier_test(labels, a, b)
    copied = brier_test(np.tile(labels, 4), np.tile(a, 4), np.tile(b, 4), np.tile(np.arange(30), 4))
    assert copied.difference == pytest.approx(alone.difference)
    assert copied.p == pytest.approx(alone.p)
    assert np.isnan(brier_test([1, 0], [0.5, 0.4], [0.1, 0.2], ["one", "one"]).p)


def test_equal_models_differ_by_chance_as_often_as_stated():
    rng = np.random.default_rng(3)
    p = []
    for _ in range(600):
        risk = rng.random(80)
        labels = (rng.random(80) < risk).astype(int)
        if 0 < labels.sum() < 80:
            noise = rng.normal(0, 0.15, size=(2, 80))
            a, b = np.clip(risk + noise, 0, 1)
            p.append(brier_test(labels, a, b).p)
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.027)

"""A network over a table: what it learns, what it leaves alone."""

from dataclasses import replace

import numpy as np
import pytest

from PDL1PredictorLib.learning.tables.numbers.networks import NetworkMake, TableNetwork, _line
from PDL1PredictorLib.learning.tables.numbers.number_table import UNBOUNDED, Span
from PDL1PredictorLib.recipes.complextransformer import ComplexTransformerRecipe

ANN = replace(ComplexTransformerRecipe().rivals["ann"], epochs=60, patience=10)


def data(n=120, noise=0.3):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4))
    return x, 50 + 15 * (x[:, 0] + noise * rng.normal(size=n))


def test_it_learns_a_line_and_answers_in_the_unit():
    x, y = data()
    model = TableNetwork(ANN, 32, Span(0, 100)).fit(x[:90], y[:90])
    error = np.mean((model.predict(x[90:]) - y[90:]) ** 2)
    assert error < 0.4 * np.var(y[90:])


def test_where_there_is_nothing_it_answers_the_mean_or_little_else():
    x, y = data()
    y = np.random.default_rng(5).permutation(y)
    answers = TableNetwork(ANN, 32, UNBOUNDED).fit(x, y).predict(x)
    assert answers.std() < 0.6 * y.std()
    assert answers.mean() == pytest.approx(y.mean(), abs=0.3 * y.std())


def test_the_same_seed_gives_the_same():
    x, y = data(60)
    first, second = (NetworkMake(ANN, 4, Span(0, 100))(3, 60).fit(x, y, np.arange(60), np.ones(60)) for _ in range(2))
    assert (first.predict(x) == second.predict(x)).all()


def test_the_line_counts_patients():
    values, answers = np.array([0.0, 0, 0, 10, 20]), np.array([0.0, 3, 3, 5, 10])
    # means by patient: answers 2, 5, 10 for 0, 10, 20
    slope, intercept = _line(values, answers, np.array([0, 0, 0, 1, 2]))
    assert (slope, intercept) == pytest.approx(tuple(np.polyfit([2, 5, 10], [0, 10, 20], 1)))
    assert _line(values, -answers, np.arange(5)) == (0.0, 6.0)  # what falls is turned into the mean, not around
    assert _line(values, np.ones(5), np.arange(5)) == (0.0, 6.0)

"""The nomogram: points read off and added up give the model's own probability."""

import numpy as np
import pytest

from PDL1PredictorLib.core.clinical_columns import STANDARD, ClinicalColumn
from PDL1PredictorLib.learning.fitting import FittedModel, Fitting, fit_model
from PDL1PredictorLib.statistics.scores import expit
from PDL1PredictorLib.study.within.making import nomogram_of

NAMES = ("stacked_logit", "age_years", "sex", "stage")
COLUMNS = (*STANDARD, ClinicalColumn("stage", ("I", "II", "III")))


def fitted(strength: float = 1.0) -> FittedModel:
    rng = np.random.default_rng(2)
    n = 300
    x = np.column_stack([rng.normal(size=n), rng.normal(62, 9, n), rng.integers(0, 2, n), rng.integers(0, 3, n)])
    odds = strength * (x[:, 0] - 0.05 * (x[:, 1] - 62) + 0.4 * x[:, 3])
    labels = (rng.random(n) < expit(odds)).astype(int)
    return fit_model(x, labels, Fitting(1, 10, kinds=("logistic regression",)), seed=1)


def test_the_points_of_every_value_add_up_to_the_models_probability():
    model = fitted()
    found = nomogram_of(model, NAMES, COLUMNS)
    axes = {axis.name: axis for axis in found.axes}
    assert [tick.label for tick in axes["sex"].ticks] == ["male", "female"]
    assert [tick.label for tick in axes["stage"].ticks] == ["I", "II", "III"]
    assert max(tick.points for axis in found.axes for tick in axis.ticks) == pytest.approx(100)
    assert min(tick.points for axis in found.axes for tick in axis.ticks) == pytest.approx(0, abs=1e-9)
    coded = {"sex": ["male", "female"], "stage": ["I", "II", "III"]}
    rng = np.random.default_rng(7)
    for _ in range(50):
        ticks = {name: axis.ticks[rng.integers(len(axis.ticks))] for name, axis in axes.items()}
        values = [coded[n].index(t.label) if n in coded else float(t.label) for n, t in ticks.items()]
        points = sum(tick.points for tick in ticks.values())
        assert expit(np.array(found.log_odds(points))) == pytest.approx(model.probability(np.array([values]))[0])
        assert -1e-9 <= points <= found.most + 1e-9


def test_probabilities_stand_where_the_model_gives_them():
    found = nomogram_of(fitted(), NAMES, COLUMNS)
    assert len(found.totals) > 4
    for tick in found.totals:
        assert expit(np.array(found.log_odds(tick.points))) == pytest.approx(float(tick.label))


def test_no_axis_ends_at_a_patients_value():
    model = fitted()
    raw = model.inputs * model.sd + model.mean
    ages = [float(tick.label) for tick in nomogram_of(model, NAMES, COLUMNS).axes[1].ticks]
    assert not {raw[:, 1].min(), raw[:, 1].max()} & set(ages)
    assert raw[:, 1].min() < min(ages) < max(ages) < raw[:, 1].max()


def test_a_model_that_learned_nothing_has_none():
    model = fitted(strength=0.0)
    if model.learned:
        model = FittedModel(**{**vars(model), "slope": 0.0})
    assert nomogram_of(model, NAMES, COLUMNS) is None

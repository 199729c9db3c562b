"""Principal components as inputs: as many as hold the variance, of training cases alone, alike in every fold."""

import numpy as np
import pytest

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import SILENT
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.crossfit import learn
from PDL1PredictorLib.learning.parts.pca import PcaLearner
from PDL1PredictorLib.learning.training_set import TrainingSet

NAMES = tuple(f"tumor_{i}" for i in range(12))


def training(n: int = 90) -> TrainingSet:
    """Two directions that share all twelve features but a little noise; one feature is a constant."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(n, 2)) * [3.0, 1.5]
    features = hidden @ rng.normal(size=(2, 12)) + 0.05 * rng.normal(size=(n, 12))
    features[:, 11] = 7.0
    labels = {"PDL1": Target("binary", (hidden[:, 0] + rng.normal(size=n) > 0) * 1.0)}
    cohort = PreparedCohort(tuple(map(str, range(n))), labels, {"features": features}, NAMES)
    return TrainingSet(cohort, np.array(cohort.names), np.arange(60), ("PDL1",), seed=1)


def test_two_directions_are_found_and_the_constant_takes_no_part():
    own = training()
    found = PcaLearner().learn(own, own.rows, own.rows[:0], SILENT)
    assert found.names("PDL1") == ("component_1", "component_2")
    np.testing.assert_allclose(found.directions.T @ found.directions, np.eye(2), atol=1e-9)
    assert found.features("PDL1", ()) == NAMES[:11]
    values = found.values(own.cohort, own.rows)
    z = found.standardizer(own.cohort.features[own.rows])[:, :11]
    assert values.var(axis=0).sum() == pytest.approx(0.95 * z.var(axis=0).sum(), rel=0.06)
    assert abs(np.corrcoef(values.T)[0, 1]) < 1e-6


def test_a_greater_share_takes_more_components():
    own = training()
    counts = [PcaLearner(share).learn(own, own.rows, own.rows[:0], SILENT).directions.shape[1] for share in (0.5, 1.0)]
    assert counts == [1, 11]


def test_components_of_the_folds_mean_what_those_of_all_cases_mean():
    own = training()
    learned = learn(own, {"pca": PcaLearner()}, 3)
    honest = learned.honest.of(("pca",), "PDL1")
    kept = learned.parts["pca"].values(own.cohort, learned.rows)
    assert honest.shape == kept.shape == (60, 2)
    for column in range(2):
        assert np.corrcoef(honest[:, column], kept[:, column])[0, 1] > 0.98


def test_a_held_out_case_does_not_shape_its_own_components():
    own = training()
    others = own.rows[1:]
    without = PcaLearner().learn(own, others, own.rows[:1], SILENT)
    changed = own.cohort.features.copy()
    changed[0] += 100.0
    moved = TrainingSet(own.cohort.with_blocks(features=changed), own.patients, own.rows, own.endpoints, own.seed)
    np.testing.assert_array_equal(
        without.directions, PcaLearner().learn(moved, others, own.rows[:1], SILENT).directions
    )

"""Parts of the inputs: what they learn, from which rows, and what the bundle is told."""

import numpy as np
import pytest

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import SILENT
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.crossfit import Inputs, learn
from PDL1PredictorLib.learning.parts.clinical import ClinicalLearner, imputer_of
from PDL1PredictorLib.learning.parts.deep import network_of
from PDL1PredictorLib.learning.parts.radscore import RadScoreLearner
from PDL1PredictorLib.learning.parts.selected import SelectedLearner
from PDL1PredictorLib.learning.parts.volume import VolumeLearner
from PDL1PredictorLib.learning.training_set import TrainingSet

NAMES = ("tumor_original_shape_VoxelVolume", "tumor_a", "ring_a")
LEARNERS = {
    "selected": SelectedLearner(),
    "volume": VolumeLearner(),
    "clinical": ClinicalLearner(("age_years", "sex")),
    "radscore": RadScoreLearner(),
}


def cohort(n: int = 60) -> PreparedCohort:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(n, 3))
    features[:, 0] = np.exp(features[:, 0]) * 1000
    y = 50 + 10 * features[:, 1] + rng.normal(size=n)
    clinical = np.column_stack([rng.uniform(40, 80, n), rng.integers(0, 2, n).astype(float)])
    clinical[::7, 0] = np.nan
    targets = {"TPS": Target("number", y), "EGFR": Target("binary", (y > 50).astype(float))}
    return PreparedCohort(tuple(map(str, range(n))), targets, {"features": features, "clinical": clinical}, NAMES)


@pytest.fixture(scope="module")
def training() -> TrainingSet:
    cases = cohort()
    return TrainingSet(cases, np.array(cases.names), np.arange(50), ("TPS", "EGFR"), seed=1)


@pytest.fixture(scope="module")
def learned(training: TrainingSet):
    return learn(training, LEARNERS, 5)


def test_every_training_case_has_honest_inputs_of_every_part_once(learned):
    assert sorted(learned.rows) == list(range(50))
    x = learned.honest.of(("volume", "clinical", "radscore"), "TPS")
    assert x.shape == (50, 5)
    assert learned.names(("volume", "clinical", "radscore"), "TPS") == (
        "log_volume",
        "age_years",
        "sex",
        "radscore_tumor",
        "radscore_ring",
    )
    assert np.isfinite(x).all()
    assert learned.to_select(("selected", "volume"), "TPS").tolist() == [True, True, True, False]
    assert network_of(learned.parts) is None


def test_a_score_is_learned_for_either_kind(learned):
    weights = learned.parts["radscore"].weights
    assert weights["TPS"]["tumor"]["tumor_a"] > 5
    assert weights["EGFR"]["tumor"]["tumor_a"] > 0
    assert learned.features(("radscore",), "TPS", ()) == tuple(weights["TPS"]["tumor"]) + tuple(weights["TPS"]["ring"])
    assert learned.parts["radscore"].entry("TPS", ()) == {"radscore": weights["TPS"]}


def test_missing_clinical_values_are_estimated_from_the_cases_that_were_learned_from_alone(training):
    fit = np.arange(10, 30)
    part = LEARNERS["clinical"].learn(training, fit, fit[:0], SILENT)
    own = training.cohort.clinical
    values = part.values(training.cohort, np.array([0, 1]))
    same_sex = fit[np.isfinite(own[fit, 0]) & (own[fit, 1] == own[0, 1])]  # at distance 0: all that is known of case 0
    assert values[0, 0] == pytest.approx(own[same_sex, 0].mean())
    assert values[1, 0] == own[1, 0]
    others = training.cohort.with_blocks(clinical=np.where(np.isin(np.arange(60), fit)[:, None], own, own + 100))
    elsewhere = TrainingSet(others, training.patients, training.rows, training.endpoints, 1)
    np.testing.assert_array_equal(
        LEARNERS["clinical"].learn(elsewhere, fit, fit[:0], SILENT).imputer.donors, part.imputer.donors
    )
    assert imputer_of({"clinical": part}) is part.imputer
    assert imputer_of({"volume": LEARNERS["volume"].learn(training, fit, fit[:0], SILENT)}) is None


def test_a_shareable_clinical_part_keeps_centroids(training):
    fit = np.arange(30)
    part = ClinicalLearner(("age_years", "sex"), shareable=True).learn(training, fit, fit[:0], SILENT)
    assert part.imputer.kind == "centroids"
    assert len(part.imputer.donors) <= len(fit) // 5


def test_selected_features_are_standardized_by_the_cases_that_were_learned_from(training):
    fit = np.arange(10, 30)
    part = LEARNERS["selected"].learn(training, fit, fit[:0], SILENT)
    z = part.values(training.cohort, fit)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-12)
    assert part.entry("TPS", ("ring_a", "log_volume")) == {"selected": ["ring_a"]}
    assert part.coefficients("TPS", {"ring_a": 2.0, "log_volume": 1.0}) == {"tumor": {}, "ring": {"ring_a": 2.0}}


def test_the_volume_is_the_logarithm_of_milliliters(training):
    part = LEARNERS["volume"].kept(training, [], SILENT)
    values = part.values(training.cohort, np.array([3]))
    assert values[0, 0] == pytest.approx(np.log(training.cohort.features[3, 0] / 1000))
    assert part.features("TPS", ("log_volume",)) == ()


def test_a_model_of_no_part_has_no_column():
    assert Inputs(4, {}).of((), "TPS").shape == (4, 0)

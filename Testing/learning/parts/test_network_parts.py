"""The network's logit and the L2 sums as inputs: learned once, without the case, and told in the bundle."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.crossfit import learn
from PDL1PredictorLib.learning.deep.learners import DeepModel, OneTraining
from PDL1PredictorLib.learning.parts.deep import DeepFeatureLearner, DeepLogitLearner, network_of, seen_by
from PDL1PredictorLib.learning.parts.l2 import L2ScoreLearner
from PDL1PredictorLib.learning.parts.selected import OriginalLearner
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.networks.deep_ct import DeepCT

NAMES = ("tumor_original_a", "tumor_wavelet-LLH_b", "ring_original_c")
ENDPOINTS = ("PDL1", "EGFR")


def training(n: int = 80) -> TrainingSet:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(n, 3))
    labels = {key: (features[:, 0] + features[:, 2] + rng.normal(size=n) > 0).astype(float) for key in ENDPOINTS}
    targets = {key: Target("binary", values) for key, values in labels.items()}
    cohort = PreparedCohort(tuple(map(str, range(n))), targets, {"features": features}, NAMES)
    return TrainingSet(cohort, np.array(cohort.names), np.arange(60), ENDPOINTS, seed=1)


class Counting:
    """A learner whose logits are the case's number and, of the second endpoint, whether it was fitted on the case."""

    def __init__(self) -> None:
        self.fits: list[int] = []

    def learn(self, fit: np.ndarray, validation: np.ndarray, progress: Progress = SILENT) -> DeepModel:
        self.fits.append(len(fit))
        return DeepModel(
            known=fit,
            features=lambda rows: np.column_stack([rows, rows**2, rows % 7]).astype(float),
            logits=lambda rows: np.column_stack([rows, np.isin(rows, fit)]).astype(float),
            network=lambda: DeepCT(2, 3),
            history=(),
        )

    def kept(self, train: np.ndarray, models: Sequence[DeepModel], progress: Progress = SILENT) -> DeepModel:
        return self.learn(train, train[:0])

    def forget(self) -> None:
        self.fits.clear()


def test_both_parts_of_a_network_come_from_one_training_and_never_saw_the_case():
    counting = Counting()
    shared = OneTraining(counting)
    learners = {"deep": DeepFeatureLearner(shared, 3), "deep_logit": DeepLogitLearner(shared)}
    learned = learn(training(), learners, 3)
    assert counting.fits == [40, 40, 40, 60]
    np.testing.assert_array_equal(learned.honest.of(("deep_logit",), "PDL1")[:, 0], learned.rows)
    np.testing.assert_array_equal(learned.honest.of(("deep_logit",), "EGFR"), np.zeros((60, 1)))
    assert learned.names(("deep_logit",), "PDL1") == ("network_logit",)
    assert network_of(learned.parts) is learned.parts["deep"].model
    seen = seen_by(learned.parts, np.ones((2, 3)), np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_array_equal(seen["deep_logit"]["EGFR"], [[2.0], [4.0]])
    shared.forget()
    assert counting.fits == []


def test_the_bundle_is_told_the_logit_as_a_sum_of_deep_features():
    found = DeepLogitLearner(Counting()).learn(training(), np.arange(40), np.arange(0), SILENT)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = DeepCT(2, 3).eval()
    part = type(found)(
        DeepModel(found.model.known, found.model.features, found.model.logits, lambda: network, ()), ENDPOINTS
    )
    linear = part.entry("EGFR", ())["deep_logit"]["linear"]
    deep = torch.randn(1, 3)
    wanted = network.classifier(deep)[0, 1].item()
    assert deep[0].numpy() @ np.array(linear["coefficients"]) + linear["intercept"] == pytest.approx(wanted, abs=1e-5)


def test_original_features_are_those_of_the_unfiltered_image():
    part = OriginalLearner().learn(training(), np.arange(40), np.arange(0), SILENT)
    assert part.names("PDL1") == ("tumor_original_a", "ring_original_c")
    assert part.form == "selected"
    values = part.values(training().cohort, np.arange(40))
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-12)


def test_the_sum_of_the_l2_model_is_one_input_and_told_by_its_weights():
    cases = training()
    part = L2ScoreLearner().learn(cases, np.arange(40), np.arange(0), SILENT)
    assert (part.form, part.names("PDL1")) == ("l2", ("l2_score",))
    assert (
        set(part.entry("PDL1", ())["l2"]) == set(part.features("PDL1", ())) == {"tumor_original_a", "ring_original_c"}
    )
    values = part.values(cases.cohort, np.arange(60, 80))["PDL1"]
    labels = cases.cohort.targets["PDL1"].values[60:]
    assert values.shape == (20, 1)
    assert values[labels == 1].mean() > values[labels == 0].mean() + 0.5


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_sum_that_is_refuted_by_held_out_cases_goes(sign: float):
    cases, rows = training(), np.arange(60)
    part = L2ScoreLearner().learn(cases, rows, rows[:0], SILENT)
    honest = {key: sign * values for key, values in part.values(cases.cohort, rows).items()}
    kept, values = L2ScoreLearner().checked(cases, rows, part, honest, rows % 3)
    assert bool(kept.weights["PDL1"]) == bool(values["PDL1"].any()) == (sign > 0)

"""The network of volumes as a part: cross-fitted, kept as long as the folds told, exported as it answers."""

from dataclasses import replace

import numpy as np
import pytest

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.answering_files import answering_files
from PDL1PredictorLib.learning.crossfit import learn
from PDL1PredictorLib.learning.deep.volume.settings import VolumeTraining, best_epoch
from PDL1PredictorLib.learning.parts.network import NetworkLearner, answering_of
from PDL1PredictorLib.learning.parts.network_volume import VolumeNetworkLearner, volume_network
from PDL1PredictorLib.learning.training_set import TrainingSet

SMALL = VolumeTraining(epochs=3, patience=2, batch=8, widths=(2, 4), n_deep=3)
ENDPOINTS = ("RESPONSE", "PDL1")


def training(n: int = 30) -> TrainingSet:
    rng = np.random.default_rng(0)
    blocks = {
        "volume": rng.integers(-900, 100, (n, 16, 16, 16)).astype(np.int16),
        "volume_tumor": rng.random((n, 16, 16, 16)) < 0.2,
        "volume_suv": rng.integers(0, 900, (n, 16, 16, 16)).astype(np.int16),
        "pet": np.arange(n) % 3 > 0,
    }
    targets = {key: Target("binary", (rng.random(n) < 0.5) * 1.0) for key in ENDPOINTS}
    cohort = PreparedCohort(tuple(map(str, range(n))), targets, blocks)
    return TrainingSet(cohort, np.array(cohort.names), np.arange(24), ENDPOINTS, seed=1)


def learner(own: TrainingSet, settings: VolumeTraining = SMALL, with_pet: bool = True) -> VolumeNetworkLearner:
    return VolumeNetworkLearner(own.cohort, settings, seed=1, device="cpu", with_pet=with_pet, trainings=3)


def test_its_answers_are_cross_fitted_and_shipped_as_they_are():
    own = training()
    learned = learn(own, {"network": NetworkLearner(learner(own))}, 2)
    assert learned.honest.of(("network",), "PDL1").shape == (24, 1)
    assert learned.names(("network",), "PDL1") == ("network_answer",)
    model = answering_of(learned.parts)
    assert volume_network(learned.parts) is model
    assert model.with_pet
    rows = np.arange(24, 30)
    swapped = model.end_to_end([1, 0], rows[:2])
    files = answering_files(swapped)
    assert (files.entry["inputs"]["picture"], files.entry["slices"]) == ("volume", 0)
    assert swapped.shown["volume"].shape == (2, 5, 16, 16, 16)
    np.testing.assert_allclose(
        model.answers(rows)[:, 0], learned.parts["network"].values(own.cohort, rows)["RESPONSE"][:, 0]
    )
    assert model.maps(rows).shape == (6, 2, 8, 8, 8)


def test_without_the_pet_it_has_three_channels():
    own = training()
    model = learner(own, with_pet=False).learn(own, own.rows[:16], own.rows[16:], SILENT)
    assert model.end_to_end([0], own.rows[:1]).shown["volume"].shape == (1, 3, 16, 16, 16)
    assert not model.with_pet


@pytest.mark.parametrize("patience", [2, None])
def test_the_kept_one_is_trained_as_long_as_was_best_or_as_was_said(patience: int | None):
    own = training()
    one = learner(own, replace(SMALL, patience=patience))
    models = [one.learn(own, own.rows[:16], own.rows[16:], SILENT), one.learn(own, own.rows[8:], own.rows[:8], SILENT)]
    kept = one.kept(own, models, SILENT)
    wanted = SMALL.epochs if patience is None else round(np.mean([best_epoch(model.history) for model in models]))
    assert len(kept.trained.history) == max(1, wanted)
    assert kept.history == models[0].history


def test_the_time_is_told_once_before_the_first_training():
    own, told = training(), []
    one = learner(own)
    for _ in range(2):
        one.learn(own, own.rows[:16], own.rows[16:], Progress(lambda stage, fraction, text: told.append(text)))
    assert ["3 trainings of up to 3 epochs" in text for text in told].count(True) == 1
    assert "an epoch takes about" in told[0]
    one.forget()


def test_a_leak_test_s_labels_are_those_that_teach():
    own = training()
    turned = own.cohort.with_targets({key: replace(t, values=1 - t.values) for key, t in own.cohort.targets.items()})
    other = TrainingSet(turned, own.patients, own.rows, own.endpoints, own.seed)
    one = learner(own)
    answers = [one.learn(of, own.rows[:16], own.rows[16:], SILENT).answers(np.arange(24, 30)) for of in (own, other)]
    assert not np.allclose(*answers)

"""A network that is trained end to end is a part like any: cross-fitted, calibrated, shipped, and run without torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from small_model import tiny_card
from torch import Tensor
from toy_recipe import FEW, ToyRecipe

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.roles import ModelName
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.export import About, export_bundle
from PDL1PredictorLib.learning.parts.network import NetworkLearner, answering_of
from PDL1PredictorLib.learning.parts.part import PartLearner, Place
from PDL1PredictorLib.learning.recipe import ModelPlan
from PDL1PredictorLib.learning.trained import EndToEnd
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.predictor import Given
from PDL1PredictorLib.models.schema.network import NetworkInputs
from PDL1PredictorLib.networks.output import AnsweringModule, Output
from PDL1PredictorLib.study.run import StudyRun, run_study
from PDL1PredictorLib.study.setup import Study

COLUMNS = ("tumor_original_firstorder_Mean", "ring_original_firstorder_Mean")
TRUTH = 1 - 6**2 / (8**2 + 5**2 + 6**2)  # 0.71: R2 that no model can exceed on average


def made_up(n: int) -> PreparedCohort:
    """Cases whose TPS is 50 + 8 and 5 SDs of two features, with noise of 6."""
    rng = np.random.default_rng(0)
    names = FEW.feature_names()
    z = rng.normal(size=(n, len(names)))
    tps = 50 + z[:, [names.index(name) for name in COLUMNS]] @ [8, 5] + rng.normal(0, 6, n)
    target = Target("number", np.clip(tps, 0, 100), low=0.0, high=100.0)
    return PreparedCohort(tuple(f"c{i:03}" for i in range(n)), {"TPS": target}, {"features": 100 + 10 * z}, names)


class OneLayer(AnsweringModule):
    """Answers are a layer of the table."""

    kind = "transformer"

    def __init__(self, weights: np.ndarray) -> None:
        super().__init__()
        self.classifier = torch.nn.Linear(len(weights) - 1, 1)
        with torch.no_grad():
            self.classifier.weight.copy_(torch.from_numpy(weights[None, :-1]))
            self.classifier.bias.copy_(torch.from_numpy(weights[-1:]))

    def forward(self, picture: Tensor | None, table: Tensor | None) -> Output:
        return Output(self.classifier(table))


@dataclass(frozen=True, eq=False)
class LayerModel:
    """What was fitted on some rows."""

    cohort: PreparedCohort
    module: OneLayer
    mean: np.ndarray
    sd: np.ndarray
    known: np.ndarray
    history: ClassVar[tuple[dict[str, float], ...]] = ({"train": 1.0, "validation": 2.0},)
    columns: ClassVar[tuple[str, ...]] = COLUMNS

    def _table(self, rows: np.ndarray) -> np.ndarray:
        return ((raw(self.cohort, rows) - self.mean) / self.sd).astype(np.float32)

    def answers(self, rows: np.ndarray) -> np.ndarray:
        assert not set(rows) & set(self.known), "a case was answered by a network that had seen it"
        with torch.no_grad():
            return self.module(None, torch.from_numpy(self._table(rows))).answers.double().numpy()

    def end_to_end(self, outputs: Sequence[int], rows: np.ndarray) -> EndToEnd:
        inputs = NetworkInputs("none", COLUMNS, tuple(self.mean.tolist()), tuple(self.sd.tolist()))
        return EndToEnd(self.module.with_outputs(outputs), inputs, {"table": self._table(rows)}, self.history)


def raw(cohort: PreparedCohort, rows: np.ndarray) -> np.ndarray:
    return cohort.features[np.ix_(rows, [cohort.feature_names.index(name) for name in COLUMNS])]


class LayerLearner:
    """Least squares on the standardized target."""

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> LayerModel:
        x, y = raw(training.cohort, fit), training.cohort.targets["TPS"].values[fit]
        mean, sd = x.mean(0), x.std(0)
        design = np.column_stack([(x - mean) / sd, np.ones(len(x))])
        weights = np.linalg.lstsq(design, (y - y.mean()) / y.std(), rcond=None)[0]
        return LayerModel(training.cohort, OneLayer(weights.astype(np.float32)).eval(), mean, sd, fit)

    def kept(self, training: TrainingSet, models: Sequence[LayerModel], progress: Progress) -> LayerModel:
        return self.learn(training, training.rows, training.rows[:0], progress)

    def forget(self) -> None:
        pass


@dataclass(frozen=True)
class NetworkRecipe(ToyRecipe):
    models: ClassVar[tuple[ModelPlan, ...]] = (
        ModelPlan(ModelName("Network", "lead"), ("network",), "ridge", order=1),
        ModelPlan(ModelName("Mean", "baseline"), (), "mean"),
    )

    def learners(self, cohort: PreparedCohort, place: Place) -> Mapping[str, PartLearner]:
        return {"network": NetworkLearner(LayerLearner())}


@pytest.fixture(scope="module")
def cohort() -> PreparedCohort:
    return made_up(200)


@pytest.fixture(scope="module")
def found(cohort: PreparedCohort) -> StudyRun:
    return run_study(Study(cohort, cohort.names, NetworkRecipe(), workers=1))


def test_a_networks_answers_are_cross_fitted_and_find_a_known_line(found: StudyRun):
    outcome = found.endpoints["TPS"]
    values, truths = outcome.models["Network"].value, outcome.labels
    assert 1 - np.mean((values - truths) ** 2) / truths.var() == pytest.approx(TRUTH, abs=0.15)
    assert outcome.input_names == ("network_answer",)
    assert answering_of(found.kept.learned.parts).history[0]["validation"] == 2.0


def test_the_bundle_answers_as_the_study_did(found: StudyRun, cohort: PreparedCohort, tmp_path: Path):
    trained = found.trained
    assert (trained.needs.picture, trained.used_features) == ("none", tuple(sorted(COLUMNS)))
    words = {"title": "toy", "intended_use": "tests", "cohort": "made up", "limitations": ()}
    bundle = export_bundle(trained, About(card=tiny_card, **words), tmp_path / "m")
    assert bundle.manifest["network"]["inputs"]["table"] == list(COLUMNS)
    predictor = load_predictor(bundle)
    assert predictor.used_features == set(COLUMNS)
    model, outcome = predictor.manifest.endpoints[0], found.endpoints["TPS"]
    for case, value in list(zip(outcome.cases, outcome.models["Network"].value, strict=True))[:5]:
        features = dict(zip(cohort.feature_names, cohort.features[cohort.names.index(case)], strict=True))
        given = Given(features, None, 1.0)
        output = predictor._run(given, "cpu", "auto")
        assert predictor.answer_for(model, predictor.inputs(given, output.deep, output.answers)).value == pytest.approx(
            value, abs=1e-3
        )

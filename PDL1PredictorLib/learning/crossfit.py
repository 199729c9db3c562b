"""Inputs of the classifiers: RadScores and deep features, honest where the classifiers learn.

A network's deep features, and a LASSO's score, look better on the cases they were fitted on than on the next patient.
Classifiers that were fitted on such inputs would trust them too much. Here they only ever see cross-fitted inputs: each
training case's come from a network and a selection that have not seen it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import orthogonal_procrustes

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.regions import REGIONS
from PDL1PredictorLib.learning.deep.learners import DeepLearner, DeepModel
from PDL1PredictorLib.learning.model_names import DEEP, FUSED, RADIOMICS, VOLUME
from PDL1PredictorLib.learning.selection import Standardizer, fit_radscore, fit_standardizer, radscore
from PDL1PredictorLib.models.schema.endpoints import input_names
from PDL1PredictorLib.recipes.deepradscore import StudyRecipe
from PDL1PredictorLib.statistics.discrimination import auc

Coefficients = dict[str, dict[str, dict[str, float]]]
"""Endpoint to region to feature name to coefficient."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs of n cases.

    Attributes:
        deep: (n, n_deep).
        radscores: Endpoint to (n, 2), tumor and ring.
        volumes_ml: (n,).
    """

    deep: np.ndarray
    radscores: Mapping[str, np.ndarray]
    volumes_ml: np.ndarray

    def of(self, model: str, endpoint: str) -> np.ndarray:
        """What one of `outcome.MODELS` is given, (n, d)."""
        if model == VOLUME:
            return np.asarray(np.log(self.volumes_ml)[:, None])
        if model == DEEP:
            return self.deep
        if model == RADIOMICS:
            return self.radscores[endpoint]
        return np.column_stack([self.deep, self.radscores[endpoint]])

    def names(self, model: str) -> tuple[str, ...]:
        """Names of the columns of `of`."""
        n_deep = self.deep.shape[1]
        names = input_names(n_deep)
        return {VOLUME: ("log_volume",), RADIOMICS: names[n_deep:], DEEP: names[:n_deep], FUSED: names}[model]


@dataclass(frozen=True, eq=False)
class RadScores:
    """Feature selection and RadScores of every endpoint, learned from some cases.

    Attributes:
        standardizer: Of all features.
        coefficients: Of the selected ones.
        names: Of all features.
    """

    standardizer: Standardizer
    coefficients: Coefficients
    names: tuple[str, ...]

    def of(self, features: np.ndarray) -> dict[str, np.ndarray]:
        """Endpoint to (n, 2) for features (n, f)."""
        z = self.standardizer(features)
        return {
            key: np.column_stack([radscore(z, self.names, regions[region]) for region in REGIONS])
            for key, regions in self.coefficients.items()
        }


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """What is learned from.

    Attributes:
        cohort: All n cases.
        patients: Of each case, (n,).
        rows: Of the training cases, ascending.
        endpoints: Those that get a model.
        recipe: How.
    """

    cohort: PreparedCohort
    patients: np.ndarray
    rows: np.ndarray
    endpoints: tuple[str, ...]
    recipe: StudyRecipe

    def folds(self, n: int) -> list[np.ndarray]:
        """Rows of n parts, by patient and stratified."""
        rng = np.random.default_rng([self.recipe.seed, 12])
        parts = stratified_parts(self.patients[self.rows], self.cohort.labels[self.rows], (1 / n,) * n, rng)
        return [self.rows[part] for part in parts]

    def radscores(self, rows: np.ndarray, progress: Progress = SILENT) -> RadScores:
        """Features selected and weighed on these rows alone."""
        return fit_radscores(self.cohort, rows, self.endpoints, self.recipe.seed, progress)


@dataclass(frozen=True, eq=False)
class Learned:
    """What was learned from training cases, and the honest inputs that follow.

    Attributes:
        rows: Training cases, rows of the cohort in the order of `honest`, (n,).
        honest: Their inputs.
        radscores: For cases to come.
        deep: For cases to come.
        held_out: Pairs of rows: what a distance to the cohort may be learned from, and measured on.
    """

    rows: np.ndarray
    honest: Inputs
    radscores: RadScores
    deep: DeepModel
    held_out: tuple[tuple[np.ndarray, np.ndarray], ...]

    def inputs(self, cohort: PreparedCohort, rows: np.ndarray) -> Inputs:
        """Inputs of cases that nothing here was fitted on."""
        return _inputs(cohort, rows, self.radscores, self.deep)


def learn(training: TrainingSet, learner: DeepLearner, progress: Progress = SILENT) -> Learned:
    """Learn fold by fold, so that every training case gets inputs from a learning without it.

    What is kept for cases to come is learned from all training cases in the end. The deep features of two networks
    need not mean the same, so each fold's are turned onto those of the network that is kept.

    Args:
        training: Cases and how.
        learner: Of the deep features.
        progress: Told on the way.

    Raises:
        InputError: Fewer patients than folds, or what the learner raises.
    """
    cohort, folds = training.cohort, training.folds(learner.n_folds)
    held_out = tuple((np.setdiff1d(training.rows, fold), fold) for fold in folds)
    networks, selections = [], []
    share = 0.95 / (len(folds) + 1)
    for number, (others, fold) in enumerate(held_out):
        name = f"fold {number + 1} of {len(folds)}"
        with progress.part("network", number * share, (number + 0.85) * share, name) as part:
            networks.append(learner.learn(others, fold, part))
        with progress.part("selection", (number + 0.85) * share, (number + 1) * share, "selecting features") as part:
            selections.append(training.radscores(others, part))
    with progress.part("network", 0.95 - share, 0.95, "all training cases") as part:
        deep = learner.kept(training.rows, networks, part)
    with progress.part("selection", 0.95, 1.0, "selecting features on all training cases") as part:
        radscores = training.radscores(training.rows, part)
    parts = [
        _inputs(cohort, fold, selection, turned(network, deep))
        for fold, selection, network in zip(folds, selections, networks, strict=True)
    ]
    honest = Inputs(
        np.concatenate([part.deep for part in parts]),
        {key: np.concatenate([part.radscores[key] for part in parts]) for key in training.endpoints},
        np.concatenate([part.volumes_ml for part in parts]),
    )
    rows = np.concatenate(folds)
    radscores, honest = without_failed(cohort, rows, radscores, honest)
    return Learned(rows, honest, radscores, deep, held_out)


def without_failed(
    cohort: PreparedCohort, rows: np.ndarray, radscores: RadScores, honest: Inputs
) -> tuple[RadScores, Inputs]:
    """Drop every RadScore that tells held-out cases apart no better than chance: its coefficients go, its values are 0.

    A RadScore is high for positive cases by construction. In few cases without signal, one that was fitted on most of
    them tends to be low for the rest, and a classifier would learn to turn it around.

    Args:
        cohort: All cases.
        rows: Cases with honest inputs.
        radscores: Of all training cases.
        honest: Cross-fitted inputs of `rows`.
    """
    coefficients, values = dict(radscores.coefficients), dict(honest.radscores)
    for key, regions in radscores.coefficients.items():
        labels = cohort.labels[rows, cohort.endpoints.index(key)]
        known = np.isfinite(labels)
        kept = [auc(labels[known], values[key][known, column]).value > 0.5 for column in range(len(REGIONS))]
        coefficients[key] = {
            region: regions[region] if keep else {} for region, keep in zip(REGIONS, kept, strict=True)
        }
        values[key] = values[key] * kept
    return replace(radscores, coefficients=coefficients), replace(honest, radscores=values)


def fit_radscores(
    cohort: PreparedCohort, rows: np.ndarray, endpoints: tuple[str, ...], seed: int, progress: Progress = SILENT
) -> RadScores:
    """Standardize, select and weigh features on `rows` alone, for every endpoint and region."""
    names = cohort.feature_names
    standardizer = fit_standardizer(cohort.features[rows])
    z = standardizer(cohort.features[rows])
    of_region = {region: np.array([name.startswith(f"{region}_") for name in names]) for region in REGIONS}
    coefficients: Coefficients = {}
    for number, key in enumerate(endpoints):
        progress.step("selection", number / len(endpoints), key)
        labels = cohort.labels[rows, cohort.endpoints.index(key)]
        known = np.isfinite(labels)
        coefficients[key] = {
            region: fit_radscore(z[known], labels[known].astype(int), names, standardizer.varies & here, seed)
            for region, here in of_region.items()
        }
    return RadScores(standardizer, coefficients, names)


def turned(model: DeepModel, target: DeepModel) -> DeepModel:
    """The same deep features, shifted and rotated onto those of `target`.

    By least squares over the cases that both were fitted on. Source: Schoenemann 1966, doi 10.1007/BF02289451
    (orthogonal Procrustes problem).
    """
    if model is target:
        return model
    shared = np.intersect1d(model.known, target.known)
    own, wanted = model.features(shared), target.features(shared)
    rotation, _ = orthogonal_procrustes(own - own.mean(0), wanted - wanted.mean(0))

    def features(rows: np.ndarray) -> np.ndarray:
        return np.asarray((model.features(rows) - own.mean(0)) @ rotation + wanted.mean(0))

    return replace(model, features=features)


def _inputs(cohort: PreparedCohort, rows: np.ndarray, radscores: RadScores, deep: DeepModel) -> Inputs:
    return Inputs(deep.features(rows), radscores.of(cohort.features[rows]), cohort.volumes_ml[rows])

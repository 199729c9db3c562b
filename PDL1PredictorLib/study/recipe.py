"""The recipe `demo`: Deep-RadScore on the synthetic cohort, from nothing to a bundle, by one call.

The cases are split once. On the fit cases the features are selected and the network is trained; on the validation
cases (25 %), which neither has seen, the classifier is chosen, fitted and calibrated; on the test cases, which
nothing has seen, it is measured.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.covariance import LedoitWolf

from PDL1PredictorLib.core.endpoints import DEEPRADSCORE_ENDPOINTS
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.models.manifest import REGIONS
from PDL1PredictorLib.radiomics.settings import FeatureSettings, preset
from PDL1PredictorLib.statistics.discrimination import Auc, auc
from PDL1PredictorLib.study.deep_training import DeepTraining, deep_features, train_deep_ct
from PDL1PredictorLib.study.fitting import FittedModel, Fitting, fit_model
from PDL1PredictorLib.study.fusion import N_REPEATS
from PDL1PredictorLib.study.prepare import PhantomSource, PreparedCohort, prepare
from PDL1PredictorLib.study.selection import fit_radscore, fit_standardizer, radscore
from PDL1PredictorLib.study.trained import Reference, Trained, TrainedEndpoint

LEAST_PER_CLASS = 5  # in the validation cases: fewer cannot be spread over five folds


@dataclass(frozen=True)
class DemoRecipe:
    """Everything that decides what comes out.

    Attributes:
        seed: Of the cohort, the split, the network and the folds.
        n_train: Cases to learn from, a quarter of which fit and calibrate the classifier.
        n_test: Cases to measure on.
        endpoints: In this order.
        regions: How the regions are made.
        features: How they are measured.
        deep: How the network is trained.
        coverage: Of the prediction sets.
        n_repeats: Repetitions of the cross-validation that chooses the classifier.
        n_bootstrap: Resampled calibrations.
    """

    seed: int = 1
    n_train: int = 900
    n_test: int = 300
    endpoints: tuple[str, ...] = DEEPRADSCORE_ENDPOINTS
    regions: RegionSettings = field(default_factory=RegionSettings)
    features: FeatureSettings = field(default_factory=lambda: preset("deepradscore"))
    deep: DeepTraining = field(default_factory=DeepTraining)
    coverage: float = 0.9
    n_repeats: int = N_REPEATS
    n_bootstrap: int = 200

    def __post_init__(self) -> None:
        if not 40 <= self.n_train <= 100_000:
            raise InputError(f"The recipe needs 40 to 100000 training cases, got {self.n_train}.")
        if not 20 <= self.n_test <= 100_000:
            raise InputError(f"The recipe needs 20 to 100000 test cases, got {self.n_test}.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def train_demo(
    recipe: DemoRecipe,
    cache: Path,
    device: str = "cpu",
    start: Path | None = None,
    workers: int | None = None,
    progress: Progress = SILENT,
) -> Trained:
    """Make the cohort, train and measure.

    Args:
        recipe: What to do.
        cache: Folder for prepared cases; a run that was stopped goes on from there.
        device: Where the network is trained.
        start: Weight file to start the backbone from; from scratch without one.
        workers: Processes that prepare cases.
        progress: Told on the way.

    Raises:
        InputError: The cases are too few for a RadScore.
    """
    cohort = _cohort(recipe, cache, workers, progress)
    rows = np.random.default_rng([recipe.seed, 1]).permutation(recipe.n_train)
    n_validation = recipe.n_train // 4
    fit, validation = cohort.take(rows[n_validation:]), cohort.take(rows[:n_validation])
    test = cohort.take(np.arange(recipe.n_train, len(cohort)))

    with progress.part("network", 0.35, 0.85, "training the network") as part:
        deep = train_deep_ct(fit, validation, recipe.deep, recipe.seed, device, start, part)
        deep_validation, _ = deep_features(deep.network, validation)
        deep_test, _ = deep_features(deep.network, test)

    standardizer = fit_standardizer(fit.features)
    z_fit, z_validation, z_test = (standardizer(part.features) for part in (fit, validation, test))
    trained: dict[str, TrainedEndpoint] = {}
    left_out: dict[str, str] = {}
    with progress.part("fusion", 0.85, 0.99, "selecting features and fusing") as part:
        for column, key in enumerate(recipe.endpoints):
            part.step("fusion", column / len(recipe.endpoints), key)
            reason = _too_few(validation.labels[:, column]) or _too_few(fit.labels[:, column])
            if reason:
                left_out[key] = reason
                continue
            learner = _EndpointLearner(recipe, key, column, fit.feature_names, standardizer.varies)
            coefficients = learner.radscores(z_fit, fit.labels)
            trained[key] = learner.fuse(
                coefficients, (deep_validation, z_validation, validation.labels), (deep_test, z_test, test.labels)
            )
    reference = _reference(trained, fit.feature_names, z_fit, z_validation)
    return Trained(
        recipe=recipe,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        deep=deep,
        standardizer=standardizer,
        feature_names=cohort.feature_names,
        endpoints=trained,
        left_out=left_out,
        reference=reference,
        n_fit=len(fit),
        n_validation=len(validation),
        n_test=len(test),
    )


def _cohort(recipe: DemoRecipe, cache: Path, workers: int | None, progress: Progress) -> PreparedCohort:
    sources = [PhantomSource(recipe.seed, index) for index in range(recipe.n_train + recipe.n_test)]
    with progress.part("prepare", 0.0, 0.35, "making patients and measuring them") as part:
        return prepare(sources, recipe.endpoints, recipe.regions, recipe.features, cache, workers, part)


def _too_few(labels: np.ndarray) -> str | None:
    positive, negative = int(np.nansum(labels == 1)), int(np.nansum(labels == 0))
    if min(positive, negative) >= LEAST_PER_CLASS:
        return None
    return f"{positive} positive and {negative} negative cases in one part; {LEAST_PER_CLASS} of each are needed"


@dataclass(frozen=True, eq=False)
class _EndpointLearner:
    """The steps that are the same for every endpoint."""

    recipe: DemoRecipe
    key: str
    column: int
    names: Sequence[str]
    varies: np.ndarray

    def radscores(self, z: np.ndarray, labels: np.ndarray) -> dict[str, dict[str, float]]:
        known = np.isfinite(labels[:, self.column])
        y = labels[known, self.column].astype(int)
        coefficients = {}
        for region in REGIONS:
            here = np.array([name.startswith(f"{region}_") for name in self.names])
            coefficients[region] = fit_radscore(z[known], y, self.names, self.varies & here, self.recipe.seed)
        return coefficients

    def fuse(
        self,
        coefficients: dict[str, dict[str, float]],
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
        test: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> TrainedEndpoint:
        """Choose, fit and calibrate on validation, measure on test; each is (deep features, z-scores, labels)."""
        x, y = self._inputs(coefficients, *validation)
        how = Fitting(self.recipe.n_repeats, self.recipe.n_bootstrap, self.recipe.coverage)
        rng = np.random.default_rng([self.recipe.seed, 2, self.column])
        model = fit_model(x, y, how, self.recipe.seed, rng)
        return TrainedEndpoint(coefficients, model, self._test_auc(model, coefficients, test))

    def _inputs(
        self, coefficients: dict[str, dict[str, float]], deep: np.ndarray, z: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        scores = [radscore(z, self.names, coefficients[region]) for region in REGIONS]
        known = np.isfinite(labels[:, self.column])
        return np.column_stack([deep, *scores])[known], labels[known, self.column].astype(int)

    def _test_auc(
        self,
        model: FittedModel,
        coefficients: dict[str, dict[str, float]],
        test: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Auc | None:
        x, y = self._inputs(coefficients, *test)
        return None if y.min() == y.max() else auc(y, model.raw_probability(x))


def _reference(
    trained: dict[str, TrainedEndpoint], names: Sequence[str], z_fit: np.ndarray, z_validation: np.ndarray
) -> Reference:
    used = sorted({name for model in trained.values() for region in REGIONS for name in model.coefficients[region]})
    if not used:
        raise InputError(
            f"No radiomic feature told the classes of any endpoint apart in the {len(z_fit)} cases that features are "
            "selected on, so there is no RadScore. Train on more cases."
        )
    columns = [list(names).index(name) for name in used]
    fitted = LedoitWolf().fit(z_fit[:, columns])
    distances = np.sqrt(fitted.mahalanobis(z_validation[:, columns]))
    return Reference(tuple(used), fitted.location_, fitted.precision_, float(np.percentile(distances, 99)))

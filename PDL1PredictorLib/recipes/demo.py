"""The recipe `demo`: Deep-RadScore on the synthetic cohort, from nothing to a bundle, by one call.

The cases are split once. On the fit cases the features are selected and the network is trained; on the validation
cases (25 %), which neither has seen, the classifier is chosen, fitted and calibrated; on the test cases, which
nothing has seen, it is measured.
"""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from PDL1PredictorLib.cohort.prepare import prepare
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.sources import PhantomSource
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.learning.classifiers import N_REPEATS
from PDL1PredictorLib.learning.crossfit import fit_radscores
from PDL1PredictorLib.learning.deep.inference import deep_features
from PDL1PredictorLib.learning.deep.settings import DeepTraining
from PDL1PredictorLib.learning.deep.training import train_deep_ct
from PDL1PredictorLib.learning.fitting import Fitting, fit_model
from PDL1PredictorLib.learning.reference import reference_of
from PDL1PredictorLib.learning.trained import Trained, TrainedEndpoint
from PDL1PredictorLib.radiomics.settings import FeatureSettings, preset
from PDL1PredictorLib.recipes.deepradscore import ENDPOINTS
from PDL1PredictorLib.statistics.discrimination import auc

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
    endpoints: tuple[str, ...] = ENDPOINTS
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

    usable, left_out = _usable(recipe.endpoints, fit, validation)
    with progress.part("fusion", 0.85, 0.99, "selecting features and fusing") as part:
        radscores = fit_radscores(cohort, rows[n_validation:], usable, recipe.seed)
        scores_validation, scores_test = radscores.of(validation.features), radscores.of(test.features)
        trained: dict[str, TrainedEndpoint] = {}
        for number, key in enumerate(usable):
            part.step("fusion", number / len(usable), key)
            trained[key] = _fuse(
                recipe,
                key,
                radscores.coefficients[key],
                _known(validation, key, deep_validation, scores_validation[key]),
                _known(test, key, deep_test, scores_test[key]),
            )
    return Trained(
        recipe=recipe,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        deep=deep,
        standardizer=radscores.standardizer,
        feature_names=cohort.feature_names,
        endpoints=trained,
        left_out=left_out,
        reference=reference_of(radscores, cohort.features, [(rows[n_validation:], rows[:n_validation])]),
        n_fit=len(fit),
        n_validation=len(validation),
        n_test=len(test),
    )


def _cohort(recipe: DemoRecipe, cache: Path, workers: int | None, progress: Progress) -> PreparedCohort:
    sources = [PhantomSource(recipe.seed, index) for index in range(recipe.n_train + recipe.n_test)]
    with progress.part("prepare", 0.0, 0.35, "making patients and measuring them") as part:
        return prepare(sources, recipe.endpoints, recipe.regions, recipe.features, cache, workers, part)


def _usable(
    endpoints: tuple[str, ...], fit: PreparedCohort, validation: PreparedCohort
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Endpoints with enough cases of both classes in both parts, and the reasons of the others."""
    reasons = {
        key: _too_few(validation.labels[:, column]) or _too_few(fit.labels[:, column])
        for column, key in enumerate(endpoints)
    }
    return tuple(key for key in endpoints if not reasons[key]), {key: text for key, text in reasons.items() if text}


def _too_few(labels: np.ndarray) -> str | None:
    positive, negative = int(np.nansum(labels == 1)), int(np.nansum(labels == 0))
    if min(positive, negative) >= LEAST_PER_CLASS:
        return None
    return f"{positive} positive and {negative} negative cases in one part; {LEAST_PER_CLASS} of each are needed"


def _known(
    cohort: PreparedCohort, endpoint: str, deep: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (n, n_deep + 2) and labels (n,) of the cases whose label is known."""
    labels = cohort.labels[:, cohort.endpoints.index(endpoint)]
    known = np.isfinite(labels)
    return np.column_stack([deep, scores])[known], labels[known].astype(int)


def _fuse(
    recipe: DemoRecipe,
    endpoint: str,
    coefficients: dict[str, dict[str, float]],
    validation: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
) -> TrainedEndpoint:
    """Choose, fit and calibrate on validation, measure on test; each is (inputs, labels)."""
    how = Fitting(recipe.n_repeats, recipe.n_bootstrap, recipe.coverage)
    rng = np.random.default_rng([recipe.seed, 2, recipe.endpoints.index(endpoint)])
    model = fit_model(*validation, how, recipe.seed, rng)
    x, y = test
    measured = None if y.min() == y.max() else auc(y, model.raw_probability(x))
    return TrainedEndpoint(coefficients, model, measured)

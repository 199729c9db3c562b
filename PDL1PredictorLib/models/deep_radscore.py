"""Deep-RadScore: RadScores of tumor and ring and deep features, fused by a classifier into calibrated probabilities.

Source: paper 001 (see `docs/methods.md`); steps 4 and 5 of "One case" in `docs/architecture.md`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from PDL1PredictorLib.core.errors import BundleError, InputError
from PDL1PredictorLib.models.bundle import Bundle
from PDL1PredictorLib.models.contents import read_tables
from PDL1PredictorLib.models.manifest import EndpointModel, read_manifest
from PDL1PredictorLib.models.network import Network
from PDL1PredictorLib.models.onnx_session import Classifier
from PDL1PredictorLib.statistics.conformal import prediction_set

LOG_ODDS_LIMIT = 7.0  # a forest or a neighbor vote of 0 or 1 stands for about 1 in 1000, not for certainty
INTERVAL = (2.5, 97.5)  # percentiles


class Answer(NamedTuple):
    """The answer for one endpoint.

    Attributes:
        probability: Calibrated, 0 to 1.
        interval: 95 %, over the resampled calibrations.
        positive: The call at the threshold.
        prediction_set: Answers that are not ruled out at the design coverage.
    """

    probability: float
    interval: tuple[float, float]
    positive: bool
    prediction_set: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Inputs:
    """The model's inputs for one tumor.

    Attributes:
        deep: Deep features, (n_deep,).
        radscores: By endpoint: (tumor, ring).
        atypicality: Mahalanobis distance to the training cohort over its 99th percentile.
        missing: Used features without a value here, replaced by the training mean.
    """

    deep: np.ndarray
    radscores: Mapping[str, tuple[float, float]]
    atypicality: float
    missing: tuple[str, ...]


class DeepRadScore:
    """A loaded Deep-RadScore bundle.

    Args:
        bundle: As `models.bundle.read_bundle` gives it: complete and with the right hashes.

    Raises:
        BundleError: The manifest, the weights, the tables or a classifier do not fit each other.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self.manifest = read_manifest(bundle)
        self._tables = self._load_tables()
        self.network = Network(
            bundle.name,
            bundle.file(self.manifest.weights),
            self.manifest.backbone,
            self.manifest.n_deep,
            len(self.manifest.endpoints),
        )
        self._classifiers: dict[str, Classifier] = {}

    def inputs(self, deep: np.ndarray, features: Mapping[str, float]) -> Inputs:
        """RadScores and the distance to the training cohort.

        Args:
            deep: Deep features, (n_deep,).
            features: Radiomic features of both regions by name.

        Raises:
            InputError: A feature that the model needs is not among them.
        """
        z, missing = self._standardize(features)
        radscores = {
            model.key: (self._radscore(model, "tumor", z), self._radscore(model, "ring", z))
            for model in self.manifest.endpoints
        }
        atypicality = self._atypicality(z)
        self._finite(np.array([*radscores.values(), (atypicality, 0.0)]), "RadScores or distances")
        return Inputs(self._finite(deep, "deep features"), radscores, atypicality, missing)

    def standardized(self, model: EndpointModel, inputs: Inputs) -> np.ndarray:
        """The fused inputs of one endpoint, standardized as in training: (n_deep + 2,)."""
        raw = np.concatenate([inputs.deep, inputs.radscores[model.key]])
        return np.asarray((raw - np.array(model.input_mean)) / np.array(model.input_sd))

    def log_odds(self, model: EndpointModel, standardized: np.ndarray) -> np.ndarray:
        """Calibrated log-odds of positive for rows of standardized inputs: (n, n_deep + 2) to (n,)."""
        return model.slope * self._raw_log_odds(model, standardized) + model.intercept

    def answer(self, model: EndpointModel, standardized: np.ndarray) -> Answer:
        """The answer for one row of standardized inputs, (n_deep + 2,)."""
        raw = self._raw_log_odds(model, standardized[None])[0]
        probability = float(_expit(model.slope * raw + model.intercept))
        resampled = self._tables[f"calibration/{model.key}"]  # (n, 2): slope, intercept
        low, high = np.percentile(_expit(resampled[:, 0] * raw + resampled[:, 1]), INTERVAL)
        return Answer(
            probability,
            (min(float(low), probability), max(float(high), probability)),
            probability >= model.threshold,
            prediction_set(probability, model.conformal),
        )

    def _raw_log_odds(self, model: EndpointModel, standardized: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):  # too large for 32 bits: told below
            rows = self._finite(np.asarray(standardized).astype(np.float32), f"inputs of {model.key}")
        classifier = self._classifier(model.classifier)
        try:
            return limited_log_odds(classifier.probabilities(rows))
        except ValueError as error:
            raise self._unfit(model.classifier, error) from error

    def _standardize(self, features: Mapping[str, float]) -> tuple[dict[str, float], tuple[str, ...]]:
        mean, sd = self.manifest.feature_mean, self.manifest.feature_sd
        absent = sorted(set(mean) - set(features))
        if absent:
            raise InputError(
                f"The model needs the feature {absent[0]} and {len(absent) - 1} more that were not extracted. "
                "Extract with the model's own feature settings."
            )
        missing = tuple(name for name in mean if not np.isfinite(features[name]))
        z = {name: 0.0 if name in missing else (features[name] - mean[name]) / sd[name] for name in mean}
        return z, missing

    @staticmethod
    def _radscore(model: EndpointModel, region: str, z: Mapping[str, float]) -> float:
        return float(sum(coefficient * z[name] for name, coefficient in model.coefficients[region].items()))

    def _atypicality(self, z: Mapping[str, float]) -> float:
        row = np.array([z[name] for name in self.manifest.reference_features])
        offset = row - self._tables["reference/mean"]
        squared = float(offset @ self._tables["reference/precision"] @ offset)
        return math.sqrt(max(squared, 0.0)) / self.manifest.reference_distance  # a rounding may bring it below 0

    def _load_tables(self) -> dict[str, np.ndarray]:
        manifest = self.manifest
        keys = [model.key for model in manifest.endpoints]
        return read_tables(self._bundle, manifest.tables, len(manifest.reference_features), keys)

    def _classifier(self, file: str) -> Classifier:
        if file not in self._classifiers:
            try:
                self._classifiers[file] = Classifier(self._bundle.file(file))
            except ValueError as error:
                raise self._unfit(file, error) from error
        return self._classifiers[file]

    def _unfit(self, file: str, error: ValueError) -> BundleError:
        return BundleError(f"The classifier {file} of {self._bundle.name} cannot be used: {error}")

    def _finite(self, values: np.ndarray, what: str) -> np.ndarray:
        if not np.isfinite(values).all():
            raise BundleError(
                f"The model {self._bundle.name} gives {what} that are no finite numbers, so its numbers do not fit "
                "each other. No answer is given. Get the bundle again from its source."
            )
        return values


def limited_log_odds(probability: np.ndarray) -> np.ndarray:
    """Log-odds of a classifier's probabilities, kept within a limit: a vote of 0 or 1 is not certainty."""
    edge = float(_expit(np.array(-LOG_ODDS_LIMIT)))
    p = np.clip(probability, edge, 1 - edge)
    return np.asarray(np.log(p / (1 - p)))


def _expit(x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # far below 0 the answer is 0
        return np.asarray(1 / (1 + np.exp(-x)))

"""What training gives, whatever the recipe: all that a bundle is written from."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.learning.deep.settings import DeepTraining
from PDL1PredictorLib.learning.deep.training import TrainedDeepCT
from PDL1PredictorLib.learning.fitting import FittedModel
from PDL1PredictorLib.learning.selection import Standardizer
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.statistics.discrimination import Auc


class Recipe(Protocol):
    """What every recipe says of itself; see `DemoRecipe` for the words."""

    @property
    def seed(self) -> int:
        """Of everything that is drawn."""
        ...

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The network's outputs, in order."""
        ...

    @property
    def regions(self) -> RegionSettings:
        """How the regions are made."""
        ...

    @property
    def features(self) -> FeatureSettings:
        """How they are measured."""
        ...

    @property
    def deep(self) -> DeepTraining:
        """How the network is trained."""
        ...

    @property
    def coverage(self) -> float:
        """Of the prediction sets."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        ...


@dataclass(frozen=True, eq=False)
class TrainedEndpoint:
    """What was learned for one endpoint.

    Attributes:
        coefficients: Per region: feature name to coefficient.
        model: The fused model.
        test_auc: On the test cases; None when they hold one class only.
    """

    coefficients: dict[str, dict[str, float]]
    model: FittedModel
    test_auc: Auc | None


@dataclass(frozen=True, eq=False)
class Reference:
    """What the training cohort looks like, for the out-of-distribution check.

    Attributes:
        features: Names of the selected radiomic features, r of them.
        mean: Of their z-scores over the fit cases, (r,).
        precision: Inverse of their Ledoit-Wolf covariance, (r, r).
        distance_99: 99th percentile of the Mahalanobis distance over the validation cases.
    """

    features: tuple[str, ...]
    mean: np.ndarray
    precision: np.ndarray
    distance_99: float


@dataclass(frozen=True, eq=False)
class Trained:
    """The whole outcome, ready to be written as a bundle.

    Attributes:
        recipe: How it was made.
        created_utc: ISO 8601.
        deep: The network and its history.
        standardizer: Of all features.
        feature_names: Columns of the standardizer.
        endpoints: What was learned, by key.
        left_out: Endpoint to the reason why it has no model.
        reference: For the out-of-distribution check.
        n_fit: Cases that network and RadScores were fitted on.
        n_validation: Further cases that chose and calibrated the classifiers; 0 where these learn from all of the
            former, cross-fitted.
        n_test: Cases that nothing had seen.
    """

    recipe: Recipe
    created_utc: str
    deep: TrainedDeepCT
    standardizer: Standardizer
    feature_names: tuple[str, ...]
    endpoints: dict[str, TrainedEndpoint]
    left_out: dict[str, str]
    reference: Reference
    n_fit: int
    n_validation: int
    n_test: int

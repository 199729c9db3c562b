"""What a study found: the plain arrays from which its report, its tables and its JSON are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from PDL1PredictorLib.core.results import CaseWarning


@dataclass(frozen=True, eq=False)
class ModelOutcome:
    """How one model did on the test cases of one endpoint; all arrays in the order of the endpoint's cases.

    Attributes:
        probability: Calibrated probability of positive, (n,).
        positive: Called positive at the threshold learned in training, (n,) bool; under cross-validation each fold
            has its own threshold.
        classifier: The kind that was chosen; under cross-validation the kinds of the folds, joined by ", ".
        mean_auc: Mean cross-validated AUC in training of every kind of classifier.
        thresholds: Learned in training: name (`youden`, `sensitivity 90 %`) to probability; empty under
            cross-validation.
    """

    probability: np.ndarray
    positive: np.ndarray
    classifier: str
    mean_auc: dict[str, float]
    thresholds: dict[str, float]


@dataclass(frozen=True, eq=False)
class NumberModelOutcome:
    """How one model of a number did on the test cases of one endpoint; all arrays in the order of its cases.

    Attributes:
        value: Predicted, in the endpoint's unit, (n,).
        low: Lower end of the prediction interval at the stated coverage, (n,).
        high: Upper end, (n,).
        regressor: The kind that was fitted; under cross-validation the kinds of the folds, joined by ", ".
        rmse_in_training: Cross-validated root mean squared error in training, of every kind.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    regressor: str
    rmse_in_training: dict[str, float]


@dataclass(frozen=True, eq=False)
class EndpointOutcome:
    """One endpoint.

    Attributes:
        key: Of `core.endpoints`.
        cases: Names of the test cases whose label is known, n of them.
        labels: 0 or 1, (n,).
        models: By name, of `MODELS`, in that order.
        counts: Part of the cohort (`fit`, `validation`, `test`; under cross-validation `all`) to (positive, negative).
        coefficients: Region (`tumor`, `ring`) to feature name to LASSO coefficient, of the final model.
        selected_in: Region to feature name to the share of the folds that selected it; empty without folds.
        input_names: Inputs of the fused classifier, d of them.
        inputs: Their standardized values, (n, d).
        contributions: Shapley values of the fused model in log-odds, (n, d); None where they were not asked for.
        prediction_sets: (n, 2) bool: whether negative, positive is in the conformal set of the fused model.
        bayes_auc: What no model can exceed, known for synthetic cohorts only.
    """

    key: str
    cases: tuple[str, ...]
    labels: np.ndarray
    models: dict[str, ModelOutcome]
    counts: dict[str, tuple[int, int]]
    coefficients: dict[str, dict[str, float]]
    selected_in: dict[str, dict[str, float]]
    input_names: tuple[str, ...]
    inputs: np.ndarray
    contributions: np.ndarray | None
    prediction_sets: np.ndarray
    bayes_auc: float | None = None


@dataclass(frozen=True, eq=False)
class GalleryCase:
    """A test case whose heat map is shown.

    Attributes:
        endpoint: Whose map.
        case: Its name.
        label: 0 or 1.
        probability: Of positive, fused model.
        positive: Called positive.
        hu: The patch, (rows, columns), HU.
        tumor: The contour's mask on it, (rows, columns) bool.
        heat: Grad-CAM on the same grid, 0 to 1, (rows, columns).
    """

    endpoint: str
    case: str
    label: int
    probability: float
    positive: bool
    hu: np.ndarray
    tumor: np.ndarray
    heat: np.ndarray


@dataclass(frozen=True, eq=False)
class StudyOutcome:
    """The whole study.

    Attributes:
        title: One line.
        command: What makes it again.
        design: `split` (trained once, tested on cases that nothing had seen) or `nested cross-validation`.
        settings: The recipe, whole, as plain values for JSON.
        provenance: Versions, seed, device, times; plain values.
        table_1: Rows of the cohort table as `study.describe` makes them; plain values.
        flow: What happened to the cases, in order: (words, number of cases).
        failed: Case name to the reason why it was not used.
        case_warnings: Case name to what must be known of it, for the cases that were used.
        endpoints: By key.
        left_out: Endpoint to the reason why it has no model.
        coverage: Stated coverage of the prediction sets.
        history: Of the network, per epoch: `train` and `validation` loss; under cross-validation of the final model.
        backbones: Rows of the comparison of backbones, plain values; empty when it was not asked for.
        gallery: Right and wrong cases.
        notes: Sentences that the reader must know (sources, licences, what may not be concluded).
    """

    title: str
    command: str
    design: str
    settings: dict[str, Any]
    provenance: dict[str, Any]
    table_1: list[dict[str, Any]]
    flow: list[tuple[str, int]]
    failed: dict[str, str]
    endpoints: dict[str, EndpointOutcome]
    left_out: dict[str, str]
    coverage: float
    history: tuple[dict[str, float], ...] = ()
    backbones: list[dict[str, Any]] = field(default_factory=list)
    gallery: tuple[GalleryCase, ...] = ()
    notes: tuple[str, ...] = ()
    case_warnings: Mapping[str, Sequence[CaseWarning]] = field(default_factory=dict)

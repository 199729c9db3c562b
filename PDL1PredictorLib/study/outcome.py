"""What a study found: the plain arrays from which its report, its tables and its JSON are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.endpoints import Kind
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.core.roles import Role, lead_of
from PDL1PredictorLib.report.pictures import Picture
from PDL1PredictorLib.study.insight import TableInsight
from PDL1PredictorLib.study.within.values import Within

OF_TEST = 0  # the number of the models that answer a study's own test cases; folds count from 1


@dataclass(frozen=True, eq=False)
class ModelOutcome:
    """How one model did on the test cases of one endpoint; all arrays in the order of the endpoint's cases.

    Discrimination comes from `score`, from all repetitions; calibration, decisions and calls from the first one.

    Attributes:
        score: What cases are ranked by, before calibration, (r, n): r repetitions of the outer folds, 1 under `split`;
            scores of different folds are not to be compared.
        probability: Calibrated probability of positive, (n,).
        positive: Called positive at the threshold learned in training, (n,) bool; under cross-validation each fold
            has its own threshold.
        called: Whether there is a call, (n,) bool; none in a fold whose model learned nothing.
        classifier: The kind that was chosen; under cross-validation the kinds of the folds, joined by ", ".
        mean_auc: Mean cross-validated AUC in training of every kind of classifier.
        thresholds: Learned in training: name (`youden`, `sensitivity 90 %`) to probability; empty under
            cross-validation.
        fixed_score: Whether nothing was learned for the score, as for a tumor's volume.
    """

    score: np.ndarray
    probability: np.ndarray
    positive: np.ndarray
    called: np.ndarray
    classifier: str
    mean_auc: dict[str, float]
    thresholds: dict[str, float]
    fixed_score: bool = False


@dataclass(frozen=True, eq=False)
class NumberModelOutcome:
    """How one model of a number did on the test cases of one endpoint; all arrays in the order of its cases.

    Attributes:
        score: What cases are ranked by, before the calibration line, (r, n), as of `ModelOutcome`.
        value: Predicted, in the endpoint's unit, (n,).
        low: Lower end of the prediction interval at the stated coverage, (n,).
        high: Upper end, (n,).
        regressor: The kind that was fitted; under cross-validation the kinds of the folds, joined by ", ".
        rmse_in_training: Cross-validated root mean squared error in training, of every kind.
    """

    score: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    regressor: str
    rmse_in_training: dict[str, float]


@dataclass(frozen=True, eq=False)
class TimeModelOutcome:
    """How one model of a time did on the test cases of one endpoint; all arrays in the order of its cases.

    Attributes:
        score: What cases are ranked by, higher is sooner, (r, n), as of `ModelOutcome`.
        survival: Chance to be free of the event until each of `core.targets.HORIZON_DAYS`, (n, h); NaN where the model
            gives none.
        one_curve: The same of the training cases, whatever their inputs, (n, h).
        kind: Of the model that was fitted; under cross-validation the kinds of the folds, joined by ", ".
        c_in_training: Cross-validated Harrell's C in training, of every kind.
    """

    score: np.ndarray
    survival: np.ndarray
    one_curve: np.ndarray
    kind: str
    c_in_training: dict[str, float]


@dataclass(frozen=True, eq=False)
class Redivision:
    """A test set drawn anew, and what its cases are ranked by; all arrays in the order of its cases.

    Attributes:
        labels: 0 or 1, (n,).
        patients: Of each case, n of them.
        models_of: Which models answered each case: `OF_TEST`, or the number of the fold that held it out, (n,).
        scores: Title of each model to its scores before calibration, (n,); cases of one number can be compared.
    """

    labels: np.ndarray
    patients: tuple[str, ...]
    models_of: np.ndarray
    scores: Mapping[str, np.ndarray]

    @property
    def n_own(self) -> int:
        """How many of the cases are test cases of the study's own division, too."""
        return int((self.models_of == OF_TEST).sum())


@dataclass(frozen=True, eq=False)
class EndpointOutcome:
    """One endpoint.

    Attributes:
        key: Of `core.endpoints`.
        cases: Names of the test cases whose true value is known, n of them.
        labels: 0 or 1, or the true values of a number in the endpoint's unit, or times of `core.targets.FOLLOWED`,
            (n,).
        folds: Number of the fold that each case was a test case of, by repetition, (r, n) integers; zeros under
            `split`.
        patients: Of each case, n of them.
        models: Title to what it answered, in the order of `roles`: `ModelOutcome` of yes/no endpoints,
            `NumberModelOutcome` of numbers, `TimeModelOutcome` of times.
        counts: Part of the cohort (`training`, `test`; under cross-validation `all`) to (positive, negative) of yes/no
            endpoints, to (cases,) of numbers, and to (events, cases without) of times.
        coefficients: Region (`tumor`, `ring`) to feature name to coefficient, of the final model; empty for a recipe
            that selects no features.
        selected_in: Region to feature name to the share of the folds that selected it; empty without folds.
        input_names: Inputs of the lead model, d of them.
        inputs: Their standardized values, (n, d).
        contributions: Shapley values of the lead model, in log-odds or in the endpoint's unit, (n, d); None where they
            were not asked for.
        prediction_sets: (n, 2) bool: whether negative, positive is in the conformal set of the lead model; (0, 2) of
            numbers, whose models have intervals.
        bayes_auc: What no model can exceed, known for synthetic cohorts only.
        kind: Of the endpoint.
        roles: Title to role, of all models that the recipe has.
        groups: Factor of patient or scan to the level of each case, "" where it is not known.
        insight: Into networks over features, where the lead model is one.
        inner_folds: Title of each model that is a network to its figure on each part of the training cases that was
            held out; empty without networks.
        within: What is seen inside, where one model is an input of another.
        redivisions: Further test sets, see `study.held_out.redivisions`; none but of yes/no endpoints under `split`.

    Raises:
        ValueError: A model has no role, not one model has the role lead, or folds, patients, scores or groups are not
            of these cases.
    """

    key: str
    cases: tuple[str, ...]
    labels: np.ndarray
    folds: np.ndarray
    patients: tuple[str, ...]
    models: Mapping[str, ModelOutcome | NumberModelOutcome | TimeModelOutcome]
    counts: Mapping[str, tuple[int, ...]]
    coefficients: dict[str, dict[str, float]]
    selected_in: dict[str, dict[str, float]]
    input_names: tuple[str, ...]
    inputs: np.ndarray
    contributions: np.ndarray | None
    prediction_sets: np.ndarray
    bayes_auc: float | None = None
    kind: Kind = "binary"
    roles: Mapping[str, Role] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    insight: TableInsight | None = None
    inner_folds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    within: Within | None = None
    redivisions: tuple[Redivision, ...] = ()

    def __post_init__(self) -> None:
        lead_of(self.roles)
        if unknown := [title for title in self.models if title not in self.roles]:
            raise ValueError(f"The models {', '.join(unknown)} have no role.")
        n = len(self.labels)
        if self.folds.ndim != 2 or any(model.score.shape != self.folds.shape for model in self.models.values()):
            raise ValueError(f"Scores and folds of {self.key} are not of the same repetitions and cases.")
        if not all(len(of_cases) == n for of_cases in (self.folds[0], self.patients, *self.groups.values())):
            raise ValueError(f"Folds, patients and groups of {self.key} are not of its {n} cases.")

    @property
    def folded(self) -> bool:
        """Whether several models answered, each the cases of its fold."""
        return len(self.folds) > 1 or bool(self.folds.any())

    @property
    def lead(self) -> str:
        """Title of the lead model."""
        return lead_of(self.roles)

    def binary_models(self) -> dict[str, ModelOutcome]:
        """The models of a yes/no endpoint, by title; only those of that kind."""
        return {title: model for title, model in self.models.items() if isinstance(model, ModelOutcome)}

    def number_models(self) -> dict[str, NumberModelOutcome]:
        """The models of a number, by title; only those of that kind."""
        return {title: model for title, model in self.models.items() if isinstance(model, NumberModelOutcome)}

    def time_models(self) -> dict[str, TimeModelOutcome]:
        """The models of a time, by title; only those of that kind."""
        return {title: model for title, model in self.models.items() if isinstance(model, TimeModelOutcome)}


@dataclass(frozen=True, eq=False)
class GalleryPlane:
    """A further plane through a case whose heat map is a volume.

    Attributes:
        name: `coronal` or `sagittal`.
        hu: (rows, columns), HU, superior at the top.
        tumor: The contour's mask on it, bool.
        heat: The map on the same grid, 0 to 1.
    """

    name: str
    hu: np.ndarray
    tumor: np.ndarray
    heat: np.ndarray


@dataclass(frozen=True, eq=False)
class GalleryCase:
    """A test case of a yes/no endpoint whose heat map is shown.

    Attributes:
        endpoint: Whose map.
        case: Its name.
        label: 0 or 1.
        probability: Of positive, lead model.
        positive: Called positive.
        hu: The patch, (rows, columns), HU.
        tumor: The contour's mask on it, (rows, columns) bool.
        heat: Grad-CAM on the same grid, 0 to 1, (rows, columns).
        others: Two further planes of a map that is a volume; none of one of a slice.
    """

    endpoint: str
    case: str
    label: int
    probability: float
    positive: bool
    hu: np.ndarray
    tumor: np.ndarray
    heat: np.ndarray
    others: tuple[GalleryPlane, ...] = ()


@dataclass(frozen=True, eq=False)
class NumberGalleryCase:
    """A test case of a number whose heat map is shown.

    Attributes:
        endpoint: Whose map.
        case: Its name.
        label: True value, in the endpoint's unit.
        value: Predicted, lead model.
        low: Lower end of its prediction interval.
        high: Upper end.
        hu: The patch, (rows, columns), HU.
        tumor: The contour's mask on it, (rows, columns) bool.
        heat: Grad-CAM on the same grid, 0 to 1, (rows, columns).
    """

    endpoint: str
    case: str
    label: float
    value: float
    low: float
    high: float
    hu: np.ndarray
    tumor: np.ndarray
    heat: np.ndarray


@dataclass(frozen=True, eq=False)
class Overlay:
    """A test case of a number, its tumor drawn in three planes.

    Attributes:
        endpoint: Whose answer.
        case: Its name.
        label: True value, in the endpoint's unit.
        value: Predicted, lead model.
        low: Lower end of its prediction interval.
        high: Upper end.
        pictures: Slices through the tumor with its outline and the ring's.
    """

    endpoint: str
    case: str
    label: float
    value: float
    low: float
    high: float
    pictures: tuple[Picture, ...]


class ChoiceRepeats(NamedTuple):
    """Repetitions of the cross-validation that chooses the kind of model.

    Attributes:
        in_folds: Inside the outer folds, whose figures are told.
        kept: In the training whose model is kept.
    """

    in_folds: int
    kept: int


@dataclass(frozen=True, eq=False)
class StudyOutcome:
    """The whole study.

    Attributes:
        title: One line.
        recipe: Name of the recipe.
        method: What the recipe does, its own text: Markdown of paragraphs and lists.
        roles: Title to role, of all models, in the order of the tables.
        command: What makes it again.
        design: How cases were divided.
        settings: The recipe, whole, as plain values for JSON.
        provenance: Versions, seed, device, times; plain values.
        table_1: Rows of the cohort table as `study.describe` makes them; plain values.
        flow: What happened to the cases, in order: (words, number of cases).
        failed: Case name to the reason why it was not used.
        case_warnings: Case name to what must be known of it, for the cases that were used.
        endpoints: By key.
        left_out: Endpoint to the reason why no model is kept; it was measured all the same where it is in `endpoints`.
        coverage: Stated coverage of the prediction sets and intervals.
        history: Of the network, per epoch: `train` and `validation` loss; under cross-validation of the final model.
        backbones: Rows of the comparison of backbones, plain values; empty when it was not asked for.
        gallery: Right and wrong cases of both kinds.
        overlays: Nearest and farthest answers of networks that see no picture.
        notes: Sentences that the reader must know (sources, licences, what may not be concluded).
        choice_repeats: How often kinds of models were compared; None where none was chosen.
    """

    title: str
    recipe: str
    method: str
    roles: Mapping[str, Role]
    command: str
    design: Design
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
    gallery: tuple[GalleryCase | NumberGalleryCase, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    notes: tuple[str, ...] = ()
    case_warnings: Mapping[str, Sequence[CaseWarning]] = field(default_factory=dict)
    choice_repeats: ChoiceRepeats | None = None

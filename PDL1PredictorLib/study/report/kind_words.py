"""What the report and the model card say of endpoints of one kind."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """What is said of endpoints of one kind.

    Attributes:
        counts: What the numbers of the lowest boxes of the flow chart are.
        card_columns: Of the model card's table, between endpoint and models.
        card_measure: What the card tells of every model, and how it is read.
        limitation: Of the model, for the card.
        answers: Key of `checklist_items` to what a run says; `{lead}` stands for the lead model.
    """

    counts: str
    card_columns: tuple[str, str]
    card_measure: str
    limitation: str
    answers: Mapping[str, str]


BINARY_WORDS = Words(
    counts="positive / negative cases whose label is known",
    card_columns=("positive means", "positive / negative"),
    card_measure="AUC of scores before calibration, from pairs of cases that one model answered, with DeLong's 95 % "
    "interval on the logit scale. An interval that holds 0.5 shows no signal.",
    limitation="The interval speaks of the calibration's uncertainty only, not of the image's or the contour's.",
    answers={
        "imbalance": "Positive and negative cases of every part: Cases. Weights in training: Settings.",
        "measures": "AUC; accuracy, recall, precision, specificity, PPV, NPV, F1; confusion matrix; Brier score, "
        "calibration slope and intercept; net benefit.",
        "uncertainty": "95 % intervals: DeLong on the logit scale (AUC), Wilson (shares), profile likelihood "
        "(calibration slope and intercept), bootstrap of patients (F1, bands of ROC and decision curves). What each "
        "figure is an estimate of: Results.",
        "comparison": "DeLong's paired test of every model against {lead}, AUC against chance by permutation; p also "
        "adjusted for all tests (Benjamini-Hochberg).",
        "calibration": "Calibration curves, slope and intercept with intervals, and Brier score per endpoint and "
        "model.",
        "performance": "AUC with intervals: Results; all other measures: per endpoint.",
        "updating": "None: probabilities were calibrated within the training cases, before evaluation.",
        "predictions": "By the command under Settings; predictions.csv holds every case's probability by every model.",
        "output": "Calibrated probability; called positive at a threshold that was set on training cases (per "
        "endpoint).",
        "counts": "Positive and negative cases of every part and endpoint: Cases.",
    },
)
NUMBER_WORDS = Words(
    counts="cases whose value is known",
    card_columns=("what is predicted", "cases; median (quartiles)"),
    card_measure="R² with its 95 % interval (bootstrap); mean absolute error in the endpoint's unit. R² is 0 for "
    "predicting the mean of the test cases; an interval that holds 0 shows no signal.",
    limitation="The prediction interval holds for cases like those of training; it knows nothing of a poor image or "
    "contour.",
    answers={
        "imbalance": "Numbers have no classes. Cases of every part: Cases; their values: per endpoint.",
        "measures": "Mean squared error, its root, mean absolute error, R², Spearman's and Lin's coefficients, "
        "calibration slope and intercept, limits of agreement, coverage and width of the prediction intervals; the "
        "errors of predicting the mean and the median beside them.",
        "uncertainty": "95 % intervals: bootstrap (errors, R², Lin), Fisher's z (Spearman), Wilson (coverage), "
        "Student's t (differences).",
        "comparison": "Paired test of the squared errors of every model against every baseline; p also adjusted for "
        "all tests (Benjamini-Hochberg).",
        "calibration": "Observed by predicted values, calibration slope and intercept per endpoint and model.",
        "performance": "R² with intervals: Results; all other measures: per endpoint.",
        "updating": "None: all that is learned was learned within the training cases, before evaluation.",
        "predictions": "By the command under Settings; predictions.csv holds every case's value and interval by every "
        "model.",
        "output": "A value in the endpoint's unit and its prediction interval.",
        "counts": "Cases of every part and endpoint: Cases.",
    },
)

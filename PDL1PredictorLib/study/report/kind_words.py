"""What the report and the model card say of endpoints of one kind."""

from collections.abc import Mapping
from dataclasses import dataclass

from PDL1PredictorLib.core.designs import Design

RANKING = {
    Design.SPLIT: "How the models that were trained rank a further positive and negative case of these patients' kind, "
    "from scores before calibration. The interval is DeLong's on the logit scale, of other patients for these models; "
    "it holds neither another training cohort nor another hospital.",
    Design.NESTED: "How models that are trained in this way on {share} of the cases rank a further positive and "
    "negative case of these patients' kind: pairs of cases within a fold, scores before calibration, mean over "
    "{repeats}. The interval counts patients, not repetitions, and allows for folds that err together because "
    "they share training cases; it holds neither another cohort nor another hospital. The model that is kept learned "
    "from all cases; its own figures cannot be measured here.",
    Design.EVALUATION: "How the finished models rank a further positive and negative case of these patients' kind, by "
    "their scores before calibration. The interval is DeLong's on the logit scale, of other patients of this kind; it "
    "holds no further hospital.",
}
ANSWERS = {
    Design.SPLIT: "Of the models that were trained, on the test cases.",
    Design.NESTED: "Of the answers of all folds together, each by its own model and threshold; from the first "
    "repetition.",
    Design.EVALUATION: "Of the finished models, on these cases; of a recalibrated one on cases that its fit has not "
    "seen.",
}
EXCHANGED = "How often labels that are exchanged between patients give the scores as great an AUC."


@dataclass(frozen=True)
class Words:
    """What is said of endpoints of one kind.

    Attributes:
        counts: What the numbers of the lowest boxes of the flow chart are.
        card_columns: Of the model card's table, between endpoint and models.
        card_measure: What the card tells of every model, and how it is read.
        limitation: Of the model, for the card.
        carried: Where it is told what so many cases can carry; empty where no rule for that is applied.
        estimates: Figures and what they estimate under each design; `{share}` stands for the share of the cases that a
            model learned from, `{repeats}` for the number of divisions.
        answers: Key of `checklist_items` to what a run says; `{lead}` stands for the lead model.
    """

    counts: str
    card_columns: tuple[str, str]
    card_measure: str
    limitation: str
    carried: str
    estimates: tuple[tuple[str, Mapping[Design, str]], ...]
    answers: Mapping[str, str]


BINARY_WORDS = Words(
    counts="positive / negative cases whose label is known",
    card_columns=("positive means", "positive / negative"),
    card_measure="AUC of scores before calibration, from pairs of cases that one model answered, with its 95 % "
    "interval on the logit scale. An interval that holds 0.5 shows no signal.",
    limitation="An answer's uncertainty comes from the training cases and from contours moved by 1 mm, not from the "
    "scanner, the reconstruction or a contour that is wrong.",
    carried="What they can carry by the criteria of Riley et al. 2020: Cases.",
    estimates=(
        ("AUC, ROC curve, comparison of models", RANKING),
        (
            "Permutation p",
            {
                Design.SPLIT: EXCHANGED,
                Design.EVALUATION: EXCHANGED,
                Design.NESTED: f"{EXCHANGED} They are spread by as much as shared training cases widen the interval; "
                "no model is trained anew, which `pdl1 leak-test` does.",
            },
        ),
        ("Accuracy, sensitivity, specificity, predictive values, F1", ANSWERS),
        ("Calibration, decision curve", ANSWERS),
    ),
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
    carried="",
    estimates=(
        ("Errors, R², calibration, prediction intervals", ANSWERS),
        (
            "Spearman's coefficient",
            {
                Design.SPLIT: "How well the model's numbers rise with the true ones.",
                Design.NESTED: "The same within folds, mean over {repeats}: answers of different models are not ranked "
                "together.",
                Design.EVALUATION: "How well the model's numbers rise with the true ones.",
            },
        ),
    ),
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

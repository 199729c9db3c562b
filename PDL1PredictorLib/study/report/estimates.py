"""What the figures of a study are estimates of, in words: whose cases, whose models, and what an interval holds."""

import numpy as np

from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.study.outcome import StudyOutcome
from PDL1PredictorLib.study.report.measures import Plain

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
BINARY = (
    ("AUC, ROC curve, comparison of models", RANKING),
    (
        "Permutation p",
        {
            Design.SPLIT: EXCHANGED,
            Design.EVALUATION: EXCHANGED,
            Design.NESTED: f"{EXCHANGED} They are spread by as much as shared training cases widen the interval; no "
            "model is trained anew, which `pdl1 leak-test` does.",
        },
    ),
    ("Accuracy, sensitivity, specificity, predictive values, F1", ANSWERS),
    ("Calibration, decision curve", ANSWERS),
)
NUMBER = (
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
)
NO_CALL = "Cases of a fold whose model learned nothing have no call; they take no part in these."


def estimates(outcome: StudyOutcome) -> list[Plain]:
    """Figures and what they estimate: rows of `figure` and `of`."""
    folds = outer_folds(outcome)
    kinds = {found.kind for found in outcome.endpoints.values()}
    share = f"{1 - 1 / folds['folds']:.0%}".replace("%", " %") if folds["folds"] > 1 else "all"
    repeats = "one division into folds" if folds["repeats"] == 1 else f"{folds['repeats']} divisions into folds"
    rows = [row for kind, of_kind in (("binary", BINARY), ("number", NUMBER)) if kind in kinds for row in of_kind]
    return [
        {"figure": figure, "of": words[outcome.design].format(share=share, repeats=repeats) + _no_call(words, outcome)}
        for figure, words in rows
    ]


def outer_folds(outcome: StudyOutcome) -> Plain:
    """`folds` and `repeats` of the outer division; 1 and 1 under `split`."""
    found = [one.folds for one in outcome.endpoints.values() if one.folds.size]
    return {
        "folds": max((int(np.max(folds)) + 1 for folds in found), default=1),
        "repeats": max((len(folds) for folds in found), default=1),
    }


def _no_call(words: object, outcome: StudyOutcome) -> str:
    uncalled = any(
        not model.called.all() for one in outcome.endpoints.values() for model in one.binary_models().values()
    )
    return f" {NO_CALL}" if words is ANSWERS and uncalled else ""

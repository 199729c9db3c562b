"""What the report and the model card say of times until an event."""

from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.study.report.kind_words import ANSWERS, Words

TIME_WORDS = Words(
    counts="cases that ended in the event / that did not",
    card_columns=("the time until what", "events / cases without"),
    card_measure="Harrell's C with its 95 % interval, from pairs of cases that one model scored. 0.5 is chance; an "
    "interval that holds it shows no signal.",
    limitation="The chances hold for cases that were treated like those of training. A score that tells who has the "
    "event sooner does not tell whom a treatment helps.",
    carried="",
    estimates=(
        (
            "Harrell's C, groups of the score",
            {
                Design.SPLIT: "How the models that were trained rank further cases: whose event comes sooner. It "
                "depends on how long cases were followed; Uno's C does not, up to two years.",
                Design.NESTED: "How models that are trained in this way on {share} of the cases rank further cases: "
                "pairs within a fold, mean over {repeats}. The interval counts cases, takes the models as they are, "
                "and is too narrow by what folds share in training.",
                Design.EVALUATION: "How the finished models rank further cases of this kind.",
            },
        ),
        ("AUC at a time, Brier score, calibration", ANSWERS),
    ),
    answers={
        "imbalance": "Events and cases without, of every part: Cases.",
        "measures": "Harrell's and Uno's C; AUC and Brier score at 6, 12 and 24 months as far as 10 cases are "
        "followed, weighted for censoring; Brier score of one curve for all beside it; calibration slope and curves; "
        "Kaplan-Meier curves of thirds of the score.",
        "uncertainty": "95 % intervals: infinitesimal jackknife (C), influence functions (AUC, Brier), profile of the "
        "partial likelihood (slope), log-log (Kaplan-Meier).",
        "comparison": "Harrell's C of {lead} less that of every other model, with their covariance; log-rank test of "
        "the thirds; p also adjusted for all tests (Benjamini-Hochberg).",
        "calibration": "Predicted chance by Kaplan-Meier's share in quarters, and slope, per endpoint and model.",
        "performance": "C with intervals: Results; all other measures: per endpoint.",
        "updating": "None: all that is learned was learned within the training cases, before evaluation.",
        "predictions": "By the command under Settings; predictions.csv holds every case's score and chances by every "
        "model.",
        "output": "Chance to be free of the event at 6, 12 and 24 months, each with its 95 % interval.",
        "counts": "Events and cases without, of every part and endpoint: Cases.",
    },
)

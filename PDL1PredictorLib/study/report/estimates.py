"""What the figures of a study are estimates of, in words: whose cases, whose models, and what an interval holds."""

import numpy as np

from PDL1PredictorLib.study.outcome import StudyOutcome
from PDL1PredictorLib.study.report.kind_words import ANSWERS
from PDL1PredictorLib.study.report.kinds import KINDS
from PDL1PredictorLib.study.report.measures import Plain

NO_CALL = "Cases of a fold whose model learned nothing have no call; they take no part in these."


def estimates(outcome: StudyOutcome) -> list[Plain]:
    """Figures and what they estimate: rows of `figure` and `of`."""
    folds = outer_folds(outcome)
    kinds = {found.kind for found in outcome.endpoints.values()}
    share = f"{1 - 1 / folds['folds']:.0%}".replace("%", " %") if folds["folds"] > 1 else "all"
    repeats = "one division into folds" if folds["repeats"] == 1 else f"{folds['repeats']} divisions into folds"
    rows = [row for kind in KINDS if kind in kinds for row in KINDS[kind].words.estimates]
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

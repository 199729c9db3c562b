"""How often a model gives an answer, and how good answers are that it gives and that it withholds."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from PDL1PredictorLib.core.results import Answer
from PDL1PredictorLib.core.verdicts import REASONS
from PDL1PredictorLib.study.evaluation.kinds import kind_evaluation
from PDL1PredictorLib.study.evaluation.outcome import Evaluated
from PDL1PredictorLib.study.report.measures import Plain, counted

CALLED = ("positive", "negative")


def answered_numbers(found: Evaluated, title: str) -> Plain:
    """Of one model and endpoint.

    Returns:
        `answered`, `called` (positive or negative), `unlike`: shares of the cases; `reasons`: code to words and number
        of the cases that are not answered; `groups`: figures of the answered, the called and the withheld, see
        `KindEvaluation.measured`.
    """
    outcome, answers = found.outcome, found.answers[title]
    how = kind_evaluation(outcome.kind)
    given = np.array([answer.verdict.answered for answer in answers])
    called = np.array([answer.verdict.call in CALLED for answer in answers])
    groups = {"all": np.ones(len(answers), dtype=bool), "answered": given, "withheld": ~given}
    if how.called:
        groups["called"] = called
    return {
        "answered": counted(given),
        "called": counted(called) if how.called else None,
        "unlike": counted(found.unlike[title]),
        "reasons": _reasons(answers),
        "groups": {name: how.measured(outcome, title, rows) for name, rows in groups.items()},
    }


def _reasons(answers: Sequence[Answer]) -> list[Plain]:
    """The codes of what is not answered, the most frequent first; a case may have several."""
    counts = Counter(
        code
        for answer in answers
        if not answer.verdict.answered
        for code in dict.fromkeys(reason.code for reason in answer.verdict.reasons)
    )
    return [{"code": code, "words": REASONS[code], "cases": cases} for code, cases in counts.most_common()]

"""How often a model gives an answer, and how good answers are that it gives and that it withholds."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from PDL1PredictorLib.core.results import Answer, NumberAnswer
from PDL1PredictorLib.core.verdicts import REASONS
from PDL1PredictorLib.statistics.discrimination import auc
from PDL1PredictorLib.study.evaluation.outcome import Evaluated
from PDL1PredictorLib.study.report.binary.measures import has_both
from PDL1PredictorLib.study.report.measures import Plain, counted, estimate_of

CALLED = ("positive", "negative")


def answered_numbers(found: Evaluated, title: str) -> Plain:
    """Of one model and endpoint.

    Returns:
        `answered`, `called` (positive or negative), `unlike`: shares of the cases; `reasons`: code to words and number
        of the cases that are not answered; `groups`: figures of the answered, the called and the withheld, see
        `_yes_no` and `_how_much`.
    """
    answers, labels = found.answers[title], np.asarray(found.outcome.labels, dtype=float)
    given = np.array([answer.verdict.answered for answer in answers])
    called = np.array([answer.verdict.call in CALLED for answer in answers])
    groups = {"all": np.ones(len(answers), dtype=bool), "answered": given, "withheld": ~given}
    if found.outcome.kind == "binary":
        groups["called"] = called
    measure = _yes_no if found.outcome.kind == "binary" else _how_much
    return {
        "answered": counted(given),
        "called": counted(called) if found.outcome.kind == "binary" else None,
        "unlike": counted(found.unlike[title]),
        "reasons": _reasons(answers),
        "groups": {name: measure(found, title, labels, rows) for name, rows in groups.items()},
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


def _yes_no(found: Evaluated, title: str, labels: np.ndarray, rows: np.ndarray) -> Plain:
    """`cases`, `right` (share called rightly at the threshold) and `auc`; None where they cannot be had."""
    model = found.outcome.binary_models()[title]
    truth, score = labels[rows], model.score[0][rows]
    area = auc(truth, score) if has_both(truth) else None
    return {
        "cases": int(rows.sum()),
        "right": counted(model.positive[rows] == truth) if rows.any() else None,
        "auc": None if area is None else estimate_of(area.value, area.logit_interval),
    }


def _how_much(found: Evaluated, title: str, labels: np.ndarray, rows: np.ndarray) -> Plain:
    """`cases`, `mae` (mean absolute error) and `covered` (values inside the prediction interval)."""
    answers = [answer for answer in found.answers[title] if isinstance(answer, NumberAnswer)]
    value = np.array([answer.value for answer in answers])[rows]
    low, high = np.array([answer.interval for answer in answers])[rows].T
    truth = labels[rows]
    return {
        "cases": int(rows.sum()),
        "mae": float(np.abs(truth - value).mean()) if rows.any() else None,
        "covered": counted((low <= truth) & (truth <= high)) if rows.any() else None,
    }

"""Answers to a yes/no question in an evaluation: as arrays, as cells, and how good they are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from PDL1PredictorLib.core.results import BinaryAnswer
from PDL1PredictorLib.statistics.conformal import ANSWERS
from PDL1PredictorLib.statistics.discrimination import auc
from PDL1PredictorLib.study.evaluation.answers import log_odds_of
from PDL1PredictorLib.study.outcome import EndpointOutcome, ModelOutcome
from PDL1PredictorLib.study.report.binary.measures import has_both
from PDL1PredictorLib.study.report.measures import Plain, counted, estimate_of


def outcome_of(answers: Sequence[BinaryAnswer]) -> ModelOutcome:
    """Answers of one model as arrays; what ranks the cases is what the model said before rounding to a call."""
    probability = np.array([answer.probability for answer in answers])
    return ModelOutcome(
        score=log_odds_of(probability)[None],
        probability=probability,
        positive=np.array([answer.positive for answer in answers]),
        called=np.ones(len(answers), dtype=bool),
        classifier=answers[0].model or "as in the bundle",
        mean_auc={},
        thresholds={"threshold of the model": answers[0].threshold},
    )


def ranked_by_volume(volumes_ml: np.ndarray) -> ModelOutcome:
    """The raw volume, (n,) in mL: it ranks, and has neither probabilities nor calls."""
    n = len(volumes_ml)
    none = np.zeros(n, dtype=bool)
    return ModelOutcome(np.log(volumes_ml)[None], np.full(n, 0.5), none, none, "none: the raw volume", {}, {})


def sets_of(answers: Sequence[BinaryAnswer]) -> np.ndarray:
    """Whether negative, positive is in the prediction set of each answer, (n, 2) bool."""
    held = [[name in answer.prediction_set for name in ANSWERS] for answer in answers]
    return np.array(held, dtype=bool).reshape(-1, 2)


def measured(outcome: EndpointOutcome, title: str, rows: np.ndarray) -> Plain:
    """`cases`, `right` (share called rightly at the threshold) and `auc`; None where they cannot be had."""
    model = outcome.binary_models()[title]
    truth, score = np.asarray(outcome.labels, dtype=float)[rows], model.score[0][rows]
    area = auc(truth, score) if has_both(truth) else None
    return {
        "cases": int(rows.sum()),
        "right": counted(model.positive[rows] == truth) if rows.any() else None,
        "auc": None if area is None else estimate_of(area.value, area.logit_interval),
    }


def figures(model: Mapping[str, Any]) -> dict[str, Plain | None]:
    """Of the document's numbers of one model: AUC and calibration."""
    calibrated = model["calibration"] or {"slope": None, "in_the_large": None}
    return {"auc": model["auc"], "slope": calibrated["slope"], "in_the_large": calibrated["in_the_large"]}


def cells(answer: BinaryAnswer) -> Plain:
    """Of a row of `predictions.csv`."""
    held = " ".join(answer.prediction_set)
    called = {"threshold": answer.threshold, "positive": int(answer.positive), "prediction_set": held}
    return {**called, "probability": answer.probability}

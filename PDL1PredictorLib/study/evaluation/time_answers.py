"""Answers to a question of how long in an evaluation: as arrays, as cells, and how good they are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from PDL1PredictorLib.core.answer_parts import TimeAnswer
from PDL1PredictorLib.core.targets import HORIZON_DAYS
from PDL1PredictorLib.statistics.survival.checks import NotEstimableError
from PDL1PredictorLib.statistics.survival.concordance import harrell_c
from PDL1PredictorLib.study.outcome import EndpointOutcome, TimeModelOutcome
from PDL1PredictorLib.study.report.measures import Plain, estimate_of

SAME_DAY = 0.5  # times of a bundle and of the report are the same that differ by less, in days


def outcome_of(answers: Sequence[TimeAnswer]) -> TimeModelOutcome:
    """Answers of one model as arrays; nobody knows the curve of its training cases here."""
    score = np.array([answer.log_hazard for answer in answers])
    survival = np.array([_chances(answer) for answer in answers])
    return TimeModelOutcome(score[None], survival, np.full_like(survival, np.nan), answers[0].model or "as bundled", {})


def ranked_by_volume(volumes_ml: np.ndarray) -> TimeModelOutcome:
    """The larger, the sooner: ranks alone, no chances."""
    nothing = np.full((len(volumes_ml), len(HORIZON_DAYS)), np.nan)
    return TimeModelOutcome(np.log(volumes_ml)[None], nothing, nothing, "as it is", {})


def no_sets(answers: Sequence[TimeAnswer]) -> np.ndarray:
    """None: a time has chances instead, (0, 2)."""
    return np.zeros((0, 2), dtype=bool)


def measured(outcome: EndpointOutcome, title: str, rows: np.ndarray) -> Plain:
    """`cases`, `events`, and Harrell's `c` of some cases."""
    own, score = outcome.labels[rows], outcome.time_models()[title].score[0][rows]
    try:
        found = harrell_c(own["time"], own["event"], score)
        c = estimate_of(found.value, found.interval)
    except (NotEstimableError, ValueError):
        c = None
    return {"cases": int(rows.sum()), "events": int(own["event"].sum()) if rows.any() else None, "c": c}


def figures(model: Mapping[str, Any]) -> dict[str, Plain | None]:
    """Of the document's numbers of one model: Harrell's and Uno's C."""
    return {name: model[name] for name in ("harrell", "uno")}


def cells(answer: TimeAnswer) -> Plain:
    """Of a row of `predictions.csv`."""
    return {"survival": answer.value}


def _chances(answer: TimeAnswer) -> list[float]:
    """At each of `HORIZON_DAYS`, NaN where the model gives none."""
    told = {one.days: one.survival for one in answer.at}
    return [
        next((chance for own, chance in told.items() if abs(own - days) < SAME_DAY), np.nan)
        for days in HORIZON_DAYS.tolist()
    ]

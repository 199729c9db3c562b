"""A site whose truth is known: answers of a finished model, labels, the table that they would stand in."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from PDL1PredictorLib.cohort.table import Cohort, CohortCase
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.results import BinaryAnswer
from PDL1PredictorLib.core.verdicts import Reason, Verdict, refused
from PDL1PredictorLib.statistics.scores import expit

THRESHOLD = 0.5
ALIEN = refused([Reason("unlike_training", "The tumor is unlike those that the model learned from: made up.")])


def answer(key: str, probability: float, withheld: bool = False) -> BinaryAnswer:
    positive = bool(probability >= THRESHOLD)
    call = "positive" if positive else "negative"
    return BinaryAnswer(
        endpoint=key,
        probability=float(probability),
        interval=(float(probability), float(probability)),
        threshold=THRESHOLD,
        positive=positive,
        prediction_set=(call,),
        coverage=0.9,
        contributions=(),
        verdict=ALIEN if withheld else Verdict("answered", call),
    )


def cohort_of(labels: Sequence[int | None], patients: Sequence[str] | None = None) -> Cohort:
    """A case for each label of PDL1."""
    owners = patients or [f"p{row}" for row in range(len(labels))]
    cases = tuple(
        CohortCase(f"c{row}", owner, Path("ct"), Path("mask"), None, None, Clinical(), {"PDL1": label})
        for row, (label, owner) in enumerate(zip(labels, owners, strict=True))
    )
    return Cohort(cases, ("PDL1",), Path("cases.csv"))


def site(n: int, slope: float, intercept: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels whose true log-odds are a line of the model's, and the model's probabilities."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(0, 1.4, size=n)
    return (rng.random(n) < expit(slope * log_odds + intercept)).astype(int), expit(log_odds)

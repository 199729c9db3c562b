"""Further divisions of a yes/no endpoint as numbers: the area of every model in each, the study's own first."""

from collections.abc import Mapping

import numpy as np

from PDL1PredictorLib.statistics.trained_areas import auc_of_trained
from PDL1PredictorLib.statistics.within_folds import auc_within_folds
from PDL1PredictorLib.study.outcome import EndpointOutcome, ModelOutcome, Redivision
from PDL1PredictorLib.study.report.measures import Plain, estimate_of


def redivision_numbers(outcome: EndpointOutcome, models: Mapping[str, Plain]) -> list[Plain]:
    """The study's own division and the further ones; none where there is no further one.

    Args:
        outcome: Of a yes/no endpoint.
        models: Title to the numbers of each model on the study's own test cases, `auc` among them.
    """
    if not outcome.redivisions:
        return []
    labels = np.asarray(outcome.labels)
    own = {**_counts(labels, len(labels)), "auc": {title: model["auc"] for title, model in models.items()}}
    return [own, *(_further(one, outcome) for one in outcome.redivisions)]


def _further(found: Redivision, outcome: EndpointOutcome) -> Plain:
    models = outcome.binary_models()
    areas = {title: _area(found, score, models[title]) for title, score in found.scores.items() if title in models}
    return {**_counts(found.labels, found.n_own), "auc": areas}


def _counts(labels: np.ndarray, n_own: int) -> Plain:
    """Cases of each answer, and how many of them are test cases of the study's own division."""
    return {"positive": int((labels == 1).sum()), "negative": int((labels == 0).sum()), "own_test_cases": n_own}


def _area(found: Redivision, score: np.ndarray, model: ModelOutcome) -> Plain | None:
    """From pairs of cases that the same models answered; None where there is none."""
    of = auc_within_folds if model.fixed_score else auc_of_trained
    try:
        area = of(found.labels, score, found.models_of, np.asarray(found.patients))
    except ValueError:
        return None
    return estimate_of(area.value, area.interval)

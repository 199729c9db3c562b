"""The probabilities of models on one cohort held against each other, case by case."""

import numpy as np

from PDL1PredictorLib.statistics.external.brier import brier_test
from PDL1PredictorLib.study.outcome import EndpointOutcome
from PDL1PredictorLib.study.report.binary.measures import has_both
from PDL1PredictorLib.study.report.measures import Plain


def brier_numbers(outcome: EndpointOutcome) -> list[Plain]:
    """Brier score of every further model less that of the lead: `model`, `against`, `difference`, `low`, `high`, `p`.

    Empty where the answers are no probabilities.

    Its counterpart for the ranking, DeLong's test on raw scores, stands with the measures of each model.
    """
    models, labels = outcome.binary_models(), np.asarray(outcome.labels)
    if outcome.lead not in models or not has_both(labels):
        return []
    rows = []
    for title, model in models.items():
        if title == outcome.lead or not model.called.all():
            continue
        lead = models[outcome.lead].probability
        test = brier_test(labels, model.probability, lead, np.asarray(outcome.patients))
        low, high = test.interval
        rows.append(
            {
                "model": title,
                "against": outcome.lead,
                "difference": test.difference,
                "low": low,
                "high": high,
                "p": test.p,
            }
        )
    return rows

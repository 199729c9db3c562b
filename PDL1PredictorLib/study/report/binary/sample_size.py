"""What the cases of a yes/no endpoint can carry, by the size of signal that one hopes for."""

from PDL1PredictorLib.statistics.sample_size import (
    cox_snell_r2,
    expected_shrinkage,
    parameters_carried,
    sample_size,
)
from PDL1PredictorLib.study.outcome import EndpointOutcome
from PDL1PredictorLib.study.report.measures import Plain

HOPED = (0.65, 0.7, 0.8)  # areas: weak, usual in this field, strong


def sample_size_numbers(outcome: EndpointOutcome) -> Plain | None:
    """Inputs that the cases that teach can carry, and what is to be expected of those that the lead model has.

    Returns:
        `cases`, `positive`, `inputs` (of the lead model), `overall_risk` (whether they tell the share of positives to
        within 5 %) and `hoped`, a row for each of `HOPED`; None where the cases that teach are not of both answers.

    Source: Riley et al. 2020, doi 10.1136/bmj.m441; Riley, Van Calster and Collins 2021, doi 10.1002/sim.8806.
    """
    positive, negative = outcome.counts.get("training", outcome.counts.get("all", (0, 0)))
    if not positive or not negative:
        return None
    n, inputs = positive + negative, len(outcome.input_names)
    return {
        "cases": n,
        "positive": positive,
        "inputs": inputs,
        "overall_risk": n >= sample_size(1, positive / n, cox_snell_r2(HOPED[0], positive / n)).overall_risk,
        "hoped": [_hoped(area, n, positive / n, inputs) for area in HOPED],
    }


def _hoped(area: float, n: int, prevalence: float, inputs: int) -> Plain:
    r2 = cox_snell_r2(area, prevalence)
    carried = parameters_carried(n, prevalence, r2)
    return {
        "auc": area,
        "r2": r2,
        "parameters": min(carried.mean_error, carried.shrinkage, carried.optimism),
        "shrinkage": expected_shrinkage(n, inputs, r2) if inputs else None,
        "cases_needed": sample_size(inputs, prevalence, r2).n if inputs else None,
    }

"""Hard cases: those that the lead model answered most wrongly, for a reader to look at one by one."""

from collections.abc import Mapping, Sequence

import numpy as np

from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.study.outcome import EndpointOutcome
from PDL1PredictorLib.study.report.kinds import kind_report
from PDL1PredictorLib.study.report.measures import Plain

MOST = 8


def hard_cases(outcome: EndpointOutcome, warnings: Mapping[str, Sequence[CaseWarning]]) -> list[Plain]:
    """The cases with the highest loss, the hardest first, `MOST` at most, none that was answered rightly.

    What the loss is, and what is wrong, is the kind's: see `losses.losses_of_calls` and `losses.losses_of_numbers`.

    Args:
        outcome: Of one endpoint.
        warnings: Case to what must be known of it.
    """
    if outcome.lead not in outcome.models:
        return []
    how = kind_report(outcome.kind)
    loss, wrong, answer = how.losses(outcome)
    rows = np.flatnonzero(wrong)
    hardest = rows[np.argsort(-loss[rows], kind="stable")][:MOST]
    return [
        {
            "case": outcome.cases[row],
            "truth": how.truth(outcome, row),
            "answer": float(answer[row]),
            "loss": float(loss[row]),
            "groups": {factor: levels[row] for factor, levels in outcome.groups.items() if levels[row]},
            "warnings": [one.text for one in warnings.get(outcome.cases[row], ())],
        }
        for row in hardest.tolist()
    ]

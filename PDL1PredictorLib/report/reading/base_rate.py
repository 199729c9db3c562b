"""An answer's probability at another base rate, beside the model's own: for the control in the window."""

from typing import NamedTuple

from PDL1PredictorLib.core.answer_parts import Range
from PDL1PredictorLib.core.results import Answer, BinaryAnswer
from PDL1PredictorLib.report.words import percent, percent_range
from PDL1PredictorLib.statistics.scores import log_odds_shift, shifted


class AtBaseRate(NamedTuple):
    """The numbers of a yes/no answer at another base rate.

    Attributes:
        probability: 0 to 1.
        ends: Of the patient's interval, or where that is not known of the calibration's.
        threshold: Which moves along, so that the call stays.
    """

    probability: float
    ends: Range
    threshold: float


def why_no_base_rate(answer: Answer) -> str:
    """Why an answer cannot be recalculated for another base rate; empty where it can."""
    if not isinstance(answer, BinaryAnswer):
        return "this finding is no yes/no question, so there is no base rate"
    if not answer.verdict.answered:
        return "this finding is not answered, and its number is none at any base rate"
    if answer.base_rate is None or not 0 < answer.base_rate < 1:
        return "the model does not say how frequent the finding was among its training cases"
    return ""


def at_base_rate(answer: BinaryAnswer, wanted: float) -> AtBaseRate:
    """The answer's numbers where positives are as frequent as `wanted`.

    Args:
        answer: With its base rate.
        wanted: Share of positives, between 0 and 1.

    Raises:
        ValueError: The answer cannot be recalculated, or the share is none.
    """
    why_not = why_no_base_rate(answer)
    if why_not or answer.base_rate is None:
        raise ValueError(f"There is no other base rate: {why_not}.")
    shift = log_odds_shift(answer.base_rate, wanted)
    low, high = answer.uncertainty or answer.interval
    return AtBaseRate(
        shifted(answer.probability, shift),
        (shifted(low, shift), shifted(high, shift)),
        shifted(answer.threshold, shift),
    )


def base_rate_words(answer: BinaryAnswer, wanted: float) -> str:
    """The recalculated probability beside the model's own, and that the call stays as it is.

    Raises:
        ValueError: As `at_base_rate`.
    """
    found = at_base_rate(answer, wanted)
    own = f"{percent(answer.probability)} at the model's base rate of {percent(answer.base_rate or 0.0)}"
    return (
        f"{percent(found.probability)} ({percent_range(found.ends)}) where {percent(wanted)} of such patients are "
        f"positive; {own}. The threshold moves along to {percent(found.threshold)}: the call and its reasons stay as "
        "they are."
    )

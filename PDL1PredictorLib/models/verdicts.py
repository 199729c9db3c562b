"""The verdict on an answer: whether the model can back one for this case, and what it comes to.

The only place where that is decided; pages and files show what they find in the answer (`core.verdicts.Verdict`). The
rules stand in `docs/methods.md`, "The verdict".
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from PDL1PredictorLib.core.answer_parts import NumberTest, Range, TimeTest
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import Answer, BinaryAnswer, NumberAnswer, TrainedOn, Unlike
from PDL1PredictorLib.core.verdicts import Call, Reason, Verdict, refused
from PDL1PredictorLib.models.schema.endpoints import BinaryRule, EndpointModel
from PDL1PredictorLib.models.schema.tests import BinaryTest

WIDEST = 0.6  # of a probability's interval: such an answer fits a third of all patients as well as two thirds
WIDEST_NUMBER = 0.9  # of a prediction interval, over the endpoint's range: it rules out next to nothing
CHANCE_AUC = 0.5
CHANCE_C = 0.5
P_LEVEL = 0.05


@dataclass(frozen=True)
class Standing:
    """What is known of a case and a model, whatever the endpoint.

    Attributes:
        trained_on: Whom the model was trained on.
        synthetic: Whether the case is known to be synthetic.
        unlike: How unlike the training cohort the case is.
    """

    trained_on: TrainedOn
    synthetic: bool
    unlike: Unlike


def verdict_of(answer: Answer, model: EndpointModel, standing: Standing) -> Verdict:
    """What an answer comes to.

    Args:
        answer: With its intervals.
        model: Of the endpoint.
        standing: Of case and model.
    """
    reasons = [*_of_the_case(standing), *doubts_of_skill(model), *_of_the_interval(answer)]
    if reasons:
        return refused(reasons)
    found = _called(answer) if isinstance(answer, BinaryAnswer) else Verdict("answered", "value")
    return replace(found, reasons=(*found.reasons, *_of_the_choice(model)))


def _of_the_choice(model: EndpointModel) -> Iterator[Reason]:
    if model.simpler:
        yield Reason(
            "simpler_as_good",
            f"{model.simpler}, a simpler model, was as good on held-out cases; {model.title} answers because it was "
            "asked for when the model was made.",
        )


def _of_the_case(standing: Standing) -> Iterator[Reason]:
    if standing.trained_on == "synthetic" and not standing.synthetic:
        yield Reason(
            "synthetic_model",
            "The model learned from synthetic patients, and this CT is not known to be of one. It says nothing about "
            "a patient.",
        )
    if standing.unlike.flagged:
        yield Reason("unlike_training", f"The tumor is unlike those that the model learned from: {_in_what(standing)}.")


def _in_what(standing: Standing) -> str:
    """The views that are beyond the usual, the farthest first."""
    parts = standing.unlike.parts
    shown = [part.text for part in parts if part.p is None or part.p <= P_LEVEL] or [part.text for part in parts[:1]]
    return "; ".join(shown)


def doubts_of_skill(model: EndpointModel) -> Iterator[Reason]:
    """Why an endpoint's model can answer for no patient, whoever comes: it was not measured, or has no proven skill."""
    test = model.rule.test
    if test is None:
        yield Reason("not_measured", "How well the model does here was not measured on cases that it had not seen.")
    elif isinstance(test, NumberTest):
        if not test.r2_low > 0:
            yield Reason(
                "no_skill",
                f"The model has no proven skill here: R2 {test.r2:.2f} (95 % interval {test.r2_low:.2f} to "
                f"{test.r2_high:.2f}) on test cases; 0 is a model that always answers the mean.",
            )
    elif isinstance(test, TimeTest):
        if not test.low > CHANCE_C:
            yield Reason(
                "no_skill",
                f"The model has no proven skill here: Harrell's C {test.c:.2f} (95 % interval {test.low:.2f} to "
                f"{test.high:.2f}) on test cases; 0.5 is no better than chance.",
            )
    else:
        yield from _no_discrimination(test)


def _no_discrimination(test: BinaryTest) -> Iterator[Reason]:
    figures = f"AUC {test.auc:.2f} (95 % interval {test.low:.2f} to {test.high:.2f})"
    if not test.low > CHANCE_AUC:
        yield Reason(
            "no_skill", f"The model has no proven skill here: {figures} on test cases; 0.5 is no better than chance."
        )
    elif test.p is not None and test.p > P_LEVEL:
        yield Reason(
            "no_skill",
            f"The model has no proven skill here: {figures} on test cases, but shuffled answers do as well in "
            f"{100 * test.p:.0f} % of tries.",
        )


def _of_the_interval(answer: Answer) -> Iterator[Reason]:
    if not isinstance(answer, NumberAnswer):
        low, high = answer.uncertainty or answer.interval
        if high - low > WIDEST:
            what = "probability" if isinstance(answer, BinaryAnswer) else "chance"
            yield Reason(
                "interval_too_wide",
                f"The {what} is known to be {100 * low:.0f} to {100 * high:.0f} % only, too little to be of use.",
            )
        return
    low, high = answer.interval
    if _share_of_range(answer) > WIDEST_NUMBER:
        yield Reason(
            "interval_too_wide", f"The value is known to be {low:.3g} to {high:.3g} only, nearly all that it can be."
        )


def _share_of_range(answer: NumberAnswer) -> float:
    about, (low, high) = endpoint(answer.endpoint), answer.interval
    if about.low is None or about.high is None:
        return 0.0 if math.isfinite(high - low) else 1.0
    return (high - low) / (about.high - about.low)


def _called(answer: BinaryAnswer) -> Verdict:
    """The call at the threshold, where prediction set and intervals bear it out."""
    call: Call = "positive" if answer.positive else "negative"
    if not answer.prediction_set:
        return Verdict(
            "answered",
            "undecided",
            (Reason("outside_set", "The tumor resembles neither the negative nor the positive calibration cases."),),
        )
    if answer.prediction_set != (call,):
        return Verdict("answered", "undecided")
    ranges: tuple[Range | None, ...] = (answer.interval, answer.uncertainty, answer.stability)
    if any(_crosses(found, answer.threshold) for found in ranges if found is not None):
        return Verdict("answered", "borderline")
    return Verdict("answered", call)


def _crosses(found: Range, threshold: float) -> bool:
    """Whether a range has values on both sides of the threshold, which itself is positive."""
    return found[0] < threshold <= found[1]


def tested(model: EndpointModel) -> BinaryTest | None:
    """Figures of a yes/no endpoint on test cases, where they were measured."""
    return model.rule.test if isinstance(model.rule, BinaryRule) else None

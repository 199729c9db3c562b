"""From a model's number to an answer with its interval and its explanation: one way for each kind of endpoint."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from PDL1PredictorLib.core.answer_parts import Behind, Chance, Contribution, Range, SurvivalAt, TimeAnswer
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import Answer, BinaryAnswer, NumberAnswer, Unlike
from PDL1PredictorLib.explain.shapley import MAX_INPUTS, grouped_shapley
from PDL1PredictorLib.models.network.inside import Inside
from PDL1PredictorLib.models.schema.endpoints import BinaryRule, EndpointModel, Linear, NumberRule, TimeRule
from PDL1PredictorLib.models.verdicts import Standing, tested, verdict_of
from PDL1PredictorLib.statistics.conformal import prediction_set
from PDL1PredictorLib.statistics.scores import calibrated_log_odds, expit, log_odds_shift, shifted

INTERVAL = (2.5, 97.5)  # percentiles
Score = Callable[[np.ndarray], np.ndarray]
"""Rows of standardized inputs (n, d) to the model's own numbers (n,)."""
UNKNOWN = Standing("patients", False, Unlike())


@dataclass(frozen=True, eq=False)
class Question:
    """What one endpoint's answer is computed from.

    Attributes:
        model: How.
        names: Of the inputs, d of them.
        row: The case's standardized inputs, (d,).
        score: The model's number: log-odds of its classifier, or the sum of its linear model.
        calibrations: Resampled (slope, intercept), (n, 2); none, (0, 2), for a number.
        coverage: Of the prediction set or interval, by design.
        resampled: Weights of the standardized inputs and a constant of models of resampled cohorts, (b, d + 1), which
            give calibrated log-odds, or the number; of a time (b, d + h), see `_chances`; None where there are
            none.
        moved: The case's standardized inputs under moved contours, (m, d); None where that was not tried.
        standing: Of case and model, for the verdict.
        prevalence: Share of positives where the answer is used, between 0 and 1; None takes that of the training.
        inside: What the endpoint's network made of its columns; None where it has none, or that was not asked for.
        behind: Of inputs that sum up features, by their names, the features with the largest terms.
    """

    model: EndpointModel
    names: tuple[str, ...]
    row: np.ndarray
    score: Score
    calibrations: np.ndarray
    coverage: float
    resampled: np.ndarray | None = None
    moved: np.ndarray | None = None
    standing: Standing = UNKNOWN
    prevalence: float | None = None
    inside: Inside | None = None
    behind: Mapping[str, tuple[Behind, ...]] = field(default_factory=dict)


def answer_to(question: Question) -> Answer:
    """The answer, by the endpoint's kind, with its verdict.

    Raises:
        InputError: A prevalence was given for an endpoint whose model does not know its own.
    """
    answer = _KINDS[question.model.rule.kind](question, question.model.rule)
    named = tuple(replace(one, behind=question.behind.get(one.name, ())) for one in answer.contributions)
    return replace(answer, contributions=named, verdict=verdict_of(answer, question.model, question.standing))


def _yes_or_no(question: Question, rule: BinaryRule) -> BinaryAnswer:
    model, shift = question.model, _shift(question)
    raw = question.score(question.row[None])[0]
    own = float(expit(calibrated_log_odds(rule.slope, rule.intercept, raw)))

    def at(log_odds: np.ndarray) -> np.ndarray:
        return expit(log_odds + shift)

    calibrations, test = question.calibrations, tested(model)
    probability, threshold = shifted(own, shift), shifted(rule.threshold, shift)
    return BinaryAnswer(
        endpoint=model.key,
        probability=probability,
        interval=_around(probability, at(calibrations[:, 0] * raw + calibrations[:, 1])),
        threshold=threshold,
        positive=own >= rule.threshold,
        prediction_set=prediction_set(own, rule.conformal),
        coverage=question.coverage,
        contributions=_shapley(
            question, lambda rows: calibrated_log_odds(rule.slope, rule.intercept, question.score(rows))
        ),
        uncertainty=None if question.resampled is None else _around(probability, at(_resampled(question))),
        stability=_spread(
            question, probability, lambda score: at(calibrated_log_odds(rule.slope, rule.intercept, score))
        ),
        base_rate=model.base_rate if question.prevalence is None else question.prevalence,
        sensitivity=None if test is None else test.sensitivity,
        specificity=None if test is None else test.specificity,
        model=model.title,
        role=model.role,
    )


def _how_much(question: Question, rule: NumberRule) -> NumberAnswer:
    model = question.model

    def kept(values: np.ndarray) -> np.ndarray:
        return np.array([_clipped(float(value), rule) for value in values])

    raw = float(question.score(question.row[None])[0])
    value = _clipped(rule.slope * raw + rule.intercept, rule)
    inside = question.inside if model.parts == ("network",) else None
    return NumberAnswer(
        endpoint=model.key,
        value=value,
        interval=(_clipped(value - rule.half_width, rule), _clipped(value + rule.half_width, rule)),
        coverage=question.coverage,
        contributions=_sorted(_effects(question, rule, inside)),
        chances=tuple(
            Chance(one.cut, float(expit(np.array(one.slope * value + one.intercept)))) for one in rule.chances
        ),
        attention=() if inside is None else _asked(inside),
        uncertainty=None if question.resampled is None else _around(value, kept(_resampled(question))),
        stability=_spread(question, value, lambda score: kept(rule.slope * score + rule.intercept)),
        model=model.title,
        role=model.role,
    )


def _effects(question: Question, rule: NumberRule, inside: Inside | None) -> Iterator[Contribution]:
    """Terms of the sum, or where its one input is a network's answer, what moved that, in the endpoint's unit."""
    names, row, effects = question.names, question.row, rule.slope * _terms(question.model.model, question.row)
    if inside is not None and isinstance(question.model.model, Linear):
        (weight,), (sd,) = question.model.model.coefficients, question.model.input_sd
        names, row, effects = inside.names, inside.row, rule.slope * weight / sd * inside.shares
    for name, z, effect in zip(names, row, effects, strict=True):
        yield Contribution(name, float(z), float(effect))


def _asked(inside: Inside) -> tuple[tuple[str, float], ...]:
    """Columns that the network asked most first, with their shares; none where it asks none."""
    named = zip(inside.names, inside.attention.tolist(), strict=False)
    return tuple(sorted(named, key=lambda row: (-row[1], row[0])))


def _shift(question: Question) -> float:
    """What another prevalence than that of the training adds to log-odds."""
    wanted, own = question.prevalence, question.model.base_rate
    if wanted is None:
        return 0.0
    title = endpoint(question.model.key).title
    if not 0 < wanted < 1:
        raise InputError(f"The prevalence of {title} must lie between 0 and 1, both left out, got {wanted!r}.")
    if own is None:
        raise InputError(
            f"The model does not say how frequent {title} was among its training cases, so its answer cannot be "
            "shifted to another prevalence. Leave the prevalence out."
        )
    return log_odds_shift(own, wanted)


def _resampled(question: Question) -> np.ndarray:
    """What the models of resampled cohorts answer, (b,)."""
    table = np.empty((0, len(question.row) + 1)) if question.resampled is None else question.resampled
    return np.asarray(table[:, :-1] @ question.row + table[:, -1])


def _around(value: float, found: np.ndarray) -> Range:
    """The middle 95 % of what was found, with the answer itself."""
    low, high = np.percentile(found, INTERVAL)
    return min(float(low), value), max(float(high), value)


def _spread(question: Question, value: float, answers: Score) -> Range | None:
    """Least and greatest answer under moved contours, the answer itself among them."""
    if question.moved is None or not len(question.moved):
        return None
    found = answers(question.score(question.moved))
    return min(value, float(found.min())), max(value, float(found.max()))


def _how_long(question: Question, rule: TimeRule) -> TimeAnswer:
    model = question.model
    raw = float(question.score(question.row[None])[0])
    moved = None if question.moved is None or not len(question.moved) else rule.slope * question.score(question.moved)
    effects = rule.slope * _terms(model.model, question.row)
    return TimeAnswer(
        endpoint=model.key,
        at=_chances(rule, rule.slope * raw, question.row, question.resampled, moved),
        log_hazard=rule.slope * raw,
        contributions=_sorted(
            Contribution(name, float(z), float(effect))
            for name, z, effect in zip(question.names, question.row, effects, strict=True)
        ),
        model=model.title,
        role=model.role,
    )


def _chances(
    rule: TimeRule,
    log_hazard: float,
    row: np.ndarray,
    resampled: np.ndarray | None,
    moved: np.ndarray | None,
) -> tuple[SurvivalAt, ...]:
    """The chance at each time of the rule.

    Args:
        rule: Of the endpoint.
        log_hazard: Of the case, over the mean training case's.
        row: Its standardized inputs, (d,).
        resampled: Models of resampled cohorts, (b, d + h): log hazard per standardized input, then the logarithm of
            the cumulative hazard until each time. None where there are none: then the interval is from 0 to 1.
        moved: Log hazards under moved contours, (m,); None where that was not tried.
    """
    found = []
    for place, (days, hazard) in enumerate(zip(rule.days, rule.hazard, strict=True)):
        survival = float(_free(np.array(log_hazard), hazard))
        low, high = 0.0, 1.0
        if resampled is not None:
            lines, constants = resampled[:, : len(row)], resampled[:, len(row) + place]
            low, high = np.percentile(_free(lines @ row + constants, 1.0), INTERVAL).tolist()
        others = [] if moved is None else [survival, *_free(moved, hazard).tolist()]
        found.append(
            SurvivalAt(
                days=days,
                survival=survival,
                low=min(low, survival),
                high=max(high, survival),
                moved=(min(others), max(others)) if others else None,
            )
        )
    return tuple(found)


def _free(log_hazard: np.ndarray, hazard: float) -> np.ndarray:
    """exp(-hazard * exp(log hazard)), without overflow."""
    return np.asarray(np.exp(-hazard * np.exp(np.clip(log_hazard, -50, 50))))


_KINDS: dict[str, Callable[..., Answer]] = {"binary": _yes_or_no, "number": _how_much, "time": _how_long}


def _terms(linear: str | Linear, row: np.ndarray) -> np.ndarray:
    """What each input adds to the sum of a linear model, exactly."""
    if not isinstance(linear, Linear):
        raise TypeError("a number has a linear model; the manifest lets no other pass")
    return np.asarray(np.array(linear.coefficients) * row)


def _clipped(value: float, rule: NumberRule) -> float:
    low, high = rule.clip
    return min(max(value, -math.inf if low is None else low), math.inf if high is None else high)


def _shapley(question: Question, score: Score) -> tuple[Contribution, ...]:
    """Exact shares of the inputs; where they are too many to try every coalition, of whole parts of them."""
    groups = _groups(question)
    shares = grouped_shapley(score, question.row, np.zeros_like(question.row), list(groups.values()))
    return _sorted(
        Contribution(name, float(question.row[members[0]]) if len(members) == 1 else math.nan, float(effect))
        for (name, members), effect in zip(groups.items(), shares.values, strict=True)
    )


def _groups(question: Question) -> dict[str, list[int]]:
    """Inputs that are explained together, by a name; each alone as long as there are few."""
    if len(question.names) <= MAX_INPUTS:
        return {name: [i] for i, name in enumerate(question.names)}
    selected = set(question.model.selected)
    groups: dict[str, list[int]] = {}
    for i, name in enumerate(question.names):
        whole = "selected_features" if name in selected else "deep_features" if name.startswith("deep_") else name
        groups.setdefault(whole, []).append(i)
    return groups


def _sorted(contributions: Iterable[Contribution]) -> tuple[Contribution, ...]:
    return tuple(sorted(contributions, key=lambda c: -abs(c.effect)))

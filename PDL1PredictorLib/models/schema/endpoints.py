"""What a manifest says of one endpoint: its inputs, its model, and the rule from the model's number to the answer."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np

from PDL1PredictorLib.core.answer_parts import NumberTest, TimeTest
from PDL1PredictorLib.core.endpoints import Endpoint, endpoint
from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.core.settings import REGIONS
from PDL1PredictorLib.core.strict_json import brief
from PDL1PredictorLib.models.schema.tests import (
    ROLES,
    BinaryTest,
    Candidate,
    read_binary_test,
    read_candidates,
    read_number_test,
    read_time_test,
)
from PDL1PredictorLib.models.schema.values import (
    MAX_FEATURES,
    count,
    mapping,
    number,
    number_or_none,
    numbers,
    one_of,
    series,
    text,
    texts,
)

PARTS = ("deep", "deep_logit", "network", "radscore", "l2", "selected", "volume", "clinical")
FEATURE_PARTS = ("radscore", "l2", "selected")
STEEPEST = 1e6  # of a calibration
MOST_CUTS = 8
MAX_HORIZONS = 16  # of a time
SMALLEST, LONGEST = 1e-9, 1e6  # of a time in days, and of a cumulative hazard


@dataclass(frozen=True)
class BinaryRule:
    """From a classifier's probability to the answer of a yes/no question.

    Attributes:
        slope: Platt slope on the classifier's log-odds.
        intercept: Platt intercept.
        conformal: Nonconformity quantile of true negatives and of true positives; infinite when it could not be set.
        threshold: Calibrated probability at and above which the call is positive.
        test: On test cases; None when it was not measured.
    """

    slope: float
    intercept: float
    conformal: tuple[float, float]
    threshold: float
    test: BinaryTest | None
    kind: Literal["binary"] = "binary"


class ChanceRule(NamedTuple):
    """Log-odds that the value lies at or above a cut: `slope` times the answer, and `intercept`."""

    cut: float
    slope: float
    intercept: float


@dataclass(frozen=True)
class NumberRule:
    """From a linear model's sum to a number with its prediction interval.

    Attributes:
        slope: Of the line that calibrates the sum.
        intercept: Of the line, in the endpoint's unit.
        clip: Least and greatest value that is answered; None without a bound.
        half_width: Of the prediction interval, in the endpoint's unit.
        test: On the untouched test cases; None when it was not measured.
        chances: From the answer to the chance of each of the endpoint's cuts; none of older bundles.
    """

    slope: float
    intercept: float
    clip: tuple[float | None, float | None]
    half_width: float
    test: NumberTest | None
    kind: Literal["number"] = "number"
    chances: tuple[ChanceRule, ...] = ()


@dataclass(frozen=True)
class TimeRule:
    """From a linear model's sum to the chance to be free of an event at some times.

    Attributes:
        slope: From the sum to log hazard.
        days: The times, rising, h of them.
        hazard: Cumulative hazard of the mean training case until then.
        at_risk: Training cases that are followed as long.
        test: On the untouched test cases; None when it was not measured.
    """

    slope: float
    days: tuple[float, ...]
    hazard: tuple[float, ...]
    at_risk: tuple[int, ...]
    test: TimeTest | None
    kind: Literal["time"] = "time"


Rule = BinaryRule | NumberRule | TimeRule


@dataclass(frozen=True)
class Linear:
    """A linear model of standardized inputs: a coefficient for each, and the value at their means."""

    coefficients: tuple[float, ...]
    intercept: float

    def of(self, inputs: np.ndarray) -> float:
        """The sum for one row of inputs, (d,)."""
        return float(inputs @ np.array(self.coefficients)) + self.intercept


@dataclass(frozen=True)
class EndpointModel:
    """Everything that turns the inputs of one endpoint into its answer.

    Attributes:
        key: The endpoint.
        parts: Which inputs, some of `PARTS`, in this order.
        coefficients: Per region, the RadScore's coefficients by feature name (for standardized features).
        selected: Features that are inputs themselves, standardized.
        simpler: Title of a simpler model that was as good on held-out cases; empty where this one is the simplest.
        l2: Weights of standardized features whose sum is one input; empty where it is none.
        deep_logit: The network's own logit as a sum of deep features; None where it is no input.
        input_mean: Training mean of each input.
        input_sd: Training SD of each input, over n.
        method: The model's kind in words, such as `logistic regression`.
        model: File name of the ONNX classifier, or the linear model itself.
        rule: What is made of the model's number.
        title: Of the model for people, such as `Deep-RadScore`; empty of older bundles.
        role: What it is to the others of its study.
        base_rate: Share of positives among the cases it was learned from; None if not known.
        candidates: The models it was chosen from.
    """

    key: str
    parts: tuple[str, ...]
    coefficients: Mapping[str, Mapping[str, float]]
    selected: tuple[str, ...]
    input_mean: tuple[float, ...]
    input_sd: tuple[float, ...]
    method: str
    model: str | Linear
    rule: Rule
    title: str = ""
    role: Role = "lead"
    base_rate: float | None = None
    candidates: tuple[Candidate, ...] = ()
    deep_logit: Linear | None = None
    l2: Mapping[str, float] = field(default_factory=dict)
    simpler: str = ""

    @property
    def used_features(self) -> set[str]:
        """Names of the radiomic features that the inputs are made of."""
        return {name for region in self.coefficients.values() for name in region} | set(self.selected) | set(self.l2)


def input_names(
    n_deep: int,
    parts: tuple[str, ...] = ("deep", "radscore"),
    selected: tuple[str, ...] = (),
    clinical: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """Names of a model's inputs, in their order."""
    names = {
        "deep": tuple(f"deep_{i + 1}" for i in range(n_deep)),
        "radscore": tuple(f"radscore_{region}" for region in REGIONS),
        "selected": selected,
        "deep_logit": ("network_logit",),
        "network": ("network_answer",),
        "l2": ("l2_score",),
        "volume": ("log_volume",),
        "clinical": clinical,
    }
    return tuple(name for part in parts for name in names[part])


def read_endpoint(key: str, data: Mapping[str, Any]) -> EndpointModel:
    """One entry of `endpoints`.

    Raises:
        KeyError: An entry is missing.
        ValueError: An entry is of another type, or out of its bounds.
        InputError: The library does not know the endpoint.
    """
    about = endpoint(key)  # refuses a key that the library cannot put into words
    kind = one_of(data["kind"], f"{key}.kind", tuple(_RULES))
    if kind != about.kind:
        raise ValueError(f"{key}.kind is {brief(kind)}; this endpoint is of the kind {about.kind}.")
    parts = texts(data["parts"], f"{key}.parts", len(PARTS))
    for part in parts:
        one_of(part, f"an entry of {key}.parts", PARTS)
    if not parts:
        raise ValueError(f"{key}.parts names no input.")
    read_rule, read_model = _RULES[kind]
    model = mapping(data["model"], f"{key}.model")
    if "cross_validated" in model:
        numbers(model["cross_validated"], f"{key}.model.cross_validated")
    return EndpointModel(
        key=key,
        parts=parts,
        coefficients=_coefficients(data["radscore"], f"{key}.radscore") if "radscore" in parts else {},
        selected=texts(data["selected"], f"{key}.selected", MAX_FEATURES) if "selected" in parts else (),
        deep_logit=_linear(mapping(data["deep_logit"], f"{key}.deep_logit"), f"{key}.deep_logit")
        if "deep_logit" in parts
        else None,
        l2=numbers(data["l2"], f"{key}.l2") if "l2" in parts else {},
        input_mean=series(data["input_mean"], f"{key}.input_mean"),
        input_sd=series(data["input_sd"], f"{key}.input_sd"),
        method=text(model["kind"], f"{key}.model.kind"),
        model=read_model(model, f"{key}.model"),
        rule=read_rule(about, data),
        title=text(data["title"], f"{key}.title"),
        role=one_of(data["role"], f"{key}.role", ROLES),
        base_rate=_base_rate(data["base_rate"], f"{key}.base_rate"),
        candidates=read_candidates(data["candidates"], f"{key}.candidates"),
        simpler=text(data.get("simpler", ""), f"{key}.simpler"),
    )


def _base_rate(value: Any, what: str) -> float | None:
    """A share that has a logarithm on both sides."""
    found = number_or_none(value, what, 0.0, 1.0)
    if found in (0.0, 1.0):
        raise ValueError(f"{what} must lie between 0 and 1, both left out, got {found:g}.")
    return found


def _coefficients(values: Any, what: str) -> dict[str, dict[str, float]]:
    given = mapping(values, what)
    return {region: numbers(given[region], f"{what}.{region}") for region in REGIONS}


def _classifier(model: Mapping[str, Any], what: str) -> str:
    return text(model["file"], f"{what}.file")


def _linear(model: Mapping[str, Any], what: str) -> Linear:
    given = mapping(model["linear"], f"{what}.linear")
    return Linear(
        series(given["coefficients"], f"{what}.linear.coefficients"),
        number(given["intercept"], f"{what}.linear.intercept"),
    )


def _binary(about: Endpoint, data: Mapping[str, Any]) -> BinaryRule:
    key = about.key
    slope, intercept = _line(data["calibration"], f"{key}.calibration")
    return BinaryRule(
        slope=slope,
        intercept=intercept,
        conformal=_conformal(data["conformal"], f"{key}.conformal"),
        threshold=number(data["threshold"], f"{key}.threshold", 0.0, 1.0),
        test=read_binary_test(data["test"], f"{key}.test"),
    )


def _number(about: Endpoint, data: Mapping[str, Any]) -> NumberRule:
    key = about.key
    _unit(about, data)
    slope, intercept = _line(data["line"], f"{key}.line")
    return NumberRule(
        slope=slope,
        intercept=intercept,
        clip=_clip(data["clip"], about),
        half_width=number(data["half_width"], f"{key}.half_width", 0.0),
        test=read_number_test(data["test"], f"{key}.test"),
        chances=_chances(data.get("chances", []), f"{key}.chances"),
    )


def _chances(values: Any, what: str) -> tuple[ChanceRule, ...]:
    if not isinstance(values, list) or len(values) > MOST_CUTS:
        raise ValueError(f"{what} must be a list of at most {MOST_CUTS}, got {brief(values)}.")
    given = [mapping(value, f"an entry of {what}") for value in values]
    return tuple(ChanceRule(number(one["cut"], f"{what}.cut"), *_line(one, what)) for one in given)


def _time(about: Endpoint, data: Mapping[str, Any]) -> TimeRule:
    key = about.key
    _unit(about, data)
    rows = data["baseline"]
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_HORIZONS:
        raise ValueError(f"{key}.baseline must list 1 to {MAX_HORIZONS} times, got {brief(rows)}.")
    given = [mapping(row, f"an entry of {key}.baseline") for row in rows]
    days, hazard = (
        tuple(number(row[name], f"{key}.baseline.{name}", SMALLEST, LONGEST) for row in given)
        for name in ("days", "hazard")
    )
    for name, values in (("days", days), ("hazard", hazard)):
        if any(later < earlier for earlier, later in pairwise(values)) or (
            name == "days" and len(set(days)) < len(days)
        ):
            raise ValueError(f"{key}.baseline must rise, got {name} {list(values)}.")
    return TimeRule(
        slope=number(mapping(data["calibration"], f"{key}.calibration")["slope"], f"{key}.slope", 0.0, STEEPEST),
        days=days,
        hazard=hazard,
        at_risk=tuple(count(row["at_risk"], f"{key}.baseline.at_risk") for row in given),
        test=read_time_test(data["test"], f"{key}.test"),
    )


def _unit(about: Endpoint, data: Mapping[str, Any]) -> None:
    unit = text(data["unit"], f"{about.key}.unit")
    if unit != about.unit:
        raise ValueError(f"{about.key}.unit is {brief(unit)}; this endpoint is measured in {about.unit!r}.")


def _line(values: Any, what: str) -> tuple[float, float]:
    given = mapping(values, what)
    slope, intercept = (number(given[name], f"{what}.{name}", -STEEPEST, STEEPEST) for name in ("slope", "intercept"))
    return slope, intercept


def _conformal(values: Any, what: str) -> tuple[float, float]:
    if not isinstance(values, list) or len(values) != 2:
        raise ValueError(f"{what} must hold two numbers, of negatives and of positives, got {brief(values)}.")
    negative, positive = (math.inf if q is None else number(q, what, 0.0, 1.0) for q in values)
    return negative, positive


def _clip(values: Any, about: Endpoint) -> tuple[float | None, float | None]:
    """Bounds of the answer; within those of the endpoint where it has them."""
    what = f"{about.key}.clip"
    if not isinstance(values, list) or len(values) != 2:
        raise ValueError(f"{what} must hold two numbers, the least and the greatest answer, got {brief(values)}.")
    low, high = (number_or_none(value, what) for value in values)
    too_low = about.low is not None and (low is None or low < about.low)
    too_high = about.high is not None and (high is None or high > about.high)
    if too_low or too_high:
        raise ValueError(f"{what} must lie from {about.low} to {about.high}, as the endpoint does, got {values}.")
    if low is not None and high is not None and not low < high:
        raise ValueError(f"{what} must rise, got {values}.")
    return low, high


_RULES: dict[str, tuple[Callable[..., Rule], Callable[..., str | Linear]]] = {
    "binary": (_binary, _classifier),
    "number": (_number, _linear),
    "time": (_time, _linear),
}

"""What a manifest says of one endpoint: its inputs, its model, and the rule from the model's number to the answer."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from PDL1PredictorLib.core.endpoints import Endpoint, endpoint
from PDL1PredictorLib.core.results import NumberTest
from PDL1PredictorLib.core.settings import REGIONS
from PDL1PredictorLib.core.strict_json import brief
from PDL1PredictorLib.models.schema.values import (
    LARGEST,
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

PARTS = ("deep", "radscore", "selected", "volume", "clinical")
FEATURE_PARTS = ("radscore", "selected")
STEEPEST = 1e6  # of a calibration
AucTest = tuple[float, float, float, int, int]


@dataclass(frozen=True)
class BinaryRule:
    """From a classifier's probability to the answer of a yes/no question.

    Attributes:
        slope: Platt slope on the classifier's log-odds.
        intercept: Platt intercept.
        conformal: Nonconformity quantile of true negatives and of true positives; infinite when it could not be set.
        threshold: Calibrated probability at and above which the call is positive.
        test: On the untouched test cases: AUC, low, high, n positive, n negative; None when it was not measured.
    """

    slope: float
    intercept: float
    conformal: tuple[float, float]
    threshold: float
    test: AucTest | None
    kind: Literal["binary"] = "binary"


@dataclass(frozen=True)
class NumberRule:
    """From a linear model's sum to a number with its prediction interval.

    Attributes:
        slope: Of the line that calibrates the sum.
        intercept: Of the line, in the endpoint's unit.
        clip: Least and greatest value that is answered; None without a bound.
        half_width: Of the prediction interval, in the endpoint's unit.
        test: On the untouched test cases; None when it was not measured.
    """

    slope: float
    intercept: float
    clip: tuple[float | None, float | None]
    half_width: float
    test: NumberTest | None
    kind: Literal["number"] = "number"


@dataclass(frozen=True)
class Linear:
    """A linear model of standardized inputs: a coefficient for each, and the value at their means."""

    coefficients: tuple[float, ...]
    intercept: float


@dataclass(frozen=True)
class EndpointModel:
    """Everything that turns the inputs of one endpoint into its answer.

    Attributes:
        key: The endpoint.
        parts: Which inputs, some of `PARTS`, in this order.
        coefficients: Per region, the RadScore's coefficients by feature name (for standardized features).
        selected: Features that are inputs themselves, standardized.
        input_mean: Training mean of each input.
        input_sd: Training SD of each input, over n.
        method: The model's kind in words, such as `logistic regression`.
        model: File name of the ONNX classifier, or the linear model itself.
        rule: What is made of the model's number.
    """

    key: str
    parts: tuple[str, ...]
    coefficients: Mapping[str, Mapping[str, float]]
    selected: tuple[str, ...]
    input_mean: tuple[float, ...]
    input_sd: tuple[float, ...]
    method: str
    model: str | Linear
    rule: BinaryRule | NumberRule

    @property
    def used_features(self) -> set[str]:
        """Names of the radiomic features that the inputs are made of."""
        return {name for region in self.coefficients.values() for name in region} | set(self.selected)


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
        input_mean=series(data["input_mean"], f"{key}.input_mean"),
        input_sd=series(data["input_sd"], f"{key}.input_sd"),
        method=text(model["kind"], f"{key}.model.kind"),
        model=read_model(model, f"{key}.model"),
        rule=read_rule(about, data),
    )


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
        test=read_auc(data["test"], f"{key}.test", "auc"),
    )


def _number(about: Endpoint, data: Mapping[str, Any]) -> NumberRule:
    key = about.key
    unit = text(data["unit"], f"{key}.unit")
    if unit != about.unit:
        raise ValueError(f"{key}.unit is {brief(unit)}; this endpoint is measured in {about.unit!r}.")
    slope, intercept = _line(data["line"], f"{key}.line")
    return NumberRule(
        slope=slope,
        intercept=intercept,
        clip=_clip(data["clip"], about),
        half_width=number(data["half_width"], f"{key}.half_width", 0.0),
        test=_number_test(data["test"], f"{key}.test"),
    )


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


def read_auc(values: Any, what: str, name: str) -> AucTest | None:
    """A measured AUC: value, low, high, n positive, n negative; None where none was measured.

    Args:
        values: Of the JSON.
        what: The entry, for messages.
        name: Under which the value stands.

    Raises:
        KeyError: One of the five is missing.
        ValueError: One of them cannot be.
    """
    if values is None:
        return None
    given = mapping(values, what)
    value, low, high = (number(given[part], f"{what}.{part}", 0.0, 1.0) for part in (name, "low", "high"))
    _within(value, low, high, what)
    positive, negative = (count(given[part], f"{what}.{part}") for part in ("n_positive", "n_negative"))
    return value, low, high, positive, negative


def _number_test(values: Any, what: str) -> NumberTest | None:
    if values is None:
        return None
    given = mapping(values, what)
    errors = {name: number(given[name], f"{what}.{name}", 0.0) for name in ("mse", "mse_of_mean", "mae")}
    shares = {name: number(given[name], f"{what}.{name}", -LARGEST, 1.0) for name in ("r2", "r2_low", "r2_high")}
    _within(shares["r2"], shares["r2_low"], shares["r2_high"], f"{what}.r2")
    return NumberTest(n=count(given["n"], f"{what}.n"), **errors, **shares)


def _within(value: float, low: float, high: float, what: str) -> None:
    if not low - 1e-9 <= value <= high + 1e-9:
        raise ValueError(f"{what} is {value:g}, which lies outside its interval from {low:g} to {high:g}.")


_RULES: dict[str, tuple[Callable[..., BinaryRule | NumberRule], Callable[..., str | Linear]]] = {
    "binary": (_binary, _classifier),
    "number": (_number, _linear),
}

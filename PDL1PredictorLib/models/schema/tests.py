"""What a manifest says of how well a model did on cases that nothing had seen, and of the models it was chosen from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PDL1PredictorLib.core.answer_parts import Estimate, NumberTest, TimeTest
from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.models.schema.values import (
    LARGEST,
    count,
    mapping,
    number,
    number_or_none,
    one_of,
    text,
)

AucTest = tuple[float, float, float, int, int]
ROLES: tuple[Role, ...] = ("lead", "part", "baseline")
DESIGNS = ("split", "nested", "evaluation", "")
MAX_CANDIDATES = 32
MAX_REPEATS = 10_000
SLACK = 1e-9


@dataclass(frozen=True)
class BinaryTest:
    """Figures of a yes/no endpoint on test cases.

    Attributes:
        auc: Area under the ROC curve of the raw score.
        low: Lower end of its 95 % interval.
        high: Upper end.
        n_positive: Test cases that are positive.
        n_negative: Test cases that are negative.
        design: `split`, `nested`, or `evaluation` of a model that was recalibrated; empty of older bundles.
        repeats: Of the outer folds.
        p: Of a permutation test against 0.5; None without one.
        sensitivity: At the shipped threshold; None where it was not measured.
        specificity: Likewise.
    """

    auc: float
    low: float
    high: float
    n_positive: int
    n_negative: int
    design: str = ""
    repeats: int = 1
    p: float | None = None
    sensitivity: Estimate | None = None
    specificity: Estimate | None = None

    @property
    def figures(self) -> AucTest:
        """AUC, its interval, and the numbers of cases."""
        return self.auc, self.low, self.high, self.n_positive, self.n_negative


@dataclass(frozen=True)
class Candidate:
    """A model that could have been the endpoint's.

    Attributes:
        title: Of the model.
        role: What it is to the others.
        auc: On held-out cases; None where it learned nothing.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    title: str
    role: Role
    auc: float | None
    low: float | None
    high: float | None


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


def read_binary_test(values: Any, what: str) -> BinaryTest | None:
    """The entry `test` of a yes/no endpoint; raises as `read_auc`."""
    figures = read_auc(values, what, "auc")
    if figures is None:
        return None
    return BinaryTest(
        *figures,
        design=one_of(values["design"], f"{what}.design", DESIGNS),
        repeats=count(values["repeats"], f"{what}.repeats", 1, MAX_REPEATS),
        p=number_or_none(values["p"], f"{what}.p", 0.0, 1.0),
        sensitivity=_estimate(values["sensitivity"], f"{what}.sensitivity"),
        specificity=_estimate(values["specificity"], f"{what}.specificity"),
    )


def read_number_test(values: Any, what: str) -> NumberTest | None:
    """The entry `test` of an endpoint that is a number; raises as `read_auc`."""
    if values is None:
        return None
    given = mapping(values, what)
    errors = {name: number(given[name], f"{what}.{name}", 0.0) for name in ("mse", "mse_of_mean", "mae")}
    shares = {name: number(given[name], f"{what}.{name}", -LARGEST, 1.0) for name in ("r2", "r2_low", "r2_high")}
    _within(shares["r2"], shares["r2_low"], shares["r2_high"], f"{what}.r2")
    return NumberTest(n=count(given["n"], f"{what}.n"), **errors, **shares)


def read_time_test(values: Any, what: str) -> TimeTest | None:
    """The entry `test` of an endpoint that is a time; raises as `read_auc`."""
    if values is None:
        return None
    given = mapping(values, what)
    c, low, high = (number(given[name], f"{what}.{name}", 0.0, 1.0) for name in ("c", "low", "high"))
    _within(c, low, high, f"{what}.c")
    n = count(given["n"], f"{what}.n")
    return TimeTest(n=n, events=count(given["events"], f"{what}.events", 0, n), c=c, low=low, high=high)


def read_candidates(values: Any, what: str) -> tuple[Candidate, ...]:
    """The entry `candidates`; raises as `read_auc`."""
    if not isinstance(values, list) or len(values) > MAX_CANDIDATES:
        raise ValueError(f"{what} must be a list of at most {MAX_CANDIDATES} models.")
    return tuple(_candidate(mapping(value, f"an entry of {what}"), f"an entry of {what}") for value in values)


def _candidate(given: Mapping[str, Any], what: str) -> Candidate:
    auc, low, high = (number_or_none(given[name], f"{what}: {name}", 0.0, 1.0) for name in ("auc", "low", "high"))
    if auc is not None and low is not None and high is not None:
        _within(auc, low, high, what)
    return Candidate(
        text(given["title"], f"{what}: title"), one_of(given["role"], f"{what}: role", ROLES), auc, low, high
    )


def _estimate(values: Any, what: str) -> Estimate | None:
    if values is None:
        return None
    given = mapping(values, what)
    found = Estimate(*(number(given[name], f"{what}.{name}", 0.0, 1.0) for name in ("value", "low", "high")))
    _within(*found, what)
    return found


def _within(value: float, low: float, high: float, what: str) -> None:
    if not low - SLACK <= value <= high + SLACK:
        raise ValueError(f"{what} is {value:g}, which lies outside its interval from {low:g} to {high:g}.")

"""Entries of a `result.json` from outside, read back and checked: a scene may come from anywhere."""

import math
from collections.abc import Mapping
from typing import Any

from PDL1PredictorLib.core.answer_parts import Behind, Contribution, Estimate, Range
from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.core.verdicts import Reason, Verdict, refused

OLD = refused([Reason("not_measured", "This result is from before answers were judged. Predict again.")])
ROLES: tuple[Role, ...] = ("lead", "part", "baseline")


def number(row: Mapping[str, Any], name: str, low: float = -math.inf, high: float = math.inf) -> float:
    """A number within bounds.

    Raises:
        TypeError: It is none.
        ValueError: It is out of its bounds.
    """
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} is {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} is {value!r}, which lies outside {low:g} to {high:g}")
    return float(value)


def interval(row: Mapping[str, Any], low: float = -math.inf, high: float = math.inf) -> tuple[float, float]:
    """Two numbers that rise.

    Raises:
        TypeError: They are none.
        ValueError: They are out of their bounds, or fall.
    """
    return _range(row["interval"], "interval", low, high)


def range_or_none(row: Mapping[str, Any], name: str, low: float = -math.inf, high: float = math.inf) -> Range | None:
    """Two numbers that rise; None where there are none, as in results of earlier versions. Raises as `interval`."""
    return None if row.get(name) is None else _range(row[name], name, low, high)


def number_or_none(row: Mapping[str, Any], name: str, low: float = -math.inf, high: float = math.inf) -> float | None:
    """A number within bounds; None where there is none, as in results of earlier versions. Raises as `number`."""
    return None if row.get(name) is None else number(row, name, low, high)


def estimate(row: Mapping[str, Any], name: str) -> Estimate | None:
    """A share with its interval; None where there is none. Raises as `number`."""
    found = row.get(name)
    if found is None:
        return None
    if not isinstance(found, Mapping):
        raise TypeError(f"{name} is {found!r}")
    return Estimate(*(number(found, part, 0.0, 1.0) for part in ("value", "low", "high")))


def role(row: Mapping[str, Any]) -> Role:
    """What the model is to the others of its study; the recipe's own in results of earlier versions.

    Raises:
        ValueError: There is no such role.
    """
    found = row.get("role", "lead")
    for known in ROLES:
        if found == known:
            return known
    raise ValueError(f"role is {found!r}")


def verdict_of(row: Mapping[str, Any]) -> Verdict:
    """The verdict; a result of an earlier version has none that may be relied on.

    Raises:
        KeyError: An entry is missing.
        TypeError: It is of another shape.
        ValueError: It contradicts itself.
    """
    found = row.get("verdict")
    if found is None or isinstance(found, str):
        return OLD
    if not isinstance(found, Mapping) or not isinstance(found["reasons"], list):
        raise TypeError(f"verdict is {found!r}")
    reasons = tuple(Reason(_text(item, "code"), _text(item, "text")) for item in found["reasons"])
    return Verdict(found["status"], found["call"], reasons)


def _range(ends: Any, name: str, low: float, high: float) -> Range:
    if not isinstance(ends, list | tuple) or len(ends) != 2:
        raise TypeError(f"{name} is {ends!r}")
    pair = dict(zip(("low", "high"), ends, strict=True))
    first, second = number(pair, "low", low, high), number(pair, "high", low, high)
    if first > second:
        raise ValueError(f"{name} is {ends!r}, which falls")
    return first, second


def flag(row: Mapping[str, Any], name: str) -> bool:
    """True or false.

    Raises:
        TypeError: It is neither.
    """
    if not isinstance(row[name], bool):
        raise TypeError(f"{name} is {row[name]!r}")
    return bool(row[name])


def texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts.

    Raises:
        TypeError: It is none.
    """
    items = row[name]
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise TypeError(f"{name} is {items!r}")
    return tuple(items)


def contributions(row: Mapping[str, Any]) -> tuple[Contribution, ...]:
    """What moved the answer; null stands for a number that is not finite.

    Raises:
        TypeError: One is of another shape.
    """
    items = row["contributions"]
    if not isinstance(items, list):
        raise TypeError(f"contributions is {items!r}")
    return tuple(
        Contribution(_text(item, "name"), _loose(item, "value"), _loose(item, "effect"), _behind(item))
        for item in items
    )


def _behind(item: Mapping[str, Any]) -> tuple[Behind, ...]:
    """Features that an input was made of; none in results of before they were told."""
    found = item.get("behind", [])
    if not isinstance(found, list):
        raise TypeError(f"behind is {found!r}")
    return tuple(Behind(_text(part, "name"), number(part, "share", -1.0, 1.0)) for part in found)


def _text(item: Mapping[str, Any], name: str) -> str:
    if not isinstance(item[name], str):
        raise TypeError(f"{name} is {item[name]!r}")
    return str(item[name])


def _loose(item: Mapping[str, Any], name: str) -> float:
    return math.nan if item[name] is None else number(item, name)

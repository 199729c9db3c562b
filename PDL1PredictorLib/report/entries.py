"""Entries of a `result.json` from outside, read back and checked: a scene may come from anywhere."""

import math
from collections.abc import Mapping
from typing import Any

from PDL1PredictorLib.core.results import Contribution


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
    ends = row["interval"]
    if not isinstance(ends, list | tuple) or len(ends) != 2:
        raise TypeError(f"interval is {ends!r}")
    pair = dict(zip(("low", "high"), ends, strict=True))
    first, second = number(pair, "low", low, high), number(pair, "high", low, high)
    if first > second:
        raise ValueError(f"interval is {ends!r}, which falls")
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
    return tuple(Contribution(_text(item, "name"), _loose(item, "value"), _loose(item, "effect")) for item in items)


def _text(item: Mapping[str, Any], name: str) -> str:
    if not isinstance(item[name], str):
        raise TypeError(f"{name} is {item[name]!r}")
    return str(item[name])


def _loose(item: Mapping[str, Any], name: str) -> float:
    return math.nan if item[name] is None else number(item, name)

"""Two engines on one case: how far their values lie apart."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Difference(NamedTuple):
    """One feature, measured twice.

    Attributes:
        feature: Its name.
        value: What the engine found.
        judge: What the judge found.
        relative: |value - judge| over the larger magnitude of the two; 0 where both are NaN, infinite where one is.
    """

    feature: str
    value: float
    judge: float
    relative: float


def differences(values: Mapping[str, float], judge: Mapping[str, float]) -> list[Difference]:
    """Hold the values of an engine against those of the judge, feature by feature, in the judge's order.

    Raises:
        KeyError: The engine lacks a feature of the judge.
    """
    return [Difference(name, values[name], value, _relative(values[name], value)) for name, value in judge.items()]


def largest_by_class(found: Iterable[Difference]) -> dict[str, Difference]:
    """The largest difference of every feature class, by its name, in the order of appearance."""
    largest: dict[str, Difference] = {}
    for difference in found:
        family = difference.feature.split("_")[-2]
        if family not in largest or difference.relative > largest[family].relative:
            largest[family] = difference
    return largest


def _relative(value: float, judge: float) -> float:
    if math.isnan(value) or math.isnan(judge):
        return 0.0 if math.isnan(value) and math.isnan(judge) else math.inf
    if value == judge:
        return 0.0
    return abs(value - judge) / max(abs(value), abs(judge))

"""What test cases are divided by to see whether a model does equally well in all: scan, patient, size of the tumor."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.sanity import SANITY_NAMES

THICKNESS_MM = (1.5, 3.0)  # between thin, usual and thick slices
THICK_MM = 5.0  # from here on slices are thick in paper 004
MOST_KERNELS = 3  # that have a level of their own, and so many makers; the others share one
OTHER = "other"


def factors_of(cohort: PreparedCohort, training: np.ndarray | None = None) -> dict[str, tuple[str, ...]]:
    """Factor to the level of every case, "" where it is not known; factors with one level are left out.

    Slice thickness is what the scanner states, or else the distance of the slices: in three parts, and as paper 004
    divides it. Tube current is divided at the median of the training cases. Tumors are divided into thirds by volume,
    patients into halves by age; kernels and makers that are rare share a level.

    Args:
        cohort: All cases.
        training: Rows of the training cases; None: all.

    Source: paper 004, "Robustness": 5 mm, and the median current.
    """
    people = [cohort.people.get(name, Clinical()) for name in cohort.names]
    thickness = _thickness_mm(cohort, people)
    found = {
        "Slice thickness": _by_edges(thickness, THICKNESS_MM, "mm"),
        "Slice thickness, at 5 mm": _from(thickness, THICK_MM, "mm"),
        "Tube current": _from_median(_numbers(people, lambda one: one.tube_current_ma), training, "mA"),
        "Kernel": _frequent([one.kernel or "" for one in people]),
        "Scanner": _frequent([one.manufacturer or "" for one in people]),
        "Sex": tuple(one.sex or "" for one in people),
        "Age": _by_quantiles(_numbers(people, lambda one: one.age_years), 2, "years"),
        "Smoking": tuple(one.smoking or "" for one in people),
        "Volume of the tumor": _by_quantiles(_volumes_ml(cohort), 3, "mL"),
    }
    return {factor: levels for factor, levels in found.items() if len(set(levels) - {""}) > 1}


def _numbers(people: Sequence[Clinical], of: Callable[[Clinical], float | None]) -> np.ndarray:
    return np.array([np.nan if (value := of(one)) is None else value for one in people], dtype=float)


def _thickness_mm(cohort: PreparedCohort, people: Sequence[Clinical]) -> np.ndarray:
    stated = _numbers(people, lambda one: one.slice_thickness_mm)
    if "sanity" not in cohort.blocks:
        return stated
    distance = np.exp(cohort.sanity[:, SANITY_NAMES.index("log_between_mm")])
    return np.asarray(np.where(np.isfinite(stated), stated, distance))


def _volumes_ml(cohort: PreparedCohort) -> np.ndarray:
    if "sanity" not in cohort.blocks:
        return np.full(len(cohort), np.nan)
    return np.asarray(np.exp(cohort.sanity[:, SANITY_NAMES.index("log_volume_ml")]))


def _by_quantiles(values: np.ndarray, parts: int, unit: str) -> tuple[str, ...]:
    known = values[np.isfinite(values)]
    if not len(known):
        return ("",) * len(values)
    edges = [float(f"{edge:.2g}") for edge in np.quantile(known, np.arange(1, parts) / parts)]
    return _by_edges(values, sorted(set(edges)), unit)


def _by_edges(values: np.ndarray, edges: Sequence[float], unit: str) -> tuple[str, ...]:
    """Levels such as `up to 1.5 mm`, `over 1.5 to 3 mm`, `over 3 mm`; an edge belongs to the level below it."""
    between = [f"over {low:g} to {high:g} {unit}" for low, high in pairwise(edges)]
    names = [f"up to {edges[0]:g} {unit}", *between, f"over {edges[-1]:g} {unit}"]
    return tuple(names[int(np.searchsorted(edges, one))] if np.isfinite(one) else "" for one in values)


def _from_median(values: np.ndarray, training: np.ndarray | None, unit: str) -> tuple[str, ...]:
    """Two levels, divided at the median of the training cases: test cases do not move it."""
    own = values if training is None else values[training]
    known = own[np.isfinite(own)]
    return _from(values, float(f"{np.median(known):.4g}"), unit) if len(known) else ("",) * len(values)


def _from(values: np.ndarray, edge: float, unit: str) -> tuple[str, ...]:
    """Levels such as `below 5 mm` and `5 mm or more`; the edge belongs to the level above it."""
    names = f"below {edge:g} {unit}", f"{edge:g} {unit} or more"
    return tuple(names[int(one >= edge)] if np.isfinite(one) else "" for one in values)


def _frequent(values: Sequence[str]) -> tuple[str, ...]:
    counts = Counter(value for value in values if value)
    own = {value for value, _ in counts.most_common(MOST_KERNELS)}
    return tuple(value if value in own or not value else OTHER for value in values)

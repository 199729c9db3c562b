"""What the training cohort looks like, for the check whether a case is like it (`models.reference`)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.covariance import LedoitWolf

from PDL1PredictorLib.core.sanity import SANITY
from PDL1PredictorLib.learning.selection import Standardizer
from PDL1PredictorLib.models.reference import largest_z, lopsided_z, mahalanobis
from PDL1PredictorLib.models.schema.reference import SCORES

QUANTILE = 99  # percentile of held-out cases that a view's score is divided by, so that no long tail rules the others
TAIL, TAIL_SD = 2.5, 1.96  # percent of a side; how many SDs of a normal distribution they lie beyond
LEAST_LIMIT = 1.0  # nothing within one SD, or at that distance, is ever far
Pairs = Sequence[tuple[np.ndarray, np.ndarray]]
Table = dict[str, np.ndarray]
"""What a view keeps of the cases that it was learned from, by name."""


@dataclass(frozen=True, eq=False)
class Reference:
    """What the training cohort looks like.

    Attributes:
        features: Names of the radiomic features that are looked at.
        limits: By view, the 99th percentile of its score over held-out cases.
        tables: What the bundle keeps, by name: means, covariances, and the scores of held-out cases.
    """

    features: tuple[str, ...]
    limits: Mapping[str, float]
    tables: Mapping[str, np.ndarray]

    @property
    def n_held_out(self) -> int:
        """Cases whose scores are kept."""
        return len(self.tables["reference/held_out"])

    def entry(self) -> dict[str, object]:
        """What the manifest says of it."""
        return {"features": list(self.features), "limits": dict(self.limits), "held_out": self.n_held_out}


@dataclass(frozen=True)
class _View:
    """How a view is learned from rows (n, d), and what its score of other rows is."""

    prefix: str
    learn: Callable[[np.ndarray], Table]
    score: Callable[[np.ndarray, Table], np.ndarray]


def reference_of(
    used: Iterable[str],
    names: Sequence[str],
    standardizer: Standardizer | None,
    features: np.ndarray | None,
    held_out: Pairs,
    sanity: np.ndarray | None = None,
    deep: np.ndarray | None = None,
) -> Reference | None:
    """Learn every view for which there are arrays, and measure it on cases that it was not learned from.

    Args:
        used: Names of the radiomic features that the models rest on.
        names: Of all features.
        standardizer: Of all features; None where no features are used.
        features: Of all cases, (n, f).
        held_out: Pairs of rows: what a view is learned from, and measured on. What is kept is learned from the first of
            a single pair, and from the cases of all pairs together otherwise.
        sanity: Plain measures of all cases, (n, m), see `core.sanity`.
        deep: Deep features of all cases, (n, n_deep), each by a network that has not seen the case; NaN elsewhere.

    Returns:
        None where there is nothing to look at: then nothing tells how unlike a case is.
    """
    chosen = tuple(sorted(set(used)))
    arrays: dict[str, np.ndarray] = {}
    if sanity is not None:
        arrays |= {"sanity": sanity, "sanity_z": sanity}
    if deep is not None:
        arrays["deep"] = deep
    if chosen and standardizer is not None and features is not None:
        z = standardizer(features)[:, [names.index(name) for name in chosen]]
        arrays |= {"selected": z, "selected_z": z}
    if not arrays:
        return None
    everyone = np.unique(np.concatenate([rows for pair in held_out for rows in pair]))
    kept_from = held_out[0][0] if len(held_out) == 1 else everyone
    tables: Table = {}
    scores: dict[str, np.ndarray] = {}
    for name in (name for name in SCORES if name in arrays):
        view, rows = _VIEWS[name], arrays[name]
        scores[name] = np.concatenate([view.score(rows[others], view.learn(rows[known])) for known, others in held_out])
        if not name.endswith("_z"):  # means and SDs are those of the standardizer, or of the view beside it
            tables |= {f"{view.prefix}/{part}": table for part, table in view.learn(rows[kept_from]).items()}
    limits = {name: max(float(np.percentile(found, QUANTILE)), LEAST_LIMIT) for name, found in scores.items()}
    tables["reference/held_out"] = _in_no_ones_order(np.column_stack(list(scores.values())), list(limits.values()))
    return Reference(chosen if "selected" in arrays else (), limits, tables)


def _in_no_ones_order(scores: np.ndarray, limits: Sequence[float]) -> np.ndarray:
    """By how far a case is from the others: what is given away must not say by its place whose it is."""
    return scores[np.argsort((scores / np.array(limits)).max(axis=1), kind="stable")]


def _covariance(rows: np.ndarray) -> Table:
    """Ledoit-Wolf: Ledoit and Wolf 2004, doi 10.1016/S0047-259X(03)00096-4."""
    fitted = LedoitWolf().fit(rows)
    return {"mean": fitted.location_, "precision": fitted.precision_}


def _spread(rows: np.ndarray) -> Table:
    return {"mean": rows.mean(0), "sd": np.maximum(rows.std(0), 1e-6)}


def _plain(rows: np.ndarray) -> Table:
    """Medians, and SDs of either side by its last cases, with the floors of `core.sanity`; how they go together.

    The variance of none becomes less than 1: what hardly varies in the cohort is far at its floor's SDs, not sooner.
    """
    low, middle, high = np.percentile(rows, (TAIL, 50, 100 - TAIL), axis=0)
    floors = [measure.floor for measure in SANITY]
    below, above = (np.maximum(reach / TAIL_SD, floors) for reach in (middle - low, high - middle))
    fitted = LedoitWolf().fit(lopsided_z(rows, middle, below, above))
    covariance = fitted.covariance_
    covariance = covariance + np.diag(np.maximum(1 - np.diag(covariance), 0.0))
    sides = {"middle": middle, "below": below, "above": above}
    return {**sides, "mean": fitted.location_, "precision": np.linalg.inv(covariance)}


def _by_covariance(rows: np.ndarray, table: Table) -> np.ndarray:
    return mahalanobis(rows, table["mean"], table["precision"])


def _by_sides(rows: np.ndarray, table: Table) -> np.ndarray:
    return np.asarray(np.abs(lopsided_z(rows, table["middle"], table["below"], table["above"])).max(axis=1))


def _by_sides_together(rows: np.ndarray, table: Table) -> np.ndarray:
    z = lopsided_z(rows, table["middle"], table["below"], table["above"])
    return mahalanobis(z, table["mean"], table["precision"])


def _by_z(rows: np.ndarray, table: Table) -> np.ndarray:
    return largest_z(rows, table["mean"], table["sd"])


_VIEWS = {
    "sanity": _View("reference/sanity", _plain, _by_sides_together),
    "sanity_z": _View("reference/sanity", _plain, _by_sides),
    "deep": _View("reference/deep", _covariance, _by_covariance),
    "selected": _View("reference", _covariance, _by_covariance),
    "selected_z": _View("reference/selected_z", _spread, _by_z),
}

"""Clinical values that are not known, estimated from the most similar patients of the training cohort.

Source: Troyanskaya et al. 2001, doi 10.1093/bioinformatics/17.6.520 (k nearest neighbors, weighted by distance);
Dixon 1979, doi 10.1109/TSMC.1979.4310090 (distances where coordinates are missing).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Donors = Literal["rows", "centroids"]
SAME = 1e-9  # distances that differ by less are one: no order of the donors may decide
TABLES = ("imputer/donors", "imputer/known")


@dataclass(frozen=True, eq=False)
class Imputer:
    """Estimates by k nearest neighbors.

    Attributes:
        mean: Of the known values of the training cases, (c,).
        sd: Likewise, (c,), > 0.
        donors: Standardized values of patients, or of centroids of several, (m, c); NaN where not known.
        k: Neighbors that an estimate is made of.
        kind: What the donors are.
    """

    mean: np.ndarray
    sd: np.ndarray
    donors: np.ndarray
    k: int
    kind: Donors

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Rows (n, c) with every NaN replaced.

        A value is the mean of that of the `k` nearest donors who have it, weighted by 1 / distance; donors at distance
        0 leave the others without weight. The distance is Euclidean over the standardized values that both have, taken
        for all c of them. Where no donor shares a value, it is the training mean. So does scikit-learn's
        `KNNImputer(weights="distance")`. Where the k-th and further donors are equally far, that takes whichever its
        rounding and their order put first; here they share the weight, which is the mean over all orders.
        """
        found = np.array(rows, dtype=float)
        z = (found - self.mean) / self.sd
        for row in np.flatnonzero(np.isnan(z).any(axis=1)):
            distances = _distances(z[row], self.donors)
            for column in np.flatnonzero(np.isnan(z[row])):
                estimate = self._estimate(distances, self.donors[:, column])
                found[row, column] = self.mean[column] + self.sd[column] * estimate
        return found

    def _estimate(self, distances: np.ndarray, values: np.ndarray) -> float:
        """A standardized value; 0, the mean, where nobody can be compared."""
        can = np.isfinite(values) & np.isfinite(distances)
        if not can.any():
            return 0.0
        near, own = distances[can], values[can]
        weights = _weights(near, min(self.k, len(near)))
        return float(weights @ own / weights.sum())

    def tables(self) -> dict[str, np.ndarray]:
        """Arrays for a bundle: the donors, and which of their values are known; others stand as 0."""
        known = np.isfinite(self.donors)
        return dict(zip(TABLES, (np.where(known, self.donors, 0.0), known.astype(float)), strict=True))


def _distances(row: np.ndarray, donors: np.ndarray) -> np.ndarray:
    """To each donor, (m,); NaN where no value is known of both."""
    both = np.isfinite(row) & np.isfinite(donors)
    shared = both.sum(axis=1)
    squares = np.where(both, (donors - row) ** 2, 0.0).sum(axis=1)
    return np.where(shared > 0, np.sqrt(squares * len(row) / np.maximum(shared, 1)), np.nan)


def _weights(distances: np.ndarray, k: int) -> np.ndarray:
    """Of each donor: 1 / distance of the nearer ones, and of those as far as the k-th what is left of k in shares."""
    if (distances <= SAME).any():
        return (distances <= SAME).astype(float)
    edge = np.partition(distances, k - 1)[k - 1]
    nearer, at_edge = distances < edge - SAME, np.abs(distances - edge) <= SAME
    share = (k - nearer.sum()) / at_edge.sum()
    return np.asarray(np.where(nearer, 1.0, np.where(at_edge, share, 0.0)) / distances)

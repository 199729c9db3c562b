"""What an imputer learns from training cases: scales, and donors, who may be groups of patients instead of patients."""

import numpy as np

from PDL1PredictorLib.models.imputer import Imputer

K = 3
LEAST_PATIENTS = 5  # behind every number of a centroid
TINY_SD = 1e-9
HOW = (
    f"Clinical values that are not known are estimated from the {K} most similar training cases, weighted by distance "
    "over z-scored values."
)


def fit_imputer(values: np.ndarray, patients: np.ndarray, shareable: bool = False) -> Imputer:
    """Learn from training cases alone.

    Args:
        values: Clinical values, (n, c); NaN where not known.
        patients: Of each case, (n,); the tumors of one patient are one donor of a centroid.
        shareable: Keep centroids of at least `LEAST_PATIENTS` patients in place of patients.
    """
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / count
    sd = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(axis=0) / count)
    sd = np.where(sd > TINY_SD, sd, 1.0)
    z = (values - mean) / sd
    donors = centroids(_by_patient(z, patients)) if shareable else z
    return Imputer(mean, sd, donors, K, "centroids" if shareable else "rows")


def centroids(z: np.ndarray) -> np.ndarray:
    """Means of groups of at least `LEAST_PATIENTS` patients, (g, c).

    Groups by maximum distance to the average vector: the patient farthest from the middle and those nearest to that
    one make a group, then the one farthest from that patient, until too few are left for two groups. A coordinate that
    fewer than `LEAST_PATIENTS` of a group have is not known of the centroid.

    Args:
        z: Standardized values of the patients, (n, c); NaN where not known.

    Source: Domingo-Ferrer and Torra 2005, doi 10.1007/s10618-005-0007-5 (microaggregation, MDAV).
    """
    placed = np.where(np.isfinite(z), z, 0.0)  # the mean, for the grouping alone
    left = np.arange(len(z))
    groups = []
    while len(left) >= 3 * LEAST_PATIENTS:
        first = left[_squares(placed[left], placed[left].mean(axis=0)).argmax()]
        second = left[_squares(placed[left], placed[first]).argmax()]
        for center in (first, second):
            nearest = np.argsort(_squares(placed[left], placed[center]), kind="stable")[:LEAST_PATIENTS]
            groups.append(left[nearest])
            left = np.delete(left, nearest)
    if len(left) >= 2 * LEAST_PATIENTS:
        first = left[_squares(placed[left], placed[left].mean(axis=0)).argmax()]
        nearest = np.argsort(_squares(placed[left], placed[first]), kind="stable")[:LEAST_PATIENTS]
        groups.append(left[nearest])
        left = np.delete(left, nearest)
    groups += [left] if len(left) >= LEAST_PATIENTS else []
    return np.array([_center(z[group]) for group in groups]).reshape(-1, z.shape[1])


def _squares(rows: np.ndarray, center: np.ndarray) -> np.ndarray:
    return np.asarray(((rows - center) ** 2).sum(axis=1))


def _center(group: np.ndarray) -> np.ndarray:
    """Means of the coordinates that enough patients have."""
    known = np.isfinite(group)
    mean = np.where(known, group, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known.sum(axis=0) >= LEAST_PATIENTS, mean, np.nan)


def _by_patient(z: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """One row a patient: the mean over the tumors of which a value is known, (p, c)."""
    people, of = np.unique(patients, return_inverse=True)
    sums, counts = np.zeros((len(people), z.shape[1])), np.zeros((len(people), z.shape[1]))
    known = np.isfinite(z)
    np.add.at(sums, of, np.where(known, z, 0.0))
    np.add.at(counts, of, known)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

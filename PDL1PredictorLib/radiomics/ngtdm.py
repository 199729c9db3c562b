"""Features of the neighborhood gray tone difference matrix: how far voxels lie from the mean of their neighbors.

Definitions: pyradiomics 3.0.1, `ngtdm.py`; Amadasun and King 1989, doi 10.1109/21.44046; IBSI reference manual, chapter
"Neighbourhood grey tone difference based features". One matrix for the region.
"""

from typing import NamedTuple

import numpy as np

MOST_COARSE = 1e6  # what pyradiomics gives for a region in which nothing differs


class ToneDifferences(NamedTuple):
    """What the neighborhoods of the gray levels are like.

    Attributes:
        counts: Voxels of each gray level, float64 (matrix, level).
        differences: Sum over them of |level - mean of the neighbors|, float64 (matrix, level).
        levels: The gray levels, float64.
    """

    counts: np.ndarray
    differences: np.ndarray
    levels: np.ndarray


def ngtdm_features(tones: ToneDifferences) -> dict[str, np.ndarray]:
    """All neighborhood features, one number per matrix.

    Sums over pairs of levels are written with sums over levels where that is exact: a term with a square of the
    difference splits into moments, a term with its absolute value does not.

    Returns:
        Values by name, as in the table.
    """
    counts, differences, levels = tones
    n = counts.sum(axis=1)
    share = counts / n[:, None]
    here = share > 0
    n_levels = here.sum(axis=1)
    weighted = (share * differences).sum(axis=1)
    total = differences.sum(axis=1)
    gap = levels[:, None] - levels[None, :]
    contrast = np.einsum("mi,mj,ij->m", share, share, gap**2) * total / n
    pairs = n_levels * (n_levels - 1)
    apart = np.zeros_like(n)
    complexity = np.zeros_like(n)
    strength = np.zeros_like(n)
    for m in range(n.size):
        at = np.flatnonzero(here[m])
        p, s, i = share[m, at], differences[m, at], levels[at]
        both = p[:, None] + p[None, :]
        step = np.abs(i[:, None] - i[None, :])
        tone, rough = i * p, p * s
        apart[m] = np.abs(tone[:, None] - tone[None, :]).sum()
        complexity[m] = (step * (rough[:, None] + rough[None, :]) / both).sum() / n[m]
        strength[m] = (both * step**2).sum()
    return {
        "Busyness": _ratio(weighted, apart),
        "Coarseness": np.where(weighted != 0, _ratio(np.ones_like(weighted), weighted), MOST_COARSE),
        "Complexity": complexity,
        "Contrast": _ratio(contrast, pairs),
        "Strength": _ratio(strength, total),
    }


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of a to b; 0 where b is 0."""
    return np.asarray(np.divide(a, b, out=np.zeros(a.shape), where=b != 0))

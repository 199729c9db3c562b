"""Features of the neighborhood gray tone difference matrix: how far voxels lie from the mean of their neighbors.

Definitions: pyradiomics 3.0.1, `ngtdm.py`; Amadasun and King 1989, doi 10.1109/21.44046; IBSI reference manual,
"Neighbourhood grey tone difference based features" (IPET; the code of each is in `table`). One matrix for the region.
"""

from typing import NamedTuple

import numpy as np

MOST_CELLS = 4_000_000  # of all matrices at a time: 32 MB
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

    Returns:
        Values by name, as in the table.
    """
    counts, differences, levels = tones
    n = counts.sum(axis=1)
    share = counts / n[:, None]
    n_levels = (share > 0).sum(axis=1)
    weighted = (share * differences).sum(axis=1)
    total = differences.sum(axis=1)
    sums = sum(_over_pairs(rows, share, differences, levels) for rows in _row_blocks(*share.shape))
    apart, contrast, strength, complexity = np.asarray(sums)
    return {
        "Busyness": _ratio(weighted, apart),
        "Coarseness": np.where(weighted != 0, _ratio(np.ones_like(weighted), weighted), MOST_COARSE),
        "Complexity": complexity / n,
        "Contrast": _ratio(contrast * total / n, n_levels * (n_levels - 1)),
        "Strength": _ratio(strength, total),
    }


def _row_blocks(n_matrices: int, n_levels: int) -> list[slice]:
    """Parts of the rows of all matrices that fit into memory together."""
    height = max(1, MOST_CELLS // (n_matrices * n_levels))
    return [slice(start, start + height) for start in range(0, n_levels, height)]


def _over_pairs(rows: slice, share: np.ndarray, differences: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The four sums over pairs of levels that occur, for some of the first levels, (sum, matrix)."""
    p, other = share[:, rows, None], share[:, None, :]
    there = (p > 0) & (other > 0)
    step = np.abs(levels[rows, None] - levels[None, :])
    tone, rough = levels * share, differences * share
    both = np.where(there, p + other, 1)
    return np.stack(
        [
            (np.abs(tone[:, rows, None] - tone[:, None, :]) * there).sum(axis=(1, 2)),
            (p * other * step**2).sum(axis=(1, 2)),
            (both * step**2 * there).sum(axis=(1, 2)),
            (step * (rough[:, rows, None] + rough[:, None, :]) / both * there).sum(axis=(1, 2)),
        ]
    )


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of a to b; 0 where b is 0."""
    return np.asarray(np.divide(a, b, out=np.zeros(a.shape), where=b != 0))

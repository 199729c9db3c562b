"""Co-occurrence matrices of gray levels, as lists of the cells that are not empty."""

from typing import NamedTuple

import numpy as np


class Cooccurrences(NamedTuple):
    """Symmetric matrices that count neighbors by gray level, as lists of the cells that are not empty.

    Attributes:
        matrix: Which matrix a cell belongs to, rising, int64; no matrix is without a cell.
        rows: Place of the cell's one level in `levels`, int64, rising within a matrix.
        columns: Place of its other level.
        counts: Number of pairs, float64.
        levels: Gray levels of the region, rising, int64.
        n: Number of matrices.
    """

    matrix: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    counts: np.ndarray
    levels: np.ndarray
    n: int

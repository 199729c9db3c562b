"""Features of the gray level co-occurrence matrix: which gray levels are neighbors along a direction.

Definitions: pyradiomics 3.0.1, `glcm.py`; Haralick et al. 1973, doi 10.1109/TSMC.1973.4309314; IBSI reference manual,
"Grey level co-occurrence based features" (LFYI; the code of each is in `table`). One symmetric matrix per direction.
Most cells of a matrix are empty, so only the others are listed.
"""

import numpy as np

from PDL1PredictorLib.radiomics.features.cooccurrences import Cooccurrences
from PDL1PredictorLib.radiomics.features.first_order import EPSILON
from PDL1PredictorLib.radiomics.features.maximal_correlation import maximal_correlations

MOST_CELLS = 4_000_000  # at a time: 32 MB
DOUBTFUL_BITS = 1e-10  # a difference of entropies below is mostly rounding


def glcm_features(pairs: Cooccurrences, with_mcc: bool = True) -> dict[str, np.ndarray]:
    """All co-occurrence features, one number per matrix.

    Args:
        pairs: Number of neighbors by gray level of both.
        with_mcc: Whether the maximal correlation coefficient is wanted; it takes as long as the others together.

    Returns:
        Values by name, as in the table. `Imc2` is NaN where rounding makes neighbors less than independent.
    """
    matrix, _, _, counts, levels, n = pairs
    greatest = int(levels[-1])
    total = np.bincount(matrix, counts, n)
    share = counts / total[matrix]
    one, other = levels[pairs.rows], levels[pairs.columns]
    marginal = _marginals(matrix, pairs.rows, counts, n, levels.size) / total[:, None]
    sums = _marginals(matrix, one + other, counts, n, 2 * greatest + 1) / total[:, None]
    gaps = _marginals(matrix, np.abs(one - other), counts, n, greatest) / total[:, None]
    sum_values, gap_values = np.arange(2 * greatest + 1.0), np.arange(float(greatest))

    def mean_of(cells: np.ndarray) -> np.ndarray:
        """Expected value of a quantity known per cell."""
        return np.bincount(matrix, share * cells, n)

    mean = marginal @ levels.astype(float)
    away = sum_values - 2 * mean[:, None]
    variance = (marginal * (levels - mean[:, None]) ** 2).sum(axis=1)
    covariance = mean_of((one - mean[matrix]) * (other - mean[matrix]))
    deviation = variance**0.5
    correlation = covariance / (deviation * deviation + EPSILON)
    correlation[deviation * deviation == 0] = 1
    gap_mean = gaps @ gap_values
    joint_entropy = mean_of(-np.log2(share + EPSILON))
    return {
        "Autocorrelation": mean_of((one * other).astype(float)),
        "ClusterProminence": (sums * away**4).sum(axis=1),
        "ClusterShade": (sums * away**3).sum(axis=1),
        "ClusterTendency": (sums * away**2).sum(axis=1),
        "Contrast": gaps @ gap_values**2,
        "Correlation": correlation,
        "DifferenceAverage": gap_mean,
        "DifferenceEntropy": _entropy(gaps),
        "DifferenceVariance": (gaps * (gap_values - gap_mean[:, None]) ** 2).sum(axis=1),
        "Id": gaps @ (1 / (1 + gap_values)),
        "Idm": gaps @ (1 / (1 + gap_values**2)),
        "Idmn": gaps @ (1 / (1 + gap_values**2 / greatest**2)),
        "Idn": gaps @ (1 / (1 + gap_values / greatest)),
        **_information(pairs, share, marginal, joint_entropy),
        "InverseVariance": gaps[:, 1:] @ (1 / gap_values[1:] ** 2),
        "JointAverage": mean,
        "JointEnergy": mean_of(share),
        "JointEntropy": joint_entropy,
        **({"MCC": maximal_correlations(pairs, share, marginal)} if with_mcc else {}),
        "MaximumProbability": np.maximum.reduceat(share, np.searchsorted(matrix, np.arange(n))),
        "SumAverage": sums @ sum_values,
        "SumEntropy": _entropy(sums),
        "SumSquares": variance,
    }


def _marginals(matrix: np.ndarray, value: np.ndarray, counts: np.ndarray, n: int, size: int) -> np.ndarray:
    """Sum of the counts by matrix and value, (matrix, value)."""
    return np.bincount(matrix * size + value, counts, n * size).reshape(n, size)


def _entropy(share: np.ndarray) -> np.ndarray:
    return np.asarray(-(share * np.log2(share + EPSILON)).sum(axis=1))


def _information(
    pairs: Cooccurrences, share: np.ndarray, marginal: np.ndarray, joint_entropy: np.ndarray
) -> dict[str, np.ndarray]:
    """Informational measures of correlation 1 and 2."""
    independent = marginal[pairs.matrix, pairs.rows] * marginal[pairs.matrix, pairs.columns]
    crossed = np.bincount(pairs.matrix, -share * np.log2(independent + EPSILON), pairs.n)
    alone = _entropy(marginal)
    first = joint_entropy - crossed
    first = np.divide(first, alone, out=np.zeros(pairs.n), where=alone != 0)
    product = np.array([_entropy_of_product(row[row > 0]) for row in marginal])
    joint = joint_entropy.copy()
    for m in np.flatnonzero(np.abs(product - joint) < DOUBTFUL_BITS):
        cells = pairs.matrix == m
        product[m], joint[m] = _entropies_in_order(pairs.rows[cells], pairs.columns[cells], share[cells])
    with np.errstate(invalid="ignore"):
        second = (1 - np.e ** (-2 * (product - joint))) ** 0.5
    second[product == joint] = 0
    return {"Imc1": first, "Imc2": second}


def _entropies_in_order(rows: np.ndarray, columns: np.ndarray, share: np.ndarray) -> tuple[float, float]:
    """Entropy of independent levels and of the pairs, added cell by cell as pyradiomics adds.

    Where neighbors are independent the two differ by rounding only, which then decides between 0 and NaN.
    """
    p = np.zeros((rows.max() + 1, columns.max() + 1))
    p[rows, columns] = share
    both = p.cumsum(axis=1)[:, -1:] * p.cumsum(axis=0)[-1:]
    product, joint = ((-each * np.log2(each + EPSILON)).cumsum()[-1] for each in (both, p))
    return float(product), float(joint)


def _entropy_of_product(share: np.ndarray) -> float:
    """Entropy of two independent gray levels, a part of the rows at a time."""
    height = max(1, MOST_CELLS // share.size)
    total = 0.0
    for start in range(0, share.size, height):
        both = share[start : start + height, None] * share
        total -= (both * np.log2(both + EPSILON)).sum()
    return total

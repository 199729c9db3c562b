"""The maximal correlation coefficient of a co-occurrence matrix: the root of the second greatest eigenvalue of Q.

Q(i, j) = sum over k of p(i, k) p(j, k) / (px(i) px(k) + epsilon), as in pyradiomics 3.0.1, `glcm.py`; Haralick 1973.
All eigenvalues of Q would take most of the time of an extraction. p is symmetric, so without epsilon the eigenvalues
of Q are the squares of those of S = p / sqrt(px px), whose greatest is 1 with the vector sqrt(px): set that aside, and
a short Krylov sequence finds the next. Epsilon is then added as a perturbation. Where that is not exact enough, the
eigenvalues are computed as pyradiomics does.
"""

import numpy as np

from PDL1PredictorLib.radiomics.compiled import calls, compiled
from PDL1PredictorLib.radiomics.features.cooccurrences import Cooccurrences
from PDL1PredictorLib.radiomics.features.first_order import EPSILON

SMALL = 10  # levels: up to here all eigenvalues take no longer
LARGE = 1000  # from here on the dense way is out of reach
STEPS = 120
DOUBTFUL = 1e-8  # an eigenvalue below is mostly rounding, and its root is NaN or not by chance
RESIDUAL = 1e-6  # its square, over the distance of the eigenvalues, is what the perturbation leaves out
NEARLY_ONE = 0.99  # here several can be equal: one for each part of the levels that has no neighbor outside it


def maximal_correlations(pairs: Cooccurrences, share: np.ndarray, marginal: np.ndarray) -> np.ndarray:
    """MCC of every matrix; 1 where the region has one gray level.

    Args:
        pairs: The matrices.
        share: Count of each cell over the sum of its matrix.
        marginal: Sum of the shares by matrix and level.
    """
    n_levels = pairs.levels.size
    if n_levels < 2:
        return np.ones(pairs.n)
    if n_levels <= SMALL:
        return _dense(pairs, share, marginal)
    bounds = np.searchsorted(pairs.matrix, np.arange(pairs.n + 1))
    values, residuals = _krylov(bounds, pairs.rows, pairs.columns, share, marginal)
    if n_levels < LARGE and (values < DOUBTFUL).any():
        return _dense(pairs, share, marginal)
    for m in np.flatnonzero((residuals > RESIDUAL) | (values > NEARLY_ONE)):
        cells = slice(bounds[m], bounds[m + 1])
        values[m] = _by_parts(pairs.rows[cells], pairs.columns[cells], share[cells], marginal[m])
    return np.asarray(np.sqrt(np.maximum(values, 0)))


def _krylov(
    bounds: np.ndarray, rows: np.ndarray, columns: np.ndarray, share: np.ndarray, marginal: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Second greatest eigenvalue of each matrix, and how far epsilon moves its vector."""
    matrix = np.repeat(np.arange(marginal.shape[0]), np.diff(bounds))
    expected = marginal[matrix, rows] * marginal[matrix, columns]
    scaled = share / np.sqrt(expected)
    lost = scaled * (EPSILON / (expected + EPSILON))
    roots = np.sqrt(marginal / marginal.sum(axis=1, keepdims=True))
    values, residuals = np.empty(len(marginal)), np.empty(len(marginal))
    compiled(second_eigenvalues)(bounds, rows, columns, scaled, lost, roots, STEPS, values, residuals)
    return values, residuals


def _by_parts(rows: np.ndarray, columns: np.ndarray, share: np.ndarray, marginal: np.ndarray) -> float:
    """Second greatest eigenvalue of one matrix whose levels may fall into parts without a common neighbor.

    Each part has an eigenvalue of 1, less what epsilon takes: much from a rare part, next to nothing from the main one.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n_parts, part = connected_components(coo_array((share, (rows, columns)), shape=(marginal.size, marginal.size)))
    greatest, others = [], []
    for number in range(n_parts):
        levels = np.flatnonzero(part == number)
        if marginal[levels].sum() == 0:
            continue
        place = np.zeros(marginal.size, np.int64)
        place[levels] = np.arange(levels.size)
        cells = part[rows] == number
        i, j, p = place[rows[cells]], place[columns[cells]], share[cells]
        own = marginal[levels]
        if levels.size > SMALL:
            value, residual = _krylov(np.array([0, p.size]), i, j, p, own[None])
            certain = residual[0] < RESIDUAL if value[0] < NEARLY_ONE else residual[0] < RESIDUAL**1.5
            if certain or levels.size >= LARGE:
                greatest.append(1 - float((p * EPSILON / (own[i] * own[j] + EPSILON)).sum() / own.sum()))
                others.append(float(value[0]))
                continue
        dense = np.zeros((levels.size, levels.size))
        dense[i, j] = p
        weighted = dense / (own[:, None] * own[None, :] + EPSILON)
        eigenvalues = np.sort(np.linalg.eigvals(weighted @ dense).real)
        greatest.append(float(eigenvalues[-1]))
        others += [float(value) for value in eigenvalues[:-1]]
    return sorted([*greatest, *others, 0.0])[-2]


def _dense(pairs: Cooccurrences, share: np.ndarray, marginal: np.ndarray) -> np.ndarray:
    """As pyradiomics computes it, operation by operation: what is rounding there is the same rounding here."""
    n_levels = pairs.levels.size
    p = np.zeros((pairs.n, n_levels, n_levels))
    p[pairs.matrix, pairs.rows, pairs.columns] = share
    q = np.zeros_like(p)
    for k in range(n_levels):
        q += p[:, :, None, k] * p[:, None, :, k] / (marginal[:, :, None] * marginal[:, None, k, None] + EPSILON)
    eigenvalues = np.linalg.eigvals(q)
    eigenvalues.sort()
    with np.errstate(invalid="ignore"):
        return np.asarray(np.sqrt(eigenvalues[:, -2]))


def _start(root: np.ndarray, vector: np.ndarray) -> float:
    """A fixed pseudo-random vector of length 1, orthogonal to `root`; returns its length before, 0 without any."""
    n = root.size
    seed = np.uint64(88172645463325252)
    for i in range(n):
        seed ^= seed << np.uint64(13)
        seed ^= seed >> np.uint64(7)
        seed ^= seed << np.uint64(17)
        vector[i] = (float(seed >> np.uint64(11)) / 9007199254740992.0 - 0.5) * (root[i] > 0)
    size = 0.0
    for _ in range(2):
        dot = 0.0
        for i in range(n):
            dot += vector[i] * root[i]
        size = 0.0
        for i in range(n):
            vector[i] -= dot * root[i]
            size += vector[i] ** 2
    if size < 1e-20:  # one level only: nothing lies beside its root
        return 0.0
    size = np.sqrt(size)
    for i in range(n):
        vector[i] /= size
    return float(size)


def _product(
    cells: tuple[int, int],
    rows: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
    vector: np.ndarray,
    product: np.ndarray,
) -> None:
    """A matrix, given by its cells from the first to before the last, times a vector."""
    for i in range(product.size):
        product[i] = 0.0
    for cell in range(cells[0], cells[1]):
        product[rows[cell]] += values[cell] * vector[columns[cell]]


def _set_apart(vector: np.ndarray, root: np.ndarray, basis: np.ndarray, count: int) -> float:
    """Take from a vector what lies along `root` and the first vectors of the basis, twice; the length that is left."""
    n = vector.size
    for _ in range(2):
        dot = 0.0
        for i in range(n):
            dot += vector[i] * root[i]
        for i in range(n):
            vector[i] -= dot * root[i]
        for earlier in range(count):
            dot = 0.0
            for i in range(n):
                dot += vector[i] * basis[earlier, i]
            for i in range(n):
                vector[i] -= dot * basis[earlier, i]
    size = 0.0
    for i in range(n):
        size += vector[i] ** 2
    return float(np.sqrt(size))


def _above(diagonal: np.ndarray, beside: np.ndarray, length: int, direction: float, probe: float) -> int:
    """How many eigenvalues of a tridiagonal matrix, times `direction`, lie above `probe`: its positive pivots."""
    above = 0
    pivot = 1.0
    for t in range(length):
        pivot = direction * diagonal[t] - probe - (beside[t - 1] ** 2 / pivot if t > 0 else 0.0)
        if pivot == 0.0:
            pivot = 1e-300
        above += pivot > 0
    return above


@calls(_above)
def _greatest(diagonal: np.ndarray, beside: np.ndarray, length: int, best: float, sign: float) -> tuple[float, float]:
    """The eigenvalue that is greatest by size, by halving, where it exceeds `best`; with its sign."""
    for direction in (1.0, -1.0):  # the greatest eigenvalue, then the least
        low, high = max(best, 0.0), 1.0 + 1e-9
        probe = low * (1 + 1e-14) + 1e-300
        while True:
            if _above(diagonal, beside, length, direction, probe) > 0:
                low = probe
                best = low
                sign = direction
            elif probe <= low * (1 + 1e-14) + 1e-300:
                break
            else:
                high = probe
            probe = 0.5 * (low + high)
            if not low < probe < high:
                break
    return best, sign


def _tridiagonal_vector(
    diagonal: np.ndarray,
    beside: np.ndarray,
    length: int,
    best: float,
    sign: float,
    pivots: np.ndarray,
    solution: np.ndarray,
) -> None:
    """The eigenvector of the greatest eigenvalue by size, by inverse iteration from just outside the spectrum."""
    for t in range(length):
        solution[t] = 1.0
    shift = best * (1 + 1e-13) + 1e-300
    for _ in range(3):
        for t in range(length):
            pivots[t] = sign * diagonal[t] - shift - (beside[t - 1] ** 2 / pivots[t - 1] if t > 0 else 0.0)
            if t > 0:
                solution[t] -= sign * beside[t - 1] * solution[t - 1] / pivots[t - 1]
        size = 0.0
        for t in range(length - 1, -1, -1):
            if t + 1 < length:
                solution[t] -= sign * beside[t] * solution[t + 1]
            solution[t] /= pivots[t]
            size += solution[t] ** 2
        size = np.sqrt(size)
        for t in range(length):
            solution[t] /= size


def _moved(vector: np.ndarray, moved: np.ndarray) -> tuple[float, float]:
    """The share of `moved` along a vector of length 1, and its own length."""
    along = 0.0
    for i in range(vector.size):
        along += moved[i] * vector[i]
    size = 0.0
    for i in range(vector.size):
        size += moved[i] ** 2
    return along, float(np.sqrt(size))


@calls(_start, _product, _set_apart, _greatest, _tridiagonal_vector, _moved)
def second_eigenvalues(
    bounds: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    scaled: np.ndarray,
    lost: np.ndarray,
    roots: np.ndarray,
    steps: int,
    eigenvalues: np.ndarray,
    residuals: np.ndarray,
) -> None:
    """Square of the eigenvalue of S that is second greatest by size, less what epsilon takes (a kernel).

    Lanczos with full orthogonalization from a fixed pseudo-random vector. The tridiagonal matrix is searched by
    counting the signs of its pivots; a shift just outside its spectrum then gives the vector without pivoting.

    Args:
        bounds: First cell of each matrix, and the end.
        rows: Row of each cell.
        columns: Column of each cell.
        scaled: S of each cell.
        lost: What epsilon takes from it.
        roots: sqrt(px), (matrix, level).
        steps: Greatest length of the sequence.
        eigenvalues: Receives one number per matrix.
        residuals: Receives how far epsilon moves its vector, relative to the eigenvalue: where that is much, another
            eigenvalue may be the second; infinite where not converged.
    """
    n = roots.shape[1]
    longest = min(steps, n)
    basis, diagonal, beside = np.empty((longest + 1, n)), np.empty(longest), np.zeros(longest + 1)
    solution, pivots = np.empty(longest), np.empty(longest)
    work, moved = np.empty(n), np.empty(n)
    for m in range(roots.shape[0]):
        root, cells = roots[m], (bounds[m], bounds[m + 1])
        if _start(root, basis[0]) == 0.0:
            eigenvalues[m], residuals[m] = 0.0, np.inf
            continue
        best, sign, length, done = 0.0, 1.0, 0, False
        for k in range(longest):
            _product(cells, rows, columns, scaled, basis[k], work)
            diagonal[k] = 0.0
            for i in range(n):
                diagonal[k] += work[i] * basis[k, i]
            beside[k] = _set_apart(work, root, basis, k + 1)
            length = k + 1
            exhausted = beside[k] < 1e-13 or length == longest
            if exhausted or k % 4 == 3:
                before = best
                best, sign = _greatest(diagonal, beside, length, best, sign)
                done = exhausted or (best - before <= 1e-14 * best and k > 8)
            if done:
                break
            for i in range(n):
                basis[k + 1, i] = work[i] / beside[k]
        _tridiagonal_vector(diagonal, beside, length, best, sign, pivots, solution)
        for i in range(n):
            work[i] = 0.0
            for t in range(length):
                work[i] += solution[t] * basis[t, i]
        _product(cells, rows, columns, lost, work, moved)
        taken, size = _moved(work, moved)
        eigenvalues[m] = best * best - sign * best * taken
        converged = done and (length < longest or longest == n or beside[length - 1] < 1e-13)
        residuals[m] = size / max(best, 1e-300) if converged else np.inf

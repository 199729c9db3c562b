"""Cases divided into parts: by patient, each part with its share of every endpoint's positives and negatives.

Source: Sechidis, Tsoumakas and Vlahavas 2011, "On the stratification of multi-label data", algorithm 1 (iterative
stratification), applied to patients instead of cases.
"""

from collections.abc import Sequence

import numpy as np

from PDL1PredictorLib.core.errors import InputError


def stratified_parts(
    patients: Sequence[str], labels: np.ndarray, shares: Sequence[float], rng: np.random.Generator
) -> list[np.ndarray]:
    """Divide cases into parts such that no patient is in two of them.

    Args:
        patients: Of each case, n of them.
        labels: (n, e), 0, 1 or NaN.
        shares: Of the cases, for each part; their sum is 1.
        rng: Decides between equals.

    Returns:
        Rows of each part, ascending; together every row once.

    Raises:
        InputError: There are fewer patients than parts, or the shares are no shares.
    """
    wanted = np.asarray(shares, dtype=float)
    if wanted.ndim != 1 or (wanted <= 0).any() or abs(wanted.sum() - 1) > 1e-9:
        raise InputError(f"Shares must be positive and add up to 1, got {list(shares)}.")
    names = sorted(set(patients))
    if len(names) < len(wanted):
        raise InputError(f"{len(names)} patients cannot be divided into {len(wanted)} parts. Get more patients.")
    number = {name: i for i, name in enumerate(names)}
    owner = np.array([number[name] for name in patients])
    part_of = _assign(_traits(owner, labels, len(names)), wanted, rng)
    return [np.flatnonzero(part_of[owner] == part) for part in range(len(wanted))]


def _traits(owner: np.ndarray, labels: np.ndarray, n_patients: int) -> np.ndarray:
    """Whether a patient has a positive, has a negative case of each endpoint, (patients, 2 e)."""
    indicators = np.concatenate([labels == 1, labels == 0], axis=1)
    traits = np.zeros((n_patients, indicators.shape[1]), bool)
    np.logical_or.at(traits, owner, indicators)
    return traits


def _assign(traits: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Part of each patient: the rarest trait's patients go first, each to the part that lacks it most."""
    part_of = np.full(len(traits), -1)
    room = shares * len(traits)
    lacking = shares[:, None] * traits.sum(axis=0)
    while (part_of < 0).any():
        free = part_of < 0
        left = traits[free].sum(axis=0)
        if left.any():
            rarest = int(np.argmin(np.where(left > 0, left, len(traits) + 1)))
            chosen = np.flatnonzero(free & traits[:, rarest])
        else:  # patients without any label
            rarest, chosen = -1, np.flatnonzero(free)
        for patient in rng.permutation(chosen):
            need = room if rarest < 0 else lacking[:, rarest]
            part = _neediest(need, room, rng)
            part_of[patient] = part
            room[part] -= 1
            lacking[part, traits[patient]] -= 1
    return part_of


def _neediest(need: np.ndarray, room: np.ndarray, rng: np.random.Generator) -> int:
    """The part that lacks the trait most; of equals the one with the most room, then by lot."""
    best = np.flatnonzero(np.isclose(need, need.max()))
    best = best[np.isclose(room[best], room[best].max())]
    return int(rng.choice(best))

"""How often chance does as well: the whole cross-validation with labels that patients have exchanged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.running.processes import run_each
from PDL1PredictorLib.learning.tables.held_out import HeldOut, Kinds, TableSettings, Units, held_out, makes_of
from PDL1PredictorLib.statistics.permutation import exchangeable, permuted
from PDL1PredictorLib.statistics.within_folds import auc_within_folds

REPEATS = 2  # of the cross-validation under each permutation, and of the figure that it is held against
ROUNDING = 1e-12
Figures = Callable[[Units, HeldOut], list[float]]
"""Units and their held-out scores to a figure of each kind, more is better. Another process must be able to get it."""


@dataclass(frozen=True)
class Chance:
    """What permutations say.

    Attributes:
        p: Of each kind: how often it does as well with exchanged labels.
        best: Of the best kind: how often the best of all kinds does as well, which pays for having picked it.
    """

    p: dict[str, float]
    best: float


def by_chance(
    x: np.ndarray,
    units: Units,
    settings: TableSettings,
    kinds: Kinds,
    workers: int | None = 1,
    progress: Progress = SILENT,
    figures: Figures | None = None,
) -> Chance | None:
    """P of every kind's area within folds, or of another figure, everything fitted anew under every permutation.

    The figure that is held against chance is that of the first repetitions, `REPEATS` at most, computed in the same
    way with the labels as they are: so p is exact, though another one than that of all repetitions would be.

    Args:
        x: Inputs of the rows, (n, d).
        units: Whose labels are learned.
        settings: With the number of permutations.
        kinds: See `held_out`; models by name must be such that another process can be handed them.
        workers: Processes; None takes one a core.
        progress: Told after every permutation.
        figures: What is held against chance; None takes the area within folds.

    Returns:
        None where no permutation was asked for.

    Source: Phipson and Smyth 2010, doi 10.2202/1544-6115.1585; the largest of several: Westfall and Young 1993,
    "Resampling-based multiple testing", section 2.6.
    """
    names = list(makes_of(kinds))
    if not (settings.n_permutations and names):
        return None
    short = replace(settings, n_repeats=min(REPEATS, settings.n_repeats))
    sent = kinds if isinstance(kinds, Mapping) else tuple(kinds)
    told = figures or areas
    jobs = [(x, units, short, sent, told, number) for number in range(settings.n_permutations + 1)]
    found = np.array(run_each(_figures, jobs, workers, progress, "permutations", "permutations"))
    own, null = found[0], found[1:]
    reached = (null >= own - ROUNDING).sum(axis=0)
    best = int((null.max(axis=1) >= own.max() - ROUNDING).sum())
    total = settings.n_permutations + 1
    return Chance({kind: float((b + 1) / total) for kind, b in zip(names, reached, strict=True)}, (best + 1) / total)


def areas(units: Units, found: HeldOut) -> list[float]:
    """Area within folds of each kind."""
    return [auc_within_folds(units.labels, scores, found.folds, units.patient).value for scores in found.scores]


def _figures(
    x: np.ndarray, units: Units, settings: TableSettings, kinds: Kinds, figures: Figures, number: int
) -> list[float]:
    """The figure of each kind with the labels as they are (number 0) or exchanged."""
    labels = units.labels
    if number:
        rng = np.random.default_rng([settings.seed, 71, number])
        labels = permuted(labels, exchangeable(labels.size, units.strata, units.patient), rng)
    own = replace(units, labels=labels)
    return figures(own, held_out(x, own, settings, kinds))

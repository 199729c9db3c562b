"""How well a table of inputs tells a number, by several models under repeated cross-validation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.tables.chance import Chance, by_chance
from PDL1PredictorLib.learning.tables.held_out import HeldOut, Make, TableSettings, Units, held_out, units_of
from PDL1PredictorLib.learning.tables.input_table import InputTable
from PDL1PredictorLib.learning.tables.numbers.measures import (
    FIGURES,
    Answers,
    Cut,
    Estimate,
    at_cut,
    estimates,
    line_and_limits,
    mean_of,
    resamples,
    spearman,
)
from PDL1PredictorLib.learning.tables.numbers.models import CONSTANTS, MEAN, MEDIAN, constant_answers, number_models
from PDL1PredictorLib.learning.tables.numbers.number_table import UNBOUNDED, Span


@dataclass(frozen=True)
class Networks:
    """Networks over the table, which take longer than all else.

    Attributes:
        makes: By title.
        repeats: In how many of the repetitions, from the first on, they are fitted.
        left_out: Why they are not fitted though they were asked for; "" where nothing is to be said.
    """

    makes: Mapping[str, Make] = field(default_factory=dict)
    repeats: int = 0
    left_out: str = ""


NO_NETWORKS = Networks()


@dataclass(frozen=True, eq=False)
class NumberResult:
    """How one model did.

    Attributes:
        kind: Its title.
        answers: Of held-out units, by repetition.
        figures: Of `measures.FIGURES`, with intervals.
        spearman: Rank correlation within folds; None of a constant.
        cuts: AUC of the number at the cuts that were asked for.
        line: Calibration line and limits of agreement.
        p: How often the whole cross-validation has as large an R² with exchanged numbers; None where it was not asked.
    """

    kind: str
    answers: Answers
    figures: Mapping[str, Estimate]
    spearman: Estimate | None
    cuts: tuple[Cut, ...]
    line: Mapping[str, float]
    p: float | None = None

    @property
    def learned(self) -> bool:
        """Whether it looks at the inputs."""
        return self.kind not in CONSTANTS


@dataclass(frozen=True, eq=False)
class NumberComparison:
    """How all of them did.

    Attributes:
        results: The constants first.
        units: What was answered.
        best_p: P of the largest R² of those with a p, allowing for its having been picked; None without permutations.
        left_out: Why networks that were asked for are not among them.
    """

    results: tuple[NumberResult, ...]
    units: Units
    best_p: float | None = None
    left_out: str = ""

    @property
    def best(self) -> NumberResult:
        """The model with the largest R² of those that look at the inputs."""
        return max((one for one in self.results if one.learned), key=lambda one: one.figures["r2"].value)


def compare_numbers(
    table: InputTable,
    settings: TableSettings,
    span: Span = UNBOUNDED,
    cuts: Sequence[float] = (),
    networks: Networks = NO_NETWORKS,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> NumberComparison:
    """Cross-validate every model on the same folds, and under exchanged numbers.

    Where the table names patients, they are held out whole. Where all rows of each have one number, a patient is
    answered once, by the mean of the rows' answers.

    Args:
        table: Inputs and label, as `read_number_table` gives them.
        settings: Seed, folds, repetitions, permutations.
        span: Where the number can lie; answers are cut to it.
        cuts: Values at which the number's AUC is told.
        networks: Over the table; they have no p.
        workers: Processes that do the permutations; None takes one a core.
        progress: Told after every fold and permutation.

    Raises:
        InputError: There are fewer patients than two for every fold.
    """
    units = units_of(table, yes_no=False)
    n_patients = len(np.unique(units.row_patient))
    if n_patients < 2 * settings.n_folds:
        raise InputError(
            f"{settings.n_folds} folds need at least {2 * settings.n_folds} patients, there are {n_patients}. "
            "Choose fewer folds (--folds)."
        )
    makes = number_models(span)
    with progress.part("models", 0.0, 0.2) as part:
        found = held_out(table.x, units, settings, makes, part)
    by_kind = dict(zip(makes, found.scores, strict=True))
    with progress.part("networks", 0.2, 0.6) as part:
        by_kind |= _of_networks(table.x, units, settings, networks, part)
    with progress.part("permutations", 0.6, 1.0) as part:
        chance = by_chance(table.x, units, settings, makes, workers, part, figures=r2_of_each)
    scores = {kind: constant_answers(units.labels, found.folds, kind) for kind in CONSTANTS} | by_kind
    rows = resamples(units.labels.size, units.patient)
    results = tuple(
        _result(kind, _answers(units, own, found.folds), rows, cuts, chance) for kind, own in scores.items()
    )
    return NumberComparison(results, units, None if chance is None else chance.best, networks.left_out)


def r2_of_each(units: Units, found: HeldOut) -> list[float]:
    """R² of every kind, mean over the repetitions."""
    return [float(mean_of(FIGURES["r2"], _answers(units, own, found.folds))) for own in found.scores]


def _of_networks(
    x: np.ndarray, units: Units, settings: TableSettings, networks: Networks, progress: Progress
) -> dict[str, np.ndarray]:
    """Their answers in the first repetitions, whose folds are those of the other models."""
    if not (networks.makes and networks.repeats):
        return {}
    some = replace(settings, n_repeats=min(networks.repeats, settings.n_repeats))
    found = held_out(x, units, some, networks.makes, progress)
    return dict(zip(networks.makes, found.scores, strict=True))


def _answers(units: Units, predicted: np.ndarray, folds: np.ndarray) -> Answers:
    """Of a model that was fitted in the first repetitions at least."""
    own = folds[: len(predicted)]
    mean, median = (constant_answers(units.labels, own, kind) for kind in (MEAN, MEDIAN))
    return Answers(units.labels, predicted, mean, median, own, units.patient)


def _result(
    kind: str, answers: Answers, rows: Sequence[np.ndarray], cuts: Sequence[float], chance: Chance | None
) -> NumberResult:
    return NumberResult(
        kind=kind,
        answers=answers,
        figures=estimates(answers, rows),
        spearman=None if kind in CONSTANTS else spearman(answers),
        cuts=tuple(at_cut(answers, cut) for cut in cuts),
        line=line_and_limits(answers),
        p=None if chance is None else chance.p.get(kind),
    )

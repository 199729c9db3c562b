"""Does anything leak? The whole study on labels that were shuffled: whatever it then finds, it has no right to find."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import betaincinv, stdtrit

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.kinds import rules
from PDL1PredictorLib.learning.recipe import Recipe, roles_of
from PDL1PredictorLib.study.run import run_study
from PDL1PredictorLib.study.setup import Study

SAME = 1e-9  # what rounding makes of equal figures
FALSE_ALARM = 0.01  # chance that a study without any leak fails, by the mean of some model; likewise by one shuffle
LEAST_SHUFFLES = 3  # of two, equal figures are no rarity: an AUC of few cases has few values


class Judged(NamedTuple):
    """Figures of one model on shuffled labels, against chance.

    Attributes:
        mean: Over the shuffles.
        tolerance: Of the mean on either side of chance: Student's t times its standard error.
        farthest: The figure that lies farthest from chance.
        limit: Of its distance on either side.
    """

    mean: float
    tolerance: float
    farthest: float
    limit: float

    def passed(self, chance: float) -> bool:
        """Whether mean and farthest figure lie within their limits, above and below."""
        return abs(self.mean - chance) <= self.tolerance + SAME and abs(self.farthest - chance) <= self.limit + SAME


@dataclass(frozen=True)
class LeakTest:
    """Test figures of every model on shuffled answers.

    Attributes:
        measure: Which figure.
        chance: What it is where nothing leaks.
        design: Of the study.
        figures: Title of the model to the figure of every repeat.
    """

    measure: str
    chance: float
    design: Design
    figures: Mapping[str, tuple[float, ...]]

    def mean(self, model: str) -> float:
        """Over the repeats."""
        return float(np.mean(self.figures[model]))

    def judged(self, model: str) -> Judged:
        """Two-sided: answers that are systematically turned around are as much a leak as right ones.

        The mean may lie as far from chance as Student's t allows at `FALSE_ALARM`, shared by the models. Its standard
        error is SD / sqrt(n), though all shuffles are of the same cases: given the cases and the training labels, the
        labels of a test fold are in any order alike, so every figure is chance on average and none tells of another.
        """
        away = np.array(self.figures[model]) - self.chance
        n, level = len(away), FALSE_ALARM / len(self.figures)
        error = float(away.std(ddof=1)) / math.sqrt(n)
        farthest = self.chance + float(away[np.argmax(np.abs(away))])
        return Judged(self.mean(model), float(stdtrit(n - 1, 1 - level / 2)) * error, farthest, _limit(away, level))

    @property
    def suspects(self) -> tuple[str, ...]:
        """Models whose figures are not those of chance."""
        return tuple(model for model in self.figures if not self.judged(model).passed(self.chance))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "measure": self.measure,
            "chance": self.chance,
            "design": self.design.words,
            "passed": not self.suspects,
            "models": {
                model: {
                    **self.judged(model)._asdict(),
                    "passed": model not in self.suspects,
                    "figures": list(values),
                }
                for model, values in self.figures.items()
            },
        }

    def text(self) -> str:
        """One line a model."""
        n = len(next(iter(self.figures.values())))
        lines = [f"Test {self.measure} on {n} shuffles of the labels ({self.design.words}); {self.chance:g} by chance:"]
        for model, values in self.figures.items():
            mean, tolerance, farthest, limit = self.judged(model)
            lines.append(
                f"{model:<16} mean {mean:.3f} (by chance within {tolerance:.3f} of {self.chance:g}), "
                f"SD {np.std(values, ddof=1):.3f}, farthest {farthest:.3f} (within {limit:.3f})"
            )
        return "\n".join([*lines, self._verdict()])

    def _verdict(self) -> str:
        if not self.suspects:
            return "Nothing leaks that this test could see."
        sides = {
            "above" if self.judged(model).mean > self.chance else "below"  # what leaks, or a biased estimate
            for model in self.suspects
        }
        return f"Not by chance alone, {' and '.join(sorted(sides))} it: {', '.join(self.suspects)}."


def _limit(away: np.ndarray, level: float) -> float:
    """How far the farthest figure may lie from chance.

    It may hold as large a share of the sum of squared deviations as it does by chance in all but `level` of the tests:
    the share of one of n normal deviations follows a beta distribution (Cochran 1941,
    doi 10.1111/j.1469-1809.1941.tb02271.x). Models that learned nothing answer the same for all, so their figures are
    chance itself and no normal deviations: they do not count. Beside fewer than two others no figure can be judged.
    """
    squares = away[np.abs(away) > SAME] ** 2
    n = len(squares)
    largest_share = float(betaincinv(0.5, (n - 1) / 2, 1 - level / n)) if n > 2 else 1.0
    return math.sqrt(largest_share * float(squares.sum()))


def shuffled(cohort: PreparedCohort, endpoint: str, repeats: int, seed: int) -> PreparedCohort:
    """The same cases, whose endpoints are `repeats` shuffles of one endpoint's known labels.

    Args:
        cohort: n cases; those without that label are left out.
        endpoint: Whose labels, so the share of positives is a real one.
        repeats: How many.
        seed: Of the shuffles.
    """
    known = cohort.take(np.flatnonzero(cohort.targets[endpoint].known))
    target = known.targets[endpoint]
    rng = np.random.default_rng([seed, 20])
    return known.with_targets(
        {f"SHUFFLED_{number + 1}": target.take(rng.permutation(len(target))) for number in range(repeats)}
    )


def leak_test(
    cohort: PreparedCohort,
    patients: Sequence[str],
    endpoint: str,
    recipe: Recipe,
    repeats: int = 20,
    device: str = "cpu",
    start: Path | None = None,
    workers: int | None = None,
    checkpoints: Path | None = None,
    progress: Progress = SILENT,
) -> LeakTest:
    """Run the recipe on shuffled labels, all repeats at once: they share the network, as endpoints do.

    Args:
        cohort: Prepared cases.
        patients: Of each case.
        endpoint: Whose labels are shuffled.
        recipe: As in the study; its endpoints are replaced.
        repeats: Shuffles.
        device: Where the network runs.
        start: Weights to start from.
        workers: Processes that fit classifiers.
        checkpoints: Folder for the state of a training that was stopped.
        progress: Told on the way.

    Raises:
        InputError: One or two shuffles have no spread to be judged by.
    """
    if repeats < LEAST_SHUFFLES:
        raise InputError(f"A leak test needs {LEAST_SHUFFLES} shuffles or more, got {repeats}. 20 say something.")
    noise = shuffled(cohort, endpoint, repeats, recipe.seed)
    own = recipe.with_endpoints(noise.endpoints)
    owner = dict(zip(cohort.names, patients, strict=True))
    owners = [owner[name] for name in noise.names]
    study = Study(noise, owners, own, device, start, checkpoints=checkpoints, workers=workers)
    found = run_study(study, progress).endpoints
    kind = rules(cohort.targets[endpoint].kind)
    figures = {
        title: tuple(kind.figure(one.labels, one.models[title].score, one.folds) for one in found.values())
        for title in roles_of(recipe)
    }
    return LeakTest(kind.measure, kind.chance, recipe.design, figures)

"""Does anything leak? The whole study on labels that were shuffled: whatever it then finds, it has no right to find."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.kinds import rules
from PDL1PredictorLib.learning.recipe import Recipe, roles_of
from PDL1PredictorLib.study.run import run_study
from PDL1PredictorLib.study.setup import Study


@dataclass(frozen=True)
class LeakTest:
    """Test figures of every model on shuffled answers.

    Attributes:
        measure: Which figure.
        chance: What it is where nothing leaks.
        figures: Title of the model to the figure of every repeat.
    """

    measure: str
    chance: float
    figures: Mapping[str, tuple[float, ...]]

    def mean(self, model: str) -> float:
        """Over the repeats."""
        return float(np.mean(self.figures[model]))

    def largest(self, model: str) -> float:
        """Of the repeats."""
        return max(self.figures[model])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "measure": self.measure,
            "chance": self.chance,
            "models": {
                model: {"mean": self.mean(model), "largest": self.largest(model), "figures": list(values)}
                for model, values in self.figures.items()
            },
        }

    def text(self) -> str:
        """One line a model."""
        n = len(next(iter(self.figures.values())))
        lines = [f"Test {self.measure} on {n} shuffles of the labels; {self.chance:g} where nothing leaks:"]
        lines += [
            f"{model:<16} mean {self.mean(model):.3f}, SD {np.std(self.figures[model], ddof=1):.3f}, "
            f"largest {self.largest(model):.3f}"
            for model in self.figures
        ]
        return "\n".join(lines)


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
    """
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
    return LeakTest(kind.measure, kind.chance, figures)

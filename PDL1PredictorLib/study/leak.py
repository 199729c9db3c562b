"""Does anything leak? The whole study on labels that were shuffled: whatever it then finds, it has no right to find."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.recipes.deepradscore import StudyRecipe
from PDL1PredictorLib.statistics.discrimination import auc
from PDL1PredictorLib.study.run import Study, run_study


@dataclass(frozen=True)
class LeakTest:
    """Test AUCs of every model on shuffled labels.

    Attributes:
        aucs: Model to the AUC of every repeat.
    """

    aucs: Mapping[str, tuple[float, ...]]

    def mean(self, model: str) -> float:
        """Over the repeats; 0.5 where nothing leaks."""
        return float(np.mean(self.aucs[model]))

    def largest(self, model: str) -> float:
        """Of the repeats."""
        return max(self.aucs[model])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            model: {"mean": self.mean(model), "largest": self.largest(model), "aucs": list(values)}
            for model, values in self.aucs.items()
        }

    def text(self) -> str:
        """One line a model."""
        n = len(next(iter(self.aucs.values())))
        lines = [f"Test AUC on {n} shuffles of the labels; 0.5 where nothing leaks:"]
        lines += [
            f"{model:<16} mean {self.mean(model):.3f}, SD {np.std(self.aucs[model], ddof=1):.3f}, "
            f"largest {self.largest(model):.3f}"
            for model in self.aucs
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
    column = cohort.labels[:, cohort.endpoints.index(endpoint)]
    known = cohort.take(np.flatnonzero(np.isfinite(column)))
    labels = column[np.isfinite(column)]
    rng = np.random.default_rng([seed, 20])
    return replace(
        known,
        endpoints=tuple(f"SHUFFLED_{number + 1}" for number in range(repeats)),
        labels=np.column_stack([rng.permutation(labels) for _ in range(repeats)]),
    )


def leak_test(
    cohort: PreparedCohort,
    patients: Sequence[str],
    endpoint: str,
    recipe: StudyRecipe,
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
    own = replace(recipe, endpoints=noise.endpoints)
    owner = dict(zip(cohort.names, patients, strict=True))
    owners = [owner[name] for name in noise.names]
    study = Study(noise, owners, own, device, start, checkpoints=checkpoints, workers=workers)
    found = run_study(study, progress).endpoints
    return LeakTest(
        {
            model: tuple(auc(one.labels, one.binary_models()[model].probability).value for one in found.values())
            for model in next(iter(found.values())).models
        }
    )

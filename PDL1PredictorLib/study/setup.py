"""What a study is asked: prepared cases, how to learn from them, and how they are divided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.parts.part import Place
from PDL1PredictorLib.learning.recipe import Recipe, check_kinds

Division = tuple[np.ndarray, np.ndarray]
"""Rows that teach, and rows that test."""


@dataclass(frozen=True, eq=False)
class Study:
    """Prepared cases and how to learn from them.

    Attributes:
        cohort: All cases.
        patients: Of each case.
        recipe: How.
        device: Where the network runs.
        start: Weights to start a network from.
        test: Rows of the test cases where the cohort table fixes them; None draws them.
        checkpoints: Folder for the state of a training that was stopped.
        workers: Processes that fit models; None takes one a core.
        bayes_auc: Endpoint to what no model can exceed, for synthetic cohorts.
        groups: Factor of patient or scan to the level of each case, "" where it is not known.
        ship: Which model is an endpoint's, see `choosing.choose_model`.

    Raises:
        InputError: The cases, the place and the recipe do not fit each other.
    """

    cohort: PreparedCohort
    patients: Sequence[str]
    recipe: Recipe
    device: str = "cpu"
    start: Path | None = None
    test: np.ndarray | None = None
    checkpoints: Path | None = None
    workers: int | None = None
    bayes_auc: Mapping[str, float] = field(default_factory=dict)
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ship: Literal["chosen", "lead"] = "chosen"

    def __post_init__(self) -> None:
        self.recipe.require(self.place)
        if self.cohort.endpoints != self.recipe.endpoints:
            raise InputError(
                f"The cases were prepared for the endpoints {', '.join(self.cohort.endpoints)}, the recipe is for "
                f"{', '.join(self.recipe.endpoints)}. Prepare them again."
            )
        check_kinds(self.recipe, self.cohort)

    @property
    def place(self) -> Place:
        """Where is learned."""
        return Place(self.device, self.start, self.checkpoints)

    @property
    def once(self) -> bool:
        """Whether there is one training with test cases, which is kept."""
        return self.recipe.design == Design.SPLIT

    @property
    def repeats(self) -> int:
        """Repetitions of the division into training and test cases."""
        return 1 if self.once else self.recipe.outer_repeats

    def divisions(self, repetition: int) -> list[Division]:
        """(training, test) rows of every fold of a repetition; each repetition divides all cases anew."""
        recipe, everyone = self.recipe, np.arange(len(self.cohort))
        rng = np.random.default_rng([recipe.seed, 10, repetition] if repetition else [recipe.seed, 10])
        if self.once and self.test is not None:
            return [(np.setdiff1d(everyone, self.test), self.test)]
        if self.once:
            shares = (1 - recipe.test_share, recipe.test_share)
            train, test = stratified_parts(self.patients, self.cohort.strata, shares, rng)
            return [(train, test)]
        parts = stratified_parts(self.patients, self.cohort.strata, (1 / recipe.n_folds,) * recipe.n_folds, rng)
        return [(np.setdiff1d(everyone, test), test) for test in parts]

"""A yes/no recipe from the table of features alone, quick enough to be run hundreds of times, and cohorts for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.stats import norm
from toy_recipe import FEW, ToyRecipe

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.roles import ModelName
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.fitting import Fitting
from PDL1PredictorLib.learning.recipe import ModelPlan

LEAD, SIZE = "Feature line", "Size"
NAMES = FEW.feature_names()
TRAITS = ("tumor_original_firstorder_Mean", "ring_original_firstorder_Mean")
VOLUME = "tumor_original_shape_VoxelVolume"


@dataclass(frozen=True)
class YesNoRecipe(ToyRecipe):
    """Logistic regression on some selected features and the volume, and the volume alone."""

    models: ClassVar[tuple[ModelPlan, ...]] = (
        ModelPlan(ModelName(LEAD, "lead"), ("selected", "volume"), "logistic"),
        ModelPlan(ModelName(SIZE, "baseline"), ("volume",), "rank"),
    )

    endpoints: tuple[str, ...] = ("PDL1",)
    n_repeats: int = 1

    def fitting(self, kept: bool) -> Fitting:
        return Fitting(self.n_repeats, n_bootstrap=2, coverage=self.coverage)

    def with_endpoints(self, endpoints: Sequence[str]) -> "YesNoRecipe":
        return replace(self, endpoints=tuple(endpoints))


def yes_no_cohort(
    n: int, seed: int, trait_area: float = 0.5, volume_area: float = 0.5, share: float = 0.4
) -> PreparedCohort:
    """Normal features; each of `TRAITS` alone, and the volume, has the given true area.

    Args:
        n: Cases.
        seed: Of what is drawn.
        trait_area: Of each of both traits.
        volume_area: Of the volume.
        share: Of the positives, exact.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(n) < round(share * n)
    features = rng.normal(size=(n, len(NAMES)))
    for name in TRAITS:
        features[:, NAMES.index(name)] += labels * np.sqrt(2) * norm.ppf(trait_area)
    volume = NAMES.index(VOLUME)
    features[:, volume] = np.exp(9 + 0.5 * (features[:, volume] + labels * np.sqrt(2) * norm.ppf(volume_area)))
    cases = tuple(f"case_{i:04}" for i in range(n))
    return PreparedCohort(cases, {"PDL1": Target("binary", labels.astype(float))}, {"features": features}, NAMES)

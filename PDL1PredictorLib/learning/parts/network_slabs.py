"""What a recurrent network is given of a tumor's axial slabs: their features, standardized over slabs and cases."""

from dataclasses import dataclass

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.selection import Standardizer, fit_standardizer
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.radiomics.slabs import LEAST_VOXELS, SLAB_FEATURES

MOST_NAMED = 5  # cases


@dataclass(frozen=True, eq=False)
class SlabColumns:
    """The slabs that a network is given; see `parts.network_table.Seen`.

    Attributes:
        standardizer: Of the g features, over all slabs of the cases that teach.
        n_slabs: Of a tumor.
    """

    standardizer: Standardizer
    n_slabs: int

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features of each slab, the lowest slab first."""
        return tuple(f"slab_{number}_{name}" for number in range(1, self.n_slabs + 1) for name in SLAB_FEATURES)

    def of(self, cohort: PreparedCohort, rows: np.ndarray) -> np.ndarray:
        """(n, s, g) z-scores; NaN throughout of a slab that was not measured, 0, the mean, of single undefined values.

        What does not vary where it was learned tells nothing and is 0, too.
        """
        z = np.where(self.standardizer.varies, self.standardizer(cohort.block("slabs")[rows]), 0.0)
        return np.where(cohort.block("slabs_measured")[rows][:, :, None], z, np.nan)


class SlabInputs:
    """All features of all slabs; see `parts.network_table.Inputs`."""

    def of(self, training: TrainingSet, fit: np.ndarray) -> SlabColumns:
        """Mean and SD over the measured slabs of the rows `fit`.

        Raises:
            InputError: None of their slabs was measured, or the cases were prepared without slabs.
        """
        slabs, measured = (training.cohort.block(name)[fit] for name in ("slabs", "slabs_measured"))
        if not measured.any():
            raise InputError(
                f"No slab of the {len(fit)} cases that teach holds {LEAST_VOXELS} voxels: take fewer slabs."
            )
        return SlabColumns(fit_standardizer(slabs[measured]), slabs.shape[1])


def skipped_slabs(cohort: PreparedCohort) -> tuple[str, ...]:
    """What a study tells of slabs that were not measured; nothing where all were, or none was asked for."""
    measured = cohort.blocks.get("slabs_measured")
    if measured is None or measured.all():
        return ()
    n, s = measured.shape
    told = [
        f"{int((~measured).sum())} of {n * s} slabs hold fewer than {LEAST_VOXELS} voxels of the tumor and have no "
        f"features, in {int((~measured).any(axis=1).sum())} of {n} cases: networks over slabs skip them."
    ]
    without = [cohort.names[row] for row in np.flatnonzero(~measured.any(axis=1))]
    if without:
        more = f" and {len(without) - MOST_NAMED} more" if len(without) > MOST_NAMED else ""
        told.append(
            f"No slab could be measured of {', '.join(without[:MOST_NAMED])}{more}: networks over slabs answer "
            "without having seen anything of them."
        )
    return tuple(told)

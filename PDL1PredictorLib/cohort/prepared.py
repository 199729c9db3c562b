"""What training sees of a cohort: the arrays, case by case in one order."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import CaseWarning

VOLUME_FEATURES = ("tumor_original_shape_VoxelVolume", "tumor_original_shape_MeshVolume")  # mm3


@dataclass(frozen=True, eq=False)
class PreparedCohort:
    """What training sees of n cases.

    Attributes:
        names: Case names.
        endpoints: Endpoint keys, the order of the columns of `labels`.
        feature_names: Order of the columns of `features`.
        features: (n, f), NaN where undefined.
        patches_hu: (n, s, rows, columns) int16, HU: the deep patch first, then the same square on its neighbor slices.
        patches_tumor: (n, s, rows, columns) bool.
        labels: (n, e), 0 or 1, NaN where missing.
        failed: Case name to the reason, for the cases of the cohort that could not be prepared and are not among the n.
        warnings: What happened on the way that the user should know.
        case_warnings: Case name to what must be known of the case before its values are believed.
    """

    names: tuple[str, ...]
    endpoints: tuple[str, ...]
    feature_names: tuple[str, ...]
    features: np.ndarray
    patches_hu: np.ndarray
    patches_tumor: np.ndarray
    labels: np.ndarray
    failed: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    case_warnings: Mapping[str, tuple[CaseWarning, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def volumes_ml(self) -> np.ndarray:
        """(n,) volume of the tumors in mL.

        Raises:
            InputError: No feature tells it.
        """
        for name in VOLUME_FEATURES:
            if name in self.feature_names:
                return np.asarray(self.features[:, self.feature_names.index(name)] / 1000)
        raise InputError("The tumor's volume is not among the features. Measure the class 'shape' too.")

    def take(self, rows: np.ndarray) -> "PreparedCohort":
        """These rows, in this order."""
        return replace(
            self,
            names=tuple(self.names[row] for row in rows),
            features=self.features[rows],
            patches_hu=self.patches_hu[rows],
            patches_tumor=self.patches_tumor[rows],
            labels=self.labels[rows],
        )

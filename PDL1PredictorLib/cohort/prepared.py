"""What training sees of a cohort: named arrays and targets, case by case in one order."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.core.targets import Target

VOLUME_FEATURES = ("tumor_original_shape_VoxelVolume", "tumor_original_shape_MeshVolume")  # mm3


@dataclass(frozen=True, eq=False)
class PreparedCohort:
    """What training sees of n cases.

    Attributes:
        names: Case names.
        targets: Endpoint key to what is to be learned of it, n cases each.
        blocks: Arrays of n cases by name; what nobody needs is not there. `features`: (n, f), NaN where undefined.
            `slices`: (n, s, rows, columns) int16, HU, the deep patch first, then the same square on its neighbor
            slices; `slices_tumor`: the contour on them, bool. `volume`: (n, d, h, w) int16, HU of the cube about the
            tumor; `volume_tumor`: the contour in it, bool; with a PET `volume_suv`: int16, SUV in hundredths, and
            `pet`: (n,) bool, whether there is one. `clinical`: (n, c), NaN where not known. `slabs`: (n, s, g),
            features of the tumor's axial slabs from below to above, see `radiomics.slabs`; `slabs_measured`: (n, s)
            bool, whether a slab holds voxels enough, else its features are NaN. With `features` come `sanity`: (n, m),
            see `core.sanity`, and `moved`: (n, m, f), the features under each move of `imaging.moved`, NaN throughout
            for cases that were not moved. `strata`: (n, g), further groups of the
            cases for a stratified split, beside those of the targets; see `cohort.own_columns`.
        feature_names: Columns of `features`.
        failed: Case name to the reason, for the cases of the cohort that could not be prepared and are not among the n.
        warnings: What happened on the way that the user should know.
        case_warnings: Case name to what must be known of the case before its values are believed.
        ct_sha256: Hash of the voxels and grid of each case's CT; none where they are not known.
        people: Case name to what is known of patient and scan, whether the recipe needs it or not.
    """

    names: tuple[str, ...]
    targets: Mapping[str, Target]
    blocks: Mapping[str, np.ndarray]
    feature_names: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    case_warnings: Mapping[str, tuple[CaseWarning, ...]] = field(default_factory=dict)
    ct_sha256: tuple[str, ...] = ()
    people: Mapping[str, Clinical] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Keys of the targets, the order of the columns of `labels`."""
        return tuple(self.targets)

    @property
    def labels(self) -> np.ndarray:
        """(n, e) float: 0 or 1; NaN where it is not known, and for endpoints that are no yes/no questions."""
        return self._columns([target.labels for target in self.targets.values()])

    @property
    def strata(self) -> np.ndarray:
        """(n, g) groups of the cases for a stratified split: of the targets, see `Target.strata`, and the block."""
        own = [self.blocks["strata"]] if "strata" in self.blocks else []
        return self._columns([*(target.strata() for target in self.targets.values()), *own])

    def _columns(self, found: list[np.ndarray]) -> np.ndarray:
        return np.column_stack(found) if found else np.zeros((len(self), 0))

    @property
    def features(self) -> np.ndarray:
        """(n, f), see `blocks`.

        Raises:
            InputError: The cases were prepared without.
        """
        return self.block("features")

    @property
    def patches_hu(self) -> np.ndarray:
        """(n, s, rows, columns) int16: the block `slices`; raises as `features` does."""
        return self.block("slices")

    @property
    def patches_tumor(self) -> np.ndarray:
        """(n, s, rows, columns) bool: the block `slices_tumor`; raises as `features` does."""
        return self.block("slices_tumor")

    @property
    def clinical(self) -> np.ndarray:
        """(n, c), NaN where not known: the block `clinical`; raises as `features` does."""
        return self.block("clinical")

    @property
    def sanity(self) -> np.ndarray:
        """(n, m), see `core.sanity`: the block `sanity`; raises as `features` does."""
        return self.block("sanity")

    @property
    def moved(self) -> np.ndarray:
        """(n, m, f) features under each move: the block `moved`; raises as `features` does."""
        return self.block("moved")

    def block(self, name: str) -> np.ndarray:
        """An array by its name; raises as `features` does."""
        if name not in self.blocks:
            raise InputError(
                f"The cases were prepared without {name}; they have {', '.join(self.blocks) or 'nothing'}. Prepare "
                "them for a recipe that needs it."
            )
        return self.blocks[name]

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
            targets={key: target.take(rows) for key, target in self.targets.items()},
            blocks={name: block[rows] for name, block in self.blocks.items()},
            ct_sha256=tuple(self.ct_sha256[row] for row in rows) if self.ct_sha256 else (),
        )

    def with_targets(self, targets: Mapping[str, Target]) -> "PreparedCohort":
        """The same cases, of which something else is to be learned."""
        return replace(self, targets=dict(targets))

    def with_blocks(self, **blocks: np.ndarray) -> "PreparedCohort":
        """The same cases with these arrays in place of their own."""
        return replace(self, blocks={**self.blocks, **blocks})

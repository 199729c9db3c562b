"""What every model can do: say what it needs of a case, and answer when that is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.results import Answer, CaseWarning, HeatMap, ModelSummary, Unlike
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.patch import Patch
from PDL1PredictorLib.imaging.volume import Volume
from PDL1PredictorLib.radiomics.settings import FeatureSettings


@dataclass(frozen=True, eq=False)
class Given:
    """What was made and measured of one tumor, as far as the model needs it.

    Attributes:
        features: Radiomic features of both regions by name; None where none are needed.
        patch: The slice that a network sees, from `imaging.patch.deep_patch`; None where no picture is needed.
        volume_ml: Of the tumor on the working lattice, in mL.
        volume: The cube that a network sees, from `imaging.volume.tumor_volume`; None where it is not needed.
        clinical: What is known of the patient.
        neighbors: The other slices that a network sees, as `imaging.patch.deep_patches` gives them after the first;
            needed as far as `slices` says.
        sanity: Plain measures, (m,), from `imaging.sanity`; None leaves that view of the case out.
        pixel_aspect: How much longer a pixel of a slice is than wide, 1 or more.
        synthetic: Whether the case is known to be synthetic.
        moved: The same tumor under moved contours, from which the stability of the answers follows.
        prevalence: Endpoint to the share of positives where its answer is used; those that are not named keep that of
            the training.
    """

    features: Mapping[str, float] | None
    patch: Patch | None
    volume_ml: float
    clinical: Clinical = field(default_factory=Clinical)
    neighbors: tuple[Patch, ...] = ()
    sanity: np.ndarray | None = None
    pixel_aspect: float = 1.0
    synthetic: bool = False
    moved: tuple["Given", ...] = ()
    volume: Volume | None = None
    prevalence: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Answered:
    """What a model answers for one tumor.

    Attributes:
        answers: One for each endpoint, in the model's order, each with its verdict and what moved it.
        scores: By endpoint, what was made of the features before, by name (`radscore_tumor` ...).
        atypicality: How far it lies from the training cohort, over the limit; NaN where the model keeps no reference.
        unlike: The same in words.
        heat_maps: Where the network looked, in patient space; none without a network.
        device: Where the network ran; `cpu` without one.
        network: What ran it: `onnxruntime`, `torch`, or `none`.
        warnings: What the reader must know.
    """

    answers: tuple[Answer, ...]
    scores: dict[str, dict[str, float]]
    atypicality: float
    unlike: Unlike
    heat_maps: tuple[HeatMap, ...]
    device: str
    network: str
    warnings: tuple[CaseWarning, ...]


class Predictor(Protocol):
    """A loaded model; `models.load.load_predictor` gives one."""

    @property
    def summary(self) -> ModelSummary:
        """What a reader needs to know of it."""
        ...

    @property
    def needs(self) -> Needs:
        """Which parts of a case must be given."""
        ...

    @property
    def regions(self) -> RegionSettings:
        """How it wants the regions made."""
        ...

    @property
    def features(self) -> FeatureSettings | None:
        """How it wants them measured; None where no features are needed."""
        ...

    @property
    def slices(self) -> int:
        """How many slices its network sees; 0 without one."""
        ...

    @property
    def used_features(self) -> frozenset[str]:
        """Radiomic features that its answers are made of."""
        ...

    @property
    def seen_cases(self) -> frozenset[str]:
        """Hashes of the CTs that it is known to have learned from; empty where it does not say."""
        ...

    @property
    def voxel_maps(self) -> tuple[str, ...]:
        """Features that it wants mapped over the tumor beside its heat map; none of most."""
        ...

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Keys, in the order of the answers."""
        ...

    @property
    def coverage(self) -> float:
        """Design coverage of prediction sets and intervals, 0 to 1."""
        ...

    def answer(self, given: Given, device: str, progress: Progress = SILENT, runtime: str = "auto") -> Answered:
        """Answer for one tumor, and explain.

        Args:
            given: All that `needs` names.
            device: Where a network runs: `cpu`, `cuda` or `mps`.
            progress: Told on the way.
            runtime: What runs it: one of `models.network.run.RUNTIMES`.

        Raises:
            InputError: Something that is needed was not given.
            BundleError: The model's numbers do not fit each other.
            CancelledError: The user cancelled.
        """
        ...

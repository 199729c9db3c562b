"""What training gives, whatever the recipe: all that a bundle is written from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from PDL1PredictorLib.core.endpoints import Kind
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.learning.kinds import Fitted
from PDL1PredictorLib.learning.recipe import Recipe
from PDL1PredictorLib.learning.reference import Reference
from PDL1PredictorLib.learning.selection import Standardizer
from PDL1PredictorLib.models.imputer import Imputer
from PDL1PredictorLib.models.schema.kernels import TrainingKernels
from PDL1PredictorLib.models.schema.network import NetworkInputs
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.networks.output import AnsweringModule


@dataclass(frozen=True, eq=False)
class TrainedEndpoint:
    """What was learned for one endpoint.

    Attributes:
        kind: Of the endpoint.
        parts: Of the inputs, in their order.
        entry: What the parts say in the manifest.
        model: The endpoint's model.
        test: Figures on test cases, as the manifest has them; None where there are none.
        title: Of the model.
        role: What it is to the others of its study.
        base_rate: Share of positives among the cases it was learned from; None of a number.
        candidates: The models it was chosen from, each with title, role, auc, low and high.
        simpler: Title of a simpler model that is as good, where the lead was asked for; "" otherwise.
        resampled: Weights of standardized inputs and a constant of models of resampled cohorts, (b, d + 1), which give
            calibrated log-odds; None of models that are not linear.
        files: Of the parts, by name in the bundle.
    """

    kind: Kind
    parts: tuple[str, ...]
    entry: dict[str, Any]
    model: Fitted
    test: dict[str, Any] | None
    title: str = ""
    role: Role = "lead"
    base_rate: float | None = None
    candidates: tuple[dict[str, Any], ...] = ()
    simpler: str = ""
    resampled: np.ndarray | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A network, and what its files are held against.

    Attributes:
        network: In evaluation mode, on the CPU.
        history: Per epoch: training loss, and validation loss where some cases were watched.
        outputs: Those of its outputs that are kept, one an endpoint that has a model, in order.
        patches: Input channels of some cases, (m, 3, h, w) 32-bit.
        probabilities: A network of the same build to the answers of the whole model on it for some cases, flat.
        contours: On the patches, (m, 1, h, w) 32-bit, where the network pools its maps within them; else None.
    """

    network: DeepCT
    history: tuple[dict[str, float], ...]
    outputs: tuple[int, ...]
    patches: np.ndarray
    probabilities: Callable[[DeepCT], np.ndarray] | None = None
    contours: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class EndToEnd:
    """A network that answers by itself, as a bundle is written from it.

    Attributes:
        module: In evaluation mode, on the CPU; its answers are those of the bundle's endpoints, in order.
        inputs: What it is given: the picture's form, and name, mean and SD of every column of its table.
        shown: What it is given of some cases, by the graph's name of the input (`patch`, `volume`, `table`), (m, ...)
            32-bit; its answers by both ways must agree on them.
        history: Per epoch: training loss, and validation loss where some cases were watched.
        bits: Of a weight in the bundle: 32, or 8 or 16 where the network is large and was rounded so (`rounded`).
        slices: How many slices it sees, each alone: 0 where it sees none.
        n_deep: Width of the deep features that it gives beside its answers; 0 where it gives none.
        name: What the manifest calls it; "" takes the module's `kind`.
    """

    module: AnsweringModule
    inputs: NetworkInputs
    shown: dict[str, np.ndarray]
    history: tuple[dict[str, float], ...] = ()
    bits: int = 32
    slices: int = 0
    n_deep: int = 0
    name: str = ""

    @property
    def n_answers(self) -> int:
        """How many endpoints it answers."""
        return self.module.classifier.out_features


@dataclass(frozen=True, eq=False)
class Trained:
    """The whole outcome, ready to be written as a bundle.

    Attributes:
        recipe: How it was made.
        created_utc: ISO 8601.
        needs: What the models ask of a case, no more than the recipe's.
        network: What gives deep features of the picture, or answers by itself; None where no model rests on one.
        standardizer: Of all features; None where no features are used.
        feature_names: Columns of the standardizer.
        used_features: Names of those that the models rest on, sorted.
        endpoints: What was learned, by key.
        left_out: Endpoint to the reason why it has no model.
        reference: For the out-of-distribution check; None where there is nothing to look at.
        n_fit: Cases that everything was learned from.
        n_test: Cases that nothing had seen.
        training_cases: Hash of the CT of each case that everything was learned from, see
            `models.schema.origin.case_hashes`; none where they are not known.
        imputer: Of clinical values; None where none is an input.
        training_kernels: Reconstruction kernels of those cases; None where none is known.
        voxel_maps: Features that are mapped over the tumor beside the heat map.
    """

    recipe: Recipe
    created_utc: str
    needs: Needs
    network: TrainedNetwork | EndToEnd | None
    standardizer: Standardizer | None
    feature_names: tuple[str, ...]
    used_features: tuple[str, ...]
    endpoints: dict[str, TrainedEndpoint]
    left_out: dict[str, str]
    reference: Reference | None
    n_fit: int
    n_test: int
    training_cases: tuple[str, ...] = ()
    imputer: Imputer | None = None
    training_kernels: TrainingKernels | None = None
    voxel_maps: tuple[str, ...] = ()

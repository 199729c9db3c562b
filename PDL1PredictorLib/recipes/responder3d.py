"""The recipe `responder3d` (paper 002): response by a network of the volume about the tumor, from CT or CT and PET."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Literal

from PDL1PredictorLib.cohort.prepare import MOST_MOVED
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.roles import ModelName
from PDL1PredictorLib.core.settings import RegionSettings, VolumeSettings
from PDL1PredictorLib.learning.deep.volume.settings import VolumeTraining
from PDL1PredictorLib.learning.fitting import Fitting
from PDL1PredictorLib.learning.parts.network import NetworkLearner
from PDL1PredictorLib.learning.parts.network_volume import VolumeNetworkLearner
from PDL1PredictorLib.learning.parts.part import PartLearner, Place
from PDL1PredictorLib.learning.parts.pca import SHARE, PcaLearner
from PDL1PredictorLib.learning.parts.radscore import RadScoreLearner
from PDL1PredictorLib.learning.parts.selected import OriginalLearner
from PDL1PredictorLib.learning.parts.volume import VolumeLearner
from PDL1PredictorLib.learning.recipe import ModelPlan, check_design
from PDL1PredictorLib.radiomics.settings import FeatureSettings, preset

FROM_CT, FROM_BOTH = "3D-CNN CT", "3D-CNN CT + PET"
UsePet = Literal["no", "optional", "required"]
BASELINES = (
    ModelPlan(ModelName("LASSO + LR", "baseline"), ("radscore",), "logistic", order=1),
    ModelPlan(ModelName("PCA + LR", "baseline"), ("pca",), "logistic", order=2, rival=True),
    ModelPlan(ModelName("Random forest", "baseline"), ("original",), "forest", order=3),
    ModelPlan(ModelName("Tumor volume", "baseline"), ("volume",), "rank", order=0),
)
ALONE = (ModelPlan(ModelName(FROM_CT, "lead"), ("network",), "logistic", order=4),)
BOTH = (
    ModelPlan(ModelName(FROM_BOTH, "lead"), ("network",), "logistic", order=5),
    ModelPlan(ModelName(FROM_CT, "part"), ("network_ct",), "logistic", order=4, rival=True),
)
RING_MM = 4.0
CUBE = VolumeSettings(40, 1.0)
"""Where maps are pooled within the contour, what lies far from the tumor does not count, and fine voxels do."""
WITHIN = VolumeTraining(
    epochs=10, patience=None, widths=(8, 16, 32), pool="contour", ring=round(RING_MM / CUBE.spacing_mm), pooled=(1, 2)
)
OVER = VolumeTraining()
"""Mean of the last maps over the volume; its cube is that of `VolumeSettings`."""
PUBLISHED = VolumeTraining(epochs=100, patience=None, learning_rate=1e-3, weight_decay=0.0, batch=32)


@dataclass(frozen=True)
class Responder3dRecipe:
    """Everything that decides what comes out; see `learning.recipe.Recipe`.

    Attributes:
        endpoints: Yes/no questions, in this order; one network for all of them.
        seed: Of the split, the networks and the folds.
        design: As of `deepradscore`.
        test_share: Of the patients, under `split`, where the cohort table does not say.
        n_folds: Outer folds under `nested`.
        outer_repeats: How often all cases are divided into outer folds anew under `nested`.
        n_inner_folds: Parts of the training cases that are held out in turn; each stops a training.
        regions: How the regions are made.
        features: How they are measured, for the baselines.
        volume: The cube that the network sees.
        pet: `no`; `optional`: the network has channels of a PET, and cases may lack one; `required`.
        network: How it is trained.
        n_repeats: Repetitions of the cross-validation from which the calibration is learned.
        n_bootstrap: Resampled calibrations.
        coverage: Of the prediction sets.
    """

    name: ClassVar[str] = "responder3d"
    moved: ClassVar[int] = MOST_MOVED

    endpoints: tuple[str, ...] = ("RESPONSE",)
    seed: int = 1
    design: Design = Design.SPLIT
    test_share: float = 0.3
    n_folds: int = 5
    outer_repeats: int = 5
    n_inner_folds: int = 5
    regions: RegionSettings = field(default_factory=RegionSettings)
    features: FeatureSettings = field(default_factory=lambda: preset("deepradscore"))
    volume: VolumeSettings = CUBE
    pet: UsePet = "no"
    network: VolumeTraining = WITHIN
    n_repeats: int = 5
    n_bootstrap: int = 200
    coverage: float = 0.9

    def __post_init__(self) -> None:
        check_design(self)

    @property
    def models(self) -> tuple[ModelPlan, ...]:
        """The network, with PET also one of the CT alone, and what they have to beat."""
        return (*(ALONE if self.pet == "no" else BOTH), *BASELINES)

    @property
    def needs(self) -> Needs:
        """Features, the cube, and the PET where one is used."""
        return Needs(features=True, picture="volume", pet=self.pet, volume=self.volume)

    def fitting(self, kept: bool) -> Fitting:
        """How classifiers are fitted."""
        return Fitting(self.n_repeats, self.n_bootstrap, self.coverage)

    def require(self, place: Place) -> None:
        """Nothing: the network starts from scratch."""

    def learners(self, cohort: PreparedCohort, place: Place) -> Mapping[str, PartLearner]:
        """The networks first, since they take longest, then what the baselines read."""
        with_pet = self.pet != "no"
        outer = 1 if self.design == Design.SPLIT else 1 + self.n_folds * self.outer_repeats
        trainings = (1 + with_pet) * (self.n_inner_folds + 1) * outer

        def network(pet: bool) -> NetworkLearner:
            learner = VolumeNetworkLearner(cohort, self.network, self.seed, place.device, pet, trainings)
            return NetworkLearner(learner)

        return {
            "network": network(with_pet),
            **({"network_ct": network(False)} if with_pet else {}),
            "radscore": RadScoreLearner(),
            "pca": PcaLearner(),
            "original": OriginalLearner(),
            "volume": VolumeLearner(),
        }

    def with_endpoints(self, endpoints: Sequence[str]) -> "Responder3dRecipe":
        """The same for other endpoints."""
        return replace(self, endpoints=tuple(endpoints))

    def method_text(self) -> str:
        """What the recipe does, for report and model card: Markdown."""
        return method_text(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "regions": self.regions.to_dict(), "features": self.features.to_dict()}


def method_text(recipe: Responder3dRecipe) -> str:
    """See `Responder3dRecipe.method_text`."""
    how, cube = recipe.network, recipe.volume
    pet = (
        "No PET is used."
        if recipe.pet == "no"
        else "With a PET two channels more: SUV over 20, cut to 0 to 1, and 1 everywhere, or 0 in a case without PET; "
        f"{how.modality_dropout:.0%} of the cases with one are shown without it in training, so that the network "
        "answers from the CT alone, too. A network of the CT alone stands beside it on the same cases."
    )
    sixteen = ", computed in 16 bits where it is safe (bfloat16)" if how.cpu_bfloat16 else ""
    ring = f" and within a ring of {how.ring} voxels about it" if how.ring else ""
    blocks = ", ".join(str(1 + block) for block in (range(len(how.widths)) if how.pooled is None else how.pooled))
    over = (
        f"mean and standard deviation of the maps of block {blocks} within the contour{ring}"
        if how.pool == "contour"
        else "mean of the last maps over the volume"
    )
    heat = (
        "what each place adds to the answer through these means and deviations"
        if how.pool == "contour"
        else "class activation map of the last feature maps"
    )
    stop, kept = f"{how.epochs} epochs", "in the end on all"
    if how.patience is not None:
        stop = f"at most {how.epochs} epochs, {how.patience} without a better held-out fold end it"
        kept += " for as long as was best on average"
    return f"""\
3D-CNN (the volume about the tumor), with the choices where the paper is silent or contradicts itself:

- Response is what the cohort's column says; for patients a rule with a date belongs to it (complete or partial by
  RECIST 1.1, best or at six months), and an early death is no response.
- Volume: {cube.voxels} x {cube.voxels} x {cube.voxels} voxels of {cube.spacing_mm:g} mm ({cube.edge_mm:g} mm) about the
  tumor's centroid. Channels: lung window, soft-tissue window, that window inside the contour. {pet}
- Network: {len(how.widths)} blocks ({", ".join(map(str, how.widths))} channels) of 3 x 3 x 3 convolution, batch norm,
  ReLU and pooling; {over};
  batch norm, dropout {how.dropout:g}, {how.n_deep} deep features, one answer an endpoint.
- Training{sixteen}: binary cross-entropy, AdamW from a learning rate of {how.learning_rate:g} down, batches of
  {how.batch}; {stop}; once without each of {recipe.n_inner_folds} folds, and {kept}.
  Volumes are turned by up to {how.degrees:g} degrees about the body's axis, scaled and changed in contrast by up to
  {how.scale:.0%} and {how.contrast:.0%}, {"mirrored along the body's axis and a diagonal, " if how.mirror else ""}and
  get a little noise.
- Baselines on radiomic features (preset `{recipe.features.name}`, {recipe.regions.spacing_mm:g} mm voxels): LASSO, then
  logistic regression; principal components of {SHARE:.0%} of the variance, then logistic regression; a random forest on
  the features of the unfiltered image; the tumor's volume.
- Every model is calibrated on cross-fitted answers (Platt); prediction sets: class-conditional conformal,
  {recipe.coverage:.0%} coverage by design.
- Heat map: {heat}, equal to Grad-CAM for this head, in three dimensions."""

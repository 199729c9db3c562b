"""The recipe `deepradscore` (paper 001): a network and two RadScores, fused by a classifier; all of it frozen data."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Literal

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.roles import ModelName
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.learning.classifiers import CHOSEN, CLASSIFIERS, HOLDS_ROWS, Choice
from PDL1PredictorLib.learning.deep.heads import HeadTraining
from PDL1PredictorLib.learning.deep.learners import FrozenNetwork, WholeNetwork
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.learning.fitting import Fitting
from PDL1PredictorLib.learning.parts.deep import DeepFeatureLearner
from PDL1PredictorLib.learning.parts.part import PartLearner, Place
from PDL1PredictorLib.learning.parts.radscore import RadScoreLearner
from PDL1PredictorLib.learning.parts.volume import VolumeLearner
from PDL1PredictorLib.learning.recipe import ModelPlan, check_design
from PDL1PredictorLib.radiomics.settings import FeatureSettings, preset

MODELS = (
    ModelPlan(ModelName("Radiomics-Score", "part"), ("radscore",)),
    ModelPlan(ModelName("Deep-CT", "part"), ("deep",)),
    ModelPlan(ModelName("Deep-RadScore", "lead"), ("deep", "radscore")),
    ModelPlan(ModelName("Tumor volume", "baseline"), ("volume",), "rank"),
)
Network = Literal["trained", "frozen"]
SHAREABLE = tuple(kind for kind in CLASSIFIERS if kind not in HOLDS_ROWS)


# Small cohorts need many passes and more change between them. The patience is longer than the stretch
# of high learning rates, in which the validation loss jumps; class weights are left to the user, because rare endpoints
# then shake what is shared.
def study_training(patch_pixels: int) -> DeepTraining:
    """How the network is trained on patches of that edge: first on crops that leave room for the shift, then whole."""
    crop = max(patch_pixels - 2 * DeepTraining.shift_pixels, patch_pixels // 2)
    return DeepTraining(
        stages=(Stage(32, crop, 2e-3), Stage(6, patch_pixels, 3e-4)),
        patience=25,
        dropout=0.3,
        rotation_degrees=10.0,
    )


# The paper's patch has 160 pixels, whose size it does not give; 112 of 1 mm show what 160 of 0.7 mm do, which are usual
# in chest CT. On wider ones the tumor drowns in lung when the network takes the mean over the patch.
STUDY_REGIONS = RegionSettings(patch_pixels=112)


@dataclass(frozen=True)
class DeepRadScoreRecipe:
    """Everything that decides what comes out; see `learning.recipe.Recipe`.

    Attributes:
        endpoints: In this order; one network for all of them.
        seed: Of the split, the network and the folds.
        design: `split`: trained once, tested on cases that nothing had seen. `nested`: every case is a test case of
            one of `n_folds` trainings, each with its own selection, network, classifier and calibration; the model
            that is kept is then trained on all cases.
        network: `trained`: all layers, on three quarters of the training cases, stopped early by the rest; once for
            every quarter, and then on all as long as was best on average. `frozen`: the convolutional part stays as the
            start weights have it and only the two new layers are trained, in `n_folds` folds and then on all. For small
            cohorts. Classifiers are fitted on the inputs that the folds give.
        test_share: Of the patients, under `split`, where the cohort table does not say.
        validation_share: Of the training patients, whom a network does not see that is trained whole.
        n_folds: Outer folds under `nested`, and folds of cross-fitting around a frozen network.
        outer_repeats: How often all cases are divided into outer folds anew under `nested`.
        regions: How the regions are made.
        features: How they are measured.
        deep: How the network is trained; its backbone and number of deep features hold for `frozen` too.
        head: How the two new layers are trained on a frozen network.
        n_repeats: Repetitions of the cross-validation that chooses the classifier of the model that is kept.
        n_repeats_nested: The same inside the outer folds.
        n_bootstrap: Resampled calibrations.
        coverage: Of the prediction sets.
        kinds: Classifiers to choose among; `SHAREABLE` are those that hold no patient's row, so that the bundle can be
            given away.
        choice: Which of them is taken: the simplest whose cross-validated AUC is within a standard error of the best,
            or the best.
    """

    name: ClassVar[str] = "deepradscore"
    models: ClassVar[tuple[ModelPlan, ...]] = MODELS
    needs: ClassVar[Needs] = Needs(features=True, picture="slice")

    endpoints: tuple[str, ...]
    seed: int = 1
    design: Design = Design.SPLIT
    network: Network = "trained"
    test_share: float = 0.3
    validation_share: float = 0.25
    n_folds: int = 5
    outer_repeats: int = 5
    regions: RegionSettings = STUDY_REGIONS
    features: FeatureSettings = field(default_factory=lambda: preset("deepradscore"))
    deep: DeepTraining = field(default_factory=lambda: study_training(STUDY_REGIONS.patch_pixels))
    head: HeadTraining = field(default_factory=HeadTraining)
    n_repeats: int = 10
    n_repeats_nested: int = 1
    n_bootstrap: int = 200
    coverage: float = 0.9
    kinds: tuple[str, ...] = tuple(CLASSIFIERS)
    choice: Choice = "simplest"

    def __post_init__(self) -> None:
        check_design(self)
        if not 0.05 <= self.validation_share <= 0.5:
            raise InputError(f"validation_share must lie between 0.05 and 0.5, got {self.validation_share!r}.")
        if not self.kinds or not set(self.kinds) <= set(CLASSIFIERS):
            raise InputError(f"Classifiers must be some of {', '.join(CLASSIFIERS)}; got {list(self.kinds)}.")
        if self.choice not in CHOSEN:
            raise InputError(f"choice must be one of {', '.join(CHOSEN)}; got {self.choice!r}.")

    @property
    def n_inner_folds(self) -> int:
        """A network that is trained whole: such that each fold is the share of validation cases; else as said."""
        return round(1 / self.validation_share) if self.network == "trained" else self.n_folds

    def fitting(self, kept: bool) -> Fitting:
        """How classifiers are fitted, in the model that is kept or inside an outer fold."""
        repeats = self.n_repeats if kept else self.n_repeats_nested
        return Fitting(repeats, self.n_bootstrap, self.coverage, self.kinds, self.choice)

    def require(self, place: Place) -> None:
        """A frozen network needs its weights."""
        if self.network == "frozen" and place.start is None:
            raise InputError("A frozen network needs weights to start from: give --weights FILE (see pdl1 pretrain).")

    def learners(self, cohort: PreparedCohort, place: Place) -> Mapping[str, PartLearner]:
        """Network, RadScores and volume."""
        network: FrozenNetwork | WholeNetwork
        if self.network == "frozen" and place.start is not None:
            network = FrozenNetwork(cohort, self.deep, self.head, self.seed, place.device, place.start)
        else:
            network = WholeNetwork(cohort, self.deep, self.seed, place.device, place.start, place.checkpoints)
        deep = DeepFeatureLearner(network, self.deep.n_deep)
        return {"deep": deep, "radscore": RadScoreLearner(), "volume": VolumeLearner()}

    def with_endpoints(self, endpoints: Sequence[str]) -> "DeepRadScoreRecipe":
        """The same for other endpoints."""
        return replace(self, endpoints=tuple(endpoints))

    def method_text(self) -> str:
        """What the recipe does, for report and model card: Markdown."""
        network = {
            "trained": "all layers trained, on all training cases but a part "
            f"({self.validation_share:.0%}) that stops the training; once for every part, and in the end on "
            "all for as many epochs as were best on average.",
            "frozen": "the convolutional part left as its start weights have it, the two new layers trained.",
        }[self.network]
        return f"""\
Deep-RadScore (Deep-CT, RadScore of tumor and {self.regions.ring_mm:g} mm ring, fused), with the choices where the paper
is silent:

- Radiomics: preset `{self.features.name}` on {self.regions.spacing_mm:g} mm voxels; z-score, near-zero variance,
  Mann-Whitney U (p < 0.05), correlation pruning (|rho| > 0.9), LASSO by 5-fold cross-validation, on training cases
  only. A RadScore is the sum of coefficient times standardized feature.
- Deep-CT: {self.deep.backbone}, {self.deep.n_deep} deep features; {network}
- Fusion: {CHOSEN[self.choice]}, on cross-fitted inputs: each training case's come from a selection and a network
  without it.
- Calibration: Platt on out-of-fold predictions; the interval resamples it. Prediction sets: class-conditional
  conformal, {self.coverage:.0%} coverage by design.
- Unlike-the-cohort warning: Mahalanobis distance of the selected features against the 99th percentile."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "regions": self.regions.to_dict(), "features": self.features.to_dict()}

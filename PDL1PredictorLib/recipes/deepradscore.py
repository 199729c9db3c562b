"""The recipe `deepradscore` (paper 001): a network and two RadScores, fused by a classifier; all of it frozen data."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Literal

from PDL1PredictorLib.cohort.prepare import MOST_MOVED
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.clinical_columns import ClinicalColumn
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.roles import ModelName
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.learning.carried import RULE
from PDL1PredictorLib.learning.classifiers import CHOSEN, CLASSIFIERS, HOLDS_ROWS, Choice
from PDL1PredictorLib.learning.deep.heads import HeadTraining
from PDL1PredictorLib.learning.deep.learners import FrozenNetwork, OneTraining, WholeNetwork
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.learning.fitting import Fitting
from PDL1PredictorLib.learning.imputation import HOW
from PDL1PredictorLib.learning.parts.clinical import ClinicalLearner
from PDL1PredictorLib.learning.parts.deep import DeepFeatureLearner, DeepLogitLearner
from PDL1PredictorLib.learning.parts.l2 import L2ScoreLearner
from PDL1PredictorLib.learning.parts.part import PartLearner, Place
from PDL1PredictorLib.learning.parts.radscore import RadScoreLearner
from PDL1PredictorLib.learning.parts.selected import OriginalLearner
from PDL1PredictorLib.learning.parts.volume import VolumeLearner
from PDL1PredictorLib.learning.recipe import ModelPlan, Smaller, check_design
from PDL1PredictorLib.learning.stability import LEAST_CASES, LEAST_ICC
from PDL1PredictorLib.radiomics.settings import FeatureSettings, preset

LEAD = "Deep-RadScore"
N_DEEP = DeepTraining.n_deep
FUSED, FEW = ("deep", "radscore"), ("radscore", "l2score", "volume", "deep_logit")
MODELS = (
    ModelPlan(ModelName("Radiomics-Score", "part"), ("radscore",), order=3),
    ModelPlan(ModelName("Deep-CT", "part"), ("deep",), smaller=Smaller(N_DEEP, ("deep_logit",), "logistic"), order=4),
    ModelPlan(ModelName(LEAD, "lead"), FUSED, smaller=Smaller(N_DEEP + 2, FEW), order=5),
    ModelPlan(ModelName("Radiomics L2", "baseline"), ("original",), "l2", order=2),
    ModelPlan(ModelName("Tumor volume", "baseline"), ("volume",), "rank", order=0),
)


def clinical_models(n_values: int) -> tuple[ModelPlan, ...]:
    """The two models that a table with clinical columns adds."""
    fewer = Smaller(N_DEEP + 2 + n_values, (*FEW, "clinical"))
    return (
        ModelPlan(ModelName("Clinical", "baseline"), ("clinical",), "logistic", order=1),
        ModelPlan(ModelName("Combined", "baseline"), (*FUSED, "clinical"), smaller=fewer, order=6),
    )


CLINICAL = f" Clinical: logistic regression on the clinical values; Combined: these and the inputs of the fusion. {HOW}"
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
        clinical: Names of clinical values that are known; none adds no model.
        declared: What those mean that the cohort declares.
    """

    name: ClassVar[str] = "deepradscore"
    moved: ClassVar[int] = MOST_MOVED

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
    clinical: tuple[str, ...] = ()
    declared: tuple[ClinicalColumn, ...] = ()

    def __post_init__(self) -> None:
        check_design(self)
        if not 0.05 <= self.validation_share <= 0.5:
            raise InputError(f"validation_share must lie between 0.05 and 0.5, got {self.validation_share!r}.")
        if not self.kinds or not set(self.kinds) <= set(CLASSIFIERS):
            raise InputError(f"Classifiers must be some of {', '.join(CLASSIFIERS)}; got {list(self.kinds)}.")
        if self.choice not in CHOSEN:
            raise InputError(f"choice must be one of {', '.join(CHOSEN)}; got {self.choice!r}.")

    @property
    def models(self) -> tuple[ModelPlan, ...]:
        """Network, RadScores, both, and what they have to beat; with clinical values two more."""
        return (*MODELS, *(clinical_models(len(self.clinical)) if self.clinical else ()))

    @property
    def needs(self) -> Needs:
        """Features and the slice, and the clinical values that the cohort has."""
        return Needs(features=True, picture="slice", clinical=self.clinical, declared=self.declared)

    @property
    def shareable(self) -> bool:
        """Whether a bundle is to hold no patient's row."""
        return not set(self.kinds) & set(HOLDS_ROWS)

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
        """Network and its logit, RadScores, features, volume, and clinical values where there are any."""
        network: FrozenNetwork | WholeNetwork
        if self.network == "frozen" and place.start is not None:
            network = FrozenNetwork(cohort, self.deep, self.head, self.seed, place.device, place.start)
        else:
            network = WholeNetwork(cohort, self.deep, self.seed, place.device, place.start, place.checkpoints)
        shared = OneTraining(network)
        found: dict[str, PartLearner] = {
            "deep": DeepFeatureLearner(shared, self.deep.n_deep),
            "deep_logit": DeepLogitLearner(shared),
            "radscore": RadScoreLearner(),
            "l2score": L2ScoreLearner(),
            "original": OriginalLearner(),
            "volume": VolumeLearner(),
        }
        return {**found, "clinical": ClinicalLearner(self.clinical, self.shareable)} if self.clinical else found

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

- Stability: features whose ICC(2,1) is below {LEAST_ICC:g} against the contour moved by 1 mm either way, against noise
  of 15 HU, or against 3 mm slices, on training cases measured again, are no candidates; with fewer than {LEAST_CASES}
  such cases nothing is left out.
- Radiomics: preset `{self.features.name}` on {self.regions.spacing_mm:g} mm voxels; z-score, near-zero variance,
  Mann-Whitney U (p < 0.05), correlation pruning (|rho| > 0.9), LASSO by 5-fold cross-validation, on training cases
  only. A RadScore is the sum of coefficient times standardized feature.
- Deep-CT: {self.deep.backbone}, {self.deep.n_deep} deep features, mean over the slices of a case; {network}
- Fusion: {CHOSEN[self.choice]}, on cross-fitted inputs: each training case's come from a selection and a network
  without it. Where the cases of an endpoint carry fewer than {self.deep.n_deep + 2} inputs, it fuses the two RadScores,
  the sum of the L2 model, the logarithm of the volume and the network's own logit by a linear classifier instead; that
  depends on counts alone and is the same in every fold. {RULE}.
- Radiomics L2: logistic regression on the standardized features of the unfiltered image, penalty by
  cross-validation. Tumor volume: as it is.{CLINICAL if self.clinical else ""}
- The endpoint's model, which is shipped: the simplest of all of these whose AUC on held-out cases is within one
  standard error (of the paired difference, within folds) of the best one's, among those whose interval lies above 0.5
  where there is one; its p pays for itself and the simpler ones.
- Calibration: Platt on out-of-fold predictions; the calibration interval resamples it. Uncertainty of a patient, of
  linear classifiers: classifier and calibration fitted anew on {self.n_bootstrap} resamples of the cases. Prediction
  sets: class-conditional conformal, {self.coverage:.0%} coverage by design.
- Unlike the training cohort: sanity measures, deep features and selected features of the case against those of held-out
  training cases, as one conformal p-value; unlike at p <= 0.05."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "regions": self.regions.to_dict(), "features": self.features.to_dict()}

"""The recipe `pdl1es` (paper 004): slices, radiomic features and clinical values joined in one layer, end to end."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

from PDL1PredictorLib.cohort.prepare import MOST_MOVED
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.clinical_columns import ClinicalColumn
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.roles import ModelName
from PDL1PredictorLib.core.settings import NEIGHBORS, FrameSettings, RegionSettings
from PDL1PredictorLib.learning.deep.joint.settings import PUBLISHED, JointTraining
from PDL1PredictorLib.learning.fitting import Fitting
from PDL1PredictorLib.learning.imputation import HOW
from PDL1PredictorLib.learning.parts.clinical import ClinicalLearner
from PDL1PredictorLib.learning.parts.network import NetworkLearner
from PDL1PredictorLib.learning.parts.network_joint import JointNetworkLearner, JointTable, check_frame
from PDL1PredictorLib.learning.parts.part import PartLearner, Place
from PDL1PredictorLib.learning.parts.selected import SelectedLearner
from PDL1PredictorLib.learning.parts.volume import VolumeLearner
from PDL1PredictorLib.learning.recipe import ModelPlan, check_design
from PDL1PredictorLib.learning.selection import CORRELATION_LIMIT, MOST_CANDIDATES, P_LIMIT
from PDL1PredictorLib.radiomics.settings import FeatureSettings, preset

LEAD, DEEP, RADIOMICS, CLINICAL = "PD-L1ES", "DLM", "RM", "CM"
CLINICAL_VALUES = ("age_years", "sex", "smoking", "family_history")
"""Those of the paper; a recipe takes those of them that its cohort has, and what the cohort declares."""
MODELS = (
    ModelPlan(ModelName(LEAD, "lead"), ("network",), "logistic", order=4),
    ModelPlan(ModelName(DEEP, "part"), ("network_deep",), "logistic", order=3, rival=True),
    ModelPlan(ModelName(RADIOMICS, "part"), ("selected",), "l2", order=2),
)
OF_CLINICAL = ModelPlan(ModelName(CLINICAL, "part"), ("clinical",), "logistic", order=1)
COUNT = """
- The paper's 1316 features are 14 of shape and 93 of each of 14 images; this preset has as many, which does not show
  that they are the same ones."""
VOLUME = ModelPlan(ModelName("Tumor volume", "baseline"), ("volume",), "rank", order=0)


@dataclass(frozen=True)
class Pdl1esRecipe:
    """Everything that decides what comes out; see `learning.recipe.Recipe`.

    Attributes:
        endpoints: Yes/no questions, in this order; one network for all of them.
        seed: Of the split, the networks and the folds.
        design: As of `deepradscore`.
        test_share: Of the patients, under `split`, where the cohort table does not say.
        n_folds: Outer folds under `nested`.
        outer_repeats: How often all cases are divided into outer folds anew under `nested`.
        n_inner_folds: Parts of the training cases that are held out in turn; each tells the best epoch of a training.
        regions: How the regions are made.
        features: How they are measured.
        frame: How the rectangle about the tumor is cut out of a slice.
        network: How it is trained.
        pruned: Of features that say the same only the best is kept; else all with p < 0.05 enter, as published.
        clinical: Names of the clinical values beside; may be none.
        declared: What those of them mean that the cohort declares.
        shareable: No patient's clinical values are kept in a bundle.
        n_repeats: Repetitions of the cross-validation from which the calibration is learned.
        n_bootstrap: Resampled calibrations.
        coverage: Of the prediction sets.
    """

    name: ClassVar[str] = "pdl1es"
    moved: ClassVar[int] = MOST_MOVED

    endpoints: tuple[str, ...] = ("PDL1_HIGH",)
    seed: int = 1
    design: Design = Design.SPLIT
    test_share: float = 0.3
    n_folds: int = 5
    outer_repeats: int = 5
    n_inner_folds: int = 4
    regions: RegionSettings = field(default_factory=RegionSettings)
    features: FeatureSettings = field(default_factory=lambda: preset("pdl1es"))
    frame: FrameSettings = field(default_factory=FrameSettings)
    network: JointTraining = field(default_factory=JointTraining)
    pruned: bool = True
    clinical: tuple[str, ...] = CLINICAL_VALUES
    declared: tuple[ClinicalColumn, ...] = ()
    shareable: bool = False
    n_repeats: int = 5
    n_bootstrap: int = 200
    coverage: float = 0.9

    def __post_init__(self) -> None:
        check_design(self)
        check_frame(self.frame, self.network)

    @property
    def models(self) -> tuple[ModelPlan, ...]:
        """The joint network, the slices alone, the features alone, the clinical values alone, and the volume."""
        return (*MODELS, *([OF_CLINICAL] if self.clinical else []), VOLUME)

    @property
    def needs(self) -> Needs:
        """Features, slices, and the clinical values that the cohort has."""
        return Needs(features=True, picture="slice", clinical=self.clinical, declared=self.declared)

    def fitting(self, kept: bool) -> Fitting:
        """How classifiers are fitted."""
        return Fitting(self.n_repeats, self.n_bootstrap, self.coverage)

    def require(self, place: Place) -> None:
        """Nothing: weights to start from are welcome, and not needed."""

    def learners(self, cohort: PreparedCohort, place: Place) -> Mapping[str, PartLearner]:
        """The networks first, since they take longest, then what the others read."""
        outer = 1 if self.design == Design.SPLIT else 1 + self.n_folds * self.outer_repeats
        trainings = 2 * (self.n_inner_folds + 1) * outer

        def network(table: JointTable) -> NetworkLearner:
            how, frame, start = self.network, self.frame, place.start
            learner = JointNetworkLearner(cohort, how, frame, table, self.seed, place.device, start, trainings)
            return NetworkLearner(learner)

        return {
            "network": network(JointTable(True, self.pruned, self.clinical, self.shareable)),
            "network_deep": network(JointTable(features=False)),
            "selected": SelectedLearner(),
            **({"clinical": ClinicalLearner(self.clinical, self.shareable)} if self.clinical else {}),
            "volume": VolumeLearner(),
        }

    def with_endpoints(self, endpoints: Sequence[str]) -> "Pdl1esRecipe":
        """The same for other endpoints."""
        return replace(self, endpoints=tuple(endpoints))

    def method_text(self) -> str:
        """What the recipe does, for report and model card: Markdown."""
        return method_text(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = {**asdict(self), "regions": self.regions.to_dict(), "features": self.features.to_dict()}
        return {**values, "declared": [column.to_dict() for column in self.declared]}


def published(recipe: Pdl1esRecipe) -> Pdl1esRecipe:
    """The same with the paper's training, every slice a sample, and no pruning of features."""
    return replace(recipe, network=PUBLISHED, pruned=False)


def method_text(recipe: Pdl1esRecipe) -> str:
    """See `Pdl1esRecipe.method_text`."""
    how, frame = recipe.network, recipe.frame
    shape = "made a square first" if frame.keep_aspect else "both axes stretched as in the paper, so that size is lost"
    seen = "every slice of every case is a sample" if how.all_slices else "one slice of each case, drawn"
    rates = ", ".join(f"{stage.epochs} at {stage.learning_rate:g}" for stage in how.stages)
    sixteen = ", computed in 16 bits where it is safe (bfloat16)" if how.cpu_bfloat16 else ""
    pruning = (
        f"of those that correlate above {CORRELATION_LIMIT:g} the best, {MOST_CANDIDATES} at most"
        if recipe.pruned
        else "none of them pruned, as published"
    )
    values = ", ".join(recipe.clinical)
    beside = f"clinical values ({values}). {HOW}" if values else "no clinical value, since the cohort has none."
    cm = f" {CLINICAL}: logistic regression on the clinical values." if recipe.clinical else ""
    slices = ", ".join(map(str, NEIGHBORS))
    count = COUNT if recipe.features.name == "pdl1es" else ""
    return f"""\
{LEAD} (slices, features and clinical values joined in one layer), with the choices where the paper is silent:

- Slices: the axial slice with the largest tumor area and {len(NEIGHBORS)} beside it ({slices} voxels of
  {recipe.regions.spacing_mm:g} mm; the paper has the two neighbors), each seen alone; an answer is the mean of its
  log-odds. Of each the rectangle about the contour and {frame.margin_pixels} pixels around it, brought to
  {frame.pixels} x {frame.pixels}: {shape}; radiomic features keep it. Channels: lung window, soft-tissue window,
  that window inside the contour.
- Beside the slices: radiomic features (preset `{recipe.features.name}`, tumor and ring) that go with an endpoint in
  the training cases (Mann-Whitney, p < {P_LIMIT:g}), {pruning}; and {beside}
- Network: {how.backbone}, pooled features batch-normalized to the scale of the standardized columns, all in one layer
  of one answer an endpoint, dropout {how.dropout:g}.
- Training: binary cross-entropy, AdamW, epochs and learning rates {rates}, batches of {how.batch}{sixteen}; an epoch:
  {seen}.
  The epoch that was best on the held-out part is taken, once without each of {recipe.n_inner_folds} parts, and in the
  end on all cases for as many epochs as were best on average.
- {DEEP}: the same network without features and clinical values. {RADIOMICS}: logistic regression with an L2 penalty
  on selected features.{cm} Tumor volume alone.
- Every model is calibrated on cross-fitted answers (Platt); prediction sets: class-conditional conformal,
  {recipe.coverage:.0%} coverage by design.
- Heat map: class activation map of the last feature maps, equal to Grad-CAM for this head, put back in place.{count}"""

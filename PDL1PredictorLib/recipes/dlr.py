"""The recipe `dlr` (paper 003): pooled features of a frozen network, selected and classified, and clinical values."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.clinical_columns import ClinicalColumn
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.roles import ModelName
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.learning.classifiers import CHOSEN, CLASSIFIERS, HOLDS_ROWS, Choice
from PDL1PredictorLib.learning.deep.weights import TITLES
from PDL1PredictorLib.learning.fitting import Fitting
from PDL1PredictorLib.learning.imputation import HOW
from PDL1PredictorLib.learning.lasso import Lasso
from PDL1PredictorLib.learning.parts.clinical import ClinicalLearner
from PDL1PredictorLib.learning.parts.frozen import FrozenBackbone, check_pool
from PDL1PredictorLib.learning.parts.part import PartLearner, Place
from PDL1PredictorLib.learning.parts.stacked import StackedLearner
from PDL1PredictorLib.learning.parts.volume import VolumeLearner
from PDL1PredictorLib.learning.recipe import ModelPlan, check_design
from PDL1PredictorLib.radiomics.settings import FeatureSettings

IMAGE, CLINICAL, COMBINED = "DLR", "Clinical", "DLR + clinical"
SIZE = ModelPlan(ModelName("Tumor volume", "baseline"), ("volume",), "rank", order=0)
OF_SIZE = FeatureSettings(name="size", classes=("shape",), wavelet=None)
"""Nothing of the answer is made of these but the baseline's volume."""


@dataclass(frozen=True)
class DlrRecipe:
    """Everything that decides what comes out; see `learning.recipe.Recipe`.

    Attributes:
        endpoints: Yes/no questions, in this order.
        seed: Of the split and the folds.
        design: As of `deepradscore`.
        test_share: Of the patients, under `split`, where the cohort table does not say.
        n_folds: Outer folds under `nested`.
        outer_repeats: How often all cases are divided into outer folds anew under `nested`.
        n_inner_folds: Parts of the training cases that are held out in turn, for the log-odds of DLR.
        regions: How the regions are made; the network sees patches of `patch_pixels`.
        features: For the volume of the tumor alone.
        backbone: Whose pooled features are taken.
        pool: How its feature maps become numbers: over the whole slice (`picture`), or within the contour (`contour`).
        drawn: Whether its weights are drawn at random, for tests of the software: what comes out means nothing.
        n_repeats: Repetitions of the cross-validation that chooses the classifier of the DLR that is kept.
        n_bootstrap: Resampled calibrations.
        coverage: Of the prediction sets.
        kinds: Classifiers to choose among.
        choice: Which of them is taken.
        ranked_first: Mann-Whitney and pruning before the LASSO; the paper names the LASSO alone.
        clinical: Names of the clinical values; without any, DLR stands alone.
        declared: What those mean that the cohort declares.
    """

    name: ClassVar[str] = "dlr"
    moved: ClassVar[int] = 0

    endpoints: tuple[str, ...] = ("PDL1",)
    seed: int = 1
    design: Design = Design.SPLIT
    test_share: float = 0.3
    n_folds: int = 5
    outer_repeats: int = 5
    n_inner_folds: int = 5
    regions: RegionSettings = field(default_factory=lambda: RegionSettings(patch_pixels=112))
    features: FeatureSettings = OF_SIZE
    backbone: str = "resnet50"
    pool: str = "contour"
    drawn: bool = False
    n_repeats: int = 10
    n_bootstrap: int = 200
    coverage: float = 0.9
    kinds: tuple[str, ...] = tuple(CLASSIFIERS)
    choice: Choice = "simplest"
    ranked_first: bool = True
    clinical: tuple[str, ...] = ()
    declared: tuple[ClinicalColumn, ...] = ()

    def __post_init__(self) -> None:
        check_design(self)
        if self.backbone not in TITLES:
            raise InputError(f"The backbone must be one of {', '.join(TITLES)}, got {self.backbone!r}.")
        check_pool(self.backbone, self.pool)
        if not self.kinds or not set(self.kinds) <= set(CLASSIFIERS):
            raise InputError(f"Classifiers must be some of {', '.join(CLASSIFIERS)}; got {list(self.kinds)}.")

    @property
    def models(self) -> tuple[ModelPlan, ...]:
        """DLR, with clinical values these and both, and the volume."""
        if not self.clinical:
            return (ModelPlan(ModelName(IMAGE, "lead"), ("stacked",), "logistic", order=1), SIZE)
        return (
            ModelPlan(ModelName(CLINICAL, "part"), ("clinical",), "logistic", order=1),
            ModelPlan(ModelName(IMAGE, "part"), ("stacked",), "logistic", order=2),
            ModelPlan(ModelName(COMBINED, "lead"), ("stacked", "clinical"), "logistic", order=3),
            SIZE,
        )

    @property
    def needs(self) -> Needs:
        """The slice, the volume, and the clinical values that the cohort has."""
        return Needs(features=True, picture="slice", clinical=self.clinical, declared=self.declared)

    @property
    def shareable(self) -> bool:
        """Whether a bundle is to hold no patient's row."""
        return not set(self.kinds) & set(HOLDS_ROWS)

    def fitting(self, kept: bool) -> Fitting:
        """How logistic regressions are fitted and calibrated."""
        return Fitting(self.n_repeats if kept else 1, self.n_bootstrap, self.coverage)

    def require(self, place: Place) -> None:
        """Weights, unless it was said that they are to be drawn."""
        if place.start is None and not self.drawn:
            raise InputError(
                f"The recipe dlr reads a frozen {self.backbone} and needs its weights: give --weights FILE, a weight "
                "file of torchvision or one by pdl1 pretrain. To try the software without any, --random-weights draws "
                "them; its features mean nothing."
            )
        if place.start is not None and self.drawn:
            raise InputError("Weights are read (--weights) or drawn (--random-weights), not both.")

    def learners(self, cohort: PreparedCohort, place: Place) -> Mapping[str, PartLearner]:
        """The model of the image, clinical values, the volume."""
        backbone = FrozenBackbone(cohort, self.backbone, place.start, self.seed, place.device, self.pool)
        narrow = Lasso(self.seed, self.ranked_first)
        how = Fitting(1, self.n_bootstrap, self.coverage, self.kinds, self.choice, narrow)
        kept = replace(how, n_repeats=self.n_repeats)
        clinical = {"clinical": ClinicalLearner(self.clinical, self.shareable)} if self.clinical else {}
        return {"stacked": StackedLearner(IMAGE, backbone, how, kept), **clinical, "volume": VolumeLearner()}

    def with_endpoints(self, endpoints: Sequence[str]) -> "DlrRecipe":
        """The same for other endpoints."""
        return replace(self, endpoints=tuple(endpoints))

    def method_text(self) -> str:
        """What the recipe does, for report and model card: Markdown."""
        return method_text(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "regions": self.regions.to_dict(), "features": self.features.to_dict()}


def method_text(recipe: DlrRecipe) -> str:
    """See `DlrRecipe.method_text`."""
    weights = (
        "**Its weights were drawn at random, to try the software: what it answers means nothing.**"
        if recipe.drawn
        else "Its weights are those of the file that was given; none is changed."
    )
    over = (
        "their mean and their standard deviation within the contour of each slice"
        if recipe.pool == "contour"
        else "averaged over each slice"
    )
    before = (
        "Mann-Whitney U (p < 0.05), correlation pruning (|rho| > 0.9, 60 at most), then "
        if recipe.ranked_first
        else "as published, without a step before it: "
    )
    clinical = (
        "No clinical value was known of half of the cases, or they were left out: DLR stands alone."
        if not recipe.clinical
        else f"Clinical: logistic regression of {', '.join(recipe.clinical)}. {HOW} DLR + clinical: logistic "
        "regression of the log-odds of DLR, each training case's from a DLR without it, and the clinical values; not "
        "of all features side by side, where a handful of clinical values would drown."
    )
    return f"""\
DLR (pooled features of a frozen network, LASSO, one of seven classifiers), with the choices where the paper is silent:

- Features: {recipe.backbone}, last feature maps: {over}, then averaged over the slices of a case
  ({recipe.regions.patch_pixels} pixels of 1 mm; lung window, soft-tissue window, that window inside the contour).
  {weights}
- Selection, on training cases of every fold anew: z-score, {before}logistic LASSO, whose penalty has the least log loss
  in five folds.
- Classifier: {CHOSEN[recipe.choice]}, of {", ".join(recipe.kinds)}; the selection is done anew in every fold of it.
- {clinical}
- Tumor volume: as it is.
- The endpoint's model, which is shipped: the simplest of all of these whose AUC on held-out cases is within one
  standard error of the best one's, among those whose interval lies above 0.5 where there is one.
- Calibration: Platt on out-of-fold predictions; the interval resamples it. Prediction sets: class-conditional
  conformal, {recipe.coverage:.0%} coverage by design.
- Net reclassification is not reported: it rises for useless additions. The difference in AUC and in net benefit is.
- No map shows where the network looked: the classifier need not be linear in its features."""

"""The recipe `deepradscore`: what decides the outcome of a study, all in one frozen value."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.learning.classifiers import CHOSEN, CLASSIFIERS, HOLDS_ROWS, Choice
from PDL1PredictorLib.learning.deep.heads import HeadTraining
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.learning.fitting import Fitting
from PDL1PredictorLib.radiomics.settings import FeatureSettings, preset

ENDPOINTS = ("PDL1", "LVI", "PI", "T4", "EGFR", "KRAS", "ALK", "TP53", "PIK3CA", "ROS1")
"""Those of paper 001."""
Design = Literal["split", "nested"]
Network = Literal["trained", "frozen"]
SHAREABLE = tuple(kind for kind in CLASSIFIERS if kind not in HOLDS_ROWS)
LEAST_PER_CLASS = 10  # in training: with fewer, neither features nor classifiers can be chosen by cross-validation


# Smaller cohorts than the demo's need more passes and more change between them. The patience is longer than the stretch
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
class StudyRecipe:
    """Everything that decides what comes out.

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

    endpoints: tuple[str, ...]
    seed: int = 1
    design: Design = "split"
    network: Network = "trained"
    test_share: float = 0.3
    validation_share: float = 0.25
    n_folds: int = 5
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
        if not self.endpoints or len(set(self.endpoints)) < len(self.endpoints):
            raise InputError(f"Endpoints must be named, each once; got {list(self.endpoints)}.")
        for name in ("test_share", "validation_share"):
            share = getattr(self, name)
            if not 0.05 <= share <= 0.5:
                raise InputError(f"{name} must lie between 0.05 and 0.5, got {share!r}.")
        if not self.kinds or not set(self.kinds) <= set(CLASSIFIERS):
            raise InputError(f"Classifiers must be some of {', '.join(CLASSIFIERS)}; got {list(self.kinds)}.")
        if self.choice not in CHOSEN:
            raise InputError(f"choice must be one of {', '.join(CHOSEN)}; got {self.choice!r}.")
        if not 2 <= self.n_folds <= 20:
            raise InputError(f"n_folds must lie between 2 and 20, got {self.n_folds!r}.")

    def fitting(self, kept: bool) -> Fitting:
        """How classifiers are fitted, in the model that is kept or inside an outer fold."""
        repeats = self.n_repeats if kept else self.n_repeats_nested
        return Fitting(repeats, self.n_bootstrap, self.coverage, self.kinds, self.choice)

    def with_seed(self, seed: int) -> "StudyRecipe":
        """The same with another seed."""
        return replace(self, seed=seed)

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

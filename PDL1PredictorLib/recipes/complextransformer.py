"""The recipe `complextransformer` (paper 000): a number by networks over radiomic features; all of it frozen data."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.needs import Needs, require_slabs
from PDL1PredictorLib.core.roles import ModelName
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.learning.deep.table_settings import RECURRENT, TableTraining
from PDL1PredictorLib.learning.fitting import Fitting
from PDL1PredictorLib.learning.parts.network import NetworkLearner
from PDL1PredictorLib.learning.parts.network_grid import GridLearner
from PDL1PredictorLib.learning.parts.network_slabs import SlabInputs
from PDL1PredictorLib.learning.parts.network_table import Inputs, TableInputs, TableNetworkLearner
from PDL1PredictorLib.learning.parts.part import PartLearner, Place
from PDL1PredictorLib.learning.parts.selected import SelectedLearner
from PDL1PredictorLib.learning.parts.volume import VolumeLearner
from PDL1PredictorLib.learning.recipe import ModelPlan, check_design
from PDL1PredictorLib.radiomics.settings import FeatureSettings, preset
from PDL1PredictorLib.radiomics.slabs import LEAST_VOXELS, SLAB_FEATURES

LEAD, LEAD_PART = "Complex Transformer", "complex_transformer"
RIVALS = {"ann": "ANN", "cnn": "CNN", "rnn": "RNN", "lstm": "LSTM", "gru": "GRU", "transformer": "Transformer"}
"""Part to title of the networks that the lead is compared with; none of them is shipped."""
LEAD_AND_BASELINES = (
    ModelPlan(ModelName(LEAD, "lead"), (LEAD_PART,), "ridge", order=10),
    ModelPlan(ModelName("Ridge", "baseline"), ("selected",), "ridge", order=3),
    ModelPlan(ModelName("Volume line", "baseline"), ("volume",), "ridge", order=2),
    ModelPlan(ModelName("Mean", "baseline"), (), "mean", order=0),
    ModelPlan(ModelName("Median", "baseline"), (), "median", order=1),
)

# Hundreds of cases feed no network of 900 000 weights. The default is one of 20 000, whose answers lie within the
# endpoint's bounds. Noise on the features does for every network here what the penalty does for ridge regression.
PLAIN = TableTraining(noise=0.5)
PLAIN_TRANSFORMER = replace(PLAIN, width=16, heads=1, layers=1, feedforward=32, dropout=0.2)
# By folds of training patients a line on these features tells more than any network of them alone: the lead begins
# with one, and learns what it leaves.
LEAD_TRAINING = replace(
    PLAIN, width=32, heads=4, layers=2, feedforward=64, dropout=0.2, learning_rate=3e-4, patience=25,
    loss="shares", line=True,
)  # fmt: skip
PUBLISHED = TableTraining(width=64, heads=4, layers=6, feedforward=1024, dropout=0.4, bounded=False, weight_decay=0.0)
PUBLISHED_RIVAL = TableTraining(epochs=500, bounded=False, weight_decay=0.0)
PUBLISHED_PLAIN = replace(PUBLISHED_RIVAL, layers=2, feedforward=128)


@dataclass(frozen=True)
class ComplexTransformerRecipe:
    """Everything that decides what comes out; see `learning.recipe.Recipe`.

    Attributes:
        endpoints: Numbers, in this order; one network of each kind for all of them.
        seed: Of the split, the networks and the folds.
        design: As of `deepradscore`.
        test_share: Of the patients, under `split`, where the cohort table does not say.
        n_folds: Outer folds under `nested`.
        outer_repeats: How often all cases are divided into outer folds anew under `nested`.
        n_inner_folds: Parts of the training cases that are held out in turn; each stops a training.
        regions: How the regions are made.
        features: How they are measured.
        most_features: That a network is given; None gives all of the tumor that vary.
        lead: How the lead network is trained.
        rivals: How those are that it is compared with, by part.
        grid: Whether learning rate, layers and dropout of the lead network are chosen by inner folds.
        slabs: Axial slabs of the tumor that the recurrent rivals read from below to above, 2 to 16; 0: they read the
            row of features, as the others do.
        n_repeats: Repetitions of the cross-validation from which the line is learned.
        coverage: Of the prediction intervals.
    """

    name: ClassVar[str] = "complextransformer"
    moved: ClassVar[int] = 0  # a filter by stability would leave a network a handful of these features

    endpoints: tuple[str, ...] = ("TPS",)
    seed: int = 1
    design: Design = Design.SPLIT
    test_share: float = 0.3
    n_folds: int = 5
    outer_repeats: int = 5
    n_inner_folds: int = 4
    regions: RegionSettings = field(default_factory=RegionSettings)
    features: FeatureSettings = field(default_factory=lambda: preset("karim"))
    most_features: int | None = 32
    lead: TableTraining = LEAD_TRAINING
    rivals: Mapping[str, TableTraining] = field(default_factory=lambda: rivals_of(PLAIN, PLAIN_TRANSFORMER))
    grid: bool = False
    slabs: int = 0
    n_repeats: int = 5
    coverage: float = 0.9

    def __post_init__(self) -> None:
        check_design(self)
        if self.most_features is not None and self.most_features < 1:
            raise InputError(f"A network needs at least one feature, got {self.most_features!r}.")
        if set(self.rivals) != set(RIVALS):
            raise InputError(f"The rivals are {', '.join(RIVALS)}; got {', '.join(self.rivals)}.")
        if self.slabs != 0:
            require_slabs(self.slabs)

    @property
    def models(self) -> tuple[ModelPlan, ...]:
        """The rivals, whose titles say where they read slabs, the lead, and the baselines."""
        titles = {
            part: f"{title} over slabs" if self.slabs and part in RECURRENT else title for part, title in RIVALS.items()
        }
        rivals = (
            ModelPlan(ModelName(title, "part"), (part,), "ridge", order=4 + place, rival=True)
            for place, (part, title) in enumerate(titles.items())
        )
        return (*rivals, *LEAD_AND_BASELINES)

    @property
    def needs(self) -> Needs:
        """Features, and slabs where they are read."""
        return Needs(features=True, slabs=self.slabs)

    @property
    def as_published(self) -> bool:
        """Whether the networks see every feature of the tumor, as in the paper."""
        return self.most_features is None

    def fitting(self, kept: bool) -> Fitting:
        """How lines are fitted."""
        return Fitting(self.n_repeats, coverage=self.coverage)

    def require(self, place: Place) -> None:
        """Nothing: networks over a table are small, and are trained on the processor."""

    def learners(self, cohort: PreparedCohort, place: Place) -> Mapping[str, PartLearner]:
        """The networks, all given the same features or some the slabs, then features and volume for the baselines."""
        inputs = TableInputs(self.most_features)
        given: dict[str, Inputs] = dict.fromkeys(RECURRENT, SlabInputs()) if self.slabs else {}
        lead = GridLearner if self.grid else TableNetworkLearner
        return {
            **{part: NetworkLearner(self._rival(part, given.get(part, inputs))) for part in RIVALS},
            LEAD_PART: NetworkLearner(lead(self.lead, inputs, self.seed)),
            "selected": SelectedLearner(),
            "volume": VolumeLearner(),
        }

    def _rival(self, part: str, inputs: Inputs) -> TableNetworkLearner:
        return TableNetworkLearner(self.rivals[part], inputs, self.seed)

    def with_endpoints(self, endpoints: Sequence[str]) -> "ComplexTransformerRecipe":
        """The same for other endpoints."""
        return replace(self, endpoints=tuple(endpoints))

    def method_text(self) -> str:
        """What the recipe does, for report and model card: Markdown."""
        return method_text(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; slabs that are not read are left out, as in files from before there were any."""
        values = {**asdict(self), "regions": self.regions.to_dict(), "features": self.features.to_dict()}
        if not self.slabs:
            del values["slabs"]
        return values


def rivals_of(how: TableTraining, transformer: TableTraining) -> dict[str, TableTraining]:
    """Settings of the rivals: the same for all but the transformer among them."""
    return {part: transformer if part == "transformer" else replace(how, network=part) for part in RIVALS}


def method_text(recipe: ComplexTransformerRecipe) -> str:
    """See `ComplexTransformerRecipe.method_text`."""
    lead = recipe.lead
    features = (
        "all features of the tumor that vary in training"
        if recipe.most_features is None
        else f"those whose Spearman correlation with the endpoint has p < 0.05 in training, pruned at |rho| > 0.9, "
        f"{recipe.most_features} at most"
    )
    bounded = (
        "A logistic curve keeps it within the endpoint's bounds. "
        if lead.bounded
        else "Nothing keeps it within the endpoint's bounds before the answer is clipped. "
    )
    beside = (
        "\n  Beside it stands a line on the same features, fitted before with a penalty chosen by five folds, and not\n"
        "  trained further: answer = logistic curve(line + network), of an endpoint without bounds their sum. The\n"
        "  network begins at nothing and learns what the line leaves; the paper has no line."
        if lead.line
        else ""
    )
    loss = (
        "cross-entropy of the share between the endpoint's bounds (a fractional logit; mean squared error without\n"
        "  bounds), judged by mean squared error"
        if lead.loss == "shares"
        else "mean squared error"
    )
    grid = (
        " Learning rate, layers and dropout are chosen among 12 by three inner folds of the cases that teach."
        if recipe.grid
        else ""
    )
    return f"""\
Complex Transformer (radiomic features as tokens, attention among them), with the choices where the paper is silent:

- What is predicted is the tumor proportion score in percent, or another number. Cases whose value is not known are
  left out; the paper fills them with the median, which makes an error look small.
- Features: preset `{recipe.features.name}` on {recipe.regions.spacing_mm:g} mm voxels; a network is given {features}.
  They are not filtered by stability: too few would be left. Features and the number are standardized on the cases
  that teach.
- A token is a learned vector times the feature, plus a learned vector; one more token asks all others. The answer
  is read off the mean of the tokens.
  {lead.layers} layers, {lead.heads} heads, width {lead.width}, feedforward {lead.feedforward}, dropout
  {lead.dropout:g}; each step is normalized before and begins at nothing, so that the first epochs learn a sum over the
  features. {bounded}Values beyond 4 SD are drawn in; noise of {lead.noise:g} SD is added to features in
  training.{beside}
- Training: {loss}; AdamW with a learning rate of {lead.learning_rate:g}, batches of {lead.batch}, gradients
  no longer than {lead.clip_norm:g}; at most {lead.epochs} epochs, {lead.patience} without a better held-out fold end
  it; once for each of {recipe.n_inner_folds} folds, and in the end on all for as long as was best on average.{grid}
{rivals_text(recipe)}
- Baselines: ridge regression on selected features, a line on the logarithm of the volume, the mean, the median.
- Answer: a line on cross-fitted answers, within the endpoint's bounds; prediction interval: split conformal,
  {recipe.coverage:.0%} coverage by design.
- Attention of the first layer is shown beside integrated gradients, which add up to the answer. Attention alone
  explains nothing."""


def rivals_text(recipe: ComplexTransformerRecipe) -> str:
    """What the method text says of the networks that are compared with."""
    if not recipe.slabs:
        return """\
- Rivals on the same features: a perceptron (64, 32), a convolution along the row and three recurrent networks, which
  read an order into it that it does not have, and a small transformer. They are compared with, and never shipped."""
    return f"""\
- Rivals on the same features: a perceptron (64, 32), a convolution along the row, which reads an order into it that it
  does not have, and a small transformer. RNN, LSTM and GRU read slabs instead: the tumor is cut across the patient's
  axis into {recipe.slabs} slabs of equal height between its lowest and highest voxel, and they read
  {len(SLAB_FEATURES)} numbers of each (area, first order, GLCM; not selected by the endpoint) from below to above; the
  last state gives the answer. Mean and SD are those of all slabs of the cases that teach. A slab with fewer than
  {LEAST_VOXELS} voxels has no features and is skipped; a tumor without any slab is answered without having been seen.
  Rivals are compared with, and never shipped."""

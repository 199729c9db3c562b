"""A recipe for a number from the table of features alone, as small as a recipe can be: a page of frozen data."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.clinical_columns import ClinicalColumn
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.roles import ModelName
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.learning.fitting import Fitting
from PDL1PredictorLib.learning.parts.clinical import ClinicalLearner
from PDL1PredictorLib.learning.parts.part import PartLearner, Place
from PDL1PredictorLib.learning.parts.selected import SelectedLearner
from PDL1PredictorLib.learning.parts.volume import VolumeLearner
from PDL1PredictorLib.learning.recipe import ModelPlan, check_design
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.recipes.page import Option, RecipePage, Shared

LEAD, SIZE, MEAN = "Feature line", "Size line", "Mean"
FEW = FeatureSettings(name="few", classes=("shape", "firstorder"), wavelet=None)


@dataclass(frozen=True)
class ToyRecipe:
    """A number by ridge regression on selected features, and on clinical values where there are any."""

    name: ClassVar[str] = "toy"
    moved: ClassVar[int] = 40

    endpoints: tuple[str, ...] = ("TPS",)
    seed: int = 1
    design: Design = Design.SPLIT
    test_share: float = 0.3
    n_folds: int = 5
    outer_repeats: int = 1
    n_inner_folds: int = 5
    n_repeats: int = 2
    coverage: float = 0.8
    regions: RegionSettings = field(default_factory=RegionSettings)
    features: FeatureSettings = FEW
    clinical: tuple[str, ...] = ()
    declared: tuple[ClinicalColumn, ...] = ()
    shareable: bool = False

    def __post_init__(self) -> None:
        check_design(self)

    @property
    def needs(self) -> Needs:
        return Needs(features=True, clinical=self.clinical, declared=self.declared)

    @property
    def models(self) -> tuple[ModelPlan, ...]:
        clinical = ("clinical",) if self.clinical else ()
        return (
            ModelPlan(ModelName(LEAD, "lead"), ("selected", "volume", *clinical), "ridge"),
            ModelPlan(ModelName(SIZE, "part"), ("volume",), "ridge"),
            ModelPlan(ModelName(MEAN, "baseline"), (), "mean"),
        )

    def fitting(self, kept: bool) -> Fitting:
        return Fitting(self.n_repeats, coverage=self.coverage)

    def require(self, place: Place) -> None:
        pass

    def learners(self, cohort: PreparedCohort, place: Place) -> Mapping[str, PartLearner]:
        clinical = {"clinical": ClinicalLearner(self.clinical, self.shareable)} if self.clinical else {}
        return {"selected": SelectedLearner(), "volume": VolumeLearner(), **clinical}

    def method_text(self) -> str:
        return "A toy: ridge regression on selected features."

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "regions": self.regions.to_dict(), "features": self.features.to_dict()}

    def with_endpoints(self, endpoints: Sequence[str]) -> "ToyRecipe":
        return replace(self, endpoints=tuple(endpoints))


def build(shared: Shared, options: Mapping[str, Any]) -> ToyRecipe:
    folds = {"n_folds": shared.n_folds, "outer_repeats": shared.outer_repeats}
    people = {"clinical": shared.clinical, "declared": shared.declared, "shareable": options["shareable"]}
    return ToyRecipe(shared.endpoints, shared.seed, shared.design, n_repeats=options["tries"], **folds, **people)


PAGE = RecipePage(
    name="toy",
    summary="a toy",
    kinds=("number",),
    endpoints=("TPS",),
    build=build,
    options=(
        Option("--tries", {"type": int, "help": "repetitions"}, 2),
        Option("--shareable", {"action": "store_true", "help": "no patient's row"}, False),
    ),
)

"""What a recipe is: everything that decides the outcome of a study, whatever it trains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, Self

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.roles import ModelName, Role, lead_of
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.learning.fitting import Fitting
from PDL1PredictorLib.learning.kinds import rules
from PDL1PredictorLib.learning.parts.part import PartLearner, Place
from PDL1PredictorLib.radiomics.settings import FeatureSettings

Fit = Literal["choose", "linear", "logistic", "rank", "l2", "forest", "ridge", "mean", "median", "cox"]


class Smaller(NamedTuple):
    """What a model is where the cases do not carry it.

    Attributes:
        below: Inputs of the model itself; where fewer are carried, this one takes its place, see `learning.carried`.
        parts: Of its inputs.
        fit: As of `ModelPlan`.
    """

    below: int
    parts: tuple[str, ...]
    fit: Fit = "linear"


@dataclass(frozen=True)
class ModelPlan:
    """A model of a recipe.

    Attributes:
        name: Title and role.
        parts: Of its inputs, in their order: names of the recipe's part learners. A baseline may have none.
        fit: `choose`: the best kind of model that the endpoint's kind knows, by cross-validation; `linear`: the best
            linear one. `logistic`: logistic regression, of a yes/no endpoint. `rank`: one input, of which more means
            positive, ranks the cases as it is, and logistic regression makes a probability of it. `l2`: logistic
            regression on many inputs, with a penalty that cross-validation chooses. `forest`: a random forest.
            `ridge`, `mean`, `median`: ridge regression, or the mean or median of the training cases, of a number. Of a
            time, `mean` is one curve for all, and every other word, `cox` among them, Cox's model: with a penalty but
            for `rank`.
        smaller: What it is in small cohorts; None where it stays as it is.
        order: Simplest first, where the simplest of several equals is taken.
        rival: Whether it is only compared with, and never an endpoint's model.
    """

    name: ModelName
    parts: tuple[str, ...]
    fit: Fit = "choose"
    smaller: Smaller | None = None
    order: int = 0
    rival: bool = False


class Recipe(Protocol):
    """Everything that decides the numbers of a study; frozen."""

    @property
    def name(self) -> str:
        """By which it is asked for."""
        ...

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Keys, in the order of the answers."""
        ...

    @property
    def seed(self) -> int:
        """Of everything that is drawn."""
        ...

    @property
    def design(self) -> Design:
        """How the figures come about.

        `split`: trained once, tested on cases that nothing had seen. `nested`: every case is a test case of one of
        `n_folds` trainings; the model that is kept is then trained on all cases.
        """
        ...

    @property
    def test_share(self) -> float:
        """Of the patients, under `split`, where the cohort table does not say."""
        ...

    @property
    def n_folds(self) -> int:
        """Outer folds under `nested`."""
        ...

    @property
    def outer_repeats(self) -> int:
        """How often all cases are divided into outer folds anew under `nested`."""
        ...

    @property
    def n_inner_folds(self) -> int:
        """Parts of the training cases that are held out in turn, for honest inputs."""
        ...

    @property
    def regions(self) -> RegionSettings:
        """How the regions are made."""
        ...

    @property
    def features(self) -> FeatureSettings | None:
        """How they are measured; None where no features are needed."""
        ...

    @property
    def needs(self) -> Needs:
        """What is made of a case."""
        ...

    @property
    def moved(self) -> int:
        """Of how many cases features are measured again, as other readers and scanners would have given them.

        Features that this changes are no candidates of a selection; 0: they are not filtered so.
        """
        ...

    @property
    def coverage(self) -> float:
        """Of prediction sets and intervals."""
        ...

    @property
    def models(self) -> tuple[ModelPlan, ...]:
        """In the order of the tables; one of them has the role lead."""
        ...

    def fitting(self, kept: bool) -> Fitting:
        """How models are fitted, in the training that is kept or inside an outer fold."""
        ...

    def require(self, place: Place) -> None:
        """Refuse a place that lacks what the training needs.

        Raises:
            InputError: With what is missing.
        """
        ...

    def learners(self, cohort: PreparedCohort, place: Place) -> Mapping[str, PartLearner]:
        """Of the parts that the models name, in the order in which they are learned."""
        ...

    def method_text(self) -> str:
        """What is done, for report and card: Markdown of paragraphs and lists."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values for JSON."""
        ...

    def with_endpoints(self, endpoints: Sequence[str]) -> Self:
        """The same for other endpoints."""
        ...


def check_design(recipe: Recipe) -> None:
    """Refuse shares, folds and endpoints that cannot be; every recipe calls it when it is built.

    Raises:
        InputError: With the value that came.
    """
    if not recipe.endpoints or len(set(recipe.endpoints)) < len(recipe.endpoints):
        raise InputError(f"Endpoints must be named, each once; got {list(recipe.endpoints)}.")
    if not 0.05 <= recipe.test_share <= 0.5:
        raise InputError(f"test_share must lie between 0.05 and 0.5, got {recipe.test_share!r}.")
    if not 2 <= recipe.n_folds <= 20:
        raise InputError(f"n_folds must lie between 2 and 20, got {recipe.n_folds!r}.")
    if not 1 <= recipe.outer_repeats <= 100:
        raise InputError(f"outer_repeats must lie between 1 and 100, got {recipe.outer_repeats!r}.")
    if not 0 < recipe.coverage < 1:
        raise InputError(f"coverage must lie between 0 and 1, both left out, got {recipe.coverage!r}.")


def check_kinds(recipe: Recipe, cohort: PreparedCohort) -> None:
    """Refuse endpoints that the recipe's models cannot answer.

    Raises:
        InputError: The first such endpoint.
    """
    for key, target in cohort.targets.items():
        known = rules(target.kind).fits
        for plan in recipe.models:
            if plan.fit not in known:
                raise InputError(
                    f"{key} is an endpoint of the kind {target.kind}, which the model {plan.name.title} of the recipe "
                    f"{recipe.name} cannot answer ({plan.fit}). Leave it out (--endpoints), or take another recipe."
                )


def roles_of(recipe: Recipe) -> dict[str, Role]:
    """Title to role of every model, in their order."""
    return {plan.name.title: plan.name.role for plan in recipe.models}


def lead_plan(recipe: Recipe) -> ModelPlan:
    """The model that the recipe is for: the one that is written as a bundle."""
    lead = lead_of(roles_of(recipe))
    return next(plan for plan in recipe.models if plan.name.title == lead)

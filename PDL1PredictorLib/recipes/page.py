"""What the command line knows of a recipe before it is built; loads nothing heavy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from PDL1PredictorLib.cohort.outlook.effort import Effort
from PDL1PredictorLib.core.clinical_columns import ClinicalColumn
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.endpoints import Kind

if TYPE_CHECKING:
    from PDL1PredictorLib.learning.recipe import Recipe


class Option(NamedTuple):
    """An option of a recipe.

    Attributes:
        flag: Such as `--backbone`; several recipes may have one of the same name and settings.
        settings: As `argparse.ArgumentParser.add_argument` takes them, without a default.
        default: Where it is not given.
    """

    flag: str
    settings: Mapping[str, Any]
    default: Any = None

    @property
    def key(self) -> str:
        """Of its value."""
        return self.flag.removeprefix("--").replace("-", "_")


AS_PUBLISHED = Option(
    "--as-published",
    {
        "action": "store_true",
        "help": "sizes, inputs and epochs as the recipe's paper has them, where the default is smaller",
    },
    False,
)
CPU_BFLOAT16 = Option(
    "--cpu-bfloat16", {"action": "store_true", "help": "on a CPU the network is trained in 16 bits"}, False
)
MOST_EPOCHS = Option("--most-epochs", {"type": int, "help": "of every network (default: by recipe)"})
POOL = Option(
    "--pool",
    {
        "choices": ("contour", "picture"),
        "help": "what a network's maps become numbers over: the tumor, where their spread is taken, too (contour: "
        "default of responder3d, and of dlr with a ResNet), or all that it sees (picture: default of dlr with others, "
        "and with --as-published)",
    },
)
TO_SHARE = Option(
    "--shareable",
    {"action": "store_true", "help": "only classifiers that keep no patient's row, to give the bundle away"},
    False,
)


MIDDLING = Effort(case_s=1.4, taught_s=6.0, memory_mb=1300)


class Shared(NamedTuple):
    """What every recipe is built from.

    Attributes:
        endpoints: Keys, in order.
        seed: Of everything that is drawn.
        design: How cases are divided.
        n_folds: Of nested cross-validation.
        outer_repeats: How often all cases are divided into these folds anew.
        clinical: Names of the clinical values that the cohort has: standard ones, and declared ones.
        declared: What the latter mean.
    """

    endpoints: tuple[str, ...]
    seed: int
    design: Design
    n_folds: int
    outer_repeats: int = 5
    clinical: tuple[str, ...] = ()
    declared: tuple[ClinicalColumn, ...] = ()

    @property
    def of_study(self) -> dict[str, Any]:
        """What every recipe has by the same name: all but the clinical values."""
        return {name: getattr(self, name) for name in ("endpoints", "seed", "design", "n_folds", "outer_repeats")}


Build = Callable[[Shared, Mapping[str, Any]], "Recipe"]
"""Shared settings, and the recipe's own options by key, to the recipe."""


@dataclass(frozen=True)
class RecipePage:
    """A recipe before it is built.

    Attributes:
        name: By which it is asked for.
        summary: One line for help texts.
        kinds: Kinds of endpoints that it learns.
        endpoints: Those of its paper, for the synthetic cohort.
        build: Makes it; loads what it needs.
        options: Its own.
        clinical: Clinical values that it takes of the synthetic cohort, names of `core.needs.CLINICAL_INPUTS`.
        effort: What a training takes, as it was measured (docs/results.md).
    """

    name: str
    summary: str
    kinds: tuple[Kind, ...]
    endpoints: tuple[str, ...]
    build: Build
    options: tuple[Option, ...] = field(default=())
    clinical: tuple[str, ...] = ()
    effort: Effort = MIDDLING

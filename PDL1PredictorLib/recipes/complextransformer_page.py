"""The recipe `complextransformer` on the command line: its options, and how it is built from them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PDL1PredictorLib.cohort.outlook.effort import Effort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.recipes.page import AS_PUBLISHED, MOST_EPOCHS, Option, RecipePage, Shared

if TYPE_CHECKING:
    from PDL1PredictorLib.learning.recipe import Recipe

OPTIONS = (
    AS_PUBLISHED,
    Option(
        "--grid",
        {
            "action": "store_true",
            "help": "choose learning rate, layers and dropout by inner folds; takes 36 times as long",
        },
        False,
    ),
    Option("--tokens", {"type": int, "help": "features that a network is given, at most (default: 32)"}),
    Option(
        "--slabs",
        {
            "type": int,
            "metavar": "N",
            "help": "RNN, LSTM and GRU read 2 to 16 axial slabs of the tumor from below to above (default: 0, the row "
            "of features); slabs are measured anew, and the cache of another number of them is not used",
        },
        0,
    ),
    MOST_EPOCHS,
)


def build(shared: Shared, options: Mapping[str, Any]) -> "Recipe":
    """The recipe as asked for.

    Raises:
        InputError: The options do not fit each other.
    """
    from PDL1PredictorLib.recipes.complextransformer import (
        PUBLISHED,
        PUBLISHED_PLAIN,
        PUBLISHED_RIVAL,
        ComplexTransformerRecipe,
        rivals_of,
    )

    if options["as_published"] and options["tokens"] is not None:
        raise InputError("--as-published gives a network all features; leave --tokens out.")
    recipe = ComplexTransformerRecipe(
        **shared.of_study,
        grid=options["grid"],
        slabs=options["slabs"],
    )
    if options["as_published"]:
        rivals = rivals_of(PUBLISHED_RIVAL, PUBLISHED_PLAIN)
        recipe = replace(recipe, most_features=None, lead=PUBLISHED, rivals=rivals)
    if options["tokens"] is not None:
        recipe = replace(recipe, most_features=options["tokens"])
    most = options["most_epochs"]
    if most is None:
        return recipe
    shorter = {part: replace(how, epochs=most) for part, how in recipe.rivals.items()}
    return replace(recipe, lead=replace(recipe.lead, epochs=most), rivals=shorter)


PAGE = RecipePage(
    name="complextransformer",
    summary="Complex Transformer: a number such as TPS by attention over radiomic features",
    kinds=("number",),
    endpoints=("TPS",),
    build=build,
    options=OPTIONS,
    effort=Effort(case_s=1.4, taught_s=1.4, memory_mb=700),
)

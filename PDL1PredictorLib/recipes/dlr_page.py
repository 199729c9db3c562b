"""The recipe `dlr` on the command line: its options, and how it is built from them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PDL1PredictorLib.cohort.outlook.effort import Effort
from PDL1PredictorLib.recipes.page import POOL, TO_SHARE, Option, RecipePage, Shared

if TYPE_CHECKING:
    from PDL1PredictorLib.learning.recipe import Recipe

OPTIONS = (
    Option("--weights", {"type": Path, "help": "weight file that the backbone starts from (default: none)"}),
    Option(
        "--random-weights",
        {"action": "store_true", "help": "draw the weights, to try the software: its answers mean nothing"},
        False,
    ),
    Option(
        "--backbone",
        {
            "help": "whose pooled features are taken (default: resnet50; resnet50_layer1, _layer2 and _layer3 end "
            "early: textures, where the weights were trained for something else; resnet50_layer1_fine sees twice as "
            "finely)"
        },
    ),
    POOL,
    Option("--repeats", {"type": int, "help": "of the choice of the classifier (default: 10)"}, 10),
    Option("--patch-pixels", {"type": int, "help": "edge of the network's patch in mm (default: 112)"}),
    TO_SHARE,
    Option("--as-published", {"action": "store_true", "help": "LASSO alone selects, the best classifier wins"}, False),
)


def build(shared: Shared, options: Mapping[str, Any]) -> "Recipe":
    """The recipe as asked for.

    Raises:
        InputError: The options do not fit each other.
    """
    from PDL1PredictorLib.learning.classifiers import CLASSIFIERS, HOLDS_ROWS
    from PDL1PredictorLib.learning.parts.frozen import usual_pool
    from PDL1PredictorLib.recipes.dlr import DlrRecipe

    backbone = options["backbone"] or "resnet50"
    recipe = DlrRecipe(
        **shared.of_study,
        n_repeats=options["repeats"],
        drawn=options["random_weights"],
        backbone=backbone,
        pool=options["pool"] or ("picture" if options["as_published"] else usual_pool(backbone)),
        kinds=tuple(kind for kind in CLASSIFIERS if not (options["shareable"] and kind in HOLDS_ROWS)),
        clinical=shared.clinical,
        declared=shared.declared,
    )
    if options["patch_pixels"]:
        recipe = replace(recipe, regions=replace(recipe.regions, patch_pixels=options["patch_pixels"]))
    return replace(recipe, choice="best", ranked_first=False) if options["as_published"] else recipe


PAGE = RecipePage(
    name="dlr",
    summary="pooled features of a frozen network, LASSO, seven classifiers, and clinical values",
    kinds=("binary",),
    endpoints=("PDL1",),
    build=build,
    options=OPTIONS,
    clinical=("age_years", "sex", "smoking", "family_history"),
    effort=Effort(case_s=1.4, taught_s=1.5, memory_mb=900),
)

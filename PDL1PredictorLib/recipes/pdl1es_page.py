"""The recipe `pdl1es` on the command line: its options, and how it is built from them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PDL1PredictorLib.cohort.outlook.effort import Effort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.recipes.page import AS_PUBLISHED, CPU_BFLOAT16, TO_SHARE, Option, RecipePage, Shared

if TYPE_CHECKING:
    from PDL1PredictorLib.learning.recipe import Recipe

OPTIONS = (
    AS_PUBLISHED,
    Option("--weights", {"type": Path, "help": "weight file that the backbone starts from (default: none)"}),
    Option("--backbone", {"help": "densenet121 (default), resnet50, resnet101, vgg19 or inception_v3"}),
    Option("--keep-aspect", {"action": "store_true", "help": "the rectangle about the tumor is not stretched"}, False),
    Option("--frame-pixels", {"type": int, "help": "edge of the square that it becomes (default: 112)"}),
    Option(
        "--epochs",
        {"type": int, "nargs": "+", "help": "of every stage of the training, in order (default: the recipe's)"},
    ),
    CPU_BFLOAT16,
    Option("--preset", {"help": "of the radiomic features (default: deepradscore)"}, "pdl1es"),
    TO_SHARE,
)


def build(shared: Shared, options: Mapping[str, Any]) -> "Recipe":
    """The recipe as asked for.

    Raises:
        InputError: The options do not fit each other.
    """
    from PDL1PredictorLib.core.settings import FrameSettings
    from PDL1PredictorLib.radiomics.settings import preset
    from PDL1PredictorLib.recipes.pdl1es import Pdl1esRecipe, published

    if options["as_published"] and (options["epochs"] or options["backbone"] or options["cpu_bfloat16"]):
        raise InputError(
            "--as-published has the paper's network and epochs; leave --epochs, --backbone and --cpu-bfloat16 out."
        )
    frame = FrameSettings(keep_aspect=options["keep_aspect"])
    if options["frame_pixels"]:
        frame = replace(frame, pixels=options["frame_pixels"])
    recipe = Pdl1esRecipe(
        **shared.of_study,
        features=preset(options["preset"]),
        frame=frame,
        clinical=shared.clinical,
        declared=shared.declared,
        shareable=options["shareable"],
    )
    if options["as_published"]:
        return published(recipe)
    network = replace(recipe.network, cpu_bfloat16=options["cpu_bfloat16"])
    if options["backbone"]:
        network = replace(network, backbone=options["backbone"])
    if options["epochs"]:
        if len(options["epochs"]) != len(network.stages):
            raise InputError(f"The training has {len(network.stages)} stages: give as many --epochs.")
        stages = (replace(s, epochs=n) for s, n in zip(network.stages, options["epochs"], strict=True))
        network = replace(network, stages=tuple(stages))
    return replace(recipe, network=network)


PAGE = RecipePage(
    name="pdl1es",
    summary="PD-L1ES: slices, radiomic features and clinical values joined in one layer",
    kinds=("binary",),
    endpoints=("PDL1_HIGH",),
    build=build,
    options=OPTIONS,
    clinical=("age_years", "sex", "smoking", "family_history"),
    effort=Effort(case_s=5.0, taught_s=17.0, memory_mb=1300),
)

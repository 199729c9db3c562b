"""The recipe `deepradscore` on the command line: its options, and how it is built from them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PDL1PredictorLib.cohort.outlook.effort import Effort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.recipes.page import CPU_BFLOAT16, TO_SHARE, Option, RecipePage, Shared

if TYPE_CHECKING:
    from PDL1PredictorLib.learning.deep.settings import Stage
    from PDL1PredictorLib.learning.recipe import Recipe

ENDPOINTS = ("PDL1", "LVI", "PI", "T4", "EGFR", "KRAS", "ALK", "TP53", "PIK3CA", "ROS1")
"""Those of paper 001."""
OPTIONS = (
    Option("--weights", {"type": Path, "help": "weight file that the backbone starts from (default: none)"}),
    Option(
        "--network",
        {
            "choices": ("trained", "frozen"),
            "help": "trained: all layers (default); frozen: only the two new layers, on --weights, for small cohorts",
        },
        "trained",
    ),
    Option("--backbone", {"help": "densenet121 (default), resnet50, resnet101, vgg19 or inception_v3"}),
    Option("--repeats", {"type": int, "help": "of the choice of the classifier (default: 10)"}, 10),
    Option("--preset", {"help": "of the radiomic features (default: deepradscore)"}, "deepradscore"),
    Option("--patch-pixels", {"type": int, "help": "edge of the network's patch in mm (default: 112)"}),
    Option("--patch-margin", {"type": float, "help": "what the network sees around the tumor, in mm (default: all)"}),
    Option("--class-weights", {"action": "store_true", "help": "the network weighs rare answers more"}, False),
    CPU_BFLOAT16,
    Option(
        "--epochs",
        {"type": int, "nargs": "+", "help": "of every stage of the training, in order (default: the recipe's)"},
    ),
    Option(
        "--pixels",
        {
            "type": int,
            "nargs": "+",
            "help": "edge of the crop in every stage, in pixels, as many as --epochs (default: the recipe's)",
        },
    ),
    TO_SHARE,
    Option(
        "--choose",
        {
            "choices": ("simplest", "best"),
            "help": "classifier: the simplest within a standard error of the best cross-validated AUC (default), or "
            "the best",
        },
        "simplest",
    ),
)


def build(shared: Shared, options: Mapping[str, Any]) -> "Recipe":
    """The recipe as asked for.

    Raises:
        InputError: The options do not fit each other.
    """
    from PDL1PredictorLib.learning.classifiers import CLASSIFIERS
    from PDL1PredictorLib.radiomics.settings import preset
    from PDL1PredictorLib.recipes.deepradscore import SHAREABLE, STUDY_REGIONS, DeepRadScoreRecipe, study_training

    regions = replace(
        STUDY_REGIONS,
        patch_pixels=options["patch_pixels"] or STUDY_REGIONS.patch_pixels,
        patch_margin_mm=options["patch_margin"],
    )
    usual = study_training(regions.patch_pixels)
    deep = replace(usual, stages=_stages(options, usual.stages), class_weights=options["class_weights"])
    deep = replace(deep, cpu_bfloat16=options["cpu_bfloat16"])
    if options["backbone"]:
        deep = replace(deep, backbone=options["backbone"])
    return DeepRadScoreRecipe(
        **shared.of_study,
        network=options["network"],
        n_repeats=options["repeats"],
        regions=regions,
        features=preset(options["preset"]),
        deep=deep,
        kinds=SHAREABLE if options["shareable"] else tuple(CLASSIFIERS),
        choice=options["choose"],
        clinical=shared.clinical,
        declared=shared.declared,
    )


def _stages(options: Mapping[str, Any], default: "Sequence[Stage]") -> "tuple[Stage, ...]":
    """The stages as asked for."""
    epochs = options["epochs"] or [stage.epochs for stage in default]
    pixels = options["pixels"] or [stage.pixels for stage in default]
    if not len(epochs) == len(pixels) == len(default):
        raise InputError(
            f"The training has {len(default)} stages: give as many --epochs and --pixels; got {len(epochs)} and "
            f"{len(pixels)}."
        )
    return tuple(replace(stage, epochs=e, pixels=p) for stage, e, p in zip(default, epochs, pixels, strict=True))


PAGE = RecipePage(
    name="deepradscore",
    summary="Deep-RadScore: a network and RadScores, fused by a classifier",
    kinds=("binary",),
    endpoints=ENDPOINTS,
    build=build,
    options=OPTIONS,
    effort=Effort(case_s=1.0, taught_s=5.7, memory_mb=1300),
)

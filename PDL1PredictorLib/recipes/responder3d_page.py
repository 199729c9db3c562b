"""The recipe `responder3d` on the command line: its options, and how it is built from them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PDL1PredictorLib.cohort.outlook.effort import Effort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.recipes.page import AS_PUBLISHED, CPU_BFLOAT16, MOST_EPOCHS, POOL, Option, RecipePage, Shared

if TYPE_CHECKING:
    from PDL1PredictorLib.learning.recipe import Recipe

OPTIONS = (
    AS_PUBLISHED,
    Option(
        "--use-pet",
        {
            "choices": ("no", "optional", "required"),
            "help": "no: CT alone (default); optional: a PET where a case has one; required: cases without one are "
            "left out",
        },
        "no",
    ),
    Option(
        "--voxels",
        {
            "type": int,
            "help": "edge of the volume that is seen, in voxels (default: 40; with --pool picture 64)",
        },
    ),
    Option("--voxel-mm", {"type": float, "help": "edge of such a voxel, in mm (default: 1; with --pool picture 1.5)"}),
    POOL,
    MOST_EPOCHS,
    CPU_BFLOAT16,
    Option("--preset", {"help": "of the radiomic features (default: deepradscore)"}, "deepradscore"),
)


def build(shared: Shared, options: Mapping[str, Any]) -> "Recipe":
    """The recipe as asked for.

    Raises:
        InputError: The options do not fit each other.
    """
    from PDL1PredictorLib.core.settings import VolumeSettings
    from PDL1PredictorLib.learning.deep.volume.settings import MOST_RING
    from PDL1PredictorLib.radiomics.settings import preset
    from PDL1PredictorLib.recipes.responder3d import CUBE, OVER, PUBLISHED, RING_MM, WITHIN, Responder3dRecipe

    paper, most = options["as_published"], options["most_epochs"]
    if paper and (most is not None or options["pool"] == "contour" or options["cpu_bfloat16"]):
        raise InputError(
            "--as-published has the paper's network and 100 epochs; leave --most-epochs, --pool contour and "
            "--cpu-bfloat16 out."
        )
    within = not paper and options["pool"] != "picture"
    default = CUBE if within else VolumeSettings()
    volume = VolumeSettings(
        default.voxels if options["voxels"] is None else options["voxels"],
        default.spacing_mm if options["voxel_mm"] is None else options["voxel_mm"],
    )
    network = WITHIN if within else PUBLISHED if paper else OVER
    if within:
        network = replace(network, ring=min(MOST_RING, max(1, round(RING_MM / volume.spacing_mm))))
    return Responder3dRecipe(
        **shared.of_study,
        features=preset(options["preset"]),
        volume=volume,
        pet=options["use_pet"],
        network=replace(network, epochs=network.epochs if most is None else most, cpu_bfloat16=options["cpu_bfloat16"]),
    )


PAGE = RecipePage(
    name="responder3d",
    summary="response to treatment by a network of the volume about the tumor, from CT or CT and PET",
    kinds=("binary",),
    endpoints=("RESPONSE",),
    build=build,
    options=OPTIONS,
    effort=Effort(case_s=1.4, taught_s=2.6, memory_mb=1400),
)

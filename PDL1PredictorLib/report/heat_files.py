"""Heat maps as volumes: one compressed NRRD each, placed in patient space."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import LesionResult
from PDL1PredictorLib.report.nrrd import write_nrrd


def heat_map_name(lesion: LesionResult, key: str) -> str:
    """File name of one heat map: `gradcam[_lesion2][_EGFR].nrrd`; the model's first endpoint needs no name of its own.

    Raises:
        InputError: The endpoint is not known.
    """
    first = lesion.endpoints[0].endpoint if lesion.endpoints else ""
    which_lesion = f"_lesion{lesion.index}" if lesion.index > 1 else ""
    which_endpoint = "" if key == first else f"_{endpoint(key).key}"
    return f"gradcam{which_lesion}{which_endpoint}.nrrd"


def write_heat_maps(lesion: LesionResult, folder: Path) -> None:
    """Write every heat map of a lesion as float32, geometry kept."""
    for heat_map in lesion.heat_maps:
        values = sitk.GetArrayFromImage(heat_map.image).astype(np.float32)
        write_nrrd(folder / heat_map_name(lesion, heat_map.endpoint), values, heat_map.image)

"""Maps of features over the tumor as files: one compressed NRRD each, in patient space, and what JSON says of it."""

from pathlib import Path
from typing import Any

import SimpleITK as sitk

from PDL1PredictorLib.core.results import LesionResult, VoxelMap
from PDL1PredictorLib.report.nrrd import write_nrrd
from PDL1PredictorLib.report.words import feature_title


def map_name(lesion: LesionResult, found: VoxelMap) -> str:
    """File name of one map: `map[_lesion2]_tumor_wavelet-HLL_glcm_SumEntropy.nrrd`."""
    which = f"_lesion{lesion.index}" if lesion.index > 1 else ""
    return f"map{which}_{found.feature}.nrrd"


def map_entries(lesion: LesionResult) -> list[dict[str, Any]]:
    """What `result.json` says of the maps of a lesion."""
    return [
        {
            "feature": found.feature,
            "title": feature_title(found.feature),
            "unit": found.unit,
            "file": map_name(lesion, found),
            "low": found.low,
            "high": found.high,
            "outside": found.outside,
            "slices": found.slices,
            "tumor_slices": found.tumor_slices,
        }
        for found in lesion.voxel_maps
    ]


def write_maps(lesion: LesionResult, folder: Path) -> None:
    """Write every map of a lesion as float32, geometry kept."""
    for found in lesion.voxel_maps:
        write_nrrd(folder / map_name(lesion, found), sitk.GetArrayFromImage(found.image), found.image)

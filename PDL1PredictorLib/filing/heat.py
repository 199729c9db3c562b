"""Heat maps as DICOM parametric maps: the floating-point values themselves, where they lie in the patient."""

import inspect
from typing import Any

import highdicom
import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import HeatMap, LesionResult
from PDL1PredictorLib.filing import codes
from PDL1PredictorLib.filing.making import RESEARCH, Kind, Making


def heat_map(making: Making, lesion: LesionResult, found: HeatMap, number: int, series_uid: str) -> Any:
    """One heat map.

    Args:
        making: Result and CT.
        lesion: Whose it is.
        found: The map, 0 to 1.
        number: Of the object within its series.
        series_uid: Of that series.
    """
    values = np.ascontiguousarray(sitk.GetArrayFromImage(found.image), dtype=np.float32)
    spacing, direction = found.image.GetSpacing(), np.reshape(found.image.GetDirection(), (3, 3))
    title = endpoint(found.endpoint).title
    made = highdicom.pm.ParametricMap(
        source_images=list(making.source.slices),
        pixel_array=values[..., None],
        series_instance_uid=series_uid,
        series_number=Kind.HEAT.series_number,
        sop_instance_uid=making.uid(Kind.HEAT, *content_of(lesion, found)),
        instance_number=number,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[[_meaning(title)]],
        **_window(),
        content_label="HEAT_MAP",
        content_description=f"{RESEARCH}: {found.method}, {title}, tumor {lesion.index}"[:64],
        pixel_measures=highdicom.PixelMeasuresSequence(
            pixel_spacing=(spacing[1], spacing[0]), slice_thickness=spacing[2], spacing_between_slices=spacing[2]
        ),
        plane_orientation=highdicom.PlaneOrientationSequence(
            coordinate_system="PATIENT", image_orientation=[*direction[:, 0], *direction[:, 1]]
        ),
        plane_positions=[
            highdicom.PlanePositionSequence(
                coordinate_system="PATIENT", image_position=found.image.TransformIndexToPhysicalPoint([0, 0, k])
            )
            for k in range(len(values))
        ],
        **making.equipment(),
    )
    made.Laterality = ""  # of the series: the chest is no paired part, and which lung it is nobody said
    return making.finish(made, Kind.HEAT)


def _window() -> dict[str, Any]:
    """Black at 0, white at 1; highdicom 0.28 takes it in another way than those before."""
    if "voi_lut_transformations" in inspect.signature(highdicom.pm.ParametricMap).parameters:
        return {"voi_lut_transformations": [highdicom.VOILUTTransformation(window_center=0.5, window_width=1.0)]}
    return {"window_center": 0.5, "window_width": 1.0}


def content_of(lesion: LesionResult, found: HeatMap) -> tuple[str | bytes, ...]:
    """What makes a heat map what it is, for its UID."""
    image = found.image
    place = repr((image.GetOrigin(), image.GetSpacing(), image.GetDirection()))
    values = np.ascontiguousarray(sitk.GetArrayViewFromImage(image), dtype="<f4")
    return str(lesion.index), found.endpoint, found.method, place, values.tobytes()


def _meaning(title: str) -> Any:
    """What a stored value means: itself, a pure number from 0 to 1."""
    return highdicom.pm.RealWorldValueMapping(
        lut_label="HEAT",
        lut_explanation=f"Heat 0 to 1: where the picture raised {title}"[:64],
        unit=codes.unit(""),
        value_range=(0.0, 1.0),
        slope=1.0,
        intercept=0.0,
        quantity_definition=codes.CLASS_ACTIVATION,
    )

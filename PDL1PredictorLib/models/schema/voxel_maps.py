"""What a manifest says of the features that are mapped over the tumor beside a heat map."""

from typing import Any

from PDL1PredictorLib.core.strict_json import brief
from PDL1PredictorLib.models.schema.values import texts
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.radiomics.table import TEXTURES, lookup

MOST_MAPS = 2  # as in the paper; each takes seconds


def mappable(feature_name: str) -> bool:
    """Whether a feature can be mapped over the tumor: a texture of it."""
    return feature_name.startswith("tumor_") and lookup(feature_name).family in TEXTURES


def read_voxel_maps(values: Any, settings: FeatureSettings | None) -> tuple[str, ...]:
    """The entry `voxel_maps`; none where the bundle does not say, as most.

    Args:
        values: The entry.
        settings: How the model measures features; None where it does not.

    Raises:
        ValueError: It is no list of such features, or the settings do not give one.
    """
    if values is None:
        return ()
    names = texts(values, "voxel_maps", MOST_MAPS)
    known = set() if settings is None else set(settings.feature_names("tumor"))
    strange = next((name for name in names if name not in known or not mappable(name)), None)
    if strange is not None:
        raise ValueError(
            f"voxel_maps must name texture features of the tumor that the model measures, got {brief(strange)}."
        )
    return names

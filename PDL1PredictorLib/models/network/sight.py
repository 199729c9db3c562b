"""What a network sees of a tumor, made of what was given of it; and its heat maps in patient space."""

import math
from collections.abc import Mapping

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.settings import FrameSettings
from PDL1PredictorLib.imaging.patch import Patch, place_map
from PDL1PredictorLib.imaging.volume import Volume, place_volume_map
from PDL1PredictorLib.models.network.answering import Shown
from PDL1PredictorLib.models.network.output import NetworkOutput
from PDL1PredictorLib.models.network.run import patch_channels
from PDL1PredictorLib.models.predictor import Given
from PDL1PredictorLib.models.schema.network import NetworkEntry, NetworkInputs
from PDL1PredictorLib.networks.channels import channels
from PDL1PredictorLib.networks.framing import framed, rectangle_of, unframed
from PDL1PredictorLib.networks.volume_channels import volume_channels


def shown_of(given: Given, entry: NetworkEntry, needs: Needs, raw: Mapping[str, float], model: str) -> Shown:
    """What a network that answers by itself is shown.

    Args:
        given: Of the tumor.
        entry: What the manifest says of the network.
        needs: Of the model.
        raw: Values of radiomic features and clinical values by name, and `log_volume`; NaN where one is not known.
        model: Name, for messages.

    Raises:
        InputError: Something that it needs was not given.
    """
    pictures = None
    if entry.inputs.picture == "volume":
        pictures = _cube(given.volume, needs, model, entry.pool)
    elif entry.inputs.picture != "none":
        frame = entry.inputs.frame
        pictures = np.concatenate([_slice(patch, frame) for patch in patches_seen(given, entry.slices, model)])
    return Shown(pictures, table_row(entry.inputs, raw, model))


def _slice(patch: Patch, frame: FrameSettings | None) -> np.ndarray:
    """Channels of a slice, (1, 3, h, w), of the rectangle about the tumor where there is a frame."""
    if frame is None:
        return patch_channels(patch)
    hu, tumor = framed(sitk.GetArrayFromImage(patch.image)[0], sitk.GetArrayFromImage(patch.tumor)[0], frame)
    return channels(hu[None], tumor[None])


def patches_seen(given: Given, n: int, model: str) -> tuple[Patch, ...]:
    """The slices that a network sees.

    Raises:
        InputError: They were not given.
    """
    if given.patch is None:
        raise InputError(f"The model {model} needs the slice of the tumor, which was not given.")
    patches = (given.patch, *given.neighbors)[:n]
    if len(patches) < n:
        raise InputError(f"The model {model} needs {n} slices of the tumor, {len(patches)} were given.")
    return patches


def _cube(volume: Volume | None, needs: Needs, model: str, pool: str) -> np.ndarray:
    if volume is None:
        raise InputError(f"The model {model} needs the volume about the tumor, which was not given.")
    if volume.suv is None and needs.pet == "required":
        raise InputError(f"The model {model} needs a PET in SUV beside the CT. Give one, or take a model of the CT.")
    hu, tumor = (sitk.GetArrayFromImage(image)[None] for image in (volume.image, volume.tumor))
    suv = None if volume.suv is None else sitk.GetArrayFromImage(volume.suv)[None]
    return volume_channels(hu, tumor, suv, needs.pet != "no", pool)


def table_row(inputs: NetworkInputs, raw: Mapping[str, float], model: str) -> np.ndarray:
    """Standardized columns, (t,); 0, the training mean, where a value is not known.

    Args:
        inputs: Their names, means and SDs.
        raw: Values by name.
        model: Name, for messages.

    Raises:
        InputError: A column is not among them.
    """
    absent = [name for name in inputs.table if name not in raw]
    if absent:
        raise InputError(f"The model {model} needs {absent[0]} and {len(absent) - 1} more that were not measured.")
    named = zip(inputs.table, inputs.mean, inputs.sd, strict=True)
    z = [(raw[name] - mean) / sd if math.isfinite(raw[name]) else 0.0 for name, mean, sd in named]
    return np.array(z, dtype=float)


def maps_of(output: NetworkOutput, given: Given, frame: FrameSettings | None = None) -> tuple[sitk.Image, ...]:
    """Heat maps in patient space, one of each endpoint; none where none can be made.

    Args:
        output: Of the network.
        given: What it was made from.
        frame: How the network saw the slice.
    """
    if output.maps.ndim == 4 and given.volume is not None:
        volume = given.volume
        return tuple(place_volume_map(values, volume) for values in output.maps)
    if output.maps.ndim == 3 and given.patch is not None:
        patch = given.patch
        if frame is not None:
            tumor = sitk.GetArrayFromImage(patch.tumor)[0]
            return tuple(place_map(unframed(values, tumor, frame), patch) for values in output.maps)
        return tuple(place_map(values, patch) for values in output.maps)
    return ()


def seen_of(given: Given, frame: FrameSettings | None) -> sitk.Image | None:
    """Where the network saw the slice, on the grid of its heat maps: uint8, 1 inside the rectangle.

    Args:
        given: What the network was shown.
        frame: How it saw the slice.

    Returns:
        None where it saw all of the slice, or no slice.
    """
    if frame is None or given.patch is None:
        return None
    seen = place_map(rectangle_of(sitk.GetArrayFromImage(given.patch.tumor)[0], frame), given.patch)
    return sitk.Cast(seen > 0.5, sitk.sitkUInt8)

"""A PET of the scene as SUV in world space: by its DICOM series where it came from one, else by its own voxels.

The library judges and converts; here only the series is found, and the image follows the volume.
"""

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.setup.library import make_importable

SERIES = "0020,000E"  # SeriesInstanceUID
MODALITIES = ("", "PT")
_judged: dict[str, tuple[int, str]] = {}  # node to the time of its voxels and what was found then


def why_not_pet(volume: Any, ct: Any) -> str:
    """Why a volume cannot be used as the PET beside a CT; empty when it can.

    Quick enough to be asked whenever the selection changes: voxels and headers are judged once, and again when they
    changed.

    Args:
        volume: A scalar volume.
        ct: The CT, or None.
    """
    name = volume.GetName()
    if volume is ct:
        return _("{name} is the CT itself. Choose the PET.").format(name=name)
    data = volume.GetImageData()
    if data is None or data.GetPointData().GetScalars() is None:
        return _("{name} holds no voxels. Load it again.").format(name=name)
    if data.GetNumberOfScalarComponents() != 1 or min(data.GetDimensions()) < 3:
        return _("{name} is no PET: one value per voxel and at least 3 voxels along each axis are needed.").format(
            name=name
        )
    modality = bridge.modality_of(volume)
    if modality not in MODALITIES:
        return _("{name} is {modality}, not PET. Choose a PET.").format(name=name, modality=modality)
    reason = bridge.why_not_placed(volume) or _why_no_suv(volume)
    return f"{name}: {reason}" if reason and name not in reason else reason


def dicom_file(volume: Any) -> Path | None:
    """One file of the PET series that a volume was loaded from; None if it came from none, or the files are gone."""
    uids = (volume.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(slicer, "dicomDatabase", None)
    if not uids or database is None:
        return None
    path = Path(database.fileForInstance(uids[0]) or "")
    return path if path.is_file() else None


def pet_in_suv(volume: Any) -> tuple[Any, tuple[str, ...]]:
    """The PET in SUV, where the user sees it.

    Args:
        volume: Of which `why_not_pet` says nothing.

    Returns:
        The image, and what must be known of how it was read.

    Raises:
        InputError: It cannot be converted, or is no longer where its series lies.
    """
    make_importable()
    from PDL1PredictorLib.imaging.read import read_pet
    from PDL1PredictorLib.imaging.suv import require_suv

    path = dicom_file(volume)
    if path is None:
        image = bridge.image_of_volume(volume)
        require_suv(image)
        return image, ()
    uid = str(slicer.dicomDatabase.instanceValue(volume.GetAttribute("DICOM.instanceUIDs").split()[0], SERIES) or "")
    loaded = read_pet(path, uid or None)
    if not bridge.fills_the_same_box(volume, loaded.image):
        text = _(
            "{name} is no longer where its DICOM series lies: it was cropped, resampled, or moved by a transform that "
            "was hardened. Load the series again, and move it by a transform above it; or convert it to SUV."
        )
        raise bridge.input_error(text.format(name=volume.GetName()))
    return bridge.moved_like(volume, loaded.image), tuple(warning.text for warning in loaded.warnings)


def _why_no_suv(volume: Any) -> str:
    """The library's judgement, made once as long as the voxels stay."""
    changed = volume.GetImageData().GetMTime()
    when, refusal = _judged.get(volume.GetID(), (0, ""))
    if when != changed:
        refusal = _judge(volume)
        _judged[volume.GetID()] = (changed, refusal)
    return refusal


def _judge(volume: Any) -> str:
    make_importable()
    from PDL1PredictorLib.core.errors import PDL1Error
    from PDL1PredictorLib.imaging.dicom.pet import why_no_suv
    from PDL1PredictorLib.imaging.suv import require_suv

    path = dicom_file(volume)
    if path is not None:
        return str(why_no_suv(path))
    try:
        require_suv(bridge.image_of_volume(volume))
    except PDL1Error as error:
        return str(error)
    return ""

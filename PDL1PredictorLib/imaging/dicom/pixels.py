"""Whether the pixels of a series are measured Hounsfield units that can be read here, by what its headers say."""

from collections import Counter

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.hounsfield import judge
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.dicom.files import uid
from PDL1PredictorLib.imaging.dicom.folder import MAX_NAMES, Slice

DECODED = {  # transfer syntaxes that GDCM, as SimpleITK brings it, decodes
    *("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"),
    *(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81, 90, 91)),
    "1.2.840.10008.1.2.5",
}
LOSSY = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")
GRAY = ("", "MONOCHROME2")
PROJECTIONS = {"MIP", "MINIP", "MAX_IP", "MIN_IP", "PROJECTION IMAGE", "VOLUME RENDERED", "VOLUME_RENDER"}
OTHER_QUANTITIES = ("OD", "MGML", "Z_EFF", "ED", "EDW", "PCT")  # DICOM's words for optical density, iodine, ...
RESCALING = ("RescaleSlope", "RescaleIntercept")
PIXEL_FORMAT = ("PixelRepresentation", "BitsAllocated", "BitsStored", "HighBit")


def require_pixels(slices: list[Slice]) -> list[CaseWarning]:
    """Refuse pixels that cannot be decoded or are no Hounsfield units by their header; say what casts doubt on them.

    Raises:
        InputError: With the tag and the file.
    """
    for one in slices:
        _require_single_gray_frame(one)
        _require_decodable(one)
    _require_rescaling(slices)
    return [*_derived(slices), *_lossy(slices), *_promised(slices)]


def _require_single_gray_frame(one: Slice) -> None:
    if one.text("NumberOfFrames") not in ("", "0", "1"):
        raise InputError(
            f"{one.path.name} is a multi-frame DICOM file. Convert it to single slices, NIfTI or NRRD first."
        )
    photometric = one.text("PhotometricInterpretation").upper()
    if photometric not in GRAY:
        raise InputError(
            f"{one.path.name} stores its pixels as {photometric}; a CT is needed as MONOCHROME2 (more is brighter). "
            "Export it so, or choose the CT series and not a picture made from it."
        )
    if PROJECTIONS & set(one.image_type):
        raise InputError(
            f"{one.path.name} is a projection (ImageType {one.text('ImageType')}), not a slice: its voxels show the "
            "extreme of a thick slab. Choose the series that it was made from."
        )


def _require_decodable(one: Slice) -> None:
    syntax = _syntax(one)
    if syntax and syntax not in DECODED:
        name = uid(syntax).name
        called = f"{name}, {syntax}" if name != syntax else syntax
        raise InputError(
            f"The slice {one.path.name} is stored in the transfer syntax {called}, which cannot be decoded here. "
            "Export the series uncompressed (Explicit VR Little Endian), or convert it with dcmdjpeg or gdcmconv --raw."
        )


def _syntax(one: Slice) -> str:
    return str(one.data.file_meta.get("TransferSyntaxUID", "") or "")


def _require_rescaling(slices: list[Slice]) -> None:
    for tag in RESCALING:
        for one in slices:
            if one.text(tag):
                _number(one, tag)
        without = [one.path.name for one in slices if not one.text(tag)]
        if 0 < len(without) < len(slices):
            more = f" and {len(without) - MAX_NAMES} more" if len(without) > MAX_NAMES else ""
            raise InputError(
                f"{len(without)} of {len(slices)} slices have no {tag} ({', '.join(without[:MAX_NAMES])}{more}), the "
                "others have one, so the units of the series are not known. Export it again."
            )
    for one in slices:
        if one.data.get("ModalityLUTSequence"):
            raise InputError(f"{one.path.name} gives its units by a table (Modality LUT), which is not read here.")
        if one.text("RescaleType").upper() in OTHER_QUANTITIES:
            raise InputError(
                f"{one.path.name} holds {one.text('RescaleType')} (RescaleType), not Hounsfield units. "
                "Choose the CT series that it was made from."
            )


def _number(one: Slice, tag: str) -> float:
    try:
        value = float(one.text(tag))
    except ValueError:
        value = float("nan")
    if not np.isfinite(value) or (tag == "RescaleSlope" and value == 0):
        raise InputError(f"{one.path.name} has the {tag} {one.text(tag)!r}, which cannot be used. Export it again.")
    return value


def same_pixel_format(slices: list[Slice]) -> bool:
    """Whether one type of voxel, chosen for the first slice, fits all of them."""
    formats = {
        tuple(_number(one, tag) if one.text(tag) else None for tag in RESCALING)
        + tuple(one.text(tag) for tag in PIXEL_FORMAT)
        for one in slices
    }
    return len(formats) == 1


def units_warnings(slices: list[Slice], image: sitk.Image) -> list[CaseWarning]:
    """What must be said where the headers do not say that the voxels are Hounsfield units, but the voxels do.

    Raises:
        InputError: They do not look like Hounsfield units beyond doubt.
    """
    missing = [tag for tag in RESCALING if not slices[0].text(tag)]
    types = {one.text("RescaleType") for one in slices} - {"", "HU"}
    if not missing and not types:
        return []
    why = f"No slice of the series has a {' or a '.join(missing)}" if missing else _type_text(types)
    judgement = judge(sitk.GetArrayViewFromImage(image))
    if judgement.refusal or judgement.doubt:
        raise InputError(
            f"{why}, and its voxels do not look like Hounsfield units beyond doubt: "
            f"{judgement.refusal or judgement.doubt} Export the series again with rescale slope and intercept."
        )
    text = f"{why}; its voxels were taken as Hounsfield units, since air, lung and soft tissue lie where they should."
    return [CaseWarning("rescale_missing" if missing else "rescale_type", text)]


def _type_text(types: set[str]) -> str:
    return f"The series gives its units as {', '.join(sorted(types))} (RescaleType), not HU"


def _derived(slices: list[Slice]) -> list[CaseWarning]:
    types = Counter("\\".join(one.image_type) for one in slices if {"DERIVED", "MPR", "AVERAGE"} & set(one.image_type))
    if not types:
        return []
    text = (
        f"{types.total()} of {len(slices)} slices say that they were computed from other images (ImageType "
        f"{', '.join(sorted(types)[:MAX_NAMES])}), so their texture may not be the scanner's. Use the original series "
        "if there is one."
    )
    return [CaseWarning("derived_images", text)]


def _lossy(slices: list[Slice]) -> list[CaseWarning]:
    lossy = [one for one in slices if one.hint("LossyImageCompression") == "01" or _syntax(one) in LOSSY]
    if not lossy:
        return []
    ratio = lossy[0].hint("LossyImageCompressionRatio")
    text = (
        f"{len(lossy)} of {len(slices)} slices were compressed with loss{f' (ratio {ratio})' if ratio else ''}, which "
        "changes voxels and texture. Use the original series if there is one."
    )
    return [CaseWarning("lossy_compression", text)]


def _promised(slices: list[Slice]) -> list[CaseWarning]:
    counts = [int(text) for one in slices if (text := one.hint("ImagesInAcquisition")).isdigit()]
    if not counts or max(counts) <= len(slices):
        return []
    text = (
        f"The headers speak of {max(counts)} images in this acquisition; {len(slices)} are here. If slices are missing "
        "at the top or the bottom, copy or export the series again."
    )
    return [CaseWarning("slices_missing", text)]

"""Everything that is filed, into the folder of a result."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError, PDL1Error
from PDL1PredictorLib.core.results import CaseResult
from PDL1PredictorLib.filing.document import document, identity
from PDL1PredictorLib.filing.heat import content_of, heat_map
from PDL1PredictorLib.filing.making import Kind, Making
from PDL1PredictorLib.filing.request import Filing, Paper
from PDL1PredictorLib.filing.segmentation import regions_of, segmentation
from PDL1PredictorLib.filing.source import on_grid_of, read_source, require_copy
from PDL1PredictorLib.filing.structured_report import Numbered, structured_report, told
from PDL1PredictorLib.imaging.case_files import Files, ReadCase
from PDL1PredictorLib.imaging.dicom.files import quiet
from PDL1PredictorLib.imaging.lesions import choose_tumors
from PDL1PredictorLib.report.pdf.pages import to_pdf

FOLDER = "dicom"


def file_result(
    filing: Filing, result: CaseResult, files: Files, read: ReadCase, lesion: str, folder: Path, with_patient: bool
) -> None:
    """Write what was asked for beside the usual files: `report.pdf`, and the objects in `dicom`.

    Args:
        filing: What was asked for.
        result: The answer.
        files: Where the case lies.
        read: The case.
        lesion: Which tumors were predicted, as it was asked for.
        folder: Of the result; it exists.
        with_patient: Show the case's name and clinical values in `report.pdf`.

    Raises:
        InputError: The CT is no DICOM series, or its header cannot be taken over.
    """
    if filing.paper is not None:
        pages = to_pdf(result, filing.paper, with_patient=with_patient)
        (folder / "report.pdf").write_bytes(pages.content)
    if filing.dicom:
        (folder / FOLDER).mkdir()
        _file(filing, result, files, read, lesion, folder / FOLDER)


def _file(filing: Filing, result: CaseResult, files: Files, read: ReadCase, lesion: str, folder: Path) -> None:
    masks, ring, ct = [mask for _, mask in choose_tumors(read.case.tumor, lesion).chosen], read.ring, read.case.ct
    if filing.series is None:
        source = read_source(files.ct, files.series, ct)
    else:
        ct, source = require_copy(ct, filing.series, None)
        masks = [on_grid_of(ct, mask) for mask in masks]
        ring = None if ring is None else on_grid_of(ct, ring)
    write_dicom(Making(result, source), masks, ring, folder, filing.sheets)


@quiet()
def write_dicom(
    making: Making, masks: Sequence[sitk.Image], ring: sitk.Image | None, folder: Path, paper: Paper
) -> list[Path]:
    """Write a result as objects of the CT's study.

    Args:
        making: Result and CT.
        masks: The tumor of each lesion, on the CT's grid.
        ring: A ring that a person drew, on the same grid; of the one tumor that was predicted.
        folder: An existing folder.
        paper: Sheets of the report.

    Returns:
        `segmentation.dcm`, `measures.dcm`, `report.dcm`, and a `heat_N.dcm` for each heat map.

    Raises:
        InputError: The CT's header cannot be taken over.
    """
    objects = _objects(making, masks, ring, paper)
    paths = []
    for name, data in objects.items():
        paths.append(folder / f"{name}.dcm")
        data.save_as(paths[-1], enforce_file_format=True)
    return paths


def _objects(making: Making, masks: Sequence[sitk.Image], ring: sitk.Image | None, paper: Paper) -> dict[str, Any]:
    series_uid = making.source.text("SeriesInstanceUID")
    pairs = zip(making.result.lesions, masks, strict=True)
    outline = making.result.provenance.outline
    regions = tuple(regions_of(lesion, mask, ring, series_uid, outline) for lesion, mask in pairs)
    try:
        segments = segmentation(making, [one for pair in regions for one in pair.segments])
        measures = structured_report(making, Numbered(regions, segments))
        heat = _heat(making)
    except PDL1Error:
        raise
    except (AttributeError, TypeError, ValueError) as error:  # what highdicom says of a header that breaks its rules
        raise InputError(
            f"The header of the CT series cannot be taken over into other objects ({error}). Export the series again "
            "from the archive, or leave out --dicom."
        ) from error
    return {"segmentation": segments, "measures": measures, "report": _report(making, paper), **heat}


def _heat(making: Making) -> dict[str, Any]:
    maps = [(lesion, found) for lesion in making.result.lesions for found in lesion.heat_maps]
    content = [part for lesion, found in maps for part in content_of(lesion, found)]
    series_uid = making.series_uid(Kind.HEAT, *content)
    return {
        f"heat_{number}": heat_map(making, lesion, found, number, series_uid)
        for number, (lesion, found) in enumerate(maps, start=1)
    }


def _report(making: Making, paper: Paper) -> Any:
    pages = to_pdf(making.result, paper, identity(making.source.slices[0]), with_patient=True)
    return document(making, pages.content, f"{paper} {told(making.result, with_patient=True)}")

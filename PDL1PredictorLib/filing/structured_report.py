"""The result as a DICOM structured report of measurements (TID 1500)."""

import json
from dataclasses import dataclass
from typing import Any

import highdicom
from highdicom import coding_schemes

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.results import CaseResult, CaseWarning
from PDL1PredictorLib.filing import codes
from PDL1PredictorLib.filing.answers import answer_group, remark
from PDL1PredictorLib.filing.making import MAKER, Kind, Making
from PDL1PredictorLib.filing.measures import region_group
from PDL1PredictorLib.filing.segmentation import Regions
from PDL1PredictorLib.filing.uids import derived_uid
from PDL1PredictorLib.report.json_result import to_json
from PDL1PredictorLib.report.words import atypical, synthetic

sr = highdicom.sr


@dataclass(frozen=True, eq=False)
class Numbered:
    """Regions of each tumor with the numbers of their segments.

    Attributes:
        regions: In the order of the result's lesions.
        segmentation: The object that holds them.
    """

    regions: tuple[Regions, ...]
    segmentation: Any

    def number(self, tracking_uid: str) -> int:
        """Of the segment with a tracking UID."""
        rows = self.segmentation.SegmentSequence
        return next(int(row.SegmentNumber) for row in rows if str(row.TrackingUID) == tracking_uid)


def structured_report(making: Making, numbered: Numbered) -> Any:
    """Measures of every region, and every answer with its verdict and the model that gave it."""
    groups = []
    for lesion, regions in zip(making.result.lesions, numbered.regions, strict=True):
        for segment in regions.segments:
            number = numbered.number(segment.tracking_uid)
            group = region_group(segment, number, numbered.segmentation, lesion, making.result.provenance)
            if not segment.is_ring:
                _warn(group, lesion.warnings, atypical(lesion))
            groups.append(group)
        groups += [
            answer_group(answer, lesion.index, regions.tumor.tracking_uid, making.result.model)
            for answer in lesion.endpoints
        ]
    content = sr.MeasurementReport(
        observation_context=_context(making),
        procedure_reported=codes.CT_CHEST,
        imaging_measurements=groups,
        title=codes.TITLE,
    )
    for text in (RESEARCH_USE_ONLY, synthetic(making.result.model), *(w.text for w in making.result.warnings)):
        if text:
            remark(content, text)
    content_of = (told(making.result), str(numbered.segmentation.SOPInstanceUID))
    made = sr.Comprehensive3DSR(
        evidence=[*making.source.slices, numbered.segmentation],
        content=content[0],
        series_instance_uid=making.series_uid(Kind.MEASURES, *content_of),
        series_number=Kind.MEASURES.series_number,
        sop_instance_uid=making.uid(Kind.MEASURES, *content_of),
        instance_number=1,
        is_complete=True,
        is_final=False,
        coding_schemes=[_own_scheme()],
        manufacturer=MAKER,
    )
    for name, value in making.equipment().items():
        setattr(made, _KEYWORDS[name], value)
    return making.finish(made, Kind.MEASURES)


_KEYWORDS = {
    "manufacturer": "Manufacturer",
    "manufacturer_model_name": "ManufacturerModelName",
    "software_versions": "SoftwareVersions",
    "device_serial_number": "DeviceSerialNumber",
}


def told(result: CaseResult, with_patient: bool = False) -> str:
    """All that a report says, without the clock."""
    plain = to_json(result, with_patient)
    for varies in ("created_utc", "seconds", "versions"):
        plain["provenance"].pop(varies)
    return json.dumps(plain, sort_keys=True)


def _context(making: Making) -> Any:
    model = making.result.model
    device = sr.DeviceObserverIdentifyingAttributes(
        uid=derived_uid("device", making.made_with),
        name=MAKER,
        manufacturer_name=MAKER,
        model_name=f"{model.title} {model.version}"[:64],
        serial_number=model.sha256[:16],
    )
    return sr.ObservationContext(
        observer_device_context=sr.ObserverContext(observer_type=codes.DEVICE, observer_identifying_attributes=device)
    )


def _warn(group: Any, warnings: tuple[CaseWarning, ...], unlike: str) -> None:
    for text in (unlike, *(warning.text for warning in warnings)):
        if text:
            remark(group, text)


def _own_scheme() -> Any:
    return coding_schemes.CodingSchemeIdentificationItem(
        designator=codes.OWN, name=codes.OWN_NAME, responsible_organization=MAKER
    )

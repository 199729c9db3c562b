"""The report's pages as an encapsulated PDF of the patient's study."""

from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.filing.making import MAKER, Kind, Making
from PDL1PredictorLib.report.pdf.fonts import can_show
from PDL1PredictorLib.report.pdf.patient import Identity


def document(making: Making, pdf: bytes, content: str) -> Any:
    """A PDF as an object.

    Args:
        making: Result and CT.
        pdf: The file.
        content: What the pages say, without the clock; for the UID.
    """
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = EncapsulatedPDFStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = making.uid(Kind.DOCUMENT, content)
    data.Modality = "DOC"
    data.SeriesInstanceUID = making.series_uid(Kind.DOCUMENT, content)
    data.SeriesNumber, data.InstanceNumber = Kind.DOCUMENT.series_number, 1
    data.Manufacturer = data.ManufacturerModelName = MAKER
    equipment = making.equipment()
    data.SoftwareVersions, data.DeviceSerialNumber = equipment["software_versions"], equipment["device_serial_number"]
    data.ConversionType = "WSD"  # made on a workstation, from nothing on paper
    data.AcquisitionDateTime = None  # of the CT, and there are many: its slices are named below
    data.BurnedInAnnotation = "YES"  # the pages name the patient
    data.RecognizableVisualFeatures = "NO"
    data.SourceInstanceSequence = [_reference(*one) for one in making.source.instances()]
    data.DocumentTitle = f"{RESEARCH_USE_ONLY} Biomarkers predicted from CT"
    data.ConceptNameCodeSequence = []  # a title of a clinical report would make it one
    data.MIMETypeOfEncapsulatedDocument = "application/pdf"
    data.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    data.EncapsulatedDocumentLength = len(pdf)
    return making.finish(data, Kind.DOCUMENT)


def _reference(sop_class: str, uid: str) -> Any:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
    return item


def identity(first: Any) -> Identity:
    """Whose the pages are, from the header of a slice; of a name the writings that have a font here, Latin first."""
    written = [_spoken(part) for part in str(first.get("PatientName") or "").split("=") if part.strip("^ ")]
    return Identity(
        name=" / ".join([name for name in written if can_show(name)] or written[:1]),
        number=str(first.get("PatientID") or ""),
        born=_day(first.get("PatientBirthDate")),
        study=_day(first.get("StudyDate")),
        accession=str(first.get("AccessionNumber") or ""),
    )


def _spoken(name: str) -> str:
    """`Family^Given^Middle` as `Family, Given Middle`."""
    family, *others = (part.strip() for part in name.split("^"))
    rest = " ".join(part for part in others if part)
    return f"{family}, {rest}" if rest else family


def _day(value: object) -> str:
    """`20200131` as `2020-01-31`; anything else as it is."""
    text = str(value or "")
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text

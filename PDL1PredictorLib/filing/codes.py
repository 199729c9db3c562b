"""Coded concepts: those of the standard where it has them, and our own beside them."""

import re
from functools import cache

from highdicom.sr import CodedConcept
from pydicom.sr.codedict import codes

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.verdicts import REASONS
from PDL1PredictorLib.radiomics.table import Feature

OWN = "99PDL1"
OWN_NAME = "PDL1Predictor"
CATEGORY_ALTERED = CodedConcept("49755003", "SCT", "Morphologically Altered Structure")
CATEGORY_TISSUE = CodedConcept("85756007", "SCT", "Tissue")
NEOPLASM = CodedConcept("108369006", "SCT", "Neoplasm")
LUNG = CodedConcept("39607008", "SCT", "Lung")
VOLUME = CodedConcept("118565006", "SCT", "Volume")
LONG_AXIS = CodedConcept("103339001", "SCT", "Long axis")
ATTENUATION = CodedConcept("112031", "DCM", "Attenuation Coefficient")
MEAN = CodedConcept("373098007", "SCT", "Mean")
DEVIATION = CodedConcept("386136009", "SCT", "Standard Deviation")
COMMENT = CodedConcept("121106", "DCM", "Comment")
TITLE = CodedConcept("126000", "DCM", "Imaging Measurement Report")
CT_CHEST = CodedConcept("24627-2", "LN", "CT Chest Report")
DEVICE = CodedConcept("121007", "DCM", "Device")
ARTIFICIAL_INTELLIGENCE = CodedConcept("123110", "DCM", "Artificial Intelligence")
EDGE_DETECTION = CodedConcept("123103", "DCM", "Edge Detection")
MORPHOLOGICAL = CodedConcept("123104", "DCM", "Morphological Operations")
CLASS_ACTIVATION = CodedConcept("130402", "DCM", "Class activation")
ENGLISH = CodedConcept("en", "RFC5646", "English")
RING = CodedConcept("peritumoral", OWN, "Peritumoral ring")
VERDICT = CodedConcept("verdict", OWN, "Verdict on the answer")
CALL = CodedConcept("call", OWN, "Predicted answer")
REASON = CodedConcept("reason", OWN, "Reason of the verdict")
STATUS = {
    "answered": CodedConcept("answered", OWN, "Answered"),
    "not_answered": CodedConcept("not_answered", OWN, "Not answered: withheld"),
}
_UNITS = {
    "": ("1", "no units"),
    "HU": ("[hnsf'U]", "Hounsfield unit"),
    "HU^2": ("[hnsf'U]2", "square of Hounsfield units"),
    "mm^-1": ("/mm", "per millimeter"),
    "mm": ("mm", "millimeter"),
    "mm^2": ("mm2", "square millimeter"),
    "mm^3": ("mm3", "cubic millimeter"),
    "mL": ("mL", "milliliter"),
    "%": ("%", "percent"),
    "days": ("d", "day"),
    "months": ("mo", "month"),
}


def unit(name: str) -> CodedConcept:
    """A unit of this library in UCUM; one that is not known stands in braces, as UCUM writes what is no unit."""
    value, meaning = _UNITS.get(name, (f"{{{name}}}", name))
    return CodedConcept(value, "UCUM", meaning)


def own(value: str, meaning: str) -> CodedConcept:
    """A concept of our own."""
    return CodedConcept(value, OWN, _short(meaning))


def reason(code: str) -> CodedConcept:
    """Why an answer is not given, or not decided."""
    return own(code, REASONS[code])


def call(key: str, word: str, meaning: str) -> CodedConcept:
    """What an answer comes to, in the words of its endpoint."""
    return own(f"{key}.{word}", meaning)


def measured(key: str, what: str, meaning: str) -> CodedConcept:
    """A number of an answer, such as the probability that PD-L1 is positive."""
    return own(f"{key}.{what}", f"{endpoint(key).title}: {meaning}")


def ibsi(feature: Feature) -> CodedConcept:
    """A feature that IBSI describes, with the meaning that DICOM gives the code, or our name where it gives none.

    Source: DICOM PS3.16, CID 7466 to 7478; IBSI reference manual.
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z0-9])", " ", feature.name)
    return CodedConcept(feature.ibsi, "IBSI", _meanings().get(feature.ibsi, words))


def texture_method(picture: str, wavelet: str, bin_width: float | None, bin_count: int | None) -> CodedConcept:
    """How a texture was measured, which its IBSI code does not say.

    Args:
        picture: What was measured: `original`, a band such as `wavelet-LLH`, or `log-sigma-2-0-mm-3D`.
        wavelet: Name of the wavelet whose bands are measured.
        bin_width: Of a gray level, in HU; None where their number is set.
        bin_count: Number of gray levels.
    """
    words = {"original": "unfiltered"}.get(picture, f"{wavelet} {picture}" if "wavelet" in picture else picture)
    if bin_width is None:
        return own(f"{picture}.n{bin_count}", f"{words}, {bin_count} gray levels")
    return own(f"{picture}.w{bin_width:g}", f"{words}, gray levels of {bin_width:g} HU")


@cache
def _meanings() -> dict[str, str]:
    known = (getattr(codes.IBSI, name) for name in codes.IBSI.dir())
    return {code.value: code.meaning for code in known}


def _short(meaning: str) -> str:
    """A code's meaning has 64 letters at most."""
    return meaning if len(meaning) <= 64 else f"{meaning[:61].rstrip()}..."

"""Which program has drawn a segment of a DICOM SEG, as the file says; of our own files how, in whole."""

from typing import Any

from PDL1PredictorLib.core.provenance import ALGORITHM_NAME, ALGORITHM_TYPE, NOTES, ORIGIN, Outline, outline_of

BETWEEN, MOST_LETTERS = "; ", 10_000  # of the parameters, in one value of at most 10,240 letters
UNKNOWN_VERSION = "not known"


def outline_of_segment(data: Any, number: int) -> Outline | None:
    """How a segment was drawn; None of one that is a reader's (MANUAL), or does not say it.

    Nothing of it is trusted: what is too long or of another form is not known, and other characters than letters that
    can be seen are "?".

    Args:
        data: The data set of the SEG.
        number: Of the segment.
    """
    item = next(one for one in data.SegmentSequence if int(one.SegmentNumber) == number)
    kind = str(item.get("SegmentAlgorithmType") or "").strip()
    described = (item.get("SegmentationAlgorithmIdentificationSequence") or [{}])[0]
    own = _notes(str(described.get("AlgorithmParameters") or ""))
    if kind == "SEMIAUTOMATIC" and ORIGIN in own:
        return outline_of(own)
    name = str(item.get("SegmentAlgorithmName") or described.get("AlgorithmName") or "").strip()
    version = str(described.get("AlgorithmVersion") or "").strip()
    if name and version and version != UNKNOWN_VERSION and version not in name:
        name = f"{name} {version}"
    return outline_of({ALGORITHM_TYPE: kind, ALGORITHM_NAME: name})


def parameters_of(outline: Outline) -> str:
    """An outline as the parameters of its algorithm, which `outline_of_segment` reads."""
    return BETWEEN.join(f"{name}={text.replace(';', ',')}" for name, text in outline.notes().items())


def _notes(parameters: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in parameters[:MOST_LETTERS].split(BETWEEN))
    return {name: text for name, equals, text in pairs if equals and name.startswith(NOTES)}

"""The report of a result folder, made again: from `result.json`, with the pictures of the report that lies there."""

from pathlib import Path

from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.report.html import to_html
from PDL1PredictorLib.report.remade.kept import KeptPictures, kept_pictures
from PDL1PredictorLib.report.remade.result import MAX_BYTES, RESULT, read_result

REPORT = "report.html"


def report_again(folder: Path) -> tuple[str, bool]:
    """The page of a result folder.

    Args:
        folder: As `pdl1 predict` makes it; neither the CT nor the model is needed.

    Returns:
        The page, and whether it has the pictures of the report that lies there.

    Raises:
        InputError: The folder is no result, or its `result.json` is damaged or of another version.
    """
    result = read_result(folder / RESULT)
    kept = pictures_of(folder / REPORT, len(result.lesions))
    clinical = result.clinical != Clinical() or result.case != "case"
    page = to_html(result, clinical, kept or [KeptPictures()] * len(result.lesions))
    return page, bool(kept)


def pictures_of(report: Path, n: int) -> list[KeptPictures]:
    """The pictures of a report, of each of its `n` tumors; none where it has not those of all, or cannot be read."""
    try:
        found = kept_pictures(report.read_text(encoding="utf-8")) if report.stat().st_size <= MAX_BYTES else []
    except (OSError, UnicodeDecodeError):
        return []
    return found if len(found) == n and all(one.slices for one in found) else []

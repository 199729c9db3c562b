"""What is asked for beside the usual files of a result, and whether it can be had here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.lazy import require_module
from PDL1PredictorLib.filing.source import require_series

Paper = Literal["A4", "Letter"]
PAPERS: tuple[Paper, ...] = ("A4", "Letter")
REMEDY = "Install what filing needs: pip install pdl1predictor[dicom]."


@dataclass(frozen=True)
class Filing:
    """What to write besides.

    Attributes:
        dicom: The result as DICOM objects of the CT's study, in the folder `dicom`.
        paper: Sheets of `report.pdf`, and of the report among the DICOM objects; None: no `report.pdf`, and A4 there.
        series: The DICOM series that the CT is a copy of, where that is a volume file: its folder, or one of its files.
    """

    dicom: bool = False
    paper: Paper | None = None
    series: Path | None = None

    @property
    def sheets(self) -> Paper:
        """Paper of the report among the DICOM objects."""
        return self.paper or "A4"


NOTHING = Filing()


def paper_of(text: str | None) -> Paper | None:
    """The paper that was asked for, in any letters.

    Raises:
        InputError: There is no such paper.
    """
    if text is None:
        return None
    for paper in PAPERS:
        if text.lower() == paper.lower():
            return paper
    raise InputError(f"--paper must be {' or '.join(PAPERS)}, got {text!r}.")


def require_ready(filing: Filing, ct: Path) -> None:
    """Refuse before long work what could only fail after it.

    Raises:
        InputError: The CT is no DICOM series.
        MissingPackageError: A package is not installed.
    """
    if filing.dicom:
        require_series(filing.series or ct)
        require_module("highdicom", REMEDY)
    if filing.dicom or filing.paper:
        require_module("reportlab", REMEDY)

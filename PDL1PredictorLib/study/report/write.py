"""What a study leaves behind for people and programs: report, JSON, predictions; whole or not at all."""

import csv
import json
from pathlib import Path
from typing import TextIO

from PDL1PredictorLib.core.files.output import whole_folder
from PDL1PredictorLib.core.outside_text import safe_cell
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.study.outcome import StudyOutcome
from PDL1PredictorLib.study.report.document import study_document
from PDL1PredictorLib.study.report.dots import write_dots
from PDL1PredictorLib.study.report.kinds import kind_report
from PDL1PredictorLib.study.report.page import beside, to_html

COLUMNS = ("endpoint", "case", "label", "model")  # and those of the kinds


def write_study_report(
    outcome: StudyOutcome, folder: Path, overwrite: bool = False, progress: Progress = SILENT
) -> Path:
    """Write `report.html`, `study.json`, `predictions.csv`, and `contributions.safetensors` where there are any.

    The same outcome gives the same bytes.

    Args:
        outcome: What was found.
        folder: To make.
        overwrite: Replace an existing folder, once the new one is complete.
        progress: Told endpoint by endpoint.

    Returns:
        The report's path.

    Raises:
        InputError: An endpoint is not known, or of a kind that cannot be reported.
        OutputError: The folder exists and is not empty, or cannot be written.
    """
    with whole_folder(Path(folder), overwrite) as draft:
        document = study_document(outcome, progress)
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
        (draft / "study.json").write_text(text + "\n", encoding="utf-8", newline="\n")
        with (draft / "predictions.csv").open("w", encoding="utf-8", newline="") as file:
            write_predictions(outcome, file)
        pictured = beside(outcome)
        write_dots(pictured.dots, draft)
        page = to_html(document, pictured, progress=progress)
        (draft / "report.html").write_text(page, encoding="utf-8", newline="\n")
    return Path(folder) / "report.html"


def write_predictions(outcome: StudyOutcome, file: TextIO) -> None:
    """One row per endpoint, case and model, with the columns of every kind that the study has."""
    reports = {key: kind_report(found.kind) for key, found in outcome.endpoints.items()}
    columns = tuple(dict.fromkeys(column for report in reports.values() for column in report.columns))
    table = csv.DictWriter(file, (*COLUMNS, *columns), lineterminator="\n", restval="")
    table.writeheader()
    for key, found in outcome.endpoints.items():
        for title in found.models:
            for case, (label, *answers) in zip(found.cases, reports[key].rows(found, title), strict=True):
                about = (key, safe_cell(case), label, title)
                table.writerow(dict(zip((*COLUMNS, *reports[key].columns), (*about, *answers), strict=True)))

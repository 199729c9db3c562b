"""What a study leaves behind for people and programs: report, JSON, predictions; whole or not at all."""

import csv
import json
from pathlib import Path
from typing import TextIO

import numpy as np

from PDL1PredictorLib.core.output import whole_folder
from PDL1PredictorLib.core.outside_text import safe_cell
from PDL1PredictorLib.learning.model_names import FUSED
from PDL1PredictorLib.study.outcome import EndpointOutcome, StudyOutcome
from PDL1PredictorLib.study.report.document import study_document
from PDL1PredictorLib.study.report.page import to_html

COLUMNS = ("endpoint", "case", "label", "model", "probability", "positive", "prediction_set")
SETS = {(True, False): "negative", (False, True): "positive", (True, True): "both", (False, False): "none"}


def write_study_report(outcome: StudyOutcome, folder: Path, overwrite: bool = False) -> Path:
    """Write `report.html`, `study.json` and `predictions.csv`.

    The same outcome gives the same bytes.

    Args:
        outcome: What was found.
        folder: To make.
        overwrite: Replace an existing folder, once the new one is complete.

    Returns:
        The report's path.

    Raises:
        InputError: An endpoint is not known.
        OutputError: The folder exists and is not empty, or cannot be written.
    """
    with whole_folder(Path(folder), overwrite) as draft:
        document = study_document(outcome)
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
        (draft / "study.json").write_text(text + "\n", encoding="utf-8", newline="\n")
        with (draft / "predictions.csv").open("w", encoding="utf-8", newline="") as file:
            write_predictions(outcome, file)
        (draft / "report.html").write_text(to_html(outcome, document), encoding="utf-8", newline="\n")
    return Path(folder) / "report.html"


def write_predictions(outcome: StudyOutcome, file: TextIO) -> None:
    """One row per endpoint, case and model; the prediction set stands with the fused model, whose it is."""
    table = csv.writer(file, lineterminator="\n")
    table.writerow(COLUMNS)
    for found in outcome.endpoints.values():
        for name, model in found.models.items():
            for row, case in enumerate(found.cases):
                calls = (repr(float(model.probability[row])), int(model.positive[row]))
                held = _set(found, row) if name == FUSED else ""
                table.writerow((found.key, safe_cell(case), int(found.labels[row]), name, *calls, held))


def _set(found: EndpointOutcome, row: int) -> str:
    negative, positive = np.asarray(found.prediction_sets[row], dtype=bool).tolist()
    return SETS[negative, positive]

"""Everything that a prediction leaves behind, in one folder."""

import json
from pathlib import Path

from PDL1PredictorLib.core.errors import OutputError
from PDL1PredictorLib.core.results import CaseResult
from PDL1PredictorLib.report.csv_table import write_features
from PDL1PredictorLib.report.heat_files import write_heat_maps
from PDL1PredictorLib.report.html import to_html
from PDL1PredictorLib.report.json_result import to_json
from PDL1PredictorLib.report.map_files import write_maps
from PDL1PredictorLib.report.reading.plain_lines import plain_text
from PDL1PredictorLib.report.segments import write_segments


def write_all(result: CaseResult, folder: Path, *, with_patient: bool = False) -> None:
    """Write `result.json`, `report.html`, `summary.txt`, `features.csv`, `tumor_and_ring.seg.nrrd` and maps.

    Args:
        result: What to write.
        folder: An existing folder, best a draft from `core.files.output.whole_folder`.
        with_patient: Put the case's name and the clinical values into the files; else they are left out.

    Raises:
        OutputError: The folder does not exist.
        GridMismatchError: The volumes do not share one lattice.
    """
    if not folder.is_dir():
        raise OutputError(f"{folder} is not a folder. Make it first (whole_folder), then write into it.")
    content = to_json(result, with_patient)
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2)
    (folder / "result.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    (folder / "summary.txt").write_text(plain_text(content), encoding="utf-8", newline="\n")
    (folder / "report.html").write_text(to_html(result, with_patient), encoding="utf-8", newline="\n")
    write_features(
        {lesion.index: lesion.features for lesion in result.lesions},
        {lesion.index: (*result.warnings, *lesion.warnings) for lesion in result.lesions},
        folder / "features.csv",
    )
    if result.lesions:
        write_segments(result.lesions, folder / "tumor_and_ring.seg.nrrd")
    for lesion in result.lesions:
        write_heat_maps(lesion, folder)
        write_maps(lesion, folder)

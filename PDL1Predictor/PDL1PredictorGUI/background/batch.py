"""Many cases, one after the other in the background: a report each, and one table of all.

A case that cannot be predicted is a row with its reason, and the next one goes on. The table is on disk after every
case, so that what is done is never lost.
"""

import csv
import json
import logging
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.background.batch_cases import (
    BadCase,
    BatchCase,
    FileCase,
    SceneCase,
    cases_of_folder,
    cases_of_scene,
)
from PDL1PredictorGUI.background.case_files import export_case
from PDL1PredictorGUI.background.job import Job
from PDL1PredictorGUI.background.outcome import CANCELLED, DONE, Outcome, cancelled
from PDL1PredictorGUI.background.predictor import model_argument, region_arguments
from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.scene.answers import shown
from PDL1PredictorGUI.setup.library import background_environment, make_importable, python_executable
from PDL1PredictorGUI.setup.run_folders import remove_folder

__all__ = ["Batch", "BatchRequest", "BatchRow", "cases_of_folder", "cases_of_scene"]
TABLE = "batch.csv"
RUN_PREFIX = ".running-"


@dataclass(frozen=True)
class BatchRequest:
    """How all cases are predicted.

    Attributes:
        out: Folder for the table and one folder per case; new or empty.
        model: Bundle: name, folder or .zip.
        device: auto, cpu, cuda or mps.
        regions: `core.settings.RegionSettings`, or None for the model's own.
        segment: Which region of a mask file, where it has several.
        resample_mask: Bring masks on another grid onto the CT's.
        with_patient: Reports name the case.
    """

    out: Path
    model: str
    device: str = "auto"
    regions: Any = None
    segment: str | None = None
    resample_mask: bool = False
    with_patient: bool = False


@dataclass(frozen=True)
class BatchRow:
    """One case of the table.

    Attributes:
        name: Of the case.
        folder: With its report; None if it could not be predicted.
        content: Of its `result.json`; empty if it could not be predicted.
        problem: Why it could not; empty if it could.
    """

    name: str
    folder: Path | None
    content: dict[str, Any]
    problem: str

    @property
    def endpoints(self) -> list[dict[str, Any]]:
        """Answers of the tumor, as in `result.json`; empty if there is none."""
        return list(self.content["lesions"][0]["endpoints"]) if self.content else []

    @property
    def cells(self) -> dict[str, dict[str, Any]]:
        """By endpoint, its cells in the table by the end of their columns' names: what its kind of answer has."""
        return {row["endpoint"]: show.cells(read) for row in self.endpoints for show, read in [shown(row)]}

    @property
    def warnings(self) -> list[dict[str, str]]:
        """`code` and `text` of each."""
        return [*self.content["warnings"], *self.content["lesions"][0]["warnings"]] if self.content else []


class Batch:
    """Predicts a list of cases; may be used again after it has ended.

    Args:
        on_progress: Receives the number of the case (from 0), how many there are, its fraction, and a sentence.
        on_row: Receives each row when it is known.
        on_log: Receives lines for the log.
        on_end: Receives the outcome, and all rows: after Cancel, those that were done.
    """

    def __init__(
        self,
        on_progress: Callable[[int, int, float, str], None] | None = None,
        on_row: Callable[[BatchRow], None] | None = None,
        on_log: Callable[[str], None] | None = None,
        on_end: Callable[[Outcome, list[BatchRow]], None] | None = None,
    ) -> None:
        self._on_progress, self._on_row, self._on_end = on_progress, on_row, on_end
        self._job = Job(self._on_step, on_log, self._on_job_end)
        self._waiting: list[BatchCase] = []
        self._running = False
        self._outcome: Outcome | None = None
        self.rows: list[BatchRow] = []

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self._running

    @property
    def outcome(self) -> Outcome | None:
        """How the last one ended; None before, and while one runs."""
        return self._outcome

    def start(self, cases: Sequence[BatchCase], request: BatchRequest) -> None:
        """Starts; returns at once.

        Raises:
            InputError: There is no case.
            OutputError: The folder is not empty, or cannot be written.
            RuntimeError: The last batch still runs.
        """
        if self._running:
            raise RuntimeError("a batch is still under way; wait for its end")
        if not cases:
            raise bridge.input_error(_("There is no case. Choose a folder with pairs of CT and mask."))
        _require_empty(request.out)
        self._request, self._waiting, self._total = request, list(cases), len(cases)
        self._taken: set[str] = {TABLE}
        self._table_problem = ""
        self.rows, self._outcome, self._running, self._stopping = [], None, True, False
        self._next()

    def cancel(self) -> None:
        """Stops; the rows so far and their reports stay, nothing half made does."""
        if not self._running:
            return
        self._stopping = True
        self._job.cancel()

    def stop(self) -> None:
        """Stops and waits for that: for the end of the module."""
        if self._running:
            self._stopping = True
            self._job.stop()

    def wait(self, seconds: float | None = None) -> Outcome | None:
        """Waits for the end of the case under way, and so on to the last; None if it still runs after `seconds`."""
        self._job.wait(seconds)
        return self._outcome

    # --- one case after the other

    def _next(self) -> None:
        """Starts the next case that can be started; ends the batch when there is none."""
        while self._waiting and not self._stopping:
            case = self._waiting.pop(0)
            problem = self._try_start(case)
            if not problem:
                return
            self._add(BatchRow(case.name, None, {}, problem))
        self._running = False
        self._outcome = self._end_of_all()
        if self._on_end is not None:
            self._on_end(self._outcome, self.rows)

    def _end_of_all(self) -> Outcome:
        if self._stopping:
            text = _("Cancelled after {done} of {total} cases. Their reports and the table stay.")
            return cancelled(text.format(done=len(self.rows), total=self._total))
        return Outcome(DONE, self._table_problem)

    def _try_start(self, case: BatchCase) -> str:
        """Starts a case; returns why it cannot be."""
        make_importable()
        from PDL1PredictorLib.core.errors import PDL1Error

        if isinstance(case, BadCase):
            return case.problem
        try:
            folder = Path(tempfile.mkdtemp(prefix=RUN_PREFIX, dir=self._request.out))
        except OSError as error:
            return _("The folder {folder} cannot be written: {reason}.").format(
                folder=self._request.out, reason=error.strerror or error
            )
        self._case, self._folder = case, folder
        try:
            command = self._command(case, folder)
            self._on_step("", 0.0, case.name, 0.0)
            self._job.start(command, background_environment(), folder, folder)
        except (PDL1Error, OSError) as error:
            remove_folder(folder)
            return str(error)
        except Exception as error:  # one case that nobody thought of must not leave the batch hanging
            logging.exception("The case %s could not be started", case.name)
            remove_folder(folder)
            return _("It could not be started, by an error that nobody expected: {error}.").format(error=error)
        return ""

    def _command(self, case: FileCase | SceneCase, folder: Path) -> list[str]:
        request = self._request
        command = [python_executable(), "-m", "PDL1PredictorLib", "predict", "--progress", "json", "--out", "result"]
        command += ["--model", model_argument(request.model), "--device", request.device, "--name", case.name]
        if request.with_patient:
            command.append("--with-patient")
        command += region_arguments(request.regions)
        if isinstance(case, SceneCase):
            for node in (case.volume, case.segmentation):
                if not slicer.mrmlScene.IsNodePresent(node):
                    raise bridge.input_error(_("It is no longer in the scene."))
            reason = bridge.why_not_ct(case.volume)
            if reason:
                raise bridge.input_error(reason)
            files = export_case(case.volume, case.segmentation, case.segment_id, folder)
            return [*command, "--ct", files.ct.name, "--tumor", files.tumor.name]
        command += ["--ct", str(case.ct.resolve()), "--tumor", str(case.mask.resolve())]
        if request.segment:
            command += ["--segment", request.segment]
        return [*command, "--resample-mask"] if request.resample_mask else command

    def _on_step(self, _stage: str, fraction: float, text: str, _elapsed_s: float) -> None:
        if self._on_progress is not None:
            number = self._total - len(self._waiting) - 1
            self._on_progress(number, self._total, fraction, text)

    def _on_job_end(self, outcome: Outcome) -> None:
        if outcome.kind == CANCELLED:
            self._stopping = True  # also when the application is going
        elif outcome.kind == DONE:
            self._add(self._row())
        else:
            self._add(BatchRow(self._case.name, None, {}, outcome.text))
        self._next()

    def _row(self) -> BatchRow:
        """The row of a case that is done, its report put in its place."""
        try:
            text = (self._folder / "result" / "result.json").read_text(encoding="utf-8")
            target = self._request.out / self._folder_name(self._case.name)
            (self._folder / "result").replace(target)
            return BatchRow(self._case.name, target, json.loads(text), "")
        except (OSError, ValueError) as error:
            return BatchRow(self._case.name, None, {}, _("Its result cannot be kept: {error}.").format(error=error))
        finally:
            remove_folder(self._folder)

    def _folder_name(self, name: str) -> str:
        """A case's name as a folder: without what some system forbids, and none twice."""
        plain = re.sub(r'[<>:"/\\|?*\x00-\x1f]+', "_", name).strip(" .")[:100] or "case"
        chosen, number = plain, 2
        while chosen.lower() in self._taken:
            chosen, number = f"{plain} ({number})", number + 1
        self._taken.add(chosen.lower())
        return chosen

    def _add(self, row: BatchRow) -> None:
        self.rows.append(row)
        try:
            write_table(self.rows, self._request.out / TABLE)
            self._table_problem = ""
        except OSError as error:  # perhaps it can be written after the next case
            text = _("The table {file} cannot be written: {reason}. Close it in other programs, and free some space.")
            self._table_problem = text.format(file=TABLE, reason=error.strerror or error)
        if self._on_row is not None:
            self._on_row(row)


def _require_empty(out: Path) -> None:
    make_importable()
    from PDL1PredictorLib.core.errors import OutputError

    try:
        out.mkdir(parents=True, exist_ok=True)
        used = any(out.iterdir())
    except OSError as error:
        text = _("The folder {folder} cannot be written: {reason}. Choose another one.")
        raise OutputError(text.format(folder=out, reason=error.strerror or error)) from error
    if used:
        raise OutputError(_("The folder {folder} is not empty. Choose a new one for this batch.").format(folder=out))


def write_table(rows: Sequence[BatchRow], path: Path) -> None:
    """Writes all rows as CSV: case, problem, what was measured, then the columns of each endpoint.

    Raises:
        OSError: The file cannot be written; the old one stays.
    """
    make_importable()
    from PDL1PredictorLib.core.outside_text import safe_cell

    parts = {key: tuple(cells) for row in rows for key, cells in row.cells.items()}
    head = ["case", "problem", "report", "tumor_volume_ml", "atypicality", "warnings"]
    draft = path.with_name(f".{path.name}.part")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*head, *(f"{key}_{part}" for key, ends in parts.items() for part in ends)])
        for row in rows:
            writer.writerow([safe_cell(cell) for cell in (*_measured(row), *_answers(row, parts))])
    draft.replace(path)


def _measured(row: BatchRow) -> list[Any]:
    if not row.content:
        return [row.name, row.problem, "", "", "", ""]
    lesion = row.content["lesions"][0]
    report = f"{row.folder.name}/report.html" if row.folder is not None else ""
    codes = " ".join(warning["code"] for warning in row.warnings)
    return [row.name, row.problem, report, lesion["tumor"]["volume_ml"], lesion["atypicality"], codes]


def _answers(row: BatchRow, parts: Mapping[str, Sequence[str]]) -> list[Any]:
    found = row.cells
    return [found.get(key, {}).get(part, "") for key, ends in parts.items() for part in ends]

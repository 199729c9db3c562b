"""Many cases in one background process, by `pdl1 predict --cohort`: a folder and a row each, two tables of all.

The model is loaded once. What is done stays, also after Cancel, and the same batch into the same folder goes on where
it was ended. A case that cannot be predicted is a row with its reason, and the next one goes on.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from PDL1PredictorGUI.background.batch_cases import BadCase, BatchCase, SceneCase
from PDL1PredictorGUI.background.batch_table import COHORT, write_cohort, write_left_out
from PDL1PredictorGUI.background.job import Job
from PDL1PredictorGUI.background.outcome import CANCELLED, CRASHED, DONE, Outcome, cancelled
from PDL1PredictorGUI.background.predictor import make_folder, model_argument, needed_bytes, region_arguments
from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.setup.library import background_environment, make_importable, python_executable
from PDL1PredictorGUI.setup.run_folders import remove_folder

__all__ = ["Batch", "BatchRequest", "BatchRow"]
TABLE_BYTES = 2**20


@dataclass(frozen=True)
class BatchRequest:
    """How all cases are predicted.

    Attributes:
        out: Folder for the tables and one folder per case; new, empty, or of an earlier run of the same batch.
        model: Bundle: name, folder or .zip.
        device: auto, cpu, cuda or mps.
        regions: `core.settings.RegionSettings`, or None for the model's own.
        segment: Which region of a mask file, where it has several.
        with_patient: Reports name the case.
        clinical: ID of a volume of the scene to what the model asks for and is known of its patient, by name.
    """

    out: Path
    model: str
    device: str = "auto"
    regions: Any = None
    segment: str | None = None
    with_patient: bool = False
    clinical: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class BatchRow:
    """One case of the list.

    Attributes:
        name: Of the case.
        folder: With its report; None if it could not be predicted.
        content: Of its `result.json`; empty if it could not be predicted.
        problem: Why it could not; empty if it could.
        reused: An earlier run had finished it.
    """

    name: str
    folder: Path | None
    content: dict[str, Any]
    problem: str
    reused: bool = False

    @property
    def endpoints(self) -> list[dict[str, Any]]:
        """Answers of the tumor, as in `result.json`; empty if there is none."""
        return list(self.content["lesions"][0]["endpoints"]) if self.content else []

    @property
    def warnings(self) -> list[dict[str, str]]:
        """`code` and `text` of each."""
        return [*self.content["warnings"], *self.content["lesions"][0]["warnings"]] if self.content else []


class Batch:
    """Predicts a list of cases; may be used again after it has ended.

    Args:
        on_progress: Receives the place of the case under way in the list, the fraction of all, and a sentence.
        on_row: Receives a case's place in the list and its row, when it is known.
        on_log: Receives lines for the log.
        on_end: Receives the outcome, and all rows by their places: after Cancel, those that were done.
    """

    def __init__(
        self,
        on_progress: Callable[[int, float, str], None] | None = None,
        on_row: Callable[[int, BatchRow], None] | None = None,
        on_log: Callable[[str], None] | None = None,
        on_end: Callable[[Outcome, dict[int, BatchRow]], None] | None = None,
    ) -> None:
        self._on_progress, self._on_row, self._on_end = on_progress, on_row, on_end
        self._job = Job(self._on_step, on_log, self._on_job_end, self._on_message)
        self._outcome: Outcome | None = None
        self.rows: dict[int, BatchRow] = {}

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self._job.running

    @property
    def outcome(self) -> Outcome | None:
        """How the last one ended; None before, and while one runs."""
        return self._outcome

    def start(self, cases: Sequence[BatchCase], request: BatchRequest) -> None:
        """Starts; returns at once.

        Raises:
            InputError: There is no case.
            OutputError: The folder cannot be written, or the temporary one.
            RuntimeError: The last batch still runs.
        """
        if self.running:
            raise RuntimeError("a batch is still under way; wait for its end")
        if not cases:
            raise bridge.input_error(_("There is no case. Choose a folder with pairs of CT and mask."))
        make_importable()
        self._request, self._names = request, _unique([case.name for case in cases])
        self.rows, self._outcome = {}, None
        self._folder = make_folder(TABLE_BYTES + sum(_bytes_of(case) for case in cases))
        try:
            named = dict(zip(self._names, cases, strict=True))
            self._problems = write_cohort(named, request.segment, self._folder, request.clinical)
            for name, problem in self._problems.items():
                self._add(BatchRow(name, None, {}, problem))
            if len(self._problems) < len(cases):
                self._job.start(self._command(), background_environment(), self._folder, self._folder)
            else:
                self._on_job_end(Outcome(DONE))
        except BaseException:
            remove_folder(self._folder)
            raise

    def cancel(self) -> None:
        """Stops; the rows so far and their reports stay, nothing half made does."""
        self._job.cancel()

    def stop(self) -> None:
        """Stops and waits for that: for the end of the module."""
        self._job.stop()

    def wait(self, seconds: float | None = None) -> Outcome | None:
        """Waits for the end without giving the window a turn; None if it still runs after `seconds`."""
        self._job.wait(seconds)
        return self._outcome

    def _command(self) -> list[str]:
        request = self._request
        command = [python_executable(), "-m", "PDL1PredictorLib", "predict", "--progress", "json", "--cohort", COHORT]
        command += ["--out", str(request.out.resolve()), "--model", model_argument(request.model)]
        command += ["--device", request.device, *region_arguments(request.regions)]
        return [*command, "--with-patient"] if request.with_patient else command

    # --- what it says

    def _on_step(self, _stage: str, fraction: float, text: str, _elapsed_s: float) -> None:
        place = next((n for n in range(len(self._names)) if n not in self.rows), None)
        if self._on_progress is not None and place is not None:
            self._on_progress(place, fraction, text)

    def _on_message(self, kind: str, said: dict[str, Any]) -> bool:
        """A case has ended."""
        if kind != "case" or said.get("case") not in self._names:
            return False
        name, folder = str(said["case"]), said.get("folder")
        if folder is None:
            self._add(BatchRow(name, None, {}, str(said.get("reason") or _("There is no answer."))))
        else:
            self._add(_done(name, Path(str(folder)), bool(said.get("reused"))))
        return True

    def _add(self, row: BatchRow) -> None:
        place = self._names.index(row.name)
        self.rows[place] = row
        if self._on_row is not None:
            self._on_row(place, row)

    def _on_job_end(self, outcome: Outcome) -> None:
        remove_folder(self._folder)
        write_left_out(self._problems, self._request.out)
        if outcome.kind == CANCELLED:
            text = _("Cancelled after {done} of {total} cases. Their reports and the tables stay.")
            outcome = cancelled(text.format(done=len(self.rows), total=len(self._names)))
        elif outcome.kind == CRASHED:
            advice = _("What is done stays; press Predict all again to go on.")
            outcome = Outcome(CRASHED, outcome.message, f"{outcome.what_to_do} {advice}".strip())
        self._outcome = outcome
        if self._on_end is not None:
            self._on_end(outcome, self.rows)


def _unique(names: list[str]) -> list[str]:
    """The names, a second one of the same letters with a number."""
    found: list[str] = []
    for name in names:
        number, chosen = 2, name
        while chosen in found:
            number, chosen = number + 1, f"{name} ({number})"
        found.append(chosen)
    return found


def _bytes_of(case: BatchCase) -> int:
    """About what a case of the scene takes on disk while it is predicted; nothing for one of files."""
    is_there = isinstance(case, SceneCase) and case.volume.GetImageData() is not None
    return needed_bytes(case.volume) if is_there and not isinstance(case, BadCase) else 0


def _done(name: str, folder: Path, reused: bool) -> BatchRow:
    try:
        content = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        return BatchRow(name, folder, content, "", reused)
    except (OSError, ValueError) as error:
        logging.exception("The result of %s cannot be read", name)
        return BatchRow(name, None, {}, _("Its result cannot be read: {error}.").format(error=error))

"""Predict many cases: the model is loaded once, what is done stays, and one bad case does not end the others."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from PDL1PredictorLib.batch.names import folder_names
from PDL1PredictorLib.batch.recognition import REQUEST, begin, is_done, is_marked, key_of, mark
from PDL1PredictorLib.batch.request import BatchRequest
from PDL1PredictorLib.batch.tables import FAILURES, PREDICTIONS, Row, rows_of, write_failures, write_predictions
from PDL1PredictorLib.core.errors import (
    NO_MEMORY,
    CancelledError,
    DeviceError,
    InputError,
    MissingPackageError,
    OutputError,
    PDL1Error,
)
from PDL1PredictorLib.core.files.output import whole_folder
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.running import ending
from PDL1PredictorLib.core.running.processes import run_each
from PDL1PredictorLib.imaging.case_files import Files
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.predictor import Predictor
from PDL1PredictorLib.prediction import predict_into

OF_ALL = (OutputError, CancelledError, DeviceError, MissingPackageError)
"""Errors that the next case would have, too: they end the batch."""


@dataclass(frozen=True)
class CaseDone:
    """How one case ended.

    Attributes:
        name: Of the case.
        folder: Of its results; None where there is no answer.
        reason: Why there is none; empty where there is one.
        reused: Whether an earlier run had finished it.
    """

    name: str
    folder: Path | None
    reason: str = ""
    reused: bool = False

    def content(self) -> dict[str, Any]:
        """Of its `result.json`.

        Raises:
            InputError: It has none, or it cannot be read any more.
        """
        if self.folder is None:
            raise InputError(f"There is no answer for {self.name}: {self.reason}")
        try:
            found: dict[str, Any] = json.loads((self.folder / "result.json").read_bytes())
        except (OSError, ValueError) as error:
            raise InputError(f"The result of {self.name} cannot be read back: {error}.") from error
        return found


@dataclass(frozen=True)
class BatchSummary:
    """How a batch ended.

    Attributes:
        cases: Each case, in the order that was given.
    """

    cases: tuple[CaseDone, ...]

    @property
    def failed(self) -> dict[str, str]:
        """Case to the reason why it has no answer."""
        return {case.name: case.reason for case in self.cases if case.reason}

    @property
    def reused(self) -> int:
        """How many an earlier run had finished."""
        return sum(case.reused for case in self.cases)


OnCase = Callable[[CaseDone, int, int], None]
"""Receives each case when it has ended, how many have ended, and how many there are."""


def predict_cases(
    cases: Sequence[Files], request: BatchRequest, progress: Progress = SILENT, on_case: OnCase | None = None
) -> BatchSummary:
    """Predict every case into a folder of its own, and keep two tables of all.

    A run that was ended, in whatever way, is taken up by calling this again: a case is finished where a folder holds
    the results of the same files, model and options, unchanged. Cases that failed are tried again. Both tables are
    written whole after every case.

    Args:
        cases: Where each lies, and its name, unique.
        request: How, and where to.
        progress: Told on the way; raises `CancelledError` when the user cancelled. What is done stays.
        on_case: Told of every case.

    Raises:
        InputError: There is no case, or two have one name.
        OutputError: The folder holds something else, or cannot be written.
        BundleError: The model cannot be used.
        DeviceError: The device is not there.
        LostProcessError: One of several processes was ended from outside.
    """
    names = [files.name for files in cases]
    if not names:
        raise InputError("There is no case to predict.")
    if len(set(names)) < len(names):
        raise InputError(f"Two cases have the name {next(name for name in names if names.count(name) > 1)!r}.")
    with progress.part("model", 0.0, 0.02, "checking the model"):
        predictor = load_predictor(request.model)
    begin(request, predictor.summary.sha256)
    ending.note("kept", request.out.absolute())
    folders = [request.out / name for name in folder_names(names, (PREDICTIONS, FAILURES, REQUEST))]
    _require_own(folders)
    batch = _Batch(request, predictor, list(cases), folders, on_case)
    with progress.part("cases", 0.02, 1.0) as part:
        batch.run(part)
    return BatchSummary(tuple(batch.ended[position] for position in range(len(cases))))


class _Batch:
    """The cases of a batch and what has become of them."""

    def __init__(
        self,
        request: BatchRequest,
        predictor: Predictor,
        cases: list[Files],
        folders: list[Path],
        on_case: OnCase | None,
    ) -> None:
        self.ended: dict[int, CaseDone] = {}
        self._request, self._predictor, self._cases, self._folders = request, predictor, cases, folders
        self._on_case = on_case
        self._rows: dict[int, list[Row]] = {}

    def run(self, progress: Progress) -> None:
        """All of them, here or in several processes."""
        if self._request.workers == 1 or len(self._cases) == 1:
            self._here(progress)
            return
        sha256 = self._predictor.summary.sha256
        jobs = [(*pair, self._request, sha256) for pair in zip(self._cases, self._folders, strict=True)]
        run_each(_in_a_process, jobs, self._request.workers, progress, "cases", each=self._keep)

    def _here(self, progress: Progress) -> None:
        total = len(self._cases)
        for position, (files, folder) in enumerate(zip(self._cases, self._folders, strict=True)):
            text = f"{files.name}: {position + 1} of {total}"
            with progress.part("case", position / total, (position + 1) / total, text) as part:
                self._keep(position, _one(files, folder, self._request, self._predictor, part))

    def _keep(self, position: int, case: CaseDone) -> None:
        """Take a case into the tables; one whose result cannot be read back has failed."""
        try:
            content = None if case.folder is None else case.content()
            self._rows[position] = [] if content is None else rows_of(case.name, self._folders[position].name, content)
        except (InputError, KeyError, TypeError, ValueError) as error:
            case = CaseDone(case.name, None, f"Its result cannot be used: {error}")
        self.ended[position] = case
        write_predictions([row for at in sorted(self._rows) for row in self._rows[at]], self._request.out)
        failed = {self.ended[at].name: self.ended[at].reason for at in sorted(self.ended) if self.ended[at].reason}
        write_failures(failed, self._request.out)
        if self._on_case is not None:
            self._on_case(case, len(self.ended), len(self._cases))


def _require_own(folders: Sequence[Path]) -> None:
    """Refuse to replace a folder that no batch has made.

    Raises:
        OutputError: There is one.
    """
    strange = next((f for f in folders if f.exists() and not is_marked(f) and not _is_empty_folder(f)), None)
    if strange is not None:
        raise OutputError(f"{strange} is no result of a batch, and stands where one will. Choose another folder.")


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _in_a_process(files: Files, folder: Path, request: BatchRequest, sha256: str) -> CaseDone:
    return _one(files, folder, request, _loaded(request.model, sha256), Progress())


@lru_cache(maxsize=1)
def _loaded(model: Path, sha256: str) -> Predictor:
    """The model of this process.

    Raises:
        OutputError: Its files have been changed since the batch began.
    """
    predictor = load_predictor(model)
    if predictor.summary.sha256 != sha256:
        raise OutputError(f"The model {model} was changed while the batch ran. Run the command again.")
    return predictor


def _one(files: Files, folder: Path, request: BatchRequest, predictor: Predictor, progress: Progress) -> CaseDone:
    """Predict a case, or find that it is done; whatever is wrong with it alone is told, not raised."""
    try:
        key = key_of(files, request, predictor.summary.sha256)
        if is_done(folder, key):
            return CaseDone(files.name, folder, reused=True)
        with whole_folder(folder, overwrite=True) as draft:
            predict_into(draft, files, predictor, request.options, request.with_patient, progress)
            mark(draft, key)
    except OF_ALL:
        raise
    except MemoryError:
        return CaseDone(files.name, None, NO_MEMORY)
    except PDL1Error as error:
        return CaseDone(files.name, None, str(error))
    except Exception as error:  # one case that nobody thought of must not end a night's work
        return CaseDone(files.name, None, f"Unexpected {type(error).__name__}: {error}")
    return CaseDone(files.name, folder)

"""Writing a folder or a file whole, or not at all, and never over something that was not there at the start."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from PDL1PredictorLib.core.errors import InputError, OutputError, PDL1Error
from PDL1PredictorLib.core.files.drafts import Draft, draft_beside, sweep
from PDL1PredictorLib.core.files.moves import move_beside, move_new
from PDL1PredictorLib.core.running import ending
from PDL1PredictorLib.core.running.standing import Standing, look

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG, errno.EROFS}  # only writing fails so
_FULL_WORDS = ("No space left on device", "Disk quota exceeded", "File too large", "There is not enough space")


@contextmanager
def whole_folder(target: Path, overwrite: bool = False) -> Iterator[Path]:
    """A temporary folder beside `target` that takes its name when the block ends well, and vanishes when it does not.

    Args:
        target: The folder to make.
        overwrite: Replace the folder that is there now; only once the new one is complete.

    Raises:
        OutputError: The target exists and is not empty, or cannot be written. Or something came to stand there
            meanwhile: it is left alone, and the result is kept under another name.
        InputError: The block failed by a file elsewhere.
    """
    place = _Place(target, overwrite)
    if place.before is not None and not place.before.is_folder:
        raise OutputError(f"{target} is a file; a folder is written. Choose another name.")
    with place.draft() as draft:
        draft.content.mkdir()
        yield draft.content
        place.take_folder(draft)


def refuse_existing(target: Path, overwrite: bool = False) -> None:
    """Ask before long work what `whole_folder` and `whole_file` would only refuse after it.

    While a command runs, what stands there now is remembered: only that may be replaced at its end.

    Raises:
        OutputError: The target exists and is not an empty folder, and must not be replaced.
    """
    place, memory = _Place(target, overwrite), ending.memory()
    if memory is not None:
        memory[place.path] = place.before


@contextmanager
def whole_file(target: Path, overwrite: bool = False) -> Iterator[Path]:
    """A temporary file beside `target` that takes its name when the block ends well, and vanishes when it does not.

    Args:
        target: The file to make.
        overwrite: Replace the file that is there now; only once the new one is complete.

    Raises:
        OutputError: The target exists, or cannot be written. Or something came to stand there meanwhile: it is left
            alone, and the result is kept under another name.
        InputError: The block failed by a file elsewhere.
    """
    place = _Place(target, overwrite)
    if place.before is not None and not (overwrite and place.before.is_file):
        raise _exists(target)
    with place.draft() as draft:
        yield draft.content
        place.take_file(draft)


class _Place:
    """A target, and what stood there when the work began.

    Args:
        target: As the user named it; links are followed.
        overwrite: What stands there may be replaced.
    """

    def __init__(self, target: Path, overwrite: bool) -> None:
        self.shown = Path(target)
        try:
            self.path = Path(os.path.realpath(target))
            sweep(self.path.parent)
            memory = ending.memory()
            if memory is not None and self.path in memory:  # seen, and allowed, when the command began
                self.before: Standing | None = memory.pop(self.path)
                return
            self.before = look(self.path)
        except OSError as error:
            raise _cannot(target, error) from error
        if self.before is not None and not overwrite and not self.before.is_empty_folder:
            raise _exists(target)

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """A draft beside it; what goes wrong in the block is told as what it is."""
        begun: Draft | None = None
        try:
            with draft_beside(self.path) as begun:
                yield begun
        except PDL1Error:
            raise
        except Exception as error:
            if begun is None and isinstance(error, OSError):
                raise _cannot(self.shown, error) from error
            self._tell(error, begun)
            raise

    def take_folder(self, draft: Draft) -> None:
        """The draft gets its name."""
        with _moving():
            if self.before is None or self.before.is_empty_folder:
                self._move_new(draft)
                return
            try:
                self.path.rename(draft.old)  # whatever stands there by now
            except FileNotFoundError:
                self._move_new(draft)
                return
            if not self.before.is_still(draft.old):
                self._give_back(draft)
                self._keep_beside(draft)
            try:
                self._move_new(draft)
            except OSError:
                if not os.path.lexists(self.path):
                    move_new(draft.old, self.path)  # the earlier result is not lost
                raise

    def take_file(self, draft: Draft) -> None:
        """The same for a file, where one move can replace another."""
        with _moving():
            if self.before is None or not os.path.lexists(self.path):
                self._move_new(draft)
            elif self.before.is_still(self.path):
                draft.content.replace(self.path)
                ending.note("placed", self.path)
            else:
                self._keep_beside(draft)

    def _give_back(self, draft: Draft) -> None:
        try:
            move_new(draft.old, self.path)
        except FileExistsError:
            move_beside(draft.old, self.path)

    def _move_new(self, draft: Draft) -> None:
        try:
            move_new(draft.content, self.path)
        except FileExistsError:
            self._keep_beside(draft)
        ending.note("placed", self.path)

    def _keep_beside(self, draft: Draft) -> NoReturn:
        other = move_beside(draft.content, self.path)
        ending.note("placed", other)
        raise OutputError(
            f"{self.shown} was made or changed by something else while this command worked, and was left as it is. "
            f"The result lies in {other} instead."
        )

    def _tell(self, error: Exception, draft: Draft | None) -> None:
        """Raise the error in words; come back where it is for others to judge."""
        if isinstance(error, BrokenPipeError) or draft is None:
            return
        told = f"{self.shown} could not be written: {{}}. Nothing was kept."
        if not isinstance(error, OSError):  # SimpleITK, safetensors and others raise their own
            full = next((words for words in _FULL_WORDS if words in str(error)), None)
            if full or str(draft.folder) in str(error):
                raise OutputError(told.format(full or _last_line(error))) from error
            return
        if error.errno == errno.ENOMEM:
            raise MemoryError from error
        reason = error.strerror or error
        files = [Path(os.fsdecode(f)) for f in (error.filename, error.filename2) if isinstance(f, str | bytes | Path)]
        if any(draft.folder in (file, *file.parents) for file in files) or (not files and error.errno in _FULL):
            raise OutputError(told.format(reason)) from error
        if files:
            raise InputError(f"{files[0]} cannot be used: {reason}. Check that it is there and may be read.") from error
        raise OutputError(f"{self.shown} could not be made: {reason}. Nothing was kept.") from error


@contextmanager
def _moving() -> Iterator[None]:
    """The move and the note of it belong together; nothing is moved any more once the user has cancelled."""
    if ending.asked():
        raise KeyboardInterrupt
    with ending.held():
        yield


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1].strip().rstrip(".") if lines else type(error).__name__


def _exists(target: Path) -> OutputError:
    return OutputError(f"{target} exists already. Choose another name, or allow it to be replaced (--overwrite).")


def _cannot(target: Path, error: OSError) -> OutputError:
    reason = error.strerror or error
    return OutputError(f"{target} cannot be written: {reason}. Choose a folder you may write to.")

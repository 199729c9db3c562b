"""What goes wrong in reading a DICOM file, by its true cause: damage, too little memory, or the file system."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PDL1PredictorLib.core.errors import InputError, PDL1Error
from PDL1PredictorLib.imaging.dicom.files import quiet

SMALL_BYTES = 1 << 26  # a file of less does not fill a memory: one that tries has a length in it that is not true


@contextmanager
def plain_words(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever pydicom and highdicom raise on a damaged value into words, and silence what they only grumble at.

    Args:
        path: The file.
        kind: What it is read as, for messages, such as "RTSTRUCT".

    Raises:
        InputError: Anything was raised that is no `PDL1Error` yet.
    """
    with quiet():
        try:
            yield
        except PDL1Error:
            raise
        except MemoryError as error:
            if path.stat().st_size >= SMALL_BYTES:
                raise InputError(
                    f"There is too little memory to read {path.name}. Close other programs, or use a computer with "
                    "more memory."
                ) from error
            raise _damaged(path, kind, "it asks for more memory than there is") from error
        except OSError as error:
            if error.errno is None:  # pydicom's own, as at the end of a file
                raise _damaged(path, kind, str(error)) from error
            raise InputError(f"{path.name} cannot be read: {error.strerror}.") from error
        except Exception as error:
            raise _damaged(path, kind, _in_words(error)) from error


def _in_words(error: Exception) -> str:
    """What a package says, but for its own inner words."""
    named = getattr(error, "name", None)
    if isinstance(error, AttributeError) and named:
        return f"it has no {named}"
    return str(error) or type(error).__name__


def _damaged(path: Path, kind: str, why: str) -> InputError:
    return InputError(f"{path.name} is a damaged {kind} ({why.splitlines()[0][:200].rstrip('.')}). Export it again.")

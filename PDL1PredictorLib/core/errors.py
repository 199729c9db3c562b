"""The error family: every message says what was expected, what came and what to do."""

import difflib
from collections.abc import Iterable, Sequence

EXIT_REFUSED, EXIT_SOME_FAILED, EXIT_FAULT, EXIT_INTERRUPTED = 2, 3, 70, 130
EXIT_READER_GONE = 141  # as of a program that the system ends for it
NO_MEMORY = (
    "There was not enough memory. Close other programs, raise the limit if there is one (ulimit -v), or give less at "
    "once: a CT cropped to the chest, fewer processes (--workers)."
)


def printable(text: str) -> str:
    r"""A text that any screen and file can take: bytes of names that are no text, and controls, become `\xfc`.

    Python keeps a name that is not UTF-8 with surrogates, which end every print and every write in an error; a control
    character in a name could rule the terminal. Line ends and tabs stay.
    """
    return "".join(map(_printable_letter, text))


def _printable_letter(letter: str) -> str:
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no text
        return f"\\x{code - 0xDC00:02x}"
    if 0xD800 <= code <= 0xDFFF:
        return f"\\u{code:04x}"
    return f"\\x{code:02x}" if (code < 0x20 and letter not in "\n\t") or 0x7F <= code < 0xA0 else letter


def did_you_mean(word: str, known: Iterable[str], before: str = "") -> str:
    """The nearest of the known names, as a sentence with a space in front; empty where none is near.

    Args:
        word: As it was typed; capital letters do not count.
        known: The names.
        before: Written before each name, as the dashes of an option, which would make all options alike.
    """
    names = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), names, n=2, cutoff=0.6)
    return f" Did you mean {' or '.join(before + names[name] for name in near)}?" if near else ""


class PDL1Error(Exception):
    """What the user can act on: shown to the user as it is. Anything else is our bug."""

    def __str__(self) -> str:
        """The message, printable whatever the file in it is called."""
        return printable(super().__str__())


class InputError(PDL1Error, ValueError):
    """A file, volume or value from outside cannot be used."""


class CohortError(InputError):
    """The table of a cohort has problems; all of them are listed, also under `problems`."""

    def __init__(self, source: object, problems: Sequence[str]) -> None:
        listed = "".join(f"\n  {problem}" for problem in problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(f"The cohort {source} has {count}; nothing was started. Correct the table:{listed}")
        self.problems = tuple(problems)


class GridMismatchError(InputError):
    """Two volumes that must share one grid do not."""


class EmptyRegionError(InputError):
    """A region has no voxel, or too few to measure."""


class BundleError(PDL1Error, ValueError):
    """A model bundle is damaged, incomplete, unsafe or from another version."""


class OutputError(PDL1Error, OSError):
    """A result cannot be written where it was asked for."""


class DeviceError(PDL1Error, RuntimeError):
    """The compute device that was asked for is not there."""


class MissingPackageError(PDL1Error, ImportError):
    """A package that this step needs is not installed."""


class LeakError(PDL1Error):
    """A study finds something in labels that were shuffled."""


class CancelledError(PDL1Error):
    """The user cancelled; nothing was written."""

"""The log of a fault of this library, for those who mend it; its place is one of the user's own."""

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from PDL1PredictorLib import __version__

MOST_LOGS = 20  # older ones go
HEAD = (
    "A fault of PDL1Predictor. This file holds the command line, versions, where in the program it happened and the "
    "error's own words; no image and no clinical value. Names in paths or in the error's words may still be a "
    "patient's: look through it before you send it."
)


def trace_of(error: BaseException) -> str:
    """Where an error happened and what led to it, for the log."""
    return "".join(traceback.format_exception(error))


def write_fault_log(what: str, details: str, command: str, env: Mapping[str, str] = os.environ) -> Path | None:
    """Write a log that only this user can read.

    Args:
        what: In a few words.
        details: Such as a traceback.
        command: As it was typed.
        env: Variables of the environment, which say where such files lie.

    Returns:
        Its path; None where no place can be written.
    """
    lines = [
        HEAD,
        "",
        f"what:    {what}",
        f"command: {command}",
        f"when:    {datetime.now(UTC).isoformat(timespec='seconds')}",
        f"program: pdl1predictor {__version__}, Python {platform.python_version()}, {platform.platform()}",
        *(f"         {name} {version}" for name, version in sorted(_loaded_versions().items())),
        "",
        details,
    ]
    content = "\n".join(lines).encode(errors="backslashreplace")
    for folder in (_state_folder(env), None):
        with suppress(OSError, RuntimeError):  # no home, a home that is read-only, a full disk
            return _write(folder, content)
    return None


def fault_text(what: str, details: str, command: str) -> tuple[str, dict[str, object]]:
    """Write the log and give the words for the user, in one line, and facts for programs."""
    log = write_fault_log(what, details, command)
    where = "No log could be written" if log is None else f"The log is {log}"
    text = f"This is a fault of PDL1Predictor, not yours: {what}. {where}. Please report it."
    return text, {"bug": True, "log": None if log is None else str(log)}


def _write(folder: Path | None, content: bytes) -> Path:
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"pdl1-fault-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-"  # names rise with time
    file, path = tempfile.mkstemp(prefix=name, suffix=".log", dir=folder)  # readable for this user only
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(content)
    except OSError:
        Path(path).unlink()
        raise
    if folder is not None:
        for old in sorted(folder.glob("pdl1-fault-*.log"))[:-MOST_LOGS]:
            with suppress(OSError):
                old.unlink()
    return Path(path)


def _state_folder(env: Mapping[str, str]) -> Path:
    """Where this system keeps what programs remember for a user."""
    if sys.platform == "win32":
        return Path(env.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "pdl1predictor" / "logs"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Logs" / "pdl1predictor"
    given = env.get("XDG_STATE_HOME", "")
    return (Path(given) if given.startswith("/") else Path.home() / ".local" / "state") / "pdl1predictor"


def _loaded_versions() -> dict[str, str]:
    """Of the packages that the command had loaded."""
    names = ("numpy", "scipy", "SimpleITK", "torch", "onnxruntime", "numba", "pydicom", "sklearn", "distributed")
    found = {}
    for name in names:
        with suppress(Exception):
            found[name] = str(sys.modules[name].__version__)
    return found

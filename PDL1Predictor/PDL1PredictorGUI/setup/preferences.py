"""What the window keeps for this computer, in the user's settings: nothing about a case."""

from statistics import median
from typing import Any

import qt
from slicer.i18n import tr as _

GROUP = "PDL1Predictor/"
DEVICE, MODELS_FOLDER, WHEELS_FOLDER, OUTPUT_FOLDER, DICOM_FOLDER = (
    GROUP + name for name in ("Device", "ModelsFolder", "WheelsFolder", "OutputFolder", "DicomFolder")
)
DURATIONS = GROUP + "Seconds/"
RATIOS = GROUP + "Slowness/"
KEPT_DURATIONS = 9  # an odd number has a middle; older runs say little about this computer's state


def read(key: str, default: str = "") -> str:
    """A text from the settings."""
    value: Any = qt.QSettings().value(key)
    return default if value is None else str(value)


def write(key: str, value: str) -> None:
    """Keeps a text in the settings."""
    qt.QSettings().setValue(key, value)


def expected_seconds(model: str, device: str) -> float | None:
    """Median time of the earlier runs of a model on this computer; None before the first."""
    seconds = _durations(model, device)
    return median(seconds) if seconds else None


def add_duration(model: str, device: str, seconds: float) -> None:
    """Remembers how long a run took."""
    kept = [*_durations(model, device), seconds][-KEPT_DURATIONS:]
    write(_key(model, device), " ".join(f"{value:.1f}" for value in kept))


def slowness(device: str) -> float:
    """How many times longer than the library expects earlier runs took here: their median; 1 before the first."""
    kept = _numbers(f"{RATIOS}{device}")
    return median(kept) if kept else 1.0


def add_ratio(device: str, seconds: float, expected_s: float) -> None:
    """Remembers a run beside what the library expects of it on the computer where its rates were measured."""
    kept = [*_numbers(f"{RATIOS}{device}"), seconds / expected_s][-KEPT_DURATIONS:]
    write(f"{RATIOS}{device}", " ".join(f"{value:.3f}" for value in kept))


def clock(seconds: float) -> str:
    """Seconds for people: 7 s, 12 min 30 s."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return _("{seconds} s").format(seconds=rest)
    return _("{minutes} min {seconds} s").format(minutes=minutes, seconds=rest)


def _key(model: str, device: str) -> str:
    return f"{DURATIONS}{model.replace('/', '|')}|{device}"  # a slash would open a group


def _durations(model: str, device: str) -> list[float]:
    return _numbers(_key(model, device))


def _numbers(key: str) -> list[float]:
    try:
        return [float(part) for part in read(key).split()]
    except ValueError:  # edited by hand
        return []

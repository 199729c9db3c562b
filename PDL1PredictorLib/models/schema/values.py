"""Values of a manifest's JSON as values of their kind, or a sentence that names the entry."""

from collections.abc import Mapping
from typing import Any

from PDL1PredictorLib.core.strict_json import brief, finite_number, whole_number

MAX_DEEP = 4096
MAX_FEATURES = 20_000
MAX_CASES = 10**9
LARGEST, SMALLEST_SD = 1e30, 1e-30  # so that no sum or product of them leaves 64 bits


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """An object.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} must be an object, got {brief(value)}.")
    return value


def text(value: Any, what: str, most: int = 300) -> str:
    """A text of bounded length.

    Raises:
        ValueError: It is none, or longer.
    """
    if not isinstance(value, str) or len(value) > most:
        raise ValueError(f"{what} must be a text of at most {most} letters, got {brief(value)}.")
    return value


def texts(value: Any, what: str, most: int, letters: int = 300, once: bool = True) -> tuple[str, ...]:
    """A bounded list of texts, each once unless that does not matter.

    Raises:
        ValueError: It is none, or longer, or names one twice.
    """
    if not isinstance(value, list) or len(value) > most:
        raise ValueError(f"{what} must be a list of at most {most} texts, got {brief(value)}.")
    found = tuple(text(item, f"an entry of {what}", letters) for item in value)
    if once and len(set(found)) < len(found):
        twice = next(item for item in found if found.count(item) > 1)
        raise ValueError(f"{what} names {brief(twice)} twice.")
    return found


def one_of(value: Any, what: str, allowed: tuple[Any, ...]) -> Any:
    """One of a few values, of their type too.

    Raises:
        ValueError: It is another one.
    """
    if not any(type(value) is type(known) and value == known for known in allowed):
        raise ValueError(f"{what} must be one of {', '.join(map(str, allowed))}, got {brief(value)}.")
    return value


def series(value: Any, what: str) -> tuple[float, ...]:
    """A list of finite numbers, one for each input at most.

    Raises:
        ValueError: It is none, or longer, or holds what is no such number.
    """
    if not isinstance(value, list) or len(value) > MAX_DEEP + MAX_FEATURES:
        raise ValueError(f"{what} must be a list of numbers, got {brief(value)}.")
    return tuple(number(item, what) for item in value)


def number(value: Any, what: str, low: float = -LARGEST, high: float = LARGEST) -> float:
    """A finite number within bounds, both ends allowed.

    Raises:
        ValueError: It is none, or out of its bounds.
    """
    return finite_number(value, what, low, high)


def number_or_none(value: Any, what: str, low: float = -LARGEST, high: float = LARGEST) -> float | None:
    """A finite number within bounds, or null.

    Raises:
        ValueError: It is neither.
    """
    return None if value is None else number(value, what, low, high)


def count(value: Any, what: str, low: int = 0, high: int = MAX_CASES) -> int:
    """A whole number within bounds, both ends allowed.

    Raises:
        ValueError: It is none, or out of its bounds.
    """
    return whole_number(value, what, low, high)


def numbers(values: Any, what: str, positive: bool = False) -> dict[str, float]:
    """Numbers by name; standard deviations are positive.

    Raises:
        ValueError: One is none, or there are too many.
    """
    if len(mapping(values, what)) > MAX_FEATURES:
        raise ValueError(f"{what} has {len(values)} entries; at most {MAX_FEATURES} are read.")
    found = {name: number(value, f"{what}.{name[:120]}") for name, value in values.items()}
    name = next((name for name, value in found.items() if value < SMALLEST_SD), None) if positive else None
    if name is not None:
        raise ValueError(f"{what}.{name[:120]}: a standard deviation must be positive, got {found[name]:g}.")
    return found

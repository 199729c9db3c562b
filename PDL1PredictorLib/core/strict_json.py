"""JSON from outside, read strictly: what readers of JSON disagree about, or stumble over, is refused."""

import json
import math
from importlib import resources
from typing import Any, NoReturn

MAX_DEPTH = 32
MAX_DIGITS = 40  # of a number; 17 say any 64-bit one
MAX_NUMBER = 1e300


def strict_json(raw: bytes) -> Any:
    """The value of a JSON file.

    Args:
        raw: The file, UTF-8.

    Raises:
        ValueError: It is no JSON, or holds a key twice, NaN or Infinity, a number that no computer can hold, half of
            a letter (a lone surrogate), or lists within lists more than 32 deep.
    """
    try:
        value = json.loads(
            raw.decode("utf-8"),
            parse_constant=_no_constant,
            parse_int=_whole,
            parse_float=_decimal,
            object_pairs_hook=_without_twins,
        )
    except RecursionError as error:
        raise ValueError("it nests too deep") from error
    _check(value, 0)
    return value


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not allowed")


def _whole(digits: str) -> int:
    _check_digits(digits)
    return int(digits)


def _decimal(digits: str) -> float:
    _check_digits(digits)
    value = float(digits)
    if not abs(value) <= MAX_NUMBER:
        raise ValueError(f"the number {digits} is too large")
    return value


def _check_digits(digits: str) -> None:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"the number {digits[:20]}... has {len(digits)} digits; at most {MAX_DIGITS} are read")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:60]!r} stands there twice")
        found[key] = value
    return found


def _check(value: Any, depth: int) -> None:
    if isinstance(value, (dict, list)) and depth >= MAX_DEPTH:
        raise ValueError(f"it nests more than {MAX_DEPTH} deep")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


def _check_text(text: str) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        shown = text[:60].encode("ascii", "backslashreplace").decode("ascii")
        raise ValueError(f"the text '{shown}' holds half of a letter (a lone surrogate)")


def finite_number(value: Any, what: str, low: float = -math.inf, high: float = math.inf) -> float:
    """A number of a JSON file as a float.

    Raises:
        ValueError: It is no number, or out of its bounds; both ends are allowed.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= MAX_NUMBER:
        raise ValueError(f"{what}: a finite number was expected, got {brief(value)}.")
    if not low <= value <= high:
        raise ValueError(f"{what} must lie from {low:g} to {high:g}, got {brief(value)}.")
    return float(value)


def whole_number(value: Any, what: str, low: int, high: int) -> int:
    """A whole number of a JSON file.

    Raises:
        ValueError: It is none, or out of its bounds; both ends are allowed.
    """
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{what} must be a whole number from {low} to {high}, got {brief(value)}.")
    return value


def brief(value: Any) -> str:
    """A value for a message, shortened where it is long."""
    if isinstance(value, int) and abs(value) > 10**MAX_DIGITS:
        return f"a number of more than {MAX_DIGITS} digits"
    shown = ascii(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."


def read_schema(package: str, name: str) -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) of the library.

    Args:
        package: Where it lies, such as `PDL1PredictorLib.report`.
        name: Of the file.
    """
    content: dict[str, Any] = json.loads(resources.files(package).joinpath(name).read_text(encoding="utf-8"))
    return content

"""Text from outside (names, titles, DICOM strings) where it is shown, or put into a table that a spreadsheet opens."""

import re
from typing import TypeVar

T = TypeVar("T")

# Control characters but tab and line feed; line and paragraph separators; what turns the direction of writing or
# cannot be seen; halves of letters. All may be obeyed rather than shown, or make one text look like another.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|nan|infinity)", re.IGNORECASE)
_FORMULA_SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the wide ones count, too
MAX_CARD_LETTERS = 50_000
MAX_CARD_BRACKETS = 200


def visible(text: str) -> str:
    """A text of which every character is shown and none is obeyed: "?" stands for those that would be.

    Tab and line feed stay.
    """
    return _OBEYED.sub("?", text)


def one_line(text: str) -> str:
    """The same on one line, with single spaces: so that a title cannot make a line of its own."""
    return " ".join(visible(text).split())


def card_text(data: bytes) -> str:
    """The text of a model's card, made harmless: of a length that a window can show, without what would be obeyed.

    Args:
        data: `MODEL_CARD.md`.

    Returns:
        Markdown of at most 50,000 letters. Where a card has more than 200 square brackets, they are round: each could
        begin a link, and looking for the ends of thousands takes a reader seconds.
    """
    text = visible(data.decode("utf-8", errors="replace"))
    if len(text) > MAX_CARD_LETTERS:
        text = f"{text[:MAX_CARD_LETTERS]}\n\nThe card has {len(text)} letters; the rest is not shown."
    if text.count("[") > MAX_CARD_BRACKETS:
        text = text.replace("[", "(").replace("]", ")")
    return text


def safe_cell(value: T) -> T | str:
    """A cell of a table, so that a spreadsheet takes no text for a formula.

    A text that begins with =, +, -, @, tab or carriage return (after spaces, too) gets an apostrophe in front, which
    `plain_cell` takes off again. Numbers stay as they are, also those written as text, and so does a sign alone.

    Source: OWASP, "CSV Injection".
    """
    if isinstance(value, str) and _looks_like_formula(value.lstrip("'")):
        return f"'{value}"
    return value


def plain_cell(text: str) -> str:
    """What `safe_cell` was given, from what it gave."""
    return text[1:] if text.startswith("'") and _looks_like_formula(text.lstrip("'")) else text


def _looks_like_formula(text: str) -> bool:
    if text.startswith(("\t", "\r", "\n")):
        return True
    bare = text.strip()
    return bare.startswith(_FORMULA_SIGNS) and not _NUMBER.fullmatch(bare) and bare not in ("+", "-")

"""A recipe's own text as HTML: the little of Markdown that it uses."""

import re
from dataclasses import dataclass

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Block:
    """A paragraph, or a list.

    Attributes:
        text: Of the paragraph; empty for a list.
        lines: Items of the list.
    """

    text: str
    lines: tuple[str, ...] = ()


def blocks(text: str) -> list[Block]:
    """Paragraphs and lists (`- item`, further lines indented) of a text, blank lines between them."""
    found = []
    for part in re.split(r"\n\s*\n", text.strip()):
        if part.startswith("- "):
            items = re.split(r"^- ", part, flags=re.MULTILINE)[1:]
            found.append(Block("", tuple(" ".join(item.split()) for item in items)))
        elif part:
            found.append(Block(" ".join(part.split())))
    return found


def marked(text: str) -> Markup:
    """Escaped text, `code` between backticks set as such."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )

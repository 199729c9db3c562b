"""docs/performance.md is written by several benchmarks: each replaces its own section and leaves the others alone."""

from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
HEAD = "# Performance\n\nWritten by `make bench`. Do not edit.\n"


def with_section(page: str, name: str, text: str) -> str:
    """The page with one section replaced, or added at its end."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    section = f"{begin}\n\n{text.strip()}\n\n{end}"
    if begin in page and end in page:
        return page[: page.index(begin)] + section + page[page.index(end) + len(end) :]
    return f"{page.rstrip()}\n\n{section}\n"


def write_section(name: str, text: str) -> None:
    """Write one section of the page."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else HEAD
    PAGE.write_text(with_section(page, name, text), encoding="utf-8")

"""The pages of docs/ hang together without mkdocs: the site's navigation, links between pages, what a site needs."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
CONFIG = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


def navigation(config: str) -> list[str]:
    """The pages that the navigation names, in its order."""
    return re.findall(r"^ +- .+: (\S+\.md)$", config.partition("\nnav:\n")[2], flags=re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Those of a page's headings, as GitHub and mkdocs make them."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path, text: str) -> list[str]:
    """Links of a page that lead nowhere, in the repository and so on the site; outside addresses are not looked at."""
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(_text_of(target, page, text))):
            found.append(link)
    return found


def _text_of(target: Path, page: Path, text: str) -> str:
    return text if target == page else target.read_text(encoding="utf-8")


def required(file: str) -> set[str]:
    lines = (ROOT / "requirements" / file).read_text(encoding="utf-8").splitlines()
    return {line.split("==")[0].lower() for line in lines if line and not line.startswith("#")}


def test_every_page_stands_in_the_navigation_once():
    pages = [name for name in navigation(CONFIG) if not name.startswith("api/")]
    assert sorted(pages) == [page.name for page in PAGES]


def test_every_room_has_its_page_of_names():
    rooms = [name.removeprefix("api/").removesuffix(".md") for name in navigation(CONFIG) if name.startswith("api/")]
    library = ROOT / "PDL1PredictorLib"
    folders = {path.name for path in library.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    pages = {path.stem for path in library.glob("*.py") if not path.name.startswith("__")}
    assert sorted(rooms) == sorted((folders | pages) - {"cli"})  # commands are described by `pdl1 --help`


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.name)
def test_links_of_a_page_lead_somewhere(page: Path):
    assert broken_links(page, page.read_text(encoding="utf-8")) == []


def test_links_that_lead_nowhere_are_told():
    text = "# One two\n[a](no_such.md) [b](output.md#no-such) [c](#one-two) [d](#three) [e](https://example.org/x)"
    assert broken_links(DOCS / "index.md", text) == ["no_such.md", "output.md#no-such", "#three"]


def test_a_page_that_is_not_in_the_navigation_is_told():
    assert "methods.md" not in navigation(CONFIG.replace("      - Methods: methods.md\n", ""))


def test_what_a_site_needs_is_pinned_and_is_the_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = {re.split(r"[\[><=]", need)[0] for need in project["optional-dependencies"]["docs"]}
    assert extra == required("docs.txt") - {"mkdocstrings-python"}
    assert required("docs.txt") <= required("constraints.txt")

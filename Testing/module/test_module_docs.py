"""docs/slicer.md says what the module does: packages, sections, pictures, the tutorial's numbers, the example."""

import re
from pathlib import Path

import pytest
from PDL1PredictorGUI.background import outcome, predictor
from PDL1PredictorGUI.scene import sample
from PDL1PredictorGUI.setup import packages, preferences

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "slicer.md").read_text(encoding="utf-8")
WINDOW = (ROOT / "PDL1Predictor" / "Resources" / "UI" / "PDL1Predictor.ui").read_text(encoding="utf-8")
EXAMPLE = ROOT / "Testing" / "module" / "example_scripting.py"
LARGEST_PICTURE = 300_000


def quoted(guide: str) -> str:
    """The example of the guide.

    Raises:
        ValueError: The guide has none.
    """
    found = re.search(r"<!-- example_scripting\.py -->\n```python\n(.*?)```\n<!-- end -->", guide, flags=re.DOTALL)
    if found is None:
        raise ValueError("docs/slicer.md quotes no example between its two marks")
    return found[1]


def test_the_page_on_architecture_names_every_page_of_the_module():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## The module")[2]
    table = text.partition("| pages | idea |")[2].partition("\nHow a case")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    pages = {path.stem for path in Path(sample.__file__).parents[1].rglob("*.py")} - {"__init__"}
    assert named == pages, "the table of pages in docs/architecture.md"


def test_the_wheels_to_download_are_those_that_slicer_lacks():
    (line,) = re.findall(r"pip download .*--dest wheels (.+)", GUIDE)
    assert line.split() == [package.name for package in packages.PACKAGES if not package.bundled]


def test_the_size_that_is_named_is_the_one_that_is_asked_for():
    total = sum(package.megabytes for package in packages.PACKAGES if not package.bundled)
    assert f"about {packages.size_text(total)} together" in GUIDE


def test_the_guide_goes_through_the_windows_sections_in_order():
    titles = re.findall(r"<string>(\d\. \w+)</string>", WINDOW)
    assert len(titles) == 7
    assert re.findall(r"^\*\*(\d\. \w+)\.\*\* ", GUIDE.partition("section by section")[2], flags=re.MULTILINE) == titles


@pytest.mark.parametrize(
    "name",
    [
        *("Load the synthetic sample patient", "Open report", "Other model…", "About the model", "Draw again"),
        *("Copy text", "Repair packages…", "What moved the answer", "Import…", "Remove…", "Open folder", "Show card"),
        *("Evaluate on a cohort…", "Train on a cohort…", "Install this bundle"),
    ],
)
def test_a_button_is_called_what_the_window_calls_it(name):
    assert f"<string>{name}</string>" in WINDOW
    assert f"*{name}*" in GUIDE


def test_names_of_the_tutorial_are_the_programs():
    assert f"**{sample.NAME}**" in GUIDE
    assert f"group *{sample.CATEGORY}*" in GUIDE
    assert f"`{sample.CT.node}`" in GUIDE
    assert f"`{predictor.FOLDER_PREFIX}*`" in GUIDE
    assert f"group `{preferences.GROUP.rstrip('/')}`" in GUIDE


def test_sentences_to_look_up_are_those_that_are_shown():
    for sentence in ("The computer ran out of memory", "ended from outside", "The disk is full"):
        assert sentence in GUIDE
        assert sentence in Path(outcome.__file__).read_text(encoding="utf-8")


def test_pictures_are_there_and_small():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", GUIDE)
    assert len(pictures) >= 5
    for picture in pictures:
        path = ROOT / "docs" / picture
        assert path.is_file(), f"{picture}: make screenshots writes it"
        assert path.stat().st_size < LARGEST_PICTURE


def test_the_example_is_the_one_that_the_tests_run():
    same = quoted(GUIDE) == EXAMPLE.read_text(encoding="utf-8")
    assert same, f"copy {EXAMPLE.name} between its two marks in docs/slicer.md"


def test_a_guide_without_the_example_is_told():
    with pytest.raises(ValueError, match="quotes no example"):
        quoted(GUIDE.replace("<!-- end -->", ""))

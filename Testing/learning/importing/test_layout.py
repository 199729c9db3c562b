"""The page of an import, as the documents show it."""

import json
import re
from pathlib import Path

import pytest

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.importing.layout import EndpointPart, read_layout

DOCS = Path(__file__).resolve().parents[3] / "docs" / "bundle.md"


@pytest.fixture
def page() -> dict:
    (text,) = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    return json.loads(text)


def read(tmp_path: Path, page: dict):
    (tmp_path / "import.json").write_text(json.dumps(page), encoding="utf-8")
    return read_layout(tmp_path)


def test_the_page_of_the_documents_is_one(tmp_path, page):
    layout = read(tmp_path, page)
    assert layout.words.title == "Deep-RadScore of our hospital"
    assert (layout.trained_on, layout.network.slices) == ("patients", 1)
    forest = EndpointPart(
        parts=("radscore", "deep"),
        classifier="heads/PDL1.onnx",
        kind="random forest",
        radscore="scores/PDL1.csv",
        selected=(),
        inputs="",
        slope=1.0,
        intercept=0.0,
        threshold=0.5,
        base_rate=None,
    )
    assert layout.endpoints == {"PDL1": forest}


@pytest.mark.parametrize(
    ("entry", "value", "words"),
    [
        ("parts", [], "names no input"),
        ("parts", ["radscore", "radscore"], "twice"),
        ("parts", ["deep", "magic"], "must be one of deep"),
        ("parts", ["deep"], "has radscore, which is not among its parts"),
        ("threshold", 1.5, "threshold must lie from 0 to 1"),
        ("threshold", True, "a finite number was expected"),
        ("calibration", {"slope": 1, "bend": 2}, "the entry 'bend'"),
        ("calibration", {"slope": 1e9}, "calibration.slope must lie"),
        ("base_rate", "many", "base_rate"),
        ("kind", "x" * 301, "at most 300 letters"),
        ("colour", "red", "the entry 'colour'"),
    ],
)
def test_an_entry_of_an_endpoint_that_cannot_be_is_named(tmp_path, page, entry, value, words):
    page["endpoints"]["PDL1"][entry] = value
    with pytest.raises(InputError, match=words):
        read(tmp_path, page)


@pytest.mark.parametrize("name", ["title", "cohort", "licence", "endpoints", "layout"])
def test_what_must_be_said_is_asked_for(tmp_path, page, name):
    del page[name]
    with pytest.raises(InputError, match=f"lacks '{name}'"):
        read(tmp_path, page)


def test_marks_that_rule_a_reader_are_shown(tmp_path, page):
    page["title"] = "A\u202e title\nof two lines"
    assert read(tmp_path, page).words.title == "A? title of two lines"

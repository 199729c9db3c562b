"""A contour from a click is told wherever a result is: page, paper, terminal, `result.json`, and a page made again."""

import json
from dataclasses import replace

import jsonschema
import pytest

from PDL1PredictorLib.core.provenance import Outline
from PDL1PredictorLib.report.html import to_html
from PDL1PredictorLib.report.json_result import schema, to_json
from PDL1PredictorLib.report.reading.plain_lines import plain_text
from PDL1PredictorLib.report.remade.again import read_result, report_again
from PDL1PredictorLib.report.text import summary
from PDL1PredictorLib.report.words import outline as outline_words
from PDL1PredictorLib.report.write import write_all

POINT = ((-61.5, 12.0, -140.0),)
OUTLINE = Outline("classical", "0.1.0", "point", POINT, ("segment_attached",), "2026-08-01T09:30:00+00:00", "", True)
WORDS = "semi-automatic (classical, from a point), edited by a reader, not yet checked by a reader"


@pytest.fixture(scope="module")
def clicked(make_result):
    """A result of a contour from a click."""
    result = make_result()
    return replace(result, provenance=replace(result.provenance, outline=OUTLINE))


def test_the_page_says_it_at_its_head_and_in_whole_in_the_provenance(clicked, make_result):
    page = to_html(clicked, with_patient=False)
    assert "<dt>Contour</dt><dd>semi-automatic, edited</dd>" in page
    assert f"<dt>Contour</dt><dd>{WORDS}; PDL1Predictor 0.1.0; 2026-08-01T09:30:00" in page
    assert "<dt>Contour</dt>" not in to_html(make_result(), with_patient=False)


def test_the_whole_of_it_is_said_in_one_line():
    assert outline_words(OUTLINE) == (
        f"{WORDS}; PDL1Predictor 0.1.0; 2026-08-01T09:30:00+00:00; clicked at (-61.5, 12.0, -140.0) mm, LPS; "
        "doubts: segment_attached"
    )
    assert outline_words(Outline()) == Outline().text


def test_the_terminal_says_it(clicked, make_result):
    assert f"Contour: {WORDS}" in " ".join(summary(clicked).split())
    assert "Contour:" not in summary(make_result())


def test_the_lines_for_a_clinical_report_say_it(clicked, make_result):
    first = plain_text(to_json(clicked, with_patient=False)).splitlines()[0]
    assert first.endswith(", contour semi-automatic, edited.")
    assert "contour" not in plain_text(to_json(make_result(), with_patient=False)).splitlines()[0]


def test_the_file_holds_it_by_its_schema(clicked, make_result):
    content = to_json(clicked, with_patient=False)
    validator = jsonschema.Draft202012Validator(schema())
    validator.validate(json.loads(json.dumps(content, allow_nan=False)))
    assert content["provenance"]["outline"]["points_lps_mm"] == [[-61.5, 12.0, -140.0]]
    assert content["provenance"]["outline"]["edited"] is True
    assert to_json(make_result(), with_patient=False)["provenance"]["outline"] is None
    content["provenance"]["outline"]["prompt"] = "circle"
    assert not validator.is_valid(json.loads(json.dumps(content)))


def test_a_page_made_again_is_the_same(clicked, tmp_path):
    write_all(clicked, tmp_path, with_patient=False)
    assert report_again(tmp_path)[0] == (tmp_path / "report.html").read_text(encoding="utf-8")
    assert read_result(tmp_path / "result.json").provenance.outline == OUTLINE


def test_an_older_result_without_it_is_read(clicked, tmp_path):
    write_all(clicked, tmp_path, with_patient=False)
    path = tmp_path / "result.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["provenance"]["outline"]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert read_result(path).provenance.outline is None


def test_paper_says_it(clicked):
    pages = pytest.importorskip("PDL1PredictorLib.report.pdf.pages", exc_type=ImportError)
    pytest.importorskip("reportlab")
    shown = []
    from PDL1PredictorLib.report.pdf import blocks

    real = blocks.pairs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "pairs", lambda rows, *more: shown.extend(rows) or real(rows, *more))
        pages.to_pdf(clicked, "A4")
    assert ("Contour", "semi-automatic, edited") in shown
    assert ("Contour", outline_words(OUTLINE)) in shown


def test_an_automatic_contour_is_told_by_its_name_which_is_escaped(make_result, tmp_path):
    told = Outline("<b>Finder</b>", checked=None, kind="automatic", clicked=False)
    result = make_result()
    result = replace(result, provenance=replace(result.provenance, outline=told))
    page = to_html(result, with_patient=False)
    assert "<dt>Contour</dt><dd>automatic</dd>" in page
    assert (
        "automatic (&lt;b&gt;Finder&lt;/b&gt;), as its file says, whether a reader has checked it is not known" in page
    )
    assert "<b>Finder" not in page
    content = to_json(result, with_patient=False)
    jsonschema.Draft202012Validator(schema()).validate(json.loads(json.dumps(content, allow_nan=False)))
    assert plain_text(content).splitlines()[0].endswith(", contour automatic.")
    write_all(result, tmp_path, with_patient=False)
    assert read_result(tmp_path / "result.json").provenance.outline == told

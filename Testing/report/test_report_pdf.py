"""The report on paper: nothing folded, nothing cut, no page half empty, in any letters."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from programs import need_program

pytest.importorskip("reportlab")

from PDL1PredictorLib.report.pdf import fonts
from PDL1PredictorLib.report.pdf.pages import MOST_BLANK, to_pdf
from PDL1PredictorLib.report.pdf.patient import Identity

WHO = Identity("Müller, Jörg", "id-7", "1960-01-02", "2020-01-01")
POINTS = {"A4": (595, 842), "Letter": (612, 792)}


@pytest.fixture(scope="module")
def a4(make_result):
    """One tumor's report that names nobody."""
    return to_pdf(make_result(name="Frau Secret"), "A4").content


@pytest.fixture(scope="module")
def named_a4(make_result):
    return to_pdf(make_result(name="Frau Secret"), "A4", WHO, with_patient=True).content


def words(content: bytes, tmp_path) -> str:
    (tmp_path / "report.pdf").write_bytes(content)
    program = need_program("pdftotext")
    told = subprocess.run([program, "-layout", tmp_path / "report.pdf", "-"], capture_output=True, check=True)
    return told.stdout.decode()


def pages(content: bytes, tmp_path) -> list[np.ndarray]:
    """Gray pages at 36 pixels an inch: half a pixel a point."""
    (tmp_path / "report.pdf").write_bytes(content)
    command = [need_program("pdftoppm"), "-gray", "-r", "36", tmp_path / "report.pdf", tmp_path / "page"]
    subprocess.run(command, check=True)
    return [np.asarray(Image.open(path)) for path in sorted(tmp_path.glob("page-*.pgm"))]


def longest_gap(page: np.ndarray) -> float:
    """The longest run of empty rows, as share of the page."""
    inked = np.flatnonzero((page < 250).any(axis=1))
    return float(np.diff(np.r_[0, inked, len(page)]).max()) / len(page)


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("lesions", [1, 2])
def test_no_page_has_a_third_of_it_blank(make_result, paper, lesions, tmp_path):
    made = to_pdf(make_result(lesions=lesions), paper, WHO, with_patient=True)
    assert max(made.blank) <= MOST_BLANK
    found = pages(made.content, tmp_path)
    assert len(found) == len(made.blank)
    for page in found:
        assert page.shape == tuple(round(n / 2) for n in reversed(POINTS[paper]))
        assert longest_gap(page) < 1 / 3


def test_a_page_that_is_half_empty_would_be_seen():
    page = np.full((400, 300), 255)
    page[:200] = 0
    assert longest_gap(page) == pytest.approx(0.5, abs=0.01)


def test_what_the_page_folds_away_is_open(make_result, a4, tmp_path):
    result = make_result()
    told = " ".join(words(a4, tmp_path).split())
    assert "NUMBERS THAT ARE NO ANSWERS" in told
    withheld = [a for a in result.lesions[0].endpoints if not a.verdict.answered]
    assert withheld
    for answer in result.lesions[0].endpoints:
        if answer.contributions:
            assert "WHAT MOVED THE ANSWER FOR" in told
    assert told.count("WHAT MOVED THE ANSWER FOR") == sum(bool(a.contributions) for a in result.lesions[0].endpoints)
    for text in (result.model.sha256, result.provenance.ct_sha256, "Settings", "Versions", *result.model.limitations):
        assert text in told


def test_the_patient_stands_on_each_page_only_where_asked(a4, named_a4, tmp_path):
    told = words(named_a4, tmp_path)
    assert all("Müller, Jörg, id-7, 1960-01-02" in page for page in told.split("\f")[:-1])
    assert "female" in told
    free = words(a4, tmp_path)
    assert "Secret" not in free
    assert "female" not in free


def test_each_page_says_what_it_is_for_and_which_it_is(a4, tmp_path):
    told = words(a4, tmp_path).split("\f")[:-1]
    for number, page in enumerate(told, start=1):
        assert "Research use only. Not a medical device." in page
        assert f"{number}/{len(told)}" in page.replace(" / ", "/")


def test_the_same_result_makes_the_same_bytes(make_result, a4):
    assert to_pdf(make_result(name="Frau Secret"), "A4").content == a4


def test_a_number_and_an_answer_without_any_heat_are_shown(with_number, tmp_path):
    lesion = replace(with_number.lesions[0], heat_maps=())
    told = words(to_pdf(replace(with_number, lesions=(lesion,)), "A4").content, tmp_path)
    assert "PD-L1 TPS" in told
    assert "The heat map shows" not in told


def test_text_from_outside_is_shown_not_obeyed(make_result, tmp_path):
    result = make_result()
    model = replace(result.model, cohort="<b>Bold</b> & <img src='x'/> cases")
    assert "<b>Bold</b> & <img src='x'/> cases" in words(to_pdf(replace(result, model=model), "A4").content, tmp_path)


def test_a_letter_without_a_font_is_told(make_result, tmp_path, monkeypatch):
    monkeypatch.setattr(fonts, "_others", dict)
    fonts._font_of.cache_clear()
    try:
        assert fonts.markup("Jörg Ж<") == "Jörg ?&lt;"
        assert not fonts.can_show("Ж")
        told = words(to_pdf(make_result(), "Letter", Identity("Жуков", "id-7")).content, tmp_path)
        assert "?????" in told
        assert "stands for letters that this computer has no font for" in told
    finally:
        fonts._font_of.cache_clear()

"""Rules for paper are said once, and every page has them: of a prediction, a comparison, a study, a survival."""

import re
from pathlib import Path

import pytest

import PDL1PredictorLib
from PDL1PredictorLib.report.html import templates

LIBRARY = Path(PDL1PredictorLib.__file__).parent
RULES = LIBRARY / "report" / "print_rules.css"
PAGES = ("report/style.html", "study/report/head.html", "study/survival/survival.html", "study/numbers/numbers.html")


def test_no_page_with_a_style_of_its_own_is_forgotten():
    whole = {path for path in LIBRARY.rglob("*.html") if "page_start.html" in path.read_text(encoding="utf-8")}
    taking = [path for path in LIBRARY.rglob("*.html") if "print_rules.css" in path.read_text(encoding="utf-8")]
    names = {path.name for path in taking}
    lacking = [path for path in whole if not any(name in path.read_text(encoding="utf-8") for name in names)]
    assert [path.name for path in lacking if path not in taking] == []


def test_they_are_said_in_one_file():
    styles = [path for end in ("css", "html") for path in LIBRARY.rglob(f"*.{end}")]
    assert [path.name for path in styles if "@page" in path.read_text(encoding="utf-8")] == [RULES.name]
    shared = set(re.findall(r"^  (\S.*\})$", RULES.read_text(encoding="utf-8"), re.MULTILINE))
    for path in styles:
        again = shared & set(re.findall(r"^  (\S.*\})$", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert not again or path == RULES, path


@pytest.mark.parametrize("page", PAGES)
def test_every_page_takes_them_up(page):
    assert '{% include "print_rules.css"' in (LIBRARY / page).read_text(encoding="utf-8")


def test_the_paper_is_the_printers():
    (box,) = re.findall(r"@page \{(.*?)@bottom", RULES.read_text(encoding="utf-8"), re.DOTALL)
    assert "size" not in box


@pytest.mark.parametrize(("cases", "left_out"), [(30, False), (31, True)])
def test_a_long_list_of_warned_cases_is_left_out_on_paper(cases, left_out):
    warned = {f"c{n}": [{"text": "Thick <slices>.", "code": "thick"}] for n in range(cases)}
    environment = templates("PDL1PredictorLib.study.report", "PDL1PredictorLib.report")
    shown = environment.get_template("warned_cases.html").render(
        study={"cohort": {"warnings": warned}}, holder="study.json"
    )
    assert ('<details class="screen">' in shown) is left_out
    assert ("Left out on paper; cohort.warnings in study.json" in shown) is left_out
    assert shown.count("Thick &lt;slices&gt;.") == cases


def test_a_long_fact_of_an_answer_wraps_and_does_not_widen_the_page():
    style = (LIBRARY / "report" / "style.html").read_text(encoding="utf-8")
    columns = re.findall(r"\.answer \{[^}]*grid-template-columns: ([^;]*);", style)
    assert len(columns) == 2  # of the screen and of paper
    assert all("minmax(0, 1fr)" in of_page for of_page in columns)
    (facts,) = re.findall(r"^\.facts-row dd \{(.*)\}", style, re.MULTILINE)
    assert "nowrap" not in facts

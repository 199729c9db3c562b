"""Text from outside: shown, not obeyed; and never a formula in a table."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from PDL1PredictorLib.cli.speaker import Speaker
from PDL1PredictorLib.cohort.files import read_rows
from PDL1PredictorLib.cohort.writing import write_cohort_table
from PDL1PredictorLib.core.outside_text import card_text, one_line, plain_cell, safe_cell, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Lung – für 肺 \U0001fac1\n\tsecond", "Lung – für 肺 \U0001fac1\n\tsecond"),
        ("\x1b[31mred\x1b[0m", "?[31mred?[0m"),
        ("\x1b]0;title\x07", "?]0;title?"),
        ("over\rwritten\x08\x7f", "over?written??"),
        ("\x9b2J", "?2J"),
        ("gpj.\u202eexe \u2066x\u2069", "gpj.?exe ?x?"),
        ("a\u200bb\ufeffc\u2028d\u2029e", "a?b?c?d?e"),
        ("half \ud83e letter", "half ? letter"),
        ("hidden \U000e0041", "hidden ?"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian needs its joiner
    ],
)
def test_what_would_be_obeyed_is_a_question_mark(text, shown):
    assert visible(text) == shown


def test_a_title_makes_no_line_of_its_own():
    assert one_line("A model\n\nPD-L1: positive\x1b[A") == "A model PD-L1: positive?[A"


def test_the_commands_show_and_do_not_obey(capsys):
    speaker = Speaker("bar")
    speaker.done("done \x1b[2J\nsecond line")
    speaker.failed("failed \x1b[2J\udcff")
    told = capsys.readouterr()
    assert told.out == "done ?[2J\nsecond line\n"
    assert told.err == "pdl1: failed ?[2J?\n"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\rx", "'\rx"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("'=1", "''=1"),
        ("-1.5e-3", "-1.5e-3"),
        ("+7", "+7"),
        ("-inf", "-inf"),
        ("-", "-"),
        ("a=b", "a=b"),
        ("'quoted'", "'quoted'"),
        ("", ""),
        (-2, -2),
        (-2.5, -2.5),
        (None, None),
    ],
)
def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe_and_no_number_does(cell, written):
    assert safe_cell(cell) == written
    assert not isinstance(cell, str) or plain_cell(written) == cell


@given(st.text(alphabet="'=+-@ \t\r1a.e", max_size=8))
def test_every_text_comes_back(text):
    written = safe_cell(text)
    assert plain_cell(written) == text
    assert written[:1] not in ("=", "@", "\t", "\r")


def test_a_cohort_table_comes_back_and_is_no_formula(tmp_path: Path):
    from PDL1PredictorLib.core.errors import CohortError

    rows = [{"case": '=HYPERLINK("x")', "image": str(tmp_path / "-a.nii"), "mask": "m.nii", "note_x": "-1.5"}]
    with pytest.raises(CohortError):  # the images are not there; the table was written
        write_cohort_table(rows, tmp_path / "cohort.csv")
    with (tmp_path / "cohort.csv").open(encoding="utf-8", newline="") as file:
        (seen,) = csv.DictReader(file)
    assert (seen["case"], seen["image"], seen["note_x"]) == ('\'=HYPERLINK("x")', "'-a.nii", "-1.5")
    _, (row,) = read_rows(tmp_path / "cohort.csv")
    assert (row.get("case"), row.get("image")) == ('=HYPERLINK("x")', "-a.nii")


def test_a_card_is_of_a_length_that_a_window_can_show():
    assert card_text(b"# Lung [0.7, 0.9]\n") == "# Lung [0.7, 0.9]\n"
    assert card_text(b"\x1b[2J \xff") == "?[2J \ufffd"
    long = card_text(b"x" * 60_000)
    assert len(long) < 51_000
    assert long.endswith("The card has 60000 letters; the rest is not shown.")


def test_a_card_of_brackets_has_none_left():
    assert card_text(b"[" * 201) == "(" * 201
    assert card_text(b"[" * 200) == "[" * 200

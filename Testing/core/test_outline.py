"""How a contour was drawn from a click: what is kept of it, in words, and what is believed of a file."""

from dataclasses import replace

import pytest

from PDL1PredictorLib.core.provenance import (
    ALGORITHM_NAME,
    ALGORITHM_TYPE,
    AUTOMATIC,
    CHECKED,
    ORIGIN,
    SEMIAUTOMATIC,
    Outline,
    outline_of,
)

DRAWN = Outline(
    method="network (click-unet 1.0)",
    version="0.1.0",
    prompt="line",
    points_lps_mm=((-61.5, 12.0, -140.0), (1.25, 2.5, 3.0)),
    warnings=("segment_attached", "segment_unstable"),
    created_utc="2026-08-01T09:30:00+00:00",
    voxels=f"{'0a' * 16}@-1.000,2.500,3.125",
)


def test_notes_are_read_back_as_they_were():
    told = [Outline("Finder", kind=kind, clicked=False, checked=None) for kind in (SEMIAUTOMATIC, AUTOMATIC)]
    for outline in (DRAWN, replace(DRAWN, checked=True), Outline(), *told, replace(told[0], checked=False)):
        assert outline_of(outline.notes()) == outline
    assert Outline.from_dict(DRAWN.to_dict()) == DRAWN


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"edited": False}, "semi-automatic (network (click-unet 1.0), from a line), as drawn, not yet checked"),
        ({"edited": True, "checked": True}, "from a line), edited by a reader, checked by a reader"),
        ({"method": "", "prompt": ""}, "semi-automatic, not yet checked by a reader"),
    ],
)
def test_it_is_said_in_words(changes, words):
    assert words in replace(DRAWN, **changes).text


def test_two_words_say_whether_it_was_edited():
    assert [replace(DRAWN, edited=edited).short for edited in (None, False, True)] == [
        "semi-automatic",
        "semi-automatic",
        "semi-automatic, edited",
    ]


def test_slicers_tags_of_a_dicom_segment_are_read():
    tags = {ALGORITHM_TYPE: "AUTOMATIC", ALGORITHM_NAME: "Finder"}
    assert outline_of(tags) == Outline("Finder", kind=AUTOMATIC, clicked=False, checked=None)
    assert outline_of({**tags, "PDL1_Status": CHECKED}).checked is True
    assert outline_of({**tags, ALGORITHM_TYPE: "MANUAL"}) is None
    assert outline_of({**tags, **DRAWN.notes()}) == DRAWN  # what a click left says more


def test_an_older_result_says_neither_kind_nor_click():
    older = {name: value for name, value in DRAWN.to_dict().items() if name not in ("kind", "clicked")}
    assert Outline.from_dict(older) == DRAWN


def test_a_file_that_does_not_say_it_has_no_outline():
    assert outline_of({}) is None
    assert outline_of({**DRAWN.notes(), ORIGIN: "manual"}) is None


@pytest.mark.parametrize(
    ("name", "text", "field"),
    [
        ("PDL1_Method", "m" * 1000, "method"),
        ("PDL1_Prompt", "circle", "prompt"),
        ("PDL1_PointsLPS", "1,2 nan", "points_lps_mm"),
        ("PDL1_PointsLPS", "nan,1,2", "points_lps_mm"),
        ("PDL1_PointsLPS", "1,2,3 1,2,3 1,2,3", "points_lps_mm"),
        ("PDL1_CreatedUTC", "<b>now</b>", "created_utc"),
        ("PDL1_Voxels", "../../etc", "voxels"),
        ("PDL1_Status", "certainly", "checked"),
    ],
)
def test_what_has_another_form_is_not_known(name, text, field):
    found = outline_of({**DRAWN.notes(), name: text})
    assert found == replace(DRAWN, **{field: getattr(Outline(), field)})


def test_text_from_outside_has_one_line_and_nothing_that_is_obeyed():
    found = outline_of({ORIGIN: "semi-automatic", "PDL1_Method": "a\nb\u202ec", "PDL1_Warnings": "X <i>; fine_code"})
    assert found.method == "a b?c"
    assert found.warnings == ("i", "fine_code")
    many = outline_of({ORIGIN: "semi-automatic", "PDL1_Warnings": "code " * 1000})
    assert len(many.warnings) == 20


def test_completed_is_slicers_word_for_checked():
    assert DRAWN.notes()["PDL1_Status"] == "inprogress"
    assert replace(DRAWN, checked=True).notes()["PDL1_Status"] == CHECKED == "completed"

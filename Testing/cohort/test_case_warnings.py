from PDL1PredictorLib.cohort.case_warnings import as_lines, as_plain
from PDL1PredictorLib.core.results import CaseWarning

CUT = CaseWarning("ring_cut", "The field of view cuts 3 % of the ring.")


def thick(mm: int) -> CaseWarning:
    return CaseWarning("thick_slices", f"The slices lie {mm} mm apart.")


def test_warnings_of_few_cases_have_a_line_each():
    lines = as_lines({"a": [thick(5), CUT], "b": [], "c": [thick(7)]})
    assert lines == [
        "Warning (thick_slices), a: The slices lie 5 mm apart.",
        "Warning (thick_slices), c: The slices lie 7 mm apart.",
        "Warning (ring_cut), a: The field of view cuts 3 % of the ring.",
    ]


def test_what_many_cases_share_is_one_line():
    assert as_lines({name: [thick(5)] for name in "abcd"}) == [
        "Warning (thick_slices), 4 times (a, b, c ...), the first: The slices lie 5 mm apart."
    ]


def test_cases_without_warnings_are_left_out_of_the_json():
    assert as_plain({"a": [], "b": [CUT]}) == {"b": [{"code": "ring_cut", "text": CUT.text}]}

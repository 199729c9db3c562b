"""What may be typed as a click."""

import pytest

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.segmentation.prompt import Prompt, parse_prompt


def test_a_point_and_a_line_are_read():
    assert parse_prompt("1,2.5,-3", None).points == ((1.0, 2.5, -3.0),)
    line = parse_prompt(None, "0,0,0,6,0,8")
    assert line.length_mm == 10
    assert line.center.tolist() == [3, 0, 4]
    assert parse_prompt("1,2,3", None).length_mm is None


@pytest.mark.parametrize(
    ("point", "line", "words"),
    [
        (None, None, "either a point"),
        ("1,2,3", "1,2,3,4,5,6", "either a point"),
        ("1,2", None, "3 numbers"),
        ("1,2,x", None, "3 numbers"),
        ("1,2,nan", None, "3 numbers"),
        (None, "1,2,3", "6 numbers"),
        (None, "0,0,0,1,0,0", "1.0 mm long"),
        (None, "0,0,0,400,0,0", "400.0 mm long"),
    ],
)
def test_what_is_no_click_is_refused_in_words(point, line, words):
    with pytest.raises(InputError, match=words):
        parse_prompt(point, line)


def test_a_moved_prompt_moves_both_ends():
    assert Prompt(((0, 0, 0), (4, 0, 0))).moved((1, 2, 3)).points == ((1, 2, 3), (5, 2, 3))

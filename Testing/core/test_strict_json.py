"""JSON from outside: what readers disagree about or stumble over is refused with a sentence."""

import pytest

from PDL1PredictorLib.core.strict_json import brief, finite_number, strict_json, whole_number


def test_plain_json_is_read():
    assert strict_json('{"a": [1, -2.5e3, true, null, "ä 肺"]}'.encode()) == {"a": [1, -2500.0, True, None, "ä 肺"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": NaN}', "NaN is not allowed"),
        ('{"a": -Infinity}', "-Infinity is not allowed"),
        ('{"a": 1e999}', "the number 1e999 is too large"),
        ('{"a": -1e308}', "the number -1e308 is too large"),
        ('{"a": ' + "9" * 400 + "}", "has 400 digits; at most 40 are read"),
        ('{"a": 0.' + "1" * 400 + "}", "has 402 digits"),
        ('{"a": ' + "9" * 5000 + "}", "has 5000 digits"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' stands there twice"),
        (r'{"a": "\ud800"}', "half of a letter"),
        (r'{"\udfff": 1}', "half of a letter"),
        ("[" * 33 + "]" * 33, "nests more than 32 deep"),
        ("[" * 100_000, "nests too deep|Expecting value"),
        ("{'a': 1}", "Expecting property name"),
        ("", "Expecting value"),
    ],
)
def test_what_no_reader_should_take_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        strict_json(text.encode())


def test_text_that_is_not_utf_8_is_refused():
    with pytest.raises(ValueError, match="utf-8"):
        strict_json(b'{"a": "\xff"}')


def test_whole_letters_beyond_16_bits_are_read():
    assert strict_json(rb'"\ud83e\udec1"') == "\U0001fac1"


@pytest.mark.parametrize("value", [True, "1", None, [1], float("nan"), float("inf"), 10**400])
def test_what_is_no_finite_number_is_refused_with_the_name_of_the_entry(value):
    with pytest.raises(ValueError, match=r"^slope: a finite number was expected, got "):
        finite_number(value, "slope")


def test_bounds_belong_to_what_is_allowed():
    assert [finite_number(value, "share", 0, 1) for value in (0, 0.5, 1)] == [0, 0.5, 1]
    for value in (-1e-9, 1 + 1e-9, 7.5):
        with pytest.raises(ValueError, match=r"^share must lie from 0 to 1, got "):
            finite_number(value, "share", 0, 1)


@pytest.mark.parametrize("value", [0, 4, 2.0, True, "2", None])
def test_whole_numbers_are_whole_and_within_their_bounds(value):
    assert whole_number(2, "count", 1, 3) == 2
    with pytest.raises(ValueError, match=r"^count must be a whole number from 1 to 3, got "):
        whole_number(value, "count", 1, 3)


def test_a_long_value_is_shown_in_short():
    assert brief("x" * 1000) == f"'{'x' * 59}..."
    assert brief(10**5000) == "a number of more than 40 digits"
    assert brief("\x1b[2J") == r"'\x1b[2J'"

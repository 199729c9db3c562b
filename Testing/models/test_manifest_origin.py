"""What a manifest says of where a model comes from: hashes of training cases, and a recalibration."""

import pytest

from PDL1PredictorLib.models.schema.origin import case_hashes, read_recalibration, read_training_cases

GOOD = "0123456789abcdef"


def test_hashes_are_short_sorted_and_without_those_that_are_not_known():
    assert case_hashes(["f" * 64, "", "0" * 64, "f" * 64]) == ["0" * 16, "f" * 16]


def test_an_older_bundle_says_nothing_of_its_cases():
    assert read_training_cases(None) == frozenset()
    assert read_training_cases([GOOD]) == {GOOD}
    assert read_recalibration(None) is None


@pytest.mark.parametrize("values", ["0123456789abcdef", [GOOD[:-1]], [GOOD.upper()], [7], {"a": 1}])
def test_what_is_no_list_of_hashes_is_refused(values):
    with pytest.raises(ValueError, match="training_cases must"):
        read_training_cases(values)


@pytest.mark.parametrize(("name", "value"), [("n", -1), ("sha256", 3), ("cases", ["x"])])
def test_a_recalibration_that_cannot_be_is_refused(name, value):
    good = {"name": "a", "version": "1", "sha256": "f" * 64, "date": "2026-01-01", "n": 3, "cases": [GOOD]}
    assert read_recalibration(good).cases == {GOOD}
    with pytest.raises((ValueError, TypeError), match=rf"recalibrated_from\.{name}"):
        read_recalibration({**good, name: value})

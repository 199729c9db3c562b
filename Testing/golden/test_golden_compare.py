import importlib.util
import math
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location("golden_compare", Path(__file__).with_name("compare.py"))
compare = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(compare)

EARLIER = {"study.auc": 0.75, "study.slope": 120.0, "study.none": math.nan}


def test_equal_numbers_and_new_ones_are_no_difference():
    assert compare.differences(EARLIER, {**EARLIER, "study.new": 1.0}, 1e-12) == []


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({"study.auc": 0.75 + 1e-11}, "study.auc: 0.75 before"),
        ({"study.slope": 120.0 + 1e-9}, "study.slope: 120.0 before"),
        ({"study.none": 0.0}, "study.none: nan before, 0.0 now"),
        ({"study.auc": math.nan}, "study.auc: 0.75 before, nan now"),
    ],
)
def test_a_number_that_moved_or_went_is_told(now, told):
    (found,) = compare.differences(EARLIER, {**EARLIER, **now}, 1e-12)
    assert found.startswith(told)


def test_a_difference_within_the_tolerance_is_none():
    assert compare.differences(EARLIER, {**EARLIER, "study.slope": 120.0 + 1e-11}, 1e-12) == []


def test_a_score_is_found_under_its_name_of_today():
    earlier = {"m.1.lesions[0].radscores.PDL1.tumor": 0.5}
    assert compare.differences(earlier, {"m.1.lesions[0].scores.PDL1.radscore_tumor": 0.5}, 0.0) == []


def test_a_checkout_is_asked_for_torch_only_where_it_can_be():
    assert compare._knows_runtime(compare.ROOT)


def test_numbers_are_found_in_every_depth_and_what_passes_is_left_out():
    content = {"a": [1, {"b": None}], "seconds": {"read": 2.0}, "text": "x", "flag": True}
    found = dict(compare._flat(content, "study"))
    assert found.keys() == {"study.a[0]", "study.a[1].b", "study.flag"}
    assert math.isnan(found["study.a[1].b"])

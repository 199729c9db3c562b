"""How far two engines lie apart: sums by hand."""

import math

import pytest

from PDL1PredictorLib.radiomics.agreement import differences, largest_by_class

NAN = math.nan


def test_a_difference_is_relative_to_the_larger_value():
    values = {"tumor_original_glcm_A": 9.0, "tumor_original_glcm_B": 0.0, "ring_original_shape_C": -2.0}
    judge = {"tumor_original_glcm_A": 10.0, "tumor_original_glcm_B": 0.0, "ring_original_shape_C": 2.0}
    assert [d.relative for d in differences(values, judge)] == [pytest.approx(0.1), 0.0, 2.0]


def test_a_value_that_only_one_engine_has_is_infinitely_far_off():
    found = differences({"a_b_c": NAN, "d_e_f": NAN}, {"a_b_c": NAN, "d_e_f": 1.0})
    assert [d.relative for d in found] == [0.0, math.inf]


def test_the_largest_difference_of_each_class_is_found():
    judge = {"tumor_original_glcm_A": 1.0, "tumor_wavelet-LLH_glcm_A": 1.0, "ring_original_gldm_B": 1.0}
    values = {"tumor_original_glcm_A": 1.5, "tumor_wavelet-LLH_glcm_A": 3.0, "ring_original_gldm_B": 1.0}
    largest = largest_by_class(differences(values, judge))
    assert {family: d.feature for family, d in largest.items()} == {
        "glcm": "tumor_wavelet-LLH_glcm_A",
        "gldm": "ring_original_gldm_B",
    }


def test_a_missing_feature_is_not_passed_over():
    with pytest.raises(KeyError, match="A"):
        differences({}, {"A": 1.0})

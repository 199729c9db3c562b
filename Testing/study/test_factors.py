"""What test cases are divided by."""

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.sanity import SANITY_NAMES
from PDL1PredictorLib.study.factors import factors_of


def cohort(people, volumes_ml=None, between_mm=None):
    n = len(people)
    sanity = np.zeros((n, len(SANITY_NAMES)))
    blocks = {}
    if volumes_ml is not None:
        sanity[:, SANITY_NAMES.index("log_volume_ml")] = np.log(volumes_ml)
        sanity[:, SANITY_NAMES.index("log_between_mm")] = np.log(between_mm)
        blocks["sanity"] = sanity
    names = tuple(f"c{i}" for i in range(n))
    return PreparedCohort(names, {}, blocks, people=dict(zip(names, people, strict=True)))


def test_what_the_scanner_states_goes_before_the_distance_of_the_slices():
    people = [Clinical(slice_thickness_mm=5.0), Clinical(), Clinical(), Clinical(slice_thickness_mm=1.5)]
    found = factors_of(cohort(people, [1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 2.5, 2.0]))
    assert found["Slice thickness"] == ("over 3 mm", "up to 1.5 mm", "over 1.5 to 3 mm", "up to 1.5 mm")


def test_tumors_are_divided_into_thirds_and_patients_into_halves():
    people = [Clinical(age_years=age) for age in (50, 60, 70, 80, 55, 65)]
    found = factors_of(cohort(people, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0], np.ones(6)))
    thirds = found["Volume of the tumor"]
    assert [thirds.count(level) for level in dict.fromkeys(thirds)] == [2, 2, 2]
    assert thirds[0].startswith("up to")
    assert thirds[-1].startswith("over")
    assert found["Age"].count("up to 62 years") == 3


def test_rare_kernels_share_a_level_and_unknown_ones_have_none():
    names = ["B30f"] * 4 + ["B60s"] * 3 + ["LUNG"] * 2 + ["C", "D", None]
    found = factors_of(cohort([Clinical(kernel=name) for name in names]))
    assert found["Kernel"][-3:] == ("other", "other", "")
    assert set(found["Kernel"]) == {"B30f", "B60s", "LUNG", "other", ""}


def test_a_factor_with_one_level_is_left_out():
    assert factors_of(cohort([Clinical(sex="male"), Clinical(), Clinical(sex="male")])) == {}
    two = factors_of(cohort([Clinical(sex="male", smoking="never"), Clinical(sex="female", smoking="never")]))
    assert list(two) == ["Sex"]


def test_slices_are_divided_at_5_mm_too_which_counts_as_thick():
    people = [Clinical(slice_thickness_mm=value) for value in (1.0, 4.99, 5.0, 7.5)] + [Clinical()]
    found = factors_of(cohort(people))
    assert found["Slice thickness, at 5 mm"] == ("below 5 mm", "below 5 mm", "5 mm or more", "5 mm or more", "")
    thin = factors_of(cohort([Clinical(slice_thickness_mm=value) for value in (1.0, 2.0)]))
    assert list(thin) == ["Slice thickness"]


def test_tube_current_is_divided_at_the_median_of_the_training_cases():
    people = [Clinical(tube_current_ma=value) for value in (100, 290, 400, 30, 35)] + [Clinical()]
    found = factors_of(cohort(people), np.array([0, 1, 2]))
    low, high = "below 290 mA", "290 mA or more"
    assert found["Tube current"] == (low, high, high, low, low, "")
    assert factors_of(cohort(people))["Tube current"][0] == "100 mA or more"  # the median of all
    assert "Tube current" not in factors_of(cohort(people), np.array([5]))  # no training case tells its own


def test_makers_that_are_rare_share_a_level():
    people = [Clinical(manufacturer=name) for name in ("A", "A", "B", "B", "C", "C", "D", None)]
    assert factors_of(cohort(people))["Scanner"] == ("A", "A", "B", "B", "C", "C", "other", "")

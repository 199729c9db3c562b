"""Two studies held against each other: what is told, and what is refused."""

from dataclasses import replace
from datetime import date

import pytest

from PDL1PredictorLib.core.case import patient_key
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.followup.comparison import compare
from PDL1PredictorLib.followup.examined import examined
from PDL1PredictorLib.followup.wording import BEYOND, WITHIN, growth_words, lines, plain_text

APRIL = date(2026, 4, 11)  # 100 days after the first of January


def pair(study, earlier=None, later=None):
    first = study(**(earlier or {}))
    then = study(**{"day": APRIL, "ct": "b", **(later or {})})
    return examined(first, "first"), examined(then, "then")


def codes(compared):
    return [note.code for note in compared.notes]


def test_a_volume_that_doubles_in_100_days(study):
    compared = compare(*pair(study, later={"volume_ml": 2.0, "range_ml": (1.6, 2.5)}))
    assert compared.days == 100
    assert compared.doubling_days == pytest.approx(100)
    assert compared.volume.noise == "beyond"
    assert growth_words(compared) == "has grown beyond the noise of the contour: the volume doubles in 100 days"


def test_growth_within_the_contours_noise_is_no_growth(study):
    compared = compare(*pair(study, later={"volume_ml": 1.2, "range_ml": (1.0, 1.4)}))
    assert compared.volume.noise == "within"
    assert growth_words(compared).startswith("no growth beyond the noise of the contour (taken as it stands: ")
    assert "progress" not in plain_text(compared)


def test_shrinking_has_a_doubling_time_below_0(study):
    compared = compare(*pair(study, later={"volume_ml": 0.5, "range_ml": (0.4, 0.6)}))
    assert compared.doubling_days == pytest.approx(-100)
    assert growth_words(compared).endswith("the volume halves in 100 days, doubling time -100 days")


def test_an_answer_changes_beyond_or_within_the_noise_of_its_contour(study):
    beyond = compare(*pair(study, later={"probability": 0.8, "moved": (0.75, 0.85)})).answers[0]
    assert (beyond.noise, beyond.change) == ("beyond", pytest.approx(0.2))
    within = compare(*pair(study, later={"probability": 0.68, "moved": (0.64, 0.7)}))
    assert within.answers[0].noise == "within"
    row = lines(within)[2]
    assert (row.what, row.change, row.noise) == ("PD-L1", "+8 points", WITHIN)
    assert lines(compare(*pair(study, later={"moved": (0.7, 0.8)})))[2].noise == BEYOND


def test_what_is_not_answered_or_was_not_moved_is_not_compared(study):
    found = compare(*pair(study, later={"moved": None})).answers
    assert (found[0].change, found[0].why_not) == (None, "predicted without moved contours")
    assert (found[1].endpoint, found[1].why_not) == ("EGFR", "not answered in either study")
    assert "43" not in plain_text(compare(*pair(study)))  # the number that is no answer


def test_two_patients_are_refused(study):
    with pytest.raises(InputError, match="two patients: the numbers of the patients differ"):
        compare(*pair(study, later={"patient": patient_key("99")}))
    with pytest.raises(InputError, match="two patients: one is female and one male"):
        compare(*pair(study, {"sex": "male"}, {"sex": "female"}))
    assert "patient_not_known" not in codes(compare(*pair(study, {"sex": "male"}, {"sex": "male"})))


def test_that_nobody_knows_the_patient_is_told(study):
    compared = compare(*pair(study, {"patient": ""}))
    assert codes(compared) == ["patient_not_known"]


def test_one_ct_twice_is_refused(study):
    with pytest.raises(InputError, match="one and the same CT"):
        compare(*pair(study, later={"ct": "a"}))


def test_the_wrong_order_is_refused(study):
    with pytest.raises(InputError, match="The order is wrong: then, given as the earlier study, is of 2026-04-11"):
        compare(*reversed(pair(study)))


def test_dates_that_are_missing_are_told_and_days_can_be_given(study):
    found = pair(study, later={"day": None, "volume_ml": 2.0})
    compared = compare(*found)
    assert (compared.days, compared.doubling_days) == (None, None)
    assert compared.notes[0].text.startswith("The date of the later study is not known")
    assert compare(*found, days=50).doubling_days == pytest.approx(50)
    for days in (0, -3):
        with pytest.raises(InputError, match="at least 1"):
            compare(*found, days=days)


def test_days_that_contradict_the_dates_are_refused(study):
    assert compare(*pair(study), days=100).days == 100
    with pytest.raises(InputError, match="100 days apart, and 90 days were given"):
        compare(*pair(study), days=90)


def test_studies_of_one_day_have_no_doubling_time(study):
    compared = compare(*pair(study, later={"day": date(2026, 1, 1)}))
    assert (compared.days, compared.doubling_days, codes(compared)) == (0, None, ["same_day"])


def test_of_two_models_the_sizes_are_compared_and_the_answers_are_not(study):
    first, then = pair(study, later={"volume_ml": 2.0, "range_ml": (1.6, 2.5)})
    other = replace(then.result, model=replace(then.result.model, version="2.0", sha256="cd" * 32))
    compared = compare(first, examined(other, "then"))
    assert "Two models: Tiny model 1.2 answered at first, Tiny model 2.0 then" in compared.notes[0].text
    assert compared.doubling_days == pytest.approx(100)
    assert {one.noise for one in compared.answers} == {"not_known"}


def test_other_settings_are_told_alike(study):
    first, then = pair(study)
    made = replace(then.result.provenance, settings={"regions": {"ring_mm": 5}})
    compared = compare(first, examined(replace(then.result, provenance=made), "then"))
    assert "other settings (regions)" in compared.notes[0].text


def test_what_makes_sizes_less_sure_is_told(study):
    thick = pair(study, {"slice_thickness_mm": 1.0, "range_ml": None}, {"slice_thickness_mm": 5.0})
    assert codes(compare(*thick)) == ["range_of_a_ball", "slices_differ"]
    ages = pair(study, {"age_years": 60.0}, {"age_years": 70.0})
    assert codes(compare(*ages)) == ["ages_disagree"]


def test_which_tumor_is_meant_must_be_clear(study):
    with pytest.raises(InputError, match="Which tumor is meant is not clear in two: it has 1, 2"):
        examined(study(lesions=2), "two")
    with pytest.raises(InputError, match="There is no tumor 3 in two"):
        examined(study(lesions=2), "two", 3)
    assert examined(study(lesions=2), "two", 2).lesion.index == 2


def test_a_result_without_a_size_is_refused(study):
    result = study()
    lesion = replace(result.lesions[0], tumor=replace(result.lesions[0].tumor, volume_ml=None))
    with pytest.raises(InputError, match="does not tell the size"):
        examined(replace(result, lesions=(lesion,)), "first")

"""What a training or an evaluation of a cohort would come to: counts, refusals, ways to test, times that add up."""

import pytest

from PDL1PredictorLib.cohort.outlook.effort import START_S, WORKER_MB, Effort, time_words
from PDL1PredictorLib.cohort.outlook.labels import counted
from PDL1PredictorLib.cohort.outlook.training import NESTED_BELOW, training_outlook
from PDL1PredictorLib.cohort.table import read_cohort

EFFORT = Effort(case_s=2.0, taught_s=3.0, memory_mb=1000, fit_s=5.0)


@pytest.fixture
def cohort(tmp_path):
    """A function that reads a table of n cases whose PDL1 is positive in the first `positive`."""

    def read(n, positive, more=None):
        own = more or {}
        named = [[f"c{i}", f"a{i}.nii", f"b{i}.nii", str(int(i < positive))] for i in range(n)]
        rows = [["case", "image", "mask", "PDL1", *own]]
        rows += [[*cells, *(column[i] for column in own.values())] for i, cells in enumerate(named)]
        path = tmp_path / "Fälle.csv"
        path.write_text("\n".join(map(",".join, rows)), encoding="utf-8")
        return read_cohort(path, check_files=False)

    return read


def outlook(cohort, kinds=("binary",)):
    return training_outlook(cohort, kinds, EFFORT, cores=2)


def test_truths_are_counted_by_what_an_endpoint_is(cohort):
    more = {
        "TPS": ["5", "", "70", "20"],
        "OS_days": ["100", "50", "", "70"],
        "OS_event": ["1", "0", "", "1"],
        "EGFR": [""] * 4,
    }
    found = {one.endpoint: one for one in counted(cohort(4, 1, more))}
    assert found["PDL1"].text == "1 positive, 3 negative"
    assert found["TPS"].text == "5 to 70, 1 not known"
    assert found["OS"].text == "2 events, 1 without, 1 not known"
    assert found["EGFR"].text == "none known"
    assert [one.scarce for one in found.values()] == [1, 0, 3, 2]
    assert found["OS"].to_dict() == {
        "endpoint": "OS",
        "title": "Overall survival",
        "text": "2 events, 1 without, 1 not known",
        "known": 3,
        "scarce": 2,
    }


def test_an_endpoint_is_used_where_enough_of_the_rarer_answer_teach(cohort):
    (enough,) = outlook(cohort(60, 13))["endpoints"]  # four fifths of 13 are 10
    assert enough["usable"]
    assert enough["text"] == "13 positive, 47 negative"
    found = outlook(cohort(60, 12))
    assert not found["endpoints"][0]["usable"]
    assert "about 9 cases of the rarer answer would teach, 10 are needed" in found["endpoints"][0]["text"]
    assert found["refusals"] == [
        "No endpoint has what this recipe needs to learn from. Add cases, or choose another recipe."
    ]


def test_what_the_recipe_does_not_learn_is_said(cohort):
    (row,) = outlook(cohort(60, 30), kinds=("number",))["endpoints"]
    assert row["text"].endswith("by itself the recipe learns numbers")


def test_a_small_cohort_is_tested_by_nested_cross_validation_and_a_large_one_is_divided(cohort):
    small, large = outlook(cohort(NESTED_BELOW - 1, 60)), outlook(cohort(NESTED_BELOW, 60))
    assert small["plans"][small["advised"]]["design"] == "nested"
    assert any("nested cross-validation tests every case once" in note for note in small["notes"])
    assert large["plans"][large["advised"]]["design"] == "split"
    assert large["notes"] == []


def test_the_tables_own_division_is_taken_and_half_of_one_is_refused(cohort):
    parts = ["train"] * 30 + ["test"] * 30
    found = outlook(cohort(60, 30, {"split": parts}))
    assert found["plans"][found["advised"]]["text"].startswith("One division, as the column split says")
    assert found["refusals"] == []
    (why,) = outlook(cohort(60, 30, {"split": ["train"] * 60}))["refusals"]
    assert "names only one of train and test" in why


def test_a_table_without_an_endpoint_and_with_few_patients_is_refused(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_text("case,image,mask\na,a.nii,b.nii\n", encoding="utf-8")
    found = outlook(read_cohort(path, check_files=False))["refusals"]
    assert "no column of an endpoint" in found[0]
    assert "at least 5 patients" in found[1]


def test_times_are_the_sum_of_what_is_done(cohort):
    split, once, five = (plan["seconds"] for plan in outlook(cohort(100, 50))["plans"])
    assert split == pytest.approx(START_S + (2 * 100 + 3 * 70 + 5) / 2, abs=0.5)
    assert once == pytest.approx(START_S + (2 * 100 + 3 * (4 * 100 + 100) + 5 * 6) / 2, abs=0.5)
    assert five == pytest.approx(START_S + (2 * 100 + 3 * (4 * 100 * 5 + 100) + 5 * 26) / 2, abs=0.5)
    assert outlook(cohort(100, 50))["memory_mb"] == 1000 + 2 * WORKER_MB


@pytest.mark.parametrize(
    ("seconds", "words"), [(3, "1 min"), (299, "5 min"), (2290, "40 min"), (6 * 3600, "6 h"), (3 * 86400, "3 days")]
)
def test_a_time_is_told_as_roughly_as_it_is_known(seconds, words):
    assert time_words(seconds) == words


def test_clinical_values_that_a_training_would_take_are_named(cohort):
    ages = [str(40 + i % 9) for i in range(60)]
    assert outlook(cohort(60, 30, {"age_years": ages, "sex": ["male"] * 60}))["clinical"] == ["age_years"]

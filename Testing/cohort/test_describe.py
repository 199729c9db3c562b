"""Table 1 of a cohort, with sums done by hand."""

from dataclasses import replace
from pathlib import Path

import pytest
from scipy import stats

from PDL1PredictorLib.cohort.describe import COLUMNS, table_1
from PDL1PredictorLib.cohort.table import Cohort, CohortCase
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.errors import InputError


def case(n: int, pdl1: int | None, egfr: int | None = None, patient: str = "", **clinical) -> CohortCase:
    labels = {"PDL1": pdl1, "EGFR": egfr}
    return CohortCase(f"c{n}", patient or f"p{n}", Path("i"), Path("m"), None, None, Clinical(**clinical), labels)


def cohort(*cases: CohortCase) -> Cohort:
    return Cohort(cases, ("PDL1", "EGFR"), Path("cases.csv"))


def row(rows, variable: str, level: str = ""):
    (found,) = [one for one in rows if (one["variable"], one["level"]) == (variable, level)]
    assert tuple(found) == COLUMNS
    return found


def test_numbers_are_medians_with_quartiles_compared_by_rank():
    ages = {1: [50, 60, 70], 0: [40, 42, 44]}
    cases = [case(10 * label + n, label, age_years=age) for label in ages for n, age in enumerate(ages[label])]
    found = row(table_1(cohort(*cases, case(99, None, age_years=100)), by="PDL1"), "Age (years)")
    assert found["positive"] == "60 (55 to 65)"
    assert found["negative"] == "42 (41 to 43)"
    assert found["all"] == "50 (43 to 65)"  # 40 42 44 50 60 70 100: who has no label counts among all
    assert (found["p"], found["test"]) == (pytest.approx(0.1), "Mann-Whitney")  # 2 of the 20 orders of 6 ranks


def test_words_are_counts_with_percent_of_those_known_compared_by_chi_square():
    sexes = {1: ["male"] * 30 + ["female"] * 10, 0: ["male"] * 20 + ["female"] * 20}
    cases = [case(100 * label + n, label, sex=sex) for label in sexes for n, sex in enumerate(sexes[label])]
    rows = table_1(cohort(*cases, case(999, 1)), by="PDL1")
    assert row(rows, "Sex", "male")["positive"] == "30 (75%)"
    assert row(rows, "Sex", "male")["all"] == "50 (62%)"
    first = row(rows, "Sex", "female")
    assert first["p"] == pytest.approx(stats.chi2_contingency([[10, 20], [30, 20]]).pvalue)
    assert first["test"] == "chi-square"
    assert row(rows, "Sex", "male")["p"] is None  # it stands once, beside the first level
    missing = row(rows, "Sex", "not known")
    assert (missing["all"], missing["positive"], missing["negative"]) == ("1", "1", "0")


def test_few_cases_are_compared_by_the_exact_test():
    labels = [(1, 1)] * 3 + [(0, 0)] * 3
    found = row(table_1(cohort(*(case(n, p, e) for n, (p, e) in enumerate(labels))), by="PDL1"), "EGFR", "mutant")
    assert found["test"] == "Fisher"
    assert found["p"] == pytest.approx(2 / 20)  # 2 of the 20 ways to choose 3 of 6


def test_few_cases_of_three_kinds_are_told_to_be_few():
    words = ["never", "former", "current"] * 2
    cases = [case(n, n % 2, smoking=word) for n, word in enumerate(words)]
    assert row(table_1(cohort(*cases), by="PDL1"), "Smoking", "current")["test"].startswith("chi-square (fewer than 5")


def test_tumors_and_patients_are_counted_apart():
    rows = table_1(cohort(case(1, 1, patient="a"), case(2, 0, patient="a"), case(3, 0, patient="b")), by="PDL1")
    assert [row(rows, "Tumors")[column] for column in ("all", "positive", "negative")] == ["3", "1", "2"]
    assert [row(rows, "Patients")[column] for column in ("all", "positive", "negative")] == ["2", "1", "2"]


def test_without_an_endpoint_nothing_is_compared_and_all_endpoints_are_counted():
    rows = table_1(cohort(case(1, 1, 1, age_years=50), case(2, 0, None, age_years=60)))
    assert all((one["p"], one["test"], one["positive"]) == (None, "", "") for one in rows)
    assert row(rows, "PD-L1", "positive")["all"] == "1 (50%)"
    assert row(rows, "EGFR", "not known")["all"] == "1"


def test_what_nobody_has_is_left_out():
    assert {one["variable"] for one in table_1(cohort(case(1, 1), case(2, 0)), by="PDL1")} == {"Tumors", "Patients"}


def test_one_group_alone_is_not_compared():
    rows = table_1(cohort(case(1, 1, 1, age_years=50), case(2, 1, 0, age_years=60)), by="PDL1")
    assert all(one["p"] is None for one in rows)
    assert row(rows, "Age (years)")["negative"] == "-"


def test_an_endpoint_that_the_cohort_lacks_is_refused():
    with pytest.raises(InputError, match="no endpoint 'KRAS'. It has: PDL1, EGFR"):
        table_1(cohort(case(1, 1)), by="KRAS")


def test_a_time_is_told_by_its_events_and_not_compared_as_a_number():
    known = [(1, 100.0, True), (1, 300.0, False), (0, 200.0, True), (0, None, None)]
    cases = []
    for n, (label, days, event) in enumerate(known):
        events = {} if event is None else {"PFS": event}
        cases.append(replace(case(n, label), labels={"PDL1": label, "PFS": days}, events=events))
    rows = table_1(Cohort(tuple(cases), ("PDL1", "PFS"), Path("cases.csv")), by="PDL1")
    events = row(rows, "Progression-free survival", "events")
    assert (events["all"], events["positive"], events["negative"]) == ("2 (67%)", "1 (50%)", "1 (100%)")
    followed = row(rows, "Progression-free survival, followed (days)")
    assert (followed["all"], followed["p"], followed["test"]) == ("200 (150 to 250)", None, "")
    assert row(rows, "Progression-free survival, followed (days)", "not known")["all"] == "1"

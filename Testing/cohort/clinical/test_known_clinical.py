"""Clinical values that a model could learn from: known for half of the cases, and not the same for all."""

from pathlib import Path

from PDL1PredictorLib.cohort.clinical.known import known_clinical
from PDL1PredictorLib.cohort.table import Cohort, CohortCase
from PDL1PredictorLib.core.case import Clinical


def test_values_that_few_have_or_all_share_are_left_out():
    def case(number: int) -> CohortCase:
        known = Clinical(
            age_years=50.0 + number,
            sex="male",
            smoking="never" if number % 2 else "current",
            family_history=bool(number % 2) if number < 4 else None,
        )
        return CohortCase(str(number), str(number), Path("a"), Path("b"), None, None, known, {})

    assert known_clinical(Cohort(tuple(map(case, range(10))), (), Path("t.csv"))) == ("age_years", "smoking")

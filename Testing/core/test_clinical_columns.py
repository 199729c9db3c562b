"""Clinical values as numbers: the coding, and what is refused instead of being taken for something else."""

import math

import pytest

from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.clinical_columns import ClinicalColumn, clinical_row, require_declared
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.needs import Needs, declared_by

ECOG = ClinicalColumn("ECOG", low=0, high=5)
STAGE = ClinicalColumn("stage", ("I", "II", "III"))


def test_words_are_numbered_in_their_order_whatever_their_case():
    assert [STAGE.code(word) for word in ("I", "ii", " III ")] == [0, 1, 2]
    assert (ECOG.code(2), ECOG.code("2")) == (2, 2)
    assert math.isnan(ECOG.code(None))
    assert ClinicalColumn("grade", ("1", "2", "3")).code(2) == 1
    assert ClinicalColumn("mutated", ("no", "yes")).code(True) == 1
    assert STAGE.coding == "I 0, II 1, III 2"


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        (STAGE, "IV", "stage must be one of I, II, III, got 'IV'"),
        (STAGE, 2, "must be one of I, II, III"),
        (ECOG, 6, "ECOG must be a number from 0 to 5, got 6"),
        (ECOG, "2 points", "must be a number from 0 to 5"),
        (ECOG, True, "must be a number"),
        (ECOG, math.nan, "must be a number"),
        (ECOG, "1,5", "must be a number"),
        (ClinicalColumn("LDH"), "high", "a number, in the unit of the training cohort"),
        (ClinicalColumn("LDH", low=0), -1, "a number from 0 to any"),
    ],
)
def test_a_wrong_word_unit_or_range_is_refused(column: ClinicalColumn, value, words: str):
    with pytest.raises(InputError, match=words):
        column.code(value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"name": "a=b"}, "cannot be the name"),
        ({"name": ""}, "cannot be the name"),
        ({"name": "stage", "words": ("I",)}, "needs 2 to 32 words"),
        ({"name": "stage", "words": ("I", "i")}, "all different"),
        ({"name": "stage", "words": ("I", "w" * 61)}, "more than 60 letters"),
        ({"name": "stage", "words": ("I", "II"), "low": 0.0}, "only a number has bounds"),
        ({"name": "ECOG", "low": 5.0, "high": 0.0}, "must rise"),
    ],
)
def test_a_column_that_contradicts_itself_is_refused(settings, words: str):
    with pytest.raises(InputError, match=words):
        ClinicalColumn(**settings)


def test_a_column_comes_back_from_json_and_a_damaged_one_does_not():
    for column in (ECOG, STAGE, ClinicalColumn("LDH")):
        assert ClinicalColumn.from_dict(column.to_dict()) == column
    for damaged in (3, {"name": "x"}, {**ECOG.to_dict(), "words": "no"}, {**ECOG.to_dict(), "low": "0"}):
        with pytest.raises(ValueError, match="declared clinical value|low"):
            ClinicalColumn.from_dict(damaged)


def test_declared_values_stand_beside_the_standard_ones():
    known = Clinical.from_dict({"age_years": 61, "ECOG": 1, "stage": "II"}, ("ECOG", "stage"))
    assert known.other == {"ECOG": 1, "stage": "II"}
    assert clinical_row(known, ("stage", "age_years", "ECOG"), (ECOG, STAGE)) == (1, 61, 1)
    assert known.to_dict()["other"] == {"ECOG": 1, "stage": "II"}
    assert "other" not in Clinical(age_years=61).to_dict()
    assert Clinical.from_dict(known.to_dict()) == known
    assert hash(known) == hash(Clinical.from_dict(known.to_dict()))


def test_values_of_the_table_go_before_those_of_the_files_one_by_one():
    table = Clinical(age_years=61, other={"ECOG": 1})
    assert table.with_defaults(Clinical(50, "male", other={"ECOG": 3, "LDH": 200.0})) == Clinical(
        61, "male", other={"ECOG": 1, "LDH": 200.0}
    )


@pytest.mark.parametrize("other", [3, {"ECOG": True}, {"ECOG": None}, {"ECOG": math.nan}, {"sex": "male"}])
def test_an_impossible_declared_value_is_refused(other):
    with pytest.raises(InputError, match="declared"):
        Clinical(other=other)


def test_a_value_that_nobody_asks_for_is_refused_and_not_dropped():
    require_declared(Clinical(other={"ECOG": 1}), (ECOG,), "The model m")
    with pytest.raises(InputError, match="The model m does not know the clinical value 'ECGO'"):
        require_declared(Clinical(other={"ECGO": 1}), (ECOG,), "The model m")
    with pytest.raises(InputError, match="Unknown clinical values: ECGO"):
        Clinical.from_dict({"ECGO": 1}, ("ECOG",))


def test_needs_hold_the_coding_and_come_back_from_json():
    needs = Needs(clinical=("age_years", "ECOG"), declared=(ECOG,))
    assert Needs.from_dict(needs.to_dict()) == needs
    assert [column.name for column in needs.columns] == ["age_years", "ECOG"]
    assert "declared" not in Needs(clinical=("age_years",)).to_dict()
    for clinical, declared in ((("ECOG",), ()), ((), (ECOG,)), (("sex",), (ClinicalColumn("sex", ("a", "b")),))):
        with pytest.raises(InputError, match="Clinical inputs are some of|Declared clinical inputs"):
            Needs(clinical=clinical, declared=declared)


def test_two_models_must_mean_the_same_by_one_name():
    one, same = Needs(clinical=("ECOG",), declared=(ECOG,)), Needs(clinical=("sex", "ECOG"), declared=(ECOG,))
    assert declared_by([one, same, Needs()]) == (ECOG,)
    other = Needs(clinical=("ECOG",), declared=(ClinicalColumn("ECOG", ("low", "high")),))
    with pytest.raises(InputError, match="code ECOG in different ways"):
        declared_by([one, other])

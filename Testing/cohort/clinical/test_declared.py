"""Clinical columns that a cohort declares: coded by their cells, none of which passes as something else."""

from pathlib import Path

import pytest

from PDL1PredictorLib.cohort.clinical.declared import parse_choice, with_coding
from PDL1PredictorLib.cohort.clinical.known import known_clinical, lacking, require_known
from PDL1PredictorLib.cohort.describe import table_1
from PDL1PredictorLib.cohort.table import read_cohort
from PDL1PredictorLib.core.clinical_columns import ClinicalColumn
from PDL1PredictorLib.core.errors import CohortError, InputError
from PDL1PredictorLib.core.needs import Needs


def table(folder: Path, head: str, *cells: str) -> Path:
    lines = [f"case,image,mask,{head}", *(f"c{i},c{i}.nii,m{i}.nii,{one}" for i, one in enumerate(cells))]
    path = folder / "cases.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_what_is_typed_names_columns_their_words_and_bounds():
    names, declared = parse_choice("age_years, ECOG=0..5,LDH,stage=I/II/III,dose=-1.5..2.5")
    assert names == ("age_years", "ECOG", "LDH", "stage", "dose")
    assert declared == (
        ClinicalColumn("ECOG", low=0, high=5),
        ClinicalColumn("LDH"),
        ClinicalColumn("stage", ("I", "II", "III")),
        ClinicalColumn("dose", low=-1.5, high=2.5),
    )


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (("1", "2.5", ""), ()),
        (("yes", "no", "Yes"), ("no", "yes")),
        (("wild", "mutant"), ("wild", "mutant")),
        (("left", "right", "left"), ("left", "right")),
    ],
)
def test_numbers_and_two_words_are_coded_by_themselves(tmp_path, cells, words):
    (found,) = with_coding(table(tmp_path, "x", *cells), [ClinicalColumn("x")])
    assert tuple(word.lower() for word in found.words) == words


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (("1", "2 mg", "3"), "holds numbers and words, such as '2 mg'"),
        (("1,5", "2"), "the column x holds numbers and words"),
        (("a", "b", "c"), 'say their order, for example --clinical "x=a/b/c"'),
        (("yes", "no", "unknown"), "Leave a cell empty where it is not known"),
        (("nan", "1"), "such as 'nan'"),
        (("", ""), "the column x is empty"),
    ],
)
def test_cells_of_which_nobody_knows_the_order_or_unit_are_refused(tmp_path, cells, told):
    quoted = [f'"{cell}"' for cell in cells]
    with pytest.raises(CohortError) as error:
        with_coding(table(tmp_path, "x", *quoted), [ClinicalColumn("x")])
    assert told in str(error.value)


def test_declared_columns_are_read_described_and_no_longer_unknown(tmp_path):
    path = table(tmp_path, "PDL1,stage,ECOG", "1,i,0", "0,II,1", "1,,2", "0,III,")
    columns = (ClinicalColumn("stage", ("I", "II", "III")), ClinicalColumn("ECOG"))
    cohort = read_cohort(path, check_files=False, declared=columns)
    assert [case.clinical.other for case in cohort.cases] == [
        {"stage": "I", "ECOG": 0.0},
        {"stage": "II", "ECOG": 1.0},
        {"ECOG": 2.0},
        {"stage": "III"},
    ]
    assert cohort.warnings == ()
    assert len(read_cohort(path, check_files=False).warnings) == 2  # told, and not used
    rows = {(row["variable"], row["level"]): row for row in table_1(cohort, "PDL1")}
    assert rows["stage", "II"]["all"] == "1 (33%)"
    assert rows["ECOG", ""]["all"] == "1 (0.5 to 1.5)"


def test_what_can_be_learned_from_is_known_of_half_and_differs(tmp_path):
    path = table(tmp_path, "sex,smoking,ECOG", "m,never,1", "f,,", "m,,", "f,,")
    cohort = read_cohort(path, check_files=False, declared=[ClinicalColumn("ECOG")])
    assert known_clinical(cohort) == ("sex",)
    require_known(cohort, ("sex",))
    with pytest.raises(InputError, match=r"smoking is known for 1 of 4 .*; ECOG is known for 1 of 4"):
        require_known(cohort, ("sex", "smoking", "ECOG"))


def test_what_a_model_asks_for_and_the_table_never_says_is_told(tmp_path):
    cohort = read_cohort(table(tmp_path, "sex", "m", "f"), check_files=False)
    assert lacking(cohort, Needs(clinical=("sex",))) == []
    assert lacking(cohort, Needs()) == []
    asks = Needs(clinical=("sex", "age_years", "ECOG"), declared=(ClinicalColumn("ECOG"),))
    (told,) = lacking(cohort, asks)
    assert told.startswith("The model asks for age_years, ECOG, of which the table says nothing.")

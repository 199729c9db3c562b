"""The table of a cohort: what is read from it, and that every problem of every row is named at once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import SimpleITK as sitk
from pyarrow import parquet

from PDL1PredictorLib.cohort.table import read_cohort
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.errors import CohortError, InputError

HEADER = "case,image,mask,patient,split,age_years,sex,PDL1,EGFR"


def write(folder: Path, *lines: str, header: str = HEADER, name: str = "cases.csv") -> Path:
    folder.mkdir(exist_ok=True)
    for n in range(1, 5):
        for kind in ("ct", "tumor"):
            (folder / f"{n}_{kind}.nii.gz").write_bytes(b"not looked at")
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def row(n: int, rest: str = ",,,,,,") -> str:
    return f"case {n},{n}_ct.nii.gz,{n}_tumor.nii.gz{rest}"


def problems(path: Path, **choices) -> tuple[str, ...]:
    with pytest.raises(CohortError) as refused:
        read_cohort(path, **choices)
    assert all(problem in str(refused.value) for problem in refused.value.problems)
    return refused.value.problems


def test_a_table_becomes_cases_with_paths_beside_it_and_labels_that_may_be_missing(tmp_path):
    path = write(tmp_path / "Köln 1", row(1, ",p1,train,63,F,1,mutant"), row(2, ",,test,,male,0,"))
    cohort = read_cohort(path)
    first, second = cohort.cases
    assert cohort.endpoints == ("PDL1", "EGFR")
    assert (first.name, first.patient, first.split, first.segment) == ("case 1", "p1", "train", None)
    assert first.image == path.parent / "1_ct.nii.gz"
    assert first.clinical == Clinical(age_years=63, sex="female")
    assert first.labels == {"PDL1": 1, "EGFR": 1}
    assert (second.patient, second.labels) == ("case 2", {"PDL1": 0, "EGFR": None})
    np.testing.assert_array_equal(cohort.labels_array(), [[1, 1], [0, np.nan]])
    assert cohort.warnings == ()


@pytest.mark.parametrize(
    ("word", "label"),
    [("1", 1), ("0.0", 0), ("Mutant", 1), ("wild type", 0), ("WILD", 0), ("yes", 1), ("Negative", 0), ("", None)],
)
def test_the_usual_words_for_a_label_are_understood(tmp_path, word, label):
    assert read_cohort(write(tmp_path, row(1, f",,,,,,{word}"))).cases[0].labels["EGFR"] == label


def test_every_problem_of_every_row_is_named_at_once(tmp_path):
    path = write(
        tmp_path,
        row(1, ",p1,train,63,female,1,mutnat"),
        row(2, ",p2,trian,630,femal,,"),
        "case 1,5_ct.nii.gz,,p3,train,,,,",
    )
    found = problems(path)
    expected = [
        r"row 2 (case 1): EGFR is 'mutnat'; write 1 or 0, mutant or wild type",
        "row 3 (case 2): split is 'trian'; write train or test",
        "row 3 (case 2): age_years must be a number from 0 to 120, got 630.0; sex must be one of male, female",
        "row 4 (case 1): mask is empty",
        "row 4 (case 1): the image 5_ct.nii.gz does not exist",
    ]
    assert len(found) == len(expected)
    assert all(text.startswith(start) for text, start in zip(found, expected, strict=True))


def test_a_case_name_may_occur_once(tmp_path):
    path = write(tmp_path, row(1), row(2).replace("case 2", "case 1"))
    assert problems(path) == ("row 3 (case 1): the case name occurs already in row 2",)


def test_a_tumor_may_occur_once(tmp_path):
    path = write(tmp_path, row(1), row(1).replace("case 1", "case 7"))
    (problem, *_) = problems(path)
    assert "the same tumor (image, mask and segment) occurs already in row 2" in problem


def test_two_tumors_on_one_image_need_one_patient(tmp_path):
    second = "b,1_ct.nii.gz,2_tumor.nii.gz,{},,,,,"
    assert "the image 1_ct.nii.gz has two patients" in problems(write(tmp_path, row(1), second.format("")))[0]
    same = write(tmp_path, row(1, ",p,,,,,"), second.format("p"))
    assert read_cohort(same).patients == ("p", "p")


def test_a_mask_belongs_to_one_image(tmp_path):
    path = write(tmp_path, row(1), "b,2_ct.nii.gz,1_tumor.nii.gz,,,,,,")
    assert "two images: 1_ct.nii.gz in row 2, 2_ct.nii.gz here" in problems(path)[0]


def test_a_patient_in_two_splits_is_refused(tmp_path):
    path = write(tmp_path, row(1, ",p,train,,,,"), row(2, ",p,test,,,,"))
    assert problems(path) == ("row 3 (case 2): the patient p has two splits: train in row 2, test here",)


def test_a_split_is_given_for_all_or_for_none(tmp_path):
    path = write(tmp_path, row(1, ",,train,,,,"), row(2))
    assert problems(path)[0].startswith("row 3 (case 2): split is empty, while other rows have one")


def test_missing_and_empty_files_are_named_unless_nobody_asks(tmp_path):
    path = write(tmp_path, row(1), row(2))
    (tmp_path / "1_ct.nii.gz").unlink()
    (tmp_path / "2_tumor.nii.gz").write_bytes(b"")
    assert problems(path) == (
        "row 2 (case 1): the image 1_ct.nii.gz does not exist",
        "row 3 (case 2): the mask 2_tumor.nii.gz is an empty file",
    )
    assert len(read_cohort(path, check_files=False)) == 2


def test_a_column_that_is_not_known_is_told_with_the_nearest_name(tmp_path):
    path = write(tmp_path, row(1, ",1,x"), header="case,image,mask,EGRF,note_seen")
    cohort = read_cohort(path)
    assert cohort.endpoints == ()
    assert cohort.warnings == ("The column 'EGRF' is not known and is not used. Did you mean EGFR?",)


def test_missing_columns_are_named_together(tmp_path):
    path = write(tmp_path, "a,b", header="case,picture")
    expected = (
        "the column image is missing",
        "the column mask is missing",
        "the column KRAS is missing, which was asked for",
    )
    assert problems(path, endpoints=["KRAS"]) == expected


def test_endpoints_come_in_the_order_asked_for_and_others_are_left_out(tmp_path):
    path = write(tmp_path, row(1, ",,,,,1,0"))
    assert read_cohort(path, endpoints=["EGFR"]).cases[0].labels == {"EGFR": 0}
    np.testing.assert_array_equal(read_cohort(path, endpoints=["EGFR", "PDL1"]).labels_array(), [[0, 1]])


def test_an_endpoint_that_nobody_knows_is_refused(tmp_path):
    with pytest.raises(InputError, match="Endpoint 'EGRF' is not known"):
        read_cohort(write(tmp_path, row(1)), endpoints=["EGRF"])


def test_a_table_of_semicolons_with_a_byte_order_mark_and_empty_lines_is_read(tmp_path):
    path = write(tmp_path, row(1, ",,,63,f,1,").replace(",", ";"), ";;;", "", header=HEADER.replace(",", ";"))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_cohort(path).cases[0].clinical == Clinical(age_years=63, sex="female")


def test_a_row_with_too_few_cells_is_told_by_its_number(tmp_path):
    assert problems(write(tmp_path, row(1), "case 2,x")) == (
        "row 3: has 2 cells, the header 9; a cell with a separator in it needs quotes",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"case,image,mask,case\n", "two columns with the name case"),
        ("case,image,mask\nMüller,a,b\n".encode("latin-1"), "is not UTF-8 text"),
        (b'case,image,mask\n"a,b,c\n', "is not a CSV table"),
        (b"case,image,mask\n", "it has no row"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, content, message):
    path = tmp_path / "cases.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_cohort(path)


def test_a_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="Choose the table of the cohort"):
        read_cohort(tmp_path / "none.csv")


def test_parquet_says_the_same_as_csv(tmp_path):
    csv_cohort = read_cohort(write(tmp_path, row(1, ",p1,train,63,female,1,"), row(2, ",p2,test,,male,0,1")))
    columns = {
        "case": ["case 1", "case 2"],
        "image": ["1_ct.nii.gz", "2_ct.nii.gz"],
        "mask": ["1_tumor.nii.gz", "2_tumor.nii.gz"],
        "patient": ["p1", "p2"],
        "split": ["train", "test"],
        "age_years": [63.0, None],
        "sex": ["female", "male"],
        "PDL1": [True, False],
        "EGFR": [float("nan"), 1.0],
    }
    path = tmp_path / "cases.parquet"
    parquet.write_table(pa.table(columns), path)
    assert read_cohort(path) == replace(csv_cohort, source=path)


def test_a_damaged_parquet_is_refused(tmp_path):
    path = tmp_path / "cases.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match="is not a whole Parquet file"):
        read_cohort(path)


def save(image: sitk.Image, path: Path, shift_mm: float = 0.0) -> None:
    moved = sitk.Image(image)
    moved.SetOrigin([image.GetOrigin()[0] + shift_mm, *image.GetOrigin()[1:]])
    sitk.WriteImage(moved, str(path))


def test_asked_to_look_at_the_images_it_names_every_case_that_cannot_be_used(tmp_path, phantom):
    path = write(tmp_path, row(1), row(2), row(3))
    for n in (1, 2, 3):
        save(phantom.case.ct, tmp_path / f"{n}_ct.nii.gz")
        save(phantom.case.tumor, tmp_path / f"{n}_tumor.nii.gz", shift_mm=0.4 if n == 2 else 0.0)
    (tmp_path / "3_ct.nii.gz").write_bytes(b"no picture")
    mismatch, damaged = problems(path, check_images=True)
    assert mismatch.startswith("row 3 (case 2): The CT lies on ")
    assert damaged.startswith("row 4 (case 3): 3_ct.nii.gz is not a whole NIfTI file")


def test_the_table_of_a_phantom_cohort_is_a_cohort(tmp_path):
    from PDL1PredictorLib.phantom.cohort import write_cohort
    from PDL1PredictorLib.phantom.outcomes import OUTCOMES, draw_outcomes
    from PDL1PredictorLib.phantom.patient import draw_truth
    from PDL1PredictorLib.phantom.truth import PHANTOM_ENDPOINTS

    write_cohort(tmp_path / "made", 2, seed=3, extent="tumor", workers=1, pet=True)
    cohort = read_cohort(tmp_path / "made" / "cases.csv", check_images=True)
    assert (set(cohort.endpoints), len(cohort), cohort.warnings) == ({*PHANTOM_ENDPOINTS, *OUTCOMES}, 2, ())
    for index, case in enumerate(cohort.cases, start=1):
        traits, _, labels = draw_truth(3, index)
        later = draw_outcomes(3, index, traits)
        assert case.labels == {**labels, **later.labels}
        assert case.events == later.events
        told = replace(later.people, slice_thickness_mm=case.clinical.slice_thickness_mm)
        assert case.clinical == replace(told, kernel=case.clinical.kernel, manufacturer=case.clinical.manufacturer)
        assert case.pet == tmp_path / "made" / "images" / f"case_000{index}_pet.nii.gz"


TIMES = "case,image,mask,PFS_days,PFS_event,OS_event"


def test_a_time_is_read_with_its_event(tmp_path):
    rows = (row(1, ",412,1,"), row(2, ",0,no,"), row(3, ",,,"))
    cohort = read_cohort(write(tmp_path, *rows, header="case,image,mask,PFS_days,PFS_event,note_ward"))
    assert cohort.endpoints == ("PFS",)
    assert [case.labels["PFS"] for case in cohort.cases] == [412, 0, None]
    assert [dict(case.events) for case in cohort.cases] == [{"PFS": True}, {"PFS": False}, {}]
    np.testing.assert_array_equal(cohort.labels_array(), [[412], [0], [np.nan]])


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ("412,", "PFS_event is empty, while PFS_days is not; fill in both"),
        (",1", "PFS_days is empty, while PFS_event is not; fill in both"),
        ("412,2", "PFS_event is '2'; write 1 where the time ended in the event, else 0"),
        ("-3,1", r"PFS_days is '-3'; write a number of 0 or more \(days\)"),
    ],
)
def test_a_time_without_its_event_or_out_of_bounds_is_told(tmp_path, cells, told):
    header = "case,image,mask,PFS_days,PFS_event"
    with pytest.raises(CohortError, match=rf"row 2 \(case 1\): {told}"):
        read_cohort(write(tmp_path, row(1, f",{cells}"), header=header))


def test_a_table_with_one_column_of_a_time_is_told(tmp_path):
    path = write(tmp_path, row(1, ",412,1,0"), header=TIMES)
    assert problems(path) == ("the column OS_days is missing, without which OS says nothing",)
    path = write(tmp_path, row(1), header="case,image,mask")
    assert problems(path, endpoints=["OS"]) == (
        "the column OS_days and the column OS_event is missing, which was asked for",
    )


def test_cases_are_selected_by_name(tmp_path):
    cohort = read_cohort(write(tmp_path, row(1), row(2)))
    assert cohort.select(["case 2"]).names == ("case 2",)
    with pytest.raises(InputError, match="has no case case 9"):
        cohort.select(["case 9"])

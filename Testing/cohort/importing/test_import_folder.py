"""A cohort from plain folders: what is paired, what is left out, and the table that comes of it."""

from pathlib import Path

import pytest

from PDL1PredictorLib.cohort.importing.folder import import_folder
from PDL1PredictorLib.cohort.table import read_cohort
from PDL1PredictorLib.cohort.writing import write_cohort_table
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.errors import CohortError, InputError, OutputError


def make(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


@pytest.mark.parametrize(
    "names",
    [
        ("a_image.nii.gz", "a_mask.nii.gz", "b_image.nii.gz", "b_mask.nii.gz"),
        ("a_CT.nrrd", "a_tumor.seg.nrrd", "b_ct.mha", "b_Tumor.nii"),
        ("images/a.nii.gz", "images/b.nii.gz", "masks/a.nii.gz", "masks/b.nrrd"),
        ("a/ct/slice1.dcm", "a/tumor.nrrd", "b/ct/slice1.dcm", "b/tumor.dcm"),
        ("a/image.nii.gz", "a/mask.nii.gz", "b/image.nii.gz", "b/mask.nii.gz"),
    ],
)
def test_the_usual_ways_to_name_pairs_are_found(tmp_path, names):
    found = import_folder(make(tmp_path / "Früh 1", *names))
    assert [row["case"] for row in found.rows] == ["a", "b"]
    assert found.notes == ()
    assert all(Path(row["image"]) != Path(row["mask"]) for row in found.rows)


def test_a_pattern_of_ones_own_may_go_over_folders(tmp_path):
    folder = make(tmp_path, "s1/p7/scan_v.nii.gz", "s1/p7/roi_v.nii.gz")
    (row,) = import_folder(folder, "*/scan_v", "*/roi_v").rows
    assert row["case"] == "s1_p7"


def test_what_has_no_partner_is_left_out_and_told(tmp_path):
    folder = make(tmp_path, "a_image.nrrd", "a_mask.nrrd", "b_image.nrrd", "c_mask.nrrd")
    found = import_folder(folder)
    assert [row["case"] for row in found.rows] == ["a"]
    assert found.notes == ("Left out, without a mask: b.", "Left out, a mask without an image: c.")


def test_labels_are_joined_by_case_and_words_for_not_known_are_left_empty(tmp_path):
    folder = make(tmp_path / "images here", "a_image.nrrd", "a_mask.nrrd", "b_image.nrrd", "b_mask.nrrd")
    labels = tmp_path / "labels.csv"
    labels.write_text("case,Age,sex,egfr,grade\na,63,Female,Mutant,G2\nc,1,Male,Wildtype,G1\n", encoding="utf-8")
    found = import_folder(folder, labels=labels)
    assert found.notes == ("Left out, labels without images: c.", "Left out, images without labels: b.")
    table = tmp_path / "cases.csv"
    cohort = write_cohort_table(found.rows, table)
    assert table.read_text(encoding="utf-8").splitlines() == [
        "case,image,mask,age_years,sex,EGFR,note_grade",
        "a,images here/a_image.nrrd,images here/a_mask.nrrd,63,Female,Mutant,G2",
        "b,images here/b_image.nrrd,images here/b_mask.nrrd,,,,",
    ]
    assert cohort.cases[0].clinical == Clinical(age_years=63, sex="female")
    assert [case.labels["EGFR"] for case in cohort.cases] == [1, None]
    assert (cohort.warnings, read_cohort(table)) == ((), cohort)


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        ("survival_days,event", {"OS_days", "OS_event"}),
        ("survival_days,recurrence", {"note_survival_days", "note_recurrence"}),
        ("survival_days,event,OS_days,OS_event", {"OS_days", "OS_event", "note_survival_days", "note_event"}),
    ],
)
def test_survival_is_a_time_to_learn_where_it_is_whole_and_the_table_has_none(tmp_path, head, columns):
    folder = make(tmp_path / "images", "a_image.nrrd", "a_mask.nrrd")
    labels = tmp_path / "labels.csv"
    values = {"OS_days": "30", "OS_event": "0"}
    labels.write_text(f"case,{head}\na,{','.join(values.get(n, '1.0') for n in head.split(','))}\n", encoding="utf-8")
    found = import_folder(folder, labels=labels)
    assert set(found.rows[0]) - {"case", "image", "mask", "T4", "PT2", "SQUAMOUS"} == columns
    assert found.rows[0].get("OS_days") == {"survival_days,event": "1.0"}.get(head, "30" if "OS_days" in head else None)
    assert any("OS is survival_days" in note for note in found.notes) == (head == "survival_days,event")


def test_a_label_that_is_no_label_is_refused_but_the_table_is_there_to_correct(tmp_path):
    make(tmp_path, "a_image.nrrd", "a_mask.nrrd")
    labels = tmp_path / "labels.csv"
    labels.write_text("case,KRAS\na,G12C\n", encoding="utf-8")
    with pytest.raises(CohortError, match="KRAS is 'G12C'"):
        write_cohort_table(import_folder(tmp_path, labels=labels).rows, tmp_path / "cases.csv")
    assert (tmp_path / "cases.csv").exists()


def test_an_existing_table_is_not_replaced_unasked(tmp_path):
    rows = import_folder(make(tmp_path, "a_image.nrrd", "a_mask.nrrd")).rows
    (tmp_path / "cases.csv").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        write_cohort_table(rows, tmp_path / "cases.csv")
    assert len(write_cohort_table(rows, tmp_path / "cases.csv", overwrite=True)) == 1


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({}, "holds no image with a mask. Looked for: .*Say how they are called"),
        ({"image": "ct", "mask": "*_m"}, "The pattern 'ct' needs one"),
        ({"image": "*_ct"}, "Give both patterns"),
    ],
)
def test_what_cannot_be_paired_is_refused(tmp_path, choices, message):
    with pytest.raises(InputError, match=message):
        import_folder(make(tmp_path, "a_scan.nrrd"), **choices)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="is no folder"):
        import_folder(tmp_path / "none")


@pytest.mark.parametrize(
    ("text", "message"), [("id,EGFR\na,1\n", "no column 'case'"), ("case,EGFR\na,1\na,0\n", "names a case twice")]
)
def test_labels_that_cannot_be_joined_are_refused(tmp_path, text, message):
    make(tmp_path, "a_image.nrrd", "a_mask.nrrd")
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        import_folder(tmp_path, labels=tmp_path / "labels.csv")


@pytest.mark.real_data
def test_the_real_tumors_of_the_shared_folder_become_a_cohort(shared, tmp_path):
    folder = shared / "data" / "nsclc_radiogenomics_voi"
    found = import_folder(folder / "voi", labels=folder / "labels.csv")
    cohort = write_cohort_table(found.rows, tmp_path / "cases.csv")
    assert len(cohort) == 99
    assert {"EGFR", "KRAS", "LVI", "PI"} <= set(cohort.endpoints)
    counts = {key: sum(case.labels[key] == 1 for case in cohort.cases) for key in ("EGFR", "KRAS", "LVI", "PI")}
    assert counts == {"EGFR": 17, "KRAS": 19, "LVI": 13, "PI": 26}

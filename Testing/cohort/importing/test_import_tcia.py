"""A cohort in TCIA's layout, on small series made here: CT and SEG of each patient, clinical table, gene expression."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_seg import write_seg
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from PDL1PredictorLib.cohort.importing.clinical import ExpressionRule, add_expression, read_clinical, read_expression
from PDL1PredictorLib.cohort.importing.tcia import import_tcia
from PDL1PredictorLib.cohort.sources import FileSource
from PDL1PredictorLib.cohort.writing import write_cohort_table
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.errors import InputError

SHAPE = (6, 16, 16)
CLINICAL = (
    "Case ID,Patient affiliation,Age at Histological Diagnosis,Gender,Smoking status,Pathological T stage,"
    'Lymphovascular invasion,"Pleural invasion (elastic, visceral, or parietal)",EGFR mutation status,'
    "KRAS mutation status,ALK translocation status\n"
    "R01-001,Stanford,34,Male,Nonsmoker,T2a,Absent,No,Mutant,Wildtype,Translocated\n"
    "R01-002,VA,70,Female,Former,T4,Present,Yes,Wildtype,Mutant,Not collected\n"
    "R01-003,VA,80,Female,Current,Tis,Not Collected,Not collected,Unknown,Unknown,Unknown\n"
)


def write_ct(folder: Path, patient: str) -> list[Path]:
    folder.mkdir(parents=True)
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    paths = []
    for n in range(SHAPE[0]):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.Modality, data.PatientID, data.PatientName, data.PatientBirthDate = "CT", patient, "", ""
        data.PatientSex, data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = "", "20200101", "", "", ""
        data.ReferringPhysicianName, data.PositionReferenceIndicator, data.Manufacturer = "", "", "Maker"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
        data.SeriesNumber, data.InstanceNumber = 1, n + 1
        data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        data.ImagePositionPatient, data.ImageOrientationPatient = [0.0, 0.0, 2.0 * n], [1, 0, 0, 0, 1, 0]
        data.PixelSpacing, data.SliceThickness = [1.0, 1.0], 2.0
        data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = *SHAPE[1:], 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation, data.RescaleSlope, data.RescaleIntercept = 15, 0, 1, -1024
        hu = np.full(SHAPE[1:], -800)
        hu[4:12, 4:12] = 40
        data.PixelData = (hu + 1024).astype("<u2").tobytes()
        path = folder / f"1-{n + 1:02d}.dcm"
        data.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def write_tumor(path: Path, ct: list[Path], names: tuple[str, ...] = ("Neoplasm",)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:5, 4:12, 4:12] = 1  # 4 x 8 x 8 = 256 voxels
    write_seg(path, ct, *[mask] * len(names), names=names)


@pytest.fixture(scope="module")
def collection(tmp_path_factory) -> Path:
    """Two patients as the archive lays them out, a third with a CT alone, and the tables beside them."""
    root = tmp_path_factory.mktemp("NSCLC Radiogenomics ä")
    for patient in ("R01-001", "R01-002"):
        study = root / "images" / patient / "04-30-1993-CT"
        ct = write_ct(study / "3.000000-THORAX-00001", patient)
        write_tumor(study / "1000.000000-segmentation-1" / "1-1.dcm", ct)
    write_ct(root / "images" / "R01-003" / "study" / "series", "R01-003")
    (root / "clinical.csv").write_text(CLINICAL, encoding="utf-8")
    # as GEO has it: genes down, patients across; the median of the two patients with images is 3
    expression = "\tR01-001\tR01-002\tR01-999\nA1BG\t1\t1\t1\nCD8A\t2\t4\t100\nCD274\t0.5\tNA\t3\n"
    (root / "rna.txt").write_text(expression, encoding="utf-8")
    return root


def test_scans_segmentations_clinical_values_and_labels_become_a_cohort(collection, tmp_path):
    found = import_tcia(collection / "images", collection / "clinical.csv", collection / "rna.txt")
    assert found.notes == (
        "R01-003: left out, it has no segmentation.",
        "PDL1 is positive where the expression of CD8A is above 3 (the median of 2 patients).",
    )
    cohort = write_cohort_table(found.rows, tmp_path / "cases.csv")
    first, second = cohort.cases
    assert (first.name, first.patient, second.name) == ("R01-001", "R01-001", "R01-002")
    assert first.clinical == Clinical(age_years=34, sex="male", smoking="never")
    assert first.labels == {"PDL1": 0, "LVI": 0, "PI": 0, "T4": 0, "PT2": 1, "EGFR": 1, "KRAS": 0, "ALK": 1}
    assert second.labels == {"PDL1": 1, "LVI": 1, "PI": 1, "T4": 1, "PT2": 1, "EGFR": 0, "KRAS": 1, "ALK": None}
    assert cohort.warnings == ()
    assert "note_CD274" in (tmp_path / "cases.csv").read_text(encoding="utf-8").splitlines()[0]
    case = FileSource(first).load().case
    assert np.count_nonzero(sitk.GetArrayViewFromImage(case.tumor)) == 256


def test_the_images_alone_are_enough(collection):
    assert [set(row) for row in import_tcia(collection / "images").rows] == [{"case", "patient", "image", "mask"}] * 2


def test_of_two_scans_the_one_that_was_segmented_is_taken(tmp_path):
    wanted = write_ct(tmp_path / "p" / "b", "p")
    write_ct(tmp_path / "p" / "a", "p")
    write_tumor(tmp_path / "p" / "s" / "1-1.dcm", wanted)
    (row,) = import_tcia(tmp_path).rows
    assert Path(row["image"]).name == "b"


def test_two_segmentations_are_two_cases_of_one_patient(tmp_path):
    ct = write_ct(tmp_path / "ct", "p")
    write_tumor(tmp_path / "s1" / "1-1.dcm", ct)
    write_tumor(tmp_path / "s2" / "1-1.dcm", ct, names=("Neoplasm", "Node"))
    found = import_tcia(tmp_path)
    assert [(row["case"], row["patient"], row.get("segment")) for row in found.rows] == [
        ("p", "p", None),
        ("p-2", "p", "Neoplasm"),
    ]
    assert found.notes == ("p-2: 1-1.dcm has several segments (Neoplasm, Node); the first is taken.",)


def test_a_segmentation_without_its_scan_and_a_folder_of_two_scans_are_left_out_with_the_reason(tmp_path):
    lost = write_ct(tmp_path / "lost", "p")
    write_tumor(tmp_path / "s" / "1-1.dcm", lost)
    other = write_ct(tmp_path / "other", "p")
    for path in other:
        path.rename(tmp_path / "lost" / f"other{path.name}")
    with pytest.raises(InputError, match=r"(?s)no CT with a DICOM segmentation.*holds 2 CT series.*0 CT series fit it"):
        import_tcia(tmp_path)


def test_patients_without_clinical_values_are_told(collection, tmp_path):
    table = tmp_path / "clinical.csv"
    table.write_text("Case ID,Gender\nR01-001,Male\n")
    assert "Without clinical values: R01-002." in import_tcia(collection / "images", table).notes


def rows(*patients: str, **more: str) -> list[dict[str, str]]:
    return [{"patient": patient, **more} for patient in patients]


def test_staining_goes_before_expression(tmp_path):
    table = tmp_path / "clinical.csv"
    table.write_text("Case ID,PD-L1 TPS\na,0.5\nb,1%\nc,\n")
    clinical = read_clinical(table)
    assert [clinical[p]["PDL1"] for p in "abc"] == ["0", "1", ""]
    cases = [{"patient": p, **clinical[p]} for p in "abc"]
    add_expression(cases, {"CD8A": {"a": 9.0, "b": 1.0, "c": 5.0}}, ExpressionRule())
    assert [case["PDL1"] for case in cases] == ["0", "1", "0"]  # the median is 5, and 5 is not above it


def test_the_rule_may_have_another_gene_and_cut():
    cases = rows("a", "b", "c")
    (note,) = add_expression(cases, {"CD274": {"a": 1.0, "b": 3.0}}, ExpressionRule("CD274", 2.0))
    assert [case.get("PDL1") for case in cases] == ["0", "1", None]
    assert note == "PDL1 is positive where the expression of CD274 is above 2 (as given)."


@pytest.mark.parametrize(
    "text", ["gene,a,b\nCD8A,1,2.5\nX,0,0\n", "sample\tCD8A\na\t1\nb\t2.5\n", "a\tb\nCD8A\t1\t2.5\n"]
)
def test_genes_may_run_down_or_across(tmp_path, text):
    (tmp_path / "rna.txt").write_text(text)
    assert read_expression(tmp_path / "rna.txt") == {"CD8A": {"a": 1.0, "b": 2.5}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gene,a\nTP53,1\n", "has no gene CD274 or CD8A"),
        ("gene,a\nCD8A,high\n", "CD8A of a is 'high'"),
        ("", "is empty"),
    ],
)
def test_a_table_of_expression_that_does_not_serve_is_refused(tmp_path, text, message):
    (tmp_path / "rna.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_expression(tmp_path / "rna.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Name,Gender\na,Male\n", "no column for the patient"),
        ("Case ID\na\na\n", "two rows for the patient a"),
        ("Case ID,PD-L1 TPS\na,120\n", "TPS of a is '120'; a percentage from 0 to 100"),
    ],
)
def test_a_clinical_table_that_does_not_serve_is_refused(tmp_path, text, message):
    (tmp_path / "clinical.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_clinical(tmp_path / "clinical.csv")


def test_expression_of_other_patients_or_another_gene_is_refused():
    with pytest.raises(InputError, match="No patient of the images"):
        add_expression(rows("a"), {"CD8A": {"b": 1.0}}, ExpressionRule())
    with pytest.raises(InputError, match="has no CD8A. It has: CD274"):
        add_expression(rows("a"), {"CD274": {"a": 1.0}}, ExpressionRule())
    with pytest.raises(InputError, match="must be CD274 or CD8A, got 'CD4'"):
        ExpressionRule("CD4")


def test_a_folder_without_dicom_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no CT with a DICOM segmentation"):
        import_tcia(tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        import_tcia(tmp_path / "none")

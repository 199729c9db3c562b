"""What all objects say alike; that they keep to the standard; that the same answer makes the same objects."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
import SimpleITK as sitk
from filed_case import AXES, made_case, named
from programs import need_program

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.filing import document
from PDL1PredictorLib.filing.making import Making
from PDL1PredictorLib.filing.source import read_source
from PDL1PredictorLib.filing.uids import derived_uid
from PDL1PredictorLib.filing.write import write_dicom

FILES = ["heat_1.dcm", "heat_2.dcm", "measures.dcm", "report.dcm", "segmentation.dcm"]


@pytest.fixture(scope="module")
def objects(filed: Path) -> dict[str, pydicom.Dataset]:
    return {path.name: pydicom.dcmread(path) for path in sorted((filed / "dicom").iterdir())}


def write(making: Making, case, folder: Path) -> dict[str, pydicom.Dataset]:
    folder.mkdir()
    paths = write_dicom(making, [case.tumor], case.ring, folder, "A4")
    return {path.name: pydicom.dcmread(path) for path in paths}


def errors(path: Path) -> list[str]:
    """What dciodvfy finds wrong."""
    told = subprocess.run([need_program("dciodvfy"), "-new", path], capture_output=True, text=True, check=False)
    return [line for line in (told.stdout + told.stderr).splitlines() if line.startswith("Error")]


def test_everything_is_there_in_series_of_its_own(objects):
    assert list(objects) == FILES
    assert [data.Modality for data in objects.values()] == ["OT", "OT", "SR", "DOC", "SEG"]
    series = [data.SeriesInstanceUID for data in objects.values()]
    assert series[0] == series[1]
    assert len(set(series)) == 4
    assert len({data.SOPInstanceUID for data in objects.values()}) == 5


def test_each_lies_in_the_study_of_the_ct_and_names_its_patient(objects, filed):
    ct = pydicom.dcmread(next((filed.parent / "CT ü").iterdir()))
    for data in objects.values():
        assert data.StudyInstanceUID == ct.StudyInstanceUID
        assert data.SeriesInstanceUID != ct.SeriesInstanceUID
        assert data.PatientName == "Müller^Jörg=山田^太郎"
        assert (data.PatientID, data.PatientBirthDate, data.PatientSex) == ("id-7", "19600102", "F")
        assert (data.StudyDescription, data.StudyDate, data.PatientAge) == ("Thorax nativ", "20200101", "063Y")
        assert data.SpecificCharacterSet == "ISO_IR 192"


def test_each_says_that_it_is_for_research_and_what_made_it(objects):
    for data in objects.values():
        assert data.SeriesDescription.startswith("RESEARCH USE ONLY")
        assert data.Manufacturer == "PDL1Predictor"
        assert data.SoftwareVersions
        assert data.DeviceSerialNumber


@pytest.mark.parametrize("name", FILES)
def test_dciodvfy_finds_no_error(filed, name):
    assert errors(filed / "dicom" / name) == []


def test_dciodvfy_would_find_one(filed, tmp_path):
    data = pydicom.dcmread(filed / "dicom" / "segmentation.dcm")
    del data.SegmentSequence[0].SegmentLabel
    data.save_as(tmp_path / "broken.dcm")
    assert errors(tmp_path / "broken.dcm")


@pytest.mark.parametrize("axes", AXES)
def test_no_orientation_makes_an_error(axes, tmp_path):
    case = made_case(tmp_path / axes, AXES[axes])
    write(case.making, case, tmp_path / "out")
    paths = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in paths] == ["heat_1.dcm", "measures.dcm", "report.dcm", "segmentation.dcm"]
    assert [error for path in paths for error in errors(path)] == []


@pytest.mark.parametrize(
    ("name", "charset"),
    [
        ("Buc^Jérôme", "ISO_IR 100"),
        ("Люкceмбypг", "ISO_IR 144"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", ["", "ISO 2022 IR 87"]),
        ("Hong^Gildong=洪^吉洞=홍^길동", ["", "ISO 2022 IR 149"]),
    ],
)
def test_a_name_in_any_letters_comes_through(name, charset, tmp_path):
    case = made_case(tmp_path / "case", AXES["straight"], named(name, charset))
    for data in write(case.making, case, tmp_path / "out").values():
        assert str(data.PatientName) == name
        assert data.SpecificCharacterSet == "ISO_IR 192"


def test_the_same_answer_makes_the_same_uids_at_another_time(oblique, tmp_path):
    result = oblique.making.result
    later = replace(
        result, provenance=replace(result.provenance, created_utc="2027-01-01T00:00:00+00:00", seconds={"read": 9.0})
    )
    first = write(oblique.making, oblique, tmp_path / "first")
    second = write(Making(later, oblique.source), oblique, tmp_path / "second")
    for name, data in first.items():
        assert data.SOPInstanceUID == second[name].SOPInstanceUID, name
        assert data.SeriesInstanceUID == second[name].SeriesInstanceUID, name
        assert data.ContentDate != second[name].ContentDate


def test_the_same_answer_at_the_same_time_makes_the_same_bytes(oblique, tmp_path):
    for name in ("first", "second"):
        write(oblique.making, oblique, tmp_path / name)
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes(), path.name


def test_another_answer_makes_another_report_and_another_model_other_objects(oblique, tmp_path):
    result = oblique.making.result
    lesion = result.lesions[0]
    changed = replace(lesion, tumor=replace(lesion.tumor, volume_ml=2.0))
    first = write(oblique.making, oblique, tmp_path / "first")
    other = write(Making(replace(result, lesions=(changed,)), oblique.source), oblique, tmp_path / "other")
    same = {name: data.SOPInstanceUID == other[name].SOPInstanceUID for name, data in first.items()}
    assert same == {"segmentation.dcm": True, "measures.dcm": False, "report.dcm": False, "heat_1.dcm": True}
    model = replace(result.model, sha256="cd" * 32)
    newer = write(Making(replace(result, model=model), oblique.source), oblique, tmp_path / "newer")
    assert not {d.SOPInstanceUID for d in first.values()} & {d.SOPInstanceUID for d in newer.values()}


def test_parts_of_a_uid_do_not_run_into_each_other():
    assert derived_uid("ab", "c") != derived_uid("a", "bc")
    assert derived_uid("ab", "c") == derived_uid("ab", "c")
    assert len(derived_uid("x")) <= 64


def test_the_pages_are_a_pdf_with_the_name_on_them(objects, filed, tmp_path):
    data = objects["report.dcm"]
    assert data.MIMETypeOfEncapsulatedDocument == "application/pdf"
    content = data.EncapsulatedDocument[: data.EncapsulatedDocumentLength]
    assert content.startswith(b"%PDF-")
    (tmp_path / "report.pdf").write_bytes(content)
    program = need_program("pdftotext")
    told = subprocess.run([program, tmp_path / "report.pdf", "-"], capture_output=True, text=True, check=True).stdout
    assert "Müller, Jörg" in told
    assert "1960-01-02" in told
    own = subprocess.run([program, filed / "report.pdf", "-"], capture_output=True, text=True, check=True).stdout
    assert "Müller" not in own  # nobody asked for it there
    assert "Research use only" in own


def test_the_pages_show_the_writings_that_have_a_font(monkeypatch):
    monkeypatch.setattr(document, "can_show", str.isascii)
    data = pydicom.Dataset()
    data.PatientName, data.PatientBirthDate = "Yamada^Tarou^J=山田^太郎", "19600102"
    assert document.identity(data).rows() == (("Patient", "Yamada, Tarou J"), ("Born", "1960-01-02"))
    data.PatientName = "Жуков"
    assert document.identity(data).name == "Жуков"  # better with question marks than none


@pytest.mark.parametrize("tag", ["FrameOfReferenceUID", "StudyInstanceUID"])
def test_a_series_that_nothing_can_refer_to_is_refused(tag, tmp_path):
    with pytest.raises(InputError, match=f"slices without {tag}, so no other object can refer to it"):
        made_case(tmp_path, AXES["straight"], lambda _, data: delattr(data, tag))


def test_slices_that_share_a_uid_are_refused(tmp_path):
    with pytest.raises(InputError, match="share one SOPInstanceUID"):
        made_case(tmp_path, AXES["straight"], lambda _, data: setattr(data, "SOPInstanceUID", "1.2.3"))


def test_a_series_that_changed_meanwhile_is_refused(oblique, tmp_path):
    with pytest.raises(InputError, match="changed while it was read"):
        read_source(oblique.series.folder, None, sitk.Image([24, 20, 11], sitk.sitkInt16))


def test_a_header_that_says_little_is_enough(tmp_path):
    def poor(_, data) -> None:
        for name in ("PatientBirthDate", "AccessionNumber", "StudyID", "StudyTime", "PatientAge", "PatientName"):
            delattr(data, name)

    case = made_case(tmp_path / "case", AXES["straight"], poor)
    for data in write(case.making, case, tmp_path / "out").values():
        assert data.PatientName == ""
        assert data.PatientID == "secret-id"

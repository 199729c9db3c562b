"""A batch: pairs are found by their names; a bad case is a row with its reason; cancel leaves nothing half made."""

import csv
import json
import os
import signal
from pathlib import Path

import pytest
import SimpleITK as sitk
import slicerhost
from PDL1PredictorGUI.background import predictor
from PDL1PredictorGUI.background.batch import Batch, BatchRequest, BatchRow
from PDL1PredictorGUI.background.batch_cases import BadCase, FileCase, SceneCase, cases_of_folder, cases_of_scene
from PDL1PredictorGUI.background.batch_table import COHORT, REQUEST, write_cohort
from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.setup import processes
from window_steps import leftovers

from PDL1PredictorLib.batch import recognition
from PDL1PredictorLib.core.errors import InputError

pytestmark = pytest.mark.usefixtures("slicer_scene")


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def pairs(folder):
    """What was found: name to (CT, mask), or to the reason."""
    found = {}
    for case in cases_of_folder(folder):
        assert case.name not in found
        if isinstance(case, FileCase):
            found[case.name] = (case.ct.relative_to(folder).as_posix(), case.mask.relative_to(folder).as_posix())
        else:
            found[case.name] = case.problem
    return found


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["a_ct.nii.gz", "a_mask.nii.gz"], {"a": ("a_ct.nii.gz", "a_mask.nii.gz")}),
        (["a.nii", "a_seg.nii", "b.nii", "b-label.nii"], {"a": ("a.nii", "a_seg.nii"), "b": ("b.nii", "b-label.nii")}),
        (["a.nrrd", "a.seg.nrrd"], {"a": ("a.nrrd", "a.seg.nrrd")}),
        (["image/P-1.nii", "mask/P-1.nii"], {"P_1": ("image/P-1.nii", "mask/P-1.nii")}),
        (["imagesTr/x_0000.mha", "labelsTr/x.mha"], {"x": ("imagesTr/x_0000.mha", "labelsTr/x.mha")}),
        (["p1/ct.nrrd", "p1/tumor.nrrd"], {"p1": ("p1/ct.nrrd", "p1/tumor.nrrd")}),
        (["tumor_7_ct.nii", "tumor_7_mask.nii"], {"7": ("tumor_7_ct.nii", "tumor_7_mask.nii")}),
        (["p1/scan 3.nii", "p1/GTV by me.nii"], {"p1": ("p1/scan 3.nii", "p1/GTV by me.nii")}),
        (["Fälle/Ä_ct.nii", "Fälle/Ä_mask.nii"], {"Fälle/Ä": ("Fälle/Ä_ct.nii", "Fälle/Ä_mask.nii")}),
        ([".hidden/a_ct.nii", ".hidden/a_mask.nii", "._a_ct.nii", "notes.txt"], {}),
    ],
)
def test_pairs_are_found_by_their_names(tmp_path, files, expected):
    make(tmp_path, *files)
    assert pairs(tmp_path) == expected


def test_what_has_no_partner_or_several_says_so(tmp_path):
    make(tmp_path, "a_ct.nii", "b_mask.nii", "c_ct.nii", "c_mask.nii", "c_seg.nii", "sub/d_ct.nii", "sub/e_ct.nii")
    make(tmp_path, "sub/f_mask.nii")
    found = pairs(tmp_path)
    assert found["a"] == ("a_ct.nii", "b_mask.nii")  # the only two left over in their folder
    assert found["c"].startswith("It is not clear which files belong together: c_ct.nii, c_mask.nii, c_seg.nii")
    assert found["sub/d"].startswith("There is no mask for the CT")
    assert "no CT for the mask" in found["sub/f"]


def dicom(path, modality, rows=4):
    import pydicom
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    data = pydicom.Dataset()
    data.Modality, data.SOPInstanceUID, data.SOPClassUID = modality, generate_uid(), generate_uid()
    data.BitsAllocated, data.PixelData = 8, b"\0" * rows
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)


@pytest.mark.parametrize("slices", [3, 30])
@pytest.mark.parametrize("mask", ["RTSTRUCT.dcm", "contours/1.dcm", "CT/rs.dcm"])
def test_dicom_folders_are_found(tmp_path, slices, mask):
    for patient in ("p1", "p2"):
        for n in range(slices):
            dicom(tmp_path / patient / "CT" / f"{n:03}", "CT", 2000)
        dicom(tmp_path / patient / mask, "RTSTRUCT", 40000)
    found = {name.split("/")[0]: value for name, value in pairs(tmp_path).items()}
    assert found == {patient: (f"{patient}/CT", f"{patient}/{mask}") for patient in ("p1", "p2")}


def test_one_dicom_case_in_the_folder_itself(tmp_path):
    for n in range(3):
        dicom(tmp_path / f"{n}.dcm", "CT")
    dicom(tmp_path / "x.dcm", "SEG")
    assert pairs(tmp_path) == {tmp_path.name: (".", "x.dcm")}


def test_the_tumors_of_the_scene(case_in_scene, put_case, small_images):
    from PDL1PredictorGUI.scene.ring import RING_OF

    case = case_in_scene()
    ring = case.segmentation.GetSegmentation().AddEmptySegment("Ring", "Ring")
    case.segmentation.GetSegmentation().GetSegment(ring).SetTag(RING_OF, case.segment_id)
    ct, mask = small_images
    put_case(sitk.Abs(ct), mask, "MR")
    found = {item.name: item for item in cases_of_scene()}
    assert list(found) == ["Segmentation, Tumor", "MR segmentation, Tumor"]
    good, bad = found.values()
    assert isinstance(good, SceneCase)
    assert (good.volume, good.segmentation, good.segment_id) == (case.volume, case.segmentation, case.segment_id)
    assert isinstance(bad, BadCase)
    assert "MR: The voxels run" in bad.problem


class Watched:
    def __init__(self):
        self.steps, self.rows, self.log, self.ends = [], [], [], []
        self.batch = Batch(
            lambda *step: self.steps.append(step),
            lambda *row: self.rows.append(row),
            self.log.append,
            lambda *end: self.ends.append(end),
        )

    def until_end(self, seconds=240):
        slicerhost.wait_until(lambda: self.ends, seconds)
        return self.ends[-1]


@pytest.fixture
def watched(slicer_scene):
    item = Watched()
    yield item
    item.batch.stop()


@pytest.fixture
def cohort(phantom, tmp_path):
    """Two good cases of one patient with a bad one between them, and one without a mask."""
    folder = tmp_path / "Kohorte ä"
    folder.mkdir()
    for name in ("a", "c"):
        sitk.WriteImage(phantom.case.ct, str(folder / f"{name}_ct.nrrd"))
        sitk.WriteImage(phantom.case.tumor, str(folder / f"{name}_mask.nrrd"))
    sitk.WriteImage(phantom.case.ct, str(folder / "b_ct.nrrd"))
    sitk.WriteImage(phantom.case.tumor * 0, str(folder / "b_mask.nrrd"))
    (folder / "d_ct.nrrd").write_bytes(b"no image")
    return folder


def read_table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_is_predicted_a_bad_case_does_not_stop_it_and_a_second_run_goes_on(
    watched, cohort, tiny_model, tmp_path
):
    out = tmp_path / "Ergebnis" / "neu"
    request = BatchRequest(out, str(tiny_model), "cpu")
    watched.batch.start(cases_of_folder(cohort), request)
    assert watched.batch.running
    outcome, rows = watched.until_end()
    assert (outcome.kind, outcome.message) == ("done", "")
    assert {place: row.name for place, row in rows.items()} == {3: "d", 0: "a", 1: "b", 2: "c"}
    assert list(rows.items()) == watched.rows
    assert [bool(rows[place].problem) for place in range(4)] == [False, True, False, True]
    assert "has no voxel" in rows[1].problem
    assert "no mask for the CT" in rows[3].problem
    assert rows[0].endpoints == rows[2].endpoints
    assert names_in(out) == ["a", "batch.json", "c", "failures.csv", "left_out.csv", "predictions.csv"]
    assert (out / "a" / "report.html").stat().st_size > 1000
    table = read_table(out / "predictions.csv")
    assert [line["case"] for line in table] == ["a", "c"]
    assert table[0]["PDL1_probability"] == ""  # it is unlike all that the tiny model knows
    assert float(table[0]["PDL1_withheld"]) == pytest.approx(rows[0].endpoints[0]["probability"], abs=1e-12)
    assert [line["case"] for line in read_table(out / "failures.csv")] == ["b"]
    assert read_table(out / "left_out.csv") == [{"case": "d", "reason": rows[3].problem}]
    assert {place for place, *_ in watched.steps} == {0, 1, 2}  # d never started
    watched.ends.clear()
    watched.batch.start(cases_of_folder(cohort), request)
    _outcome, again = watched.until_end()
    assert [again[place].reused for place in range(4)] == [True, False, True, False]
    assert leftovers() == []


def test_the_scene_is_predicted_as_the_window_does(watched, case_in_scene, tiny_model, tmp_path):
    case = case_in_scene()
    single = predictor.Prediction(store=lambda folder, _request: (folder / "result.json").read_text(encoding="utf-8"))
    single.start(predictor.PredictRequest(case.volume, case.segmentation, case.segment_id, str(tiny_model), "cpu"))
    assert single.wait(240).kind == "done"
    bridge.put_segment(case.segmentation, "empty", bridge.image_of_volume(case.volume) * 0, case.volume, "Empty")
    cases = cases_of_scene()
    watched.batch.start(cases, BatchRequest(tmp_path / "out", str(tiny_model), "cpu", with_patient=True))
    _outcome, rows = watched.until_end()
    assert [rows[place].name for place in range(2)] == ["Segmentation, Tumor", "Segmentation, Empty"]
    expected = json.loads(single.result)["lesions"][0]["endpoints"]
    assert rows[0].endpoints == expected
    assert rows[0].content["case"] == "Segmentation, Tumor"
    assert "is empty" in rows[1].problem
    assert leftovers() == []


def good_cases(cohort):
    return [case for case in cases_of_folder(cohort) if case.name in "ac"]


def test_cancel_keeps_what_is_done_and_nothing_half_made(watched, worker, cohort, tmp_path):
    out = tmp_path / "out"
    worker.let_one_go()
    watched.batch.start(good_cases(cohort), BatchRequest(out, "any", "cpu"))
    slicerhost.wait_until(lambda: watched.rows and watched.steps[-1][0] == 1, 30)
    family = processes.family(watched.batch._job.process_id)
    assert family
    watched.batch.cancel()
    outcome, rows = watched.until_end(20)
    assert outcome.kind == "cancelled"
    assert outcome.message.startswith("Cancelled after 1 of 2 cases")
    assert [row.name for row in rows.values()] == ["a"]
    assert names_in(out) == ["a", "batch.json"]
    assert not processes.alive(family)
    assert not watched.batch.running
    assert leftovers() == []


def test_a_batch_that_was_killed_keeps_its_rows_and_says_how_to_go_on(watched, worker, cohort, tmp_path):
    worker.let_one_go()
    watched.batch.start(good_cases(cohort), BatchRequest(tmp_path / "out", "any", "cpu"))
    slicerhost.wait_until(lambda: watched.rows, 30)
    os.kill(watched.batch._job.process_id, signal.SIGKILL)
    outcome, rows = watched.until_end()
    assert outcome.kind == "crashed"
    assert "ended from outside" in outcome.text
    assert "press Predict all again to go on" in outcome.text
    assert list(rows) == [0]


def test_deleted_nodes_are_rows(watched, case_in_scene, slicer_scene, tiny_model, tmp_path):
    case_in_scene()
    cases = cases_of_scene()
    slicer_scene.Clear(0)
    watched.batch.start(cases, BatchRequest(tmp_path / "out", str(tiny_model), "cpu"))
    assert watched.ends[0][1] == {0: BatchRow("Segmentation, Tumor", None, {}, "It is no longer in the scene.")}
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_started_is_refused(watched, tmp_path):
    with pytest.raises(InputError, match="There is no case"):
        watched.batch.start([], BatchRequest(tmp_path / "out", "any"))
    assert not watched.batch.running


def test_a_folder_that_holds_something_else_is_refused(watched, cohort, tiny_model, tmp_path):
    make(tmp_path, "used/file")
    watched.batch.start(good_cases(cohort), BatchRequest(tmp_path / "used", str(tiny_model), "cpu"))
    outcome, rows = watched.until_end()
    assert (outcome.kind, rows) == ("refused", {})
    assert "used holds something else" in outcome.text
    assert names_in(tmp_path / "used") == ["file"]


def test_a_batchs_folder_is_known_by_the_librarys_file():
    assert REQUEST == recognition.REQUEST


def test_two_batches_in_a_row(watched, tmp_path):
    for turn in ("one", "two"):
        watched.batch.start([BadCase(turn, "y")], BatchRequest(tmp_path / turn, "any"))
    assert [end[1][0].name for end in watched.ends] == ["one", "two"]


def test_two_cases_of_one_name_are_told_apart(watched, tmp_path):
    watched.batch.start([BadCase("a", "x"), BadCase("a", "y"), BadCase("a (2)", "z")], BatchRequest(tmp_path, "any"))
    assert [row.name for row in watched.ends[0][1].values()] == ["a", "a (2)", "a (2) (2)"]


def test_the_table_of_cases_takes_commas_quotes_and_line_breaks(phantom, tmp_path):
    name = 'a,"b"\nc'
    case = FileCase(name, tmp_path / "ä, ct.nrrd", tmp_path / "mask.nrrd")
    assert write_cohort({name: case, "bad": BadCase("bad", "why")}, "GTV, 1", tmp_path) == {"bad": "why"}
    (row,) = read_table(tmp_path / COHORT)
    assert row == {"case": name, "image": str(case.ct), "mask": str(case.mask), "segment": "GTV, 1"}


@pytest.mark.real_data
def test_real_pairs_are_found(shared):
    folder = Path(shared) / "data" / "lidc_nodule_voi"
    found = cases_of_folder(folder)
    assert len(found) > 50
    assert all(isinstance(case, FileCase) and case.ct.name == case.mask.name for case in found)
    assert len({case.name for case in found}) == len(found)

"""One prediction from the scene to the scene: the command line's answer, and nothing left of it when it fails."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
import slicerhost
from PDL1PredictorGUI.background import case_files, predictor
from PDL1PredictorGUI.background.outcome import Outcome
from PDL1PredictorGUI.background.predictor import Prediction, PredictRequest, command_of
from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.setup import processes

from PDL1PredictorLib.core.errors import InputError, OutputError
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.case_files import Files
from PDL1PredictorLib.prediction import Options, predict_files


def read_result(folder, _request):
    """Stands for the scene's store: what the answer says."""
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


class Watched:
    """A prediction, and what it tells."""

    def __init__(self, store=read_result):
        self.progress, self.log, self.ends = [], [], []
        self.prediction = Prediction(
            lambda *step: self.progress.append(step), self.log.append, lambda *end: self.ends.append(end), store
        )

    def until_progress(self):
        slicerhost.wait_until(lambda: self.progress or self.ends, 120)
        assert self.progress, self.ends

    def until_end(self, seconds=240):
        slicerhost.wait_until(lambda: self.ends, seconds)
        return self.ends[-1]


@pytest.fixture
def watched(slicer_scene):
    made = []

    def make(**options):
        made.append(Watched(**options))
        return made[-1]

    yield make
    for item in made:
        item.prediction.stop()


def request_of(case, model, **more):
    request = PredictRequest(case.volume, case.segmentation, case.segment_id, str(model), "cpu")
    return predictor.dataclasses.replace(request, **more)


def leftovers():
    import slicer

    return list(Path(slicer.app.temporaryPath).glob(f"{predictor.FOLDER_PREFIX}*"))


def test_the_answer_is_the_command_lines(watched, case_in_scene, phantom, tiny_model, tmp_path):
    import SimpleITK as sitk

    for name, image in (("ct", phantom.case.ct), ("tumor", phantom.case.tumor)):
        sitk.WriteImage(image, str(tmp_path / f"{name}.nrrd"))
    files = Files(tmp_path / "ct.nrrd", tmp_path / "tumor.nrrd")
    predict_files(files, tiny_model, tmp_path / "out", Options(device="cpu"))
    expected = read_result(tmp_path / "out", None)

    item = watched()
    item.prediction.start(request_of(case_in_scene(), tiny_model))
    assert item.prediction.running
    outcome, found = item.until_end()
    assert outcome == Outcome("done"), item.log
    assert not item.prediction.running
    for ours, theirs in zip(found["lesions"], expected["lesions"], strict=True):
        assert ours["features"] == pytest.approx(theirs["features"], rel=1e-6)
        for a, b in zip(ours["endpoints"], theirs["endpoints"], strict=True):
            assert a["endpoint"] == b["endpoint"]
            assert a["probability"] == pytest.approx(b["probability"], abs=1e-6)
    fractions = [step[1] for step in item.progress]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert leftovers() == []
    assert found["clinical"] in (None, {}) or not any(found["clinical"].values())


def test_a_temporary_folder_with_spaces_and_letters_of_any_kind(
    watched, case_in_scene, tiny_model, tmp_path, monkeypatch
):
    import slicer

    folder = tmp_path / "Temporäre Dateien 肺"
    monkeypatch.setattr(type(slicer.app), "temporaryPath", property(lambda _self: str(folder)))
    item = watched()
    item.prediction.start(request_of(case_in_scene(), tiny_model))
    assert len(leftovers()) == 1
    assert leftovers()[0].parent == folder
    outcome, found = item.until_end()
    assert outcome.kind == "done", (outcome, item.log)
    assert found["lesions"]
    assert leftovers() == []


def test_two_runs_in_a_row_with_the_same_object_wait_for_each_other(watched, worker, case_in_scene, tiny_model):
    item = watched()
    request = request_of(case_in_scene(), tiny_model)
    worker.let_go()
    answers = []
    for _turn in range(2):
        item.prediction.start(request)
        with pytest.raises(RuntimeError, match="still under way"):
            item.prediction.start(request)
        assert item.prediction.wait(30).kind == "done"
        answers.append(item.ends[-1][1])
    assert answers[0]["lesions"] == answers[1]["lesions"]
    assert leftovers() == []


def test_an_edited_ring_settings_and_clinical_values_are_used(watched, case_in_scene, phantom, tiny_model):
    import numpy as np
    import SimpleITK as sitk

    case = case_in_scene()
    wide = sitk.BinaryDilate(phantom.case.tumor, [6, 6, 6])
    values = sitk.GetArrayFromImage(wide) - sitk.GetArrayFromImage(phantom.case.tumor)
    ring = sitk.GetImageFromArray(values.astype(np.uint8))
    ring.CopyInformation(phantom.case.tumor)
    bridge.put_segment(case.segmentation, "Ring", ring, case.volume)
    clinical = {"age_years": 61.0, "sex": "female", "smoking": None}
    item = watched()
    regions = RegionSettings(ring_mm=4.0, exclude_air=True)
    more = {"ring_segment_id": "Ring", "clinical": clinical, "with_patient": True, "name": "Fäll 1"}
    item.prediction.start(request_of(case, tiny_model, regions=regions, **more))
    outcome, found = item.until_end()
    assert outcome.kind == "done", (outcome, item.log)
    codes = [row["code"] for row in [*found["warnings"], *found["lesions"][0]["warnings"]]]
    assert "ring_edited" in codes
    assert found["clinical"]["age_years"] == 61.0
    assert found["case"] == "Fäll 1"
    settings = found["provenance"]["settings"]["regions"]
    assert (settings["ring_mm"], settings["exclude_air"], settings["exclude_bone"]) == (4.0, True, False)


@pytest.mark.parametrize("way", ["cancel", "scene close", "volume deleted", "segmentation deleted", "stop"])
def test_a_run_that_is_broken_off_leaves_nothing(watched, case_in_scene, tiny_model, slicer_scene, way, request):
    if way != "cancel":  # the true program once
        request.getfixturevalue("worker")
    item = watched()
    case = case_in_scene()
    item.prediction.start(request_of(case, tiny_model))
    item.until_progress()
    family = processes.family(item.prediction._job.process_id)
    watching = list(item.prediction._observers)
    assert family
    assert leftovers()
    {
        "cancel": item.prediction.cancel,
        "stop": item.prediction.stop,
        "scene close": lambda: slicer_scene.Clear(0),
        "volume deleted": lambda: slicer_scene.RemoveNode(case.volume),
        "segmentation deleted": lambda: slicer_scene.RemoveNode(case.segmentation),
    }[way]()
    outcome, found = item.until_end(20)
    assert outcome.kind == "cancelled"
    assert found is None
    words = {"scene close": "the scene was closed", "volume deleted": "CT was deleted"}
    assert words.get(way, "ancelled") in outcome.message
    assert not processes.alive(family)
    assert leftovers() == []
    assert len(watching) == 2
    assert not any(slicer_scene.GetCommand(tag) for tag in watching)


def test_a_run_after_a_closed_scene_works(watched, worker, case_in_scene, tiny_model, slicer_scene):
    item = watched()
    item.prediction.start(request_of(case_in_scene(), tiny_model))
    slicer_scene.Clear(0)
    assert item.until_end(20)[0].kind == "cancelled"
    item.ends.clear()
    worker.let_go()
    item.prediction.start(request_of(case_in_scene(), tiny_model))
    assert item.until_end()[0].kind == "done"


def test_a_worker_killed_from_outside(watched, case_in_scene, tiny_model):
    item = watched()
    item.prediction.start(request_of(case_in_scene(), tiny_model))
    item.until_progress()
    os.kill(processes.family(item.prediction._job.process_id)[-1].pid, signal.SIGKILL)
    outcome, found = item.until_end(20)
    assert outcome.kind == "crashed"
    assert "ended from outside" in outcome.message
    assert outcome.what_to_do
    assert found is None
    assert leftovers() == []


def test_what_the_library_refuses_is_shown_word_for_word(watched, case_in_scene, tmp_path):
    broken = tmp_path / "kaputtes Modell ä"
    broken.mkdir()
    (broken / "model.json").write_text("{", encoding="utf-8")
    item = watched()
    item.prediction.start(request_of(case_in_scene(), broken))
    outcome, _found = item.until_end(60)
    assert outcome.kind == "refused"
    assert str(broken) in outcome.message
    assert leftovers() == []


def test_a_missing_package_says_what_to_do(watched, case_in_scene, tiny_model, tmp_path, monkeypatch):
    (tmp_path / "jinja2.py").write_text("raise ModuleNotFoundError(\"No module named 'jinja2'\")", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    real = predictor.background_environment

    def without_jinja():
        environment = real()
        return {**environment, "PYTHONPATH": os.pathsep.join([str(tmp_path), environment["PYTHONPATH"]])}

    monkeypatch.setattr(predictor, "background_environment", without_jinja)
    item = watched()
    item.prediction.start(request_of(case_in_scene(), tiny_model))
    outcome, _found = item.until_end(60)
    assert outcome.message == "The Python package jinja2 is missing or does not work."
    assert "Press Repair packages in section 4" in outcome.what_to_do


@pytest.mark.parametrize("what", ["none", "MR", "empty segment", "no segment"])
def test_what_cannot_be_used_is_refused_before_anything_is_written(watched, put_case, small_images, what):
    import SimpleITK as sitk

    ct, mask = small_images
    case = put_case(sitk.Abs(ct) if what == "MR" else ct, mask)
    if what == "none":
        case.volume = None
    if what == "empty segment":
        bridge.put_segment(case.segmentation, case.segment_id, mask * 0, case.volume)
    if what == "no segment":
        case.segment_id = ""
    item = watched()
    with pytest.raises(InputError) as refused:
        item.prediction.start(request_of(case, "phantom-demo"))
    words = {"none": "Choose a CT", "MR": "Choose a CT", "empty segment": "is empty", "no segment": "no tumor segment"}
    assert words[what] in str(refused.value)
    assert not item.prediction.running
    assert item.ends == []
    assert leftovers() == []


def test_a_full_disk_is_told_before_the_run(watched, case_in_scene, tiny_model, monkeypatch):
    usage = shutil._ntuple_diskusage(10**9, 10**9 - 5 * 10**6, 5 * 10**6)
    monkeypatch.setattr(predictor.shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(OutputError, match=r"MB are needed and 5 MB are free.*Free some space"):
        watched().prediction.start(request_of(case_in_scene(), tiny_model))
    assert leftovers() == []


def test_a_disk_that_fills_while_the_case_is_written(watched, case_in_scene, tiny_model, monkeypatch):
    def full(_image, path, *_own_field):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(case_files, "write_image", full)
    with pytest.raises(OutputError, match="cannot be written: No space left on device"):
        watched().prediction.start(request_of(case_in_scene(), tiny_model))
    assert leftovers() == []


def test_a_segment_deleted_during_the_run_is_told(watched, worker, case_in_scene, tiny_model):
    item = watched()
    case = case_in_scene()
    item.prediction.start(request_of(case, tiny_model))
    case.segmentation.GetSegmentation().RemoveSegment(case.segment_id)
    worker.let_go()
    outcome, found = item.until_end()
    assert outcome.kind == "refused"
    assert "tumor segment was deleted" in outcome.message
    assert found is None
    assert leftovers() == []


def test_a_result_that_cannot_be_stored_is_told(watched, worker, case_in_scene, tiny_model):
    def fails(_folder, _request):
        raise KeyError("lesions")

    item = watched(store=fails)
    worker.let_go()
    item.prediction.start(request_of(case_in_scene(), tiny_model))
    outcome, found = item.until_end()
    assert outcome.kind == "crashed"
    assert "could not be brought into the scene" in outcome.message
    assert found is None
    assert leftovers() == []


def test_the_command_names_what_was_chosen(put_case, small_images, tmp_path, tiny_model):
    case = put_case(*small_images)
    files = case_files.CaseFiles(Path("ä/ct.nrrd"), Path("ä/tumor.nrrd"), Path("ä/ring.nrrd"), None)
    regions = RegionSettings(ring_mm=2.5, exclude_bone=True)
    request = request_of(case, tiny_model, regions=regions, device="cuda")
    text = " ".join(command_of(request, files))
    for part in ("--ring ring.nrrd", "--ring-mm 2.5", "--exclude-bone", "--device cuda", f"--model {tiny_model}"):
        assert part in text
    for part in ("--exclude-air", "--clinical", "--with-patient", "ä/"):
        assert part not in text
    assert "--ring-mm" not in command_of(request_of(case, "phantom-demo"), files)

"""Which model answers: none by itself for a real CT, and a synthetic one only with words that cannot be overlooked."""

from pathlib import Path

import pytest
import SimpleITK as sitk
import slicer
from PDL1PredictorGUI.background.case_files import export_case
from PDL1PredictorGUI.scene import bridge, sample, synthetic
from slicerhost.user import choose, click
from window_steps import text_of

from PDL1PredictorLib.core.case import SYNTHETIC_KEY, SYNTHETIC_MARK
from PDL1PredictorLib.core.errors import PDL1Error
from PDL1PredictorLib.imaging.case_files import Files, read_case
from PDL1PredictorLib.imaging.read import is_synthetic
from PDL1PredictorLib.resources import default_model

UNCHOSEN = "Choose a model …"
SYNTHETIC = default_model(True)


@pytest.fixture
def unchosen(ready):
    """The window with the phantom as if it were a real CT, and no model chosen for it."""
    ready.shared.parameters.model = ""
    ready.shared.live.settle()
    return ready


def another_ct(images, name="Another CT"):
    return bridge.volume_of_image(images[0], name)


def title_of(window, key):
    return window.predict.model.entry(key).title


def same_patient(*volumes):
    """Files series under one patient, as the DICOM module does."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Patient")
    for volume in volumes:
        study = hierarchy.CreateStudyItem(patient, "Study")
        hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), study)


def test_a_real_ct_has_no_model_until_one_is_chosen(shown, case_in_scene):
    parameters = shown.shared.parameters
    parameters.model = ""  # as the window opens
    case = case_in_scene()
    parameters.volume, parameters.segmentation, parameters.segment_id = case.volume, case.segmentation, case.segment_id
    shown.shared.live.settle()
    assert text_of(shown.ui.modelComboBox) == UNCHOSEN
    assert shown.ui.modelComboBox.itemText(0) == UNCHOSEN
    assert not shown.ui.predictButton.enabled
    assert shown.ui.whyNotLabel.text == "Predict is off: Choose a model first."
    assert shown.ui.modelCardButton.toolTip == "Choose a model first."


def test_no_page_of_the_window_names_a_model():
    pages = (Path(synthetic.__file__).parents[1]).rglob("*.py")
    assert not [page.name for page in pages if SYNTHETIC in page.read_text(encoding="utf-8")]


def test_a_batch_without_a_model_is_off(unchosen, tmp_path):
    ui = unchosen.ui
    click(ui.batchSection)
    choose(ui.batchSourceComboBox, "All tumors of this scene")
    click(ui.findCasesButton)
    ui.batchOutEdit.currentPath = str(tmp_path / "out")
    assert ui.batchButton.toolTip == "Choose a model in section 4."
    assert not ui.batchModelLabel.visible
    choose(ui.modelComboBox, title_of(unchosen, SYNTHETIC))
    assert ui.batchButton.enabled
    assert "Synthetic patients only" in ui.batchModelLabel.text


def test_a_synthetic_model_says_so_in_the_list_and_once_it_is_chosen(unchosen):
    ui = unchosen.ui
    assert not ui.modelTrainingLabel.visible
    assert title_of(unchosen, SYNTHETIC).startswith("Synthetic patients only: ")
    choose(ui.modelComboBox, title_of(unchosen, SYNTHETIC))
    assert ui.modelTrainingLabel.visible
    assert "what it says of a real CT is no answer" in ui.modelTrainingLabel.text
    assert ui.predictButton.enabled  # chosen on purpose


def test_a_model_of_patients_says_nothing_of_the_kind(unchosen):
    real = next(entry for entry in unchosen.predict.model.models if not entry.synthetic)
    choose(unchosen.ui.modelComboBox, real.title)
    assert not real.title.startswith("Synthetic")
    assert not unchosen.ui.modelTrainingLabel.visible


def test_the_sample_patient_chooses_the_model_for_synthetic_patients(shown):
    click(shown.ui.sampleButton)
    shown.shared.live.settle()
    assert shown.shared.parameters.model == SYNTHETIC
    assert shown.ui.predictButton.enabled
    assert "such as this one" in shown.ui.modelTrainingLabel.text


def test_another_patients_ct_starts_without_a_model(ready, small_images):
    parameters = ready.shared.parameters
    assert parameters.model
    another_ct(small_images)
    choose(ready.ui.volumeSelector, "Another CT")
    assert parameters.model == ""
    assert text_of(ready.ui.modelComboBox) == UNCHOSEN


def test_another_ct_of_the_same_patient_keeps_the_model(ready, small_images):
    parameters = ready.shared.parameters
    before = parameters.model
    same_patient(parameters.volume, another_ct(small_images))
    choose(ready.ui.volumeSelector, "Another CT")
    assert parameters.model == before != ""


def test_a_volume_that_is_no_ct_in_between_changes_nothing(ready, small_images):
    before = ready.shared.parameters.model
    bridge.volume_of_image(sitk.Abs(small_images[0]), "MR")
    for name in ("MR", "CT"):
        choose(ready.ui.volumeSelector, name)
    assert ready.shared.parameters.model == before != ""


def test_the_model_of_a_deleted_ct_is_not_the_next_patients(ready, small_images):
    slicer.mrmlScene.RemoveNode(ready.shared.parameters.volume)
    another_ct(small_images)
    choose(ready.ui.volumeSelector, "Another CT")
    assert ready.shared.parameters.model == ""


def test_the_choice_is_the_scenes(ready, tmp_path):
    before = ready.shared.parameters.model
    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(0)
    assert ready.shared.parameters.model == ""
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert ready.shared.parameters.model == before


def test_that_no_model_is_chosen_makes_no_result_out_of_date(answered):
    answered.shared.parameters.model = ""
    answered.shared.live.settle()
    assert answered.ui.staleLabel.text == ""


# --- scripts


def test_a_script_must_name_a_model_for_a_real_ct(shown, case_in_scene):
    case = case_in_scene()
    with pytest.raises(PDL1Error, match=f"Name a model for this CT, one of .*{SYNTHETIC}"):
        shown.logic.predict(case.volume, case.segmentation, case.segment_id)
    synthetic.mark_synthetic(case.volume)
    assert shown.logic.request(case.volume, case.segmentation, case.segment_id).model == SYNTHETIC


# --- the mark


@pytest.mark.parametrize("marked", [True, False])
def test_the_mark_goes_with_the_case_to_the_prediction(case_in_scene, tmp_path, marked):
    case = case_in_scene()
    if marked:
        synthetic.mark_synthetic(case.volume)
    files = export_case(case.volume, case.segmentation, case.segment_id, tmp_path)
    assert read_case(Files(files.ct, files.tumor)).case.synthetic == marked


@pytest.mark.parametrize("marked", [True, False])
def test_a_marked_file_is_synthetic_in_slicer_too(slicer_scene, small_images, tmp_path, marked):
    image = sitk.Image(small_images[0])
    if marked:
        image.SetMetaData(SYNTHETIC_KEY, SYNTHETIC_MARK)
    sitk.WriteImage(image, str(tmp_path / "ct.nrrd"))
    assert synthetic.is_synthetic(slicer.util.loadVolume(str(tmp_path / "ct.nrrd"))) == marked


def test_a_marked_file_whose_voxels_were_changed_is_no_longer(slicer_scene, small_images, tmp_path):
    image = sitk.Image(small_images[0])
    image.SetMetaData(SYNTHETIC_KEY, SYNTHETIC_MARK)
    sitk.WriteImage(image, str(tmp_path / "ct.nrrd"))
    volume = slicer.util.loadVolume(str(tmp_path / "ct.nrrd"))
    slicer.util.arrayFromVolume(volume)[0, 0, 0] += 1
    slicer.util.arrayFromVolumeModified(volume)
    assert not synthetic.is_synthetic(volume)


def test_a_file_that_the_library_does_not_read_is_no_synthetic_one(slicer_scene, small_images, tmp_path):
    sitk.WriteImage(small_images[0], str(tmp_path / "ct.nrrd"))
    volume = slicer.util.loadVolume(str(tmp_path / "ct.nrrd"))
    (tmp_path / "ct.nrrd").write_bytes(b"cut short")
    assert not synthetic.is_synthetic(volume)


def test_the_bundled_sample_patient_carries_the_mark():
    assert is_synthetic(sample.sample_folder() / sample.CT.name)

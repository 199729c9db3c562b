"""The selector of a PET: there for models that look at one, and in the way of Predict where one is needed."""

from dataclasses import replace

import pytest
import SimpleITK as sitk
import slicer
from PDL1PredictorGUI.background.case_files import CaseFiles
from PDL1PredictorGUI.background.predictor import command_of
from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.setup.models import chosen_model
from slicerhost.user import choose

from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.settings import VolumeSettings
from PDL1PredictorLib.models import manifest


@pytest.fixture
def with_pet(ready):
    """A function: the window, its model as if the manifest said this of a PET."""

    def make(wanted):
        models, key = ready.predict.model, ready.shared.parameters.model
        models._others[key] = replace(models.entry(key), pet=wanted)
        ready.ui.patientSection.collapsed = False
        ready.shared.refresh()
        return ready

    return make


def add_suv(name="PET", value=2.5):
    image = sitk.Image([6, 5, 4], sitk.sitkFloat32) + value
    image.SetSpacing((40.0, 40.0, 30.0))
    return bridge.volume_of_image(image, name)


def test_it_is_hidden_for_models_without(with_pet):
    window = with_pet("no")
    assert not window.ui.petSelector.visible
    assert not window.ui.petSelectorLabel.visible
    window.shared.parameters.pet = add_suv()
    assert window.shared.request().pet is None
    assert window.ui.predictButton.enabled


def test_a_model_that_needs_one_cannot_run_without_and_says_why(with_pet):
    window = with_pet("required")
    assert window.ui.petSelector.visible
    assert "needs a PET of the same patient" in window.ui.petNoteLabel.text
    assert not window.ui.predictButton.enabled
    assert "Choose a PET in section 1" in window.ui.whyNotLabel.text
    assert "the model needs one" in window.ui.predictButton.toolTip


def test_once_chosen_it_goes_into_the_request_and_the_command(with_pet, tmp_path):
    window, pet = with_pet("required"), add_suv()
    choose(window.ui.petSelector, "PET")
    assert "taken as SUV" in window.ui.petNoteLabel.text
    assert window.ui.predictButton.enabled
    request = window.shared.request()
    assert request.pet is pet
    files = CaseFiles(tmp_path / "ct.nrrd", tmp_path / "tumor.nrrd", None, None, tmp_path / "pet.nrrd")
    command = command_of(request, files)
    assert command[command.index("--pet") + 1] == "pet.nrrd"
    assert "--pet" not in command_of(request, files._replace(pet=None))


def test_an_optional_one_may_be_left_out(with_pet):
    window = with_pet("optional")
    assert "without one it answers from the CT alone" in window.ui.petNoteLabel.text
    assert window.ui.predictButton.enabled
    assert window.shared.request().pet is None


def test_what_is_no_suv_keeps_predict_off(with_pet):
    window = with_pet("optional")
    add_suv("Activity", 30_000.0)
    choose(window.ui.petSelector, "Activity")
    assert "which are no SUV" in window.ui.petNoteLabel.text
    assert not window.ui.predictButton.enabled
    assert "which are no SUV" in window.ui.whyNotLabel.text


def test_another_patients_ct_starts_without_the_pet_of_the_one_before(with_pet):
    window, parameters = with_pet("required"), with_pet("required").shared.parameters
    parameters.pet = add_suv()
    image = bridge.image_of_volume(parameters.volume)
    other = bridge.volume_of_image(image + 1, "Other")
    parameters.volume = other
    window.shared.refresh()
    assert parameters.pet is None
    parameters.pet = add_suv("Second")
    window.shared.refresh()
    assert parameters.pet is not None  # it was chosen beside this CT


def test_a_pet_that_was_deleted_is_not_used(with_pet):
    window = with_pet("required")
    pet = add_suv()
    window.shared.parameters.pet = pet
    assert window.ui.predictButton.enabled
    slicer.mrmlScene.RemoveNode(pet)
    assert not window.ui.predictButton.enabled


def test_a_batch_of_pairs_is_off_with_a_model_that_needs_one(with_pet):
    window = with_pet("required")
    window.batch._cases = [object()]
    window.batch.update()
    assert "The model needs a PET" in window.ui.batchButton.toolTip


def test_what_the_manifest_says_of_a_pet_reaches_the_window(tiny_model, monkeypatch):
    assert chosen_model(str(tiny_model)).pet == "no"
    read = manifest.read_manifest
    needs = Needs(picture="volume", volume=VolumeSettings(16, 3.0), pet="required")
    monkeypatch.setattr(manifest, "read_manifest", lambda bundle: replace(read(bundle), needs=needs))
    assert chosen_model(str(tiny_model)).pet == "required"

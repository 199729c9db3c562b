"""File as DICOM: for a CT from the DICOM database, with its packages or not at all, into a folder of the user's."""

from types import SimpleNamespace

import pytest
import slicer
import slicerhost
from dicom_writing import write_series
from PDL1PredictorGUI.background.filing import DicomFiling, series_file
from PDL1PredictorGUI.background.predictor import command_of
from PDL1PredictorGUI.setup import packages
from slicerhost.user import click

from PDL1PredictorLib.core.errors import InputError


@pytest.fixture
def series(ready, phantom, tmp_path, monkeypatch):
    """The CT of the window as a series of Slicer's database."""
    written = write_series(tmp_path / "Serie ü", phantom.case.ct)
    database = SimpleNamespace(
        fileForInstance=lambda uid: str(written.paths[0]) if uid == "1.2.3" else "", instanceValue=lambda *_: ""
    )
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    ready.shared.parameters.volume.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    ready.shared.refresh()
    return written


def test_a_ct_from_elsewhere_cannot_be_filed(ready):
    box = ready.ui.fileAsDicomCheckBox
    assert not box.enabled
    assert "loaded from Slicer's DICOM database" in box.toolTip
    assert series_file(ready.shared.parameters.volume) is None


def test_a_ct_from_the_database_can(ready, series):
    assert ready.ui.fileAsDicomCheckBox.enabled
    assert series_file(ready.shared.parameters.volume) == series.paths[0]


def test_what_it_takes_is_offered_and_without_it_the_box_is_empty(ready, series, monkeypatch):
    real = packages.installed_version
    monkeypatch.setattr(packages, "installed_version", lambda name: None if name == "reportlab" else real(name))
    with slicerhost.user_answers("Cancel") as dialogs:
        click(ready.ui.fileAsDicomCheckBox)
    assert "reportlab: 11 MB" in dialogs.shown[0].text
    assert not ready.ui.fileAsDicomCheckBox.checked
    monkeypatch.setattr(packages, "installed_version", real)
    click(ready.ui.fileAsDicomCheckBox)
    assert ready.ui.fileAsDicomCheckBox.checked


def test_the_request_says_where_and_the_command_from_where(ready, series, tmp_path):
    choice = ready.predict.filing
    request = ready.shared.request()
    assert choice.completed(request) is request
    click(ready.ui.fileAsDicomCheckBox)
    ready.ui.dicomFolderEdit.currentPath = ""
    with pytest.raises(InputError, match="Choose the folder for DICOM objects in section 4"):
        choice.completed(request)
    ready.ui.dicomFolderEdit.currentPath = str(tmp_path)
    filed = choice.completed(request)
    assert filed.filing.folder == tmp_path
    files = SimpleNamespace(ct=tmp_path / "ct.nrrd", tumor=tmp_path / "t.nrrd", ring=None, clinical=None, pet=None)
    command = command_of(filed, files)
    assert command[command.index("--dicom") + 1] == str(series.paths[0])
    assert "--dicom" not in command_of(request, files)


def test_each_result_gets_a_folder_of_its_own(tmp_path):
    result = tmp_path / "result" / "dicom"
    result.mkdir(parents=True)
    (result / "measures.dcm").write_bytes(b"SR")
    filing = DicomFiling(tmp_path / "1.dcm", tmp_path, "CT PD-L1 DICOM")
    assert filing.take(tmp_path / "result") == tmp_path / "CT PD-L1 DICOM"
    assert filing.take(tmp_path / "result") == tmp_path / "CT PD-L1 DICOM 2"
    assert (tmp_path / "CT PD-L1 DICOM 2" / "measures.dcm").read_bytes() == b"SR"


def test_a_prediction_from_the_window_ends_with_the_objects_in_the_folder(ready, series, tiny_model, tmp_path):
    pytest.importorskip("highdicom")
    pytest.importorskip("reportlab")
    target = tmp_path / "Ablage"
    target.mkdir()
    ready.shared.parameters.model = str(tiny_model)
    click(ready.ui.fileAsDicomCheckBox)
    ready.ui.dicomFolderEdit.currentPath = str(target)
    click(ready.ui.predictButton)
    slicerhost.wait_until(lambda: ready.predict.prediction is None, 240)
    assert ready.ui.outcomeLabel.text.startswith("Done in "), ready.ui.outcomeLabel.text
    (folder,) = target.iterdir()
    assert {"measures.dcm", "report.dcm", "segmentation.dcm"} <= {path.name for path in folder.iterdir()}

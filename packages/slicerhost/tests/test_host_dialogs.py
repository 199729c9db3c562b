"""Dialogs never block: recorded in testing mode, answered when a user is there; packages and sample data."""

import logging

import pytest

import slicerhost

pytestmark = pytest.mark.usefixtures("slicer_scene")


def test_testing_mode_records_what_would_be_shown(caplog):
    import slicer

    slicer.util.errorDisplay("No tumor.", detailedText="trace")
    (shown,) = slicerhost.dialogs.shown
    assert (shown.text, shown.icon, shown.details) == ("No tumor.", "Critical", "trace")
    assert caplog.records[-1].levelno == logging.ERROR


def test_a_user_answers_in_order():
    import qt
    import slicer

    with slicerhost.user_answers("Cancel", "Ok", "Yes", "Retry") as dialogs:
        assert not slicer.util.confirmOkCancelDisplay("Install torch?")
        assert slicer.util.confirmOkCancelDisplay("Install torch now?")
        assert slicer.util.confirmYesNoDisplay("Sure?")
        assert slicer.util.confirmRetryCloseDisplay("Failed.")
        slicer.util.infoDisplay("Done.")  # one button: no answer needed
        assert dialogs.texts == ["Install torch?", "Install torch now?", "Sure?", "Failed.", "Done."]
    assert slicer.app.testingEnabled()
    with slicerhost.user_answers("No"):
        assert qt.QMessageBox.question(None, "PD-L1", "Go on?") == qt.QMessageBox.No


def test_a_question_without_an_answer_fails():
    import slicer

    with slicerhost.user_answers(), pytest.raises(AssertionError, match="No answer is queued for"):
        slicer.util.confirmOkCancelDisplay("Install torch?")


def test_a_wrong_answer_or_one_too_many_fails():
    import slicer

    with slicerhost.user_answers("Perhaps"), pytest.raises(AssertionError, match="'Perhaps' is no button"):
        slicer.util.confirmOkCancelDisplay("Install torch?")
    with pytest.raises(AssertionError, match="answers nobody asked for"), slicerhost.user_answers("Ok"):
        pass


def test_own_dialogs_and_buttons_are_answered_too():
    import qt

    box = qt.QMessageBox()
    box.setText("Which device?")
    box.addButton("CPU", qt.QMessageBox.AcceptRole)
    gpu = box.addButton("GPU", qt.QMessageBox.AcceptRole)
    dialog = qt.QDialog()
    with slicerhost.user_answers("GPU", True, lambda shown: shown is not dialog):
        box.exec_()
        assert box.clickedButton() is gpu
        assert dialog.exec_() == qt.QDialog.Accepted
        assert dialog.exec_() == qt.QDialog.Rejected


def test_file_dialogs_give_the_path_alone_and_links_are_recorded():
    import qt

    with slicerhost.user_answers("/data/ct.nrrd", None) as dialogs:
        assert qt.QFileDialog.getOpenFileName(None, "CT", "/", "NRRD (*.nrrd)") == "/data/ct.nrrd"
        assert qt.QFileDialog.getExistingDirectory(None, "Folder") == ""
        qt.QDesktopServices.openUrl(qt.QUrl("https://www.slicer.org"))
        assert dialogs.shown[-1].text == "https://www.slicer.org"


def test_an_error_inside_a_slot_is_shown_to_the_user():
    import slicer

    with slicerhost.user_answers() as dialogs:
        with pytest.raises(ValueError, match="empty"), slicer.util.tryWithErrorDisplay("Failed.", waitCursor=True):
            raise ValueError("empty mask")
        assert dialogs.texts == ["Failed.\n\nempty mask"]


def test_packages_are_asked_for_and_recorded_but_never_installed():
    import slicer

    slicer.packaging.pip_ensure("no-such-package>=1", requester="HostToy")
    assert slicerhost.packages.installed == []  # testing mode: as in Slicer, nothing
    with slicerhost.user_answers("Cancel"), pytest.raises(RuntimeError, match="declined"):
        slicer.packaging.pip_ensure("no-such-package>=1", requester="HostToy")
    with slicerhost.user_answers("Ok") as dialogs:
        slicer.packaging.pip_ensure(["no-such-package>=1", "numpy"], constraints="c.txt", requester="HostToy")
        assert dialogs.shown[0].title.strip() == "HostToy - Install Python Packages"
    assert slicerhost.packages.installed == [["no-such-package>=1"]]
    assert slicerhost.packages.constraints == ["c.txt"]
    slicer.packaging.pip_ensure("numpy")
    slicerhost.packages.missing = {"numpy"}
    assert not slicer.packaging.pip_check("numpy")


def test_slicer_5_10_has_no_packaging():
    import slicer

    slicerhost.packages.available = False
    assert not hasattr(slicer, "packaging")
    with pytest.raises(ImportError):
        import slicer.packaging
    slicer.util.pip_install("safetensors -c constraints.txt")
    assert slicerhost.packages.installed == [["safetensors", "-c", "constraints.txt"]]


def test_requirement_files_are_read(tmp_path):
    import slicer

    file = tmp_path / "requirements.txt"
    file.write_text("# torch comes from its extension\nsafetensors>=0.4  # weights\n\n-c x.txt\n", encoding="utf-8")
    assert [str(item) for item in slicer.packaging.load_requirements(file)] == ["safetensors>=0.4"]


def test_sample_data_come_from_local_files_only(tmp_path):
    import numpy as np
    import SampleData
    import slicer

    node = slicer.util.addVolumeFromArray(np.ones((2, 3, 4), np.int16), name="CT")
    file = tmp_path / "mein CT.nrrd"
    slicer.util.saveNode(node, str(file))
    register = SampleData.SampleDataLogic.registerCustomSampleDataSource
    register("Toys", sampleName="phantom", uris=file.as_uri(), fileNames=file.name, nodeNames="Phantom CT")
    register("Toys", sampleName="far", uris="https://host.invalid/ct.nrrd", fileNames="ct.nrrd", nodeNames="CT")
    assert SampleData.downloadSample("phantom").GetName() == "Phantom CT"
    with pytest.raises(RuntimeError, match="downloads nothing"):
        SampleData.downloadSample("far")
    with pytest.raises(ValueError, match="no sample data"):
        SampleData.downloadSample("unknown")


def test_console_processes_run_as_this_python():
    import slicer

    lines, codes = [], []
    command = ["PythonSlicer", "-c", "import sys; print(sys.executable); sys.exit(4)"]
    slicer.util.launchConsoleProcess(
        command, useStartupEnvironment=False, blocking=False, logCallback=lines.append, completedCallback=codes.append
    )
    slicerhost.wait_until(lambda: codes)
    import sys

    assert (lines, codes) == ([sys.executable], [4])

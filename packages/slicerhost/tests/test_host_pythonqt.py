"""PythonQt's rules: what a script may write in Slicer works here, and what Slicer refuses is refused."""

import pytest

import slicerhost

pytestmark = pytest.mark.usefixtures("slicer_scene")


def test_a_property_is_a_value_and_cannot_be_called():
    import qt

    label = qt.QLabel("tumor")
    assert label.text == "tumor"
    with pytest.raises(TypeError, match="not callable"):
        label.text()
    label.text = "ring"
    label.setText(label.text + "s")
    assert label.text == "rings"


def test_name_is_the_object_name():
    import qt

    label = qt.QLabel()
    label.name = "CT"
    assert label.objectName == "CT"
    assert label.className() == "QLabel"


@pytest.mark.parametrize("name", ["txt", "_private", "checked"])
def test_an_unknown_attribute_of_a_cpp_object_can_be_neither_read_nor_made(name):
    import qt

    label = qt.QLabel()
    with pytest.raises(AttributeError, match=f"has no attribute named '{name}'"):
        getattr(label, name)
    with pytest.raises(AttributeError, match="creating new attributes on C"):
        setattr(label, name, 1)


def test_a_stand_in_refuses_new_attributes_and_overwritten_methods_too():
    import slicer

    selector = slicer.qMRMLNodeComboBox()
    with pytest.raises(AttributeError, match="creating new attributes"):
        selector.currentnode = None
    with pytest.raises(AttributeError, match="can not be overwritten"):
        selector.currentNode = None


def test_a_python_subclass_may_have_attributes_of_its_own():
    import qt

    class Panel(qt.QWidget):
        def __init__(self):
            super().__init__()
            self.answer = 42

    assert Panel().answer == 42


@pytest.mark.parametrize(("name", "value"), [("text", 5), ("text", b"bytes"), ("width", 3), ("alignment", "left")])
def test_a_property_takes_values_of_its_type_only(name, value):
    import qt

    with pytest.raises(AttributeError, match="does not accept|not writable"):
        setattr(qt.QLabel(), name, value)


def test_dynamic_properties_and_children_are_attributes():
    import qt

    parent = qt.QWidget()
    child = qt.QLabel("x", parent)
    child.name = "inner"
    parent.setProperty("SlicerParameterName", "ct")
    assert parent.SlicerParameterName == "ct"
    assert parent.inner is child
    assert parent.property("nothing") is None


def test_signals_are_connected_by_signature_and_slots_get_what_they_take():
    import qt

    seen = []
    box = qt.QCheckBox()
    assert box.connect("toggled(bool)", seen.append)
    box.connect("toggled(bool)", lambda: seen.append("none"))
    box.checked = True
    assert seen == [True, "none"]
    assert box.disconnect("toggled(bool)", seen.append)
    box.checked = False
    assert seen == [True, "none", "none"]
    box.disconnect("toggled(bool)")
    box.checked = True
    assert len(seen) == 3


@pytest.mark.parametrize("signature", ["toggled(int)", "changed()", "toggled"])
def test_an_unknown_signal_is_refused(signature):
    import qt

    with pytest.raises((AttributeError, ValueError), match="signal"):
        qt.QCheckBox().connect(signature, print)


def test_a_stand_ins_signal_needs_slicers_signature():
    import slicer

    selector = slicer.qMRMLNodeComboBox()
    assert selector.connect("currentNodeChanged(vtkMRMLNode*)", print)
    with pytest.raises(AttributeError, match="does not exist"):
        selector.connect("currentNodeChanged(QString)", print)


def test_an_exception_in_a_slot_is_kept_and_does_not_stop_the_caller():
    import qt

    def fail():
        raise ValueError("bad contour")

    button = qt.QPushButton()
    button.connect("clicked()", fail)
    button.click()
    (error,) = slicerhost.slot_errors
    assert str(error) == "bad contour"
    slicerhost.slot_errors.clear()


def test_enums_are_reached_without_their_types_name_and_through_objects():
    import qt

    assert qt.QMessageBox.Ok | qt.QMessageBox.Cancel
    assert qt.QProcess().NotRunning == qt.QProcess.NotRunning
    label = qt.QLabel()
    label.alignment = qt.Qt.AlignCenter
    assert label.alignment == qt.Qt.AlignCenter


def test_a_timer_calls_once():
    import qt

    seen = []
    qt.QTimer.singleShot(0, lambda: seen.append(1))
    slicerhost.wait_until(lambda: seen)
    slicerhost.process_events(0.02)
    assert seen == [1]


def test_a_process_that_cannot_start_says_so():
    import qt

    errors = []
    process = qt.QProcess()
    process.connect("errorOccurred(QProcess::ProcessError)", errors.append)
    process.start("no-such-program", [])
    slicerhost.wait_until(lambda: errors)
    assert errors == [qt.QProcess.FailedToStart]


def test_a_ctk_class_without_a_stand_in_is_named():
    import ctk

    with pytest.raises(AttributeError, match=r"no stand-in for ctk\.ctkThermometer"):
        ctk.ctkThermometer()


FAULTS = {
    "value = qt.Qt.AlignmentFlag.AlignCenter": "qt.Qt.AlignmentFlag.AlignCenter",
    "process.start(qt.QProcess.ProcessState.Running)": "qt.QProcess.ProcessState.Running",
    "import PySide6": "import of PySide6",
    "from PySide6.QtCore import QTimer": "import of PySide6.QtCore",
    "x = qt.QNoSuchWidget()": "qt.QNoSuchWidget",
}


@pytest.mark.parametrize("source", FAULTS)
def test_the_source_check_finds_what_only_pyside_would_take(source):
    assert FAULTS[source] in slicerhost.source_faults(source)[0]


def test_the_source_check_accepts_pythonqts_spelling():
    assert (
        slicerhost.source_faults("import qt\nx = qt.QProcess.Running\ny = qt.Qt.AlignCenter\nqt.QWidget().x.y.z") == []
    )

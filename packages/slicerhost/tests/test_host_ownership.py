"""PythonQt's ownership: what would end too early in Slicer fails a test here, and what lives there lives here."""

import gc
import weakref

import pytest

import slicerhost

pytestmark = pytest.mark.usefixtures("slicer_scene")


@pytest.fixture
def toy(slicer_scene):
    """The page of mistakes; it imports qt, so that the application must run."""
    import mistakes

    return mistakes


def taken_errors():
    """The errors that would fail the test; taken, so that they do not fail this one."""
    errors, slicerhost.slot_errors[:] = list(slicerhost.slot_errors), []
    return errors


def expect_ownership_error(text):
    (error,) = taken_errors()
    assert isinstance(error, slicerhost.OwnershipError)
    assert text in str(error)


@pytest.mark.parametrize("later", [False, True])
def test_a_process_that_goes_in_its_own_signal_is_an_error_with_and_without_delete_later(toy, later):
    run = toy.LetsGoInItsOwnSignal(later)
    slicerhost.wait_until(lambda: run.done)
    expect_ownership_error("The last reference to QProcess went inside a slot of its own signal finished(int,")


def test_a_process_that_is_kept_until_the_next_turn_is_none(toy):
    run = toy.LetsGoAtTheNextTurn()
    process = weakref.ref(run.process)
    slicerhost.wait_until(lambda: run.done and process() is None)


def test_a_dialog_that_goes_in_its_buttons_signal_is_an_error(toy):
    toy.ClosesItsDialogFromWithin().button.click()
    expect_ownership_error(
        "The last reference to QDialog went inside a slot of the signal clicked() of its QPushButton"
    )


def test_a_dialog_that_is_only_hidden_there_is_none(toy):
    panel = toy.ClosesItsDialogLater()
    panel.button.click()
    assert not panel.dialog.visible


def test_an_object_that_is_deleted_outright_in_its_own_signal_is_an_error():
    import qt

    button = qt.QPushButton()
    button.connect("clicked()", lambda: button.delete())
    button.click()
    expect_ownership_error("QPushButton was deleted inside a slot of its own signal clicked()")


def test_a_process_that_nothing_holds_is_ended_and_an_error(toy):
    toy.start_and_forget()
    expect_ownership_error("QProcess: Destroyed while process")


def test_a_timer_that_nothing_holds_never_comes(toy):
    seen = []
    toy.timer_of_a_function(seen)
    slicerhost.process_events(0.05)
    assert seen == []


def test_a_timer_that_its_parent_holds_comes(toy):
    import qt

    seen, parent = [], qt.QObject()
    toy.timer_of_a_function(seen, parent)
    slicerhost.wait_until(lambda: seen)


def test_a_timer_that_its_slot_knows_comes(toy):
    seen = []
    toy.timer_whose_slot_names_it(seen)
    gc.collect()
    slicerhost.wait_until(lambda: seen)


def test_a_dialog_that_nothing_holds_is_not_shown(toy):
    import qt

    toy.show_and_forget()
    assert [widget for widget in qt.QApplication.topLevelWidgets() if widget.windowTitle == "Forgotten"] == []


def test_a_connection_holds_the_object_behind_a_method_but_not_the_sender(toy):
    import qt

    seen, button = [], qt.QPushButton()
    listener = weakref.ref(toy.Listener(button, seen))
    gc.collect()
    button.click()
    assert seen == ["clicked"]
    assert listener() is not None
    sender = weakref.ref(button)
    del button
    assert sender() is None
    assert listener() is None


def test_a_disconnected_method_lets_its_object_go(toy):
    import qt

    button = qt.QPushButton()
    listener = weakref.ref(toy.Listener(button, []))
    assert button.disconnect("clicked()", listener().on_click)
    assert listener() is None


def test_a_model_that_only_its_view_has_is_an_error(toy):
    import qt

    view = qt.QTableView()
    toy.show_rows(view)
    slicerhost.process_events()
    expect_ownership_error("Nothing holds the QStandardItemModel given to QTableView.setModel()")


def test_a_model_that_is_kept_or_replaced_is_none(toy):
    import qt

    view, keep = qt.QTableView(), []
    toy.show_rows(view, keep)
    toy.show_rows(view, keep)
    del keep[0]
    slicerhost.process_events()
    assert keep[0].rowCount() == 3
    assert taken_errors() == []


def test_a_model_may_go_with_its_view(toy):
    import qt

    toy.show_rows(qt.QTableView())
    slicerhost.process_events()
    assert taken_errors() == []


def test_what_a_layout_without_a_widget_holds_is_an_error(toy):
    layout = toy.layout_of_labels()
    slicerhost.process_events()
    expect_ownership_error("Nothing holds the QLabel given to QVBoxLayout.addWidget()")
    assert layout.count() == 1


def test_what_a_widgets_layout_holds_is_the_widgets():
    import qt

    panel = qt.QWidget()
    qt.QVBoxLayout(panel).addWidget(qt.QLabel("of the panel"))
    gc.collect()
    slicerhost.process_events()
    (label,) = [child for child in panel.children() if child.className() == "QLabel"]
    assert label.text == "of the panel"
    assert label.parent() is panel


def test_a_child_goes_with_its_parent_and_its_wrapper_says_so():
    import qt

    parent = qt.QWidget()
    child = qt.QLabel("inner", parent)
    assert child
    del parent
    assert not child
    with pytest.raises(ValueError, match="Trying to read property 'text' from a destroyed QLabel object"):
        _ = child.text
    with pytest.raises(ValueError, match="Trying to call 'setText' on a destroyed QLabel object"):
        child.setText("gone")
    with pytest.raises(AttributeError, match="Trying to set property 'text' on a destroyed QLabel object"):
        child.text = "gone"


def test_a_python_class_keeps_its_own_attributes_when_its_object_is_gone():
    import qt

    class Panel(qt.QWidget):
        def __init__(self, parent):
            qt.QWidget.__init__(self, parent)
            self.answer = 42

    parent = qt.QWidget()
    panel = Panel(parent)
    del parent
    panel.answer += 1
    assert panel.answer == 43
    with pytest.raises(AttributeError, match="on a destroyed Panel object"):
        panel.enabled = False


def test_an_object_that_is_fetched_again_is_not_owned_by_its_new_wrapper():
    import qt

    panel = qt.QWidget()
    qt.QLabel("inner", panel).setObjectName("inner")
    assert panel.inner.text == "inner"
    gc.collect()
    assert panel.inner.text == "inner"

"""A headless host that runs an unmodified 3D Slicer scripted module; see the package's README.

app = slicerhost.start()  # once per process
widget = slicerhost.load_module("MyModule/MyModule.py").widgetRepresentation().self()
"""

import atexit
import importlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app.application import qSlicerApplication
    from .app.modules import ScriptedModule

__version__ = "1.0.0"

_app: "qSlicerApplication | None" = None
ALIASES = ("vtkITK", "vtkSegmentationCore", "vtkTeem")


def set_environment() -> None:
    """Chooses rendering without a screen; must run before anything imports Qt or VTK."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")


def start(testing: bool = True, home: Path | None = None, layout: bool = True) -> "qSlicerApplication":
    """Starts the application; a second call gives the one that runs.

    Args:
        testing: As Slicer's ``--testing``: `slicer.util` shows no dialogs.
        home: Folder for settings, temporary files and cache; None makes a new one.
        layout: False is Slicer's ``--no-main-window``: ``slicer.app.layoutManager()`` is None.
    """
    global _app
    if _app is not None:
        return _app
    set_environment()
    import slicer
    import slicer.util

    from .pythonqt.qt_module import install_ctk, install_qt

    install_qt()
    # The stand-ins declare Qt properties: their modules can only be imported once the rules are in place.
    from .app import application, console, modules, packaging_tools, sample_data, scripted
    from .parameter_node import install as install_parameter_node
    from .pythonqt import dialog_record
    from .pythonqt.stand_in import of_library
    from .widgets import ctk_widgets, segment_editor, values  # noqa: F401 - they register their stand-ins

    install_ctk()
    for name, cls in of_library("slicer").items():
        setattr(slicer, name, cls)
    application.add_aliases(ALIASES)
    _app = application.qSlicerApplication(home, testing, layout)
    slicer.qSlicerScriptedLoadableModule = modules.ScriptedModule
    scripted.install()
    install_parameter_node()
    packaging_tools.install()
    sample_data.install()
    console.install()
    dialog_record.install_in_slicer_util()
    atexit.register(_app.close)
    return _app


def __getattr__(name: str) -> Any:
    """What can only be imported once the application runs.

    Raises:
        AttributeError: The application does not run, or there is no such name.
    """
    homes = {
        "MainWindow": "app.main_window",
        "dialogs": "pythonqt.dialog_record",
        "OwnershipError": "pythonqt.ownership",
        "user_answers": "pythonqt.dialog_record",
        "packages": "app.packaging_tools",
        "slot_errors": "pythonqt.signals",
        "source_faults": "pythonqt.source_check",
    }
    if _app is None or name not in homes:
        raise AttributeError(f"slicerhost has no '{name}'" + (" before start()" if name in homes else ""))
    return getattr(importlib.import_module(f".{homes[name]}", __name__), name)


def load_module(path: str | Path) -> "ScriptedModule":
    """Loads a scripted module by its file; the application must run."""
    assert _app is not None, "call slicerhost.start() first"
    return _app.moduleManager().loadModule(str(path))


def _report_overdue_loans() -> None:
    from .pythonqt import ownership, signals

    for error in ownership.overdue():
        signals.report_slot_error(error)


def delete_later_now() -> None:
    """Deletes what `deleteLater` has marked: outside Qt's own loop nothing else does."""
    from PySide6 import QtCore

    from .pythonqt import ownership

    QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
    ownership.let_go()


PATIENCE = 10  # a wait that ends well ends at once: only a test that fails takes longer for it


def process_events(seconds: float = 0.0) -> None:
    """Lets the event loop work, for a while if asked."""
    wait_until(lambda: False, seconds, fail=False)


def wait_until(condition: Callable[[], Any], seconds: float = 30.0, fail: bool = True) -> bool:
    """Lets the event loop work until a condition holds.

    Args:
        condition: What is waited for.
        seconds: How long on an idle machine; one that others use too is given `PATIENCE` times as long.
        fail: Raise if it does not hold in time; otherwise the time is just what is asked for.

    Raises:
        TimeoutError: It did not in time, and `fail` is set.
    """
    assert _app is not None, "call slicerhost.start() first"
    seconds *= PATIENCE if fail else 1
    end = time.monotonic() + seconds
    while True:
        _app.processEvents()
        _report_overdue_loans()
        if condition():
            return True
        if time.monotonic() >= end:
            break
        time.sleep(0.005)
    if fail:
        raise TimeoutError(f"the condition did not hold within {seconds} s")
    return False

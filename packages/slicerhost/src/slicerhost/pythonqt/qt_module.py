"""The modules ``qt`` and ``ctk`` as scripts import them."""

import sys
import types
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtGui, QtSvg, QtUiTools, QtWidgets

from . import attributes, dialog_record, signals
from .stand_in import of_library
from .ui_loader import QUiLoader

#: What Slicer's ``qt`` module offers beyond Qt 6 (PySide6) or lacks of it is not imitated; these are the Qt modules.
QT_MODULES = [QtCore, QtGui, QtWidgets, QtUiTools, QtSvg]


def _single_shot(msec: int, receiver: Any, slot: str | None = None) -> None:
    """QTimer.singleShot as Slicer replaces it: a callable, or a receiver and its slot."""
    timer = QtCore.QTimer(QtCore.QCoreApplication.instance())
    timer.setSingleShot(True)
    target = (receiver,) if slot is None else (receiver, slot)
    signals.connect(timer, "timeout()", *target)
    signals.connect(timer, "timeout()", timer.deleteLater)
    timer.start(msec)


def install_qt() -> types.ModuleType:
    """Changes PySide6 to PythonQt's rules and makes ``import qt`` work; once per process."""
    attributes.install_rules(QT_MODULES)
    QtCore.QTimer.singleShot = staticmethod(_single_shot)
    dialog_record.install()
    qt = types.ModuleType("qt", "Qt with PythonQt's rules, made from PySide6 by the test host")
    for module in QT_MODULES:
        for name in dir(module):
            if not name.startswith("_"):
                setattr(qt, name, getattr(module, name))
    qt.QUiLoader = QUiLoader  # type: ignore[attr-defined]
    sys.modules["qt"] = qt
    return qt


def _refuse(library: str) -> Callable[[str], Any]:
    def getter(name: str) -> Any:
        raise AttributeError(f"the test host has no stand-in for {library}.{name}")

    return getter


def install_ctk() -> types.ModuleType:
    """Makes ``import ctk`` work, from the stand-ins."""
    ctk = types.ModuleType("ctk", "Stand-ins of CTK's widgets, made by the test host")
    for name, cls in of_library("ctk").items():
        setattr(ctk, name, cls)
    ctk.__getattr__ = _refuse("ctk")  # type: ignore[method-assign]
    sys.modules["ctk"] = ctk
    return ctk

"""``qt.QUiLoader``: Qt's own loader with the stand-ins as custom widgets, strict where Qt would only warn.

An unknown widget class, property, signal, slot or object name raises `UiError`: in Slicer the same .ui file would lose
that part in silence.
"""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtUiTools, QtWidgets

from . import signals
from .attributes import loading_ui
from .stand_in import REGISTRY

#: Spellings of Designer that are no properties of the widget itself
DESIGNER_ONLY = {("QTableWidget", "rowCount"), ("QTableWidget", "columnCount")}


class UiError(RuntimeError):
    """The .ui file names something that does not exist."""


class QUiLoader(QtUiTools.QUiLoader):
    """Loads a Designer file the way Slicer's loader does."""

    def createWidget(
        self, class_name: str, parent: QtWidgets.QWidget | None = None, name: str = ""
    ) -> QtWidgets.QWidget:
        """Called by Qt for each widget of the file.

        Raises:
            UiError: A ctk or qMRML class that the host has no stand-in for.
        """
        if class_name in REGISTRY:
            widget = REGISTRY[class_name](parent)
            QtCore.QObject.setObjectName(widget, name)
            return widget
        if class_name.startswith(("ctk", "qMRML", "qSlicer")):
            raise UiError(f"The test host has no stand-in for the widget class {class_name}.")
        return super().createWidget(class_name, parent, name)

    def load(self, source: Any, parent: QtWidgets.QWidget | None = None) -> QtWidgets.QWidget:
        """Makes the widget of a file (a path or an open QIODevice).

        Raises:
            UiError: The file is not valid, or names an unknown class, property, object, signal or slot.
        """
        text = Path(source).read_bytes() if isinstance(source, str) else source.readAll().data()
        root = ET.fromstring(text)  # noqa: S314 - a file of the module itself
        _refuse_unknown_classes(root)
        connections = _take_connections(root)
        buffer = QtCore.QBuffer(self)
        buffer.setData(ET.tostring(root))
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        with loading_ui():
            widget = super().load(buffer, parent)
        if widget is None:
            raise UiError(self.errorString())
        objects = {_name(item): item for item in [widget, *QtCore.QObject.findChildren(widget, QtCore.QObject)]}
        _refuse_unknown_properties(root, objects)
        _connect(connections, objects)
        return widget


def _name(obj: QtCore.QObject) -> str:
    return QtCore.QObject.objectName(obj)


def _refuse_unknown_classes(root: ET.Element) -> None:
    """Qt drops a widget whose creation fails; this says so before."""
    declared = {item.findtext("class") for item in root.iter("customwidget")}
    for element in root.iter("widget"):
        name = element.get("class", "")
        if name in REGISTRY and name not in declared:
            raise UiError(f"{name} is used but not listed under <customwidgets>.")
        if name not in REGISTRY and not hasattr(QtWidgets, name) and name != "Line":
            raise UiError(f"The test host has no stand-in for the widget class {name}.")


def _take_connections(root: ET.Element) -> list[tuple[str, str, str, str]]:
    """The file's connections, taken out: Qt cannot make those with vtkMRMLScene* arguments."""
    section = root.find("connections")
    if section is None:
        return []
    root.remove(section)
    return [
        (
            item.findtext("sender", ""),
            item.findtext("signal", ""),
            item.findtext("receiver", ""),
            item.findtext("slot", ""),
        )
        for item in section.findall("connection")
    ]


def _refuse_unknown_properties(root: ET.Element, objects: dict[str, QtCore.QObject]) -> None:
    for element in root.iter("widget"):
        class_name, name = element.get("class", ""), element.get("name", "")
        if name not in objects:
            raise UiError(f"{class_name} '{name}' was not created.")
        meta = QtCore.QObject.metaObject(objects[name])
        for item in element.findall("property"):
            property_name = item.get("name", "")
            dynamic = item.get("stdset") == "0"
            if (class_name, property_name) in DESIGNER_ONLY or dynamic or class_name == "Line":
                continue
            if meta.indexOfProperty(property_name) < 0:
                raise UiError(f"{class_name} '{name}' has no property '{property_name}'.")


def _connect(connections: list[tuple[str, str, str, str]], objects: dict[str, QtCore.QObject]) -> None:
    for sender, signal, receiver, slot in connections:
        for name in (sender, receiver):
            if name not in objects:
                raise UiError(f"A connection names the unknown object '{name}'.")
        method = signals.split(slot)[0]
        if not hasattr(objects[receiver], method):
            raise UiError(f"'{receiver}' has no slot '{slot}'.")
        try:
            signals.connect(objects[sender], signal, getattr(objects[receiver], method))
        except AttributeError as error:
            raise UiError(f"'{sender}': {error}") from error

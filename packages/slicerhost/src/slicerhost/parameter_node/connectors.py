"""Which widget may show which type of parameter, and how: the pairs that Slicer knows, and no others."""

import enum
import math
import pathlib
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ctk
import qt
import slicer

from . import annotations
from .annotations import Choice, Decimals, Maximum, Minimum, SingleStep, WithinRange

INT_LIMITS = (-(2**31), 2**31 - 1)


@dataclass
class Connector:
    """One widget that shows one parameter."""

    widget: Any
    read: Callable[[], Any]
    write: Callable[[Any], None]
    signal: Any = None  # None: the widget only shows
    _slot: Callable[..., None] | None = None

    def connect(self, changed: Callable[[], None]) -> None:
        """Calls `changed` at each change by the widget."""
        if self.signal is not None:
            self._slot = lambda *_: changed()
            self.signal.connect(self._slot)

    def disconnect(self) -> None:
        """Ends `connect`."""
        if self._slot is not None:
            self.signal.disconnect(self._slot)
            self._slot = None


def _property(widget: Any, name: str, signal: Any) -> Connector:
    return Connector(widget, lambda: getattr(widget, name), lambda value: setattr(widget, name, value), signal)


def _number(widget: Any, type_: type, notes: list[Any], bounded: bool, limits: tuple[float, float]) -> Connector:
    within = annotations.first(notes, WithinRange)
    lowest, highest = annotations.first(notes, Minimum), annotations.first(notes, Maximum)
    low = within.minimum if within else lowest.minimum if lowest else None
    high = within.maximum if within else highest.maximum if highest else None
    if bounded and (low is None or high is None):
        raise RuntimeError(f"Cannot have a connection to {type(widget).__name__} where the number is unbounded.")
    decimals, step = annotations.first(notes, Decimals), annotations.first(notes, SingleStep)
    if type_ is int and hasattr(widget, "decimals"):
        widget.decimals = 0
    elif decimals is not None and hasattr(widget, "decimals"):
        widget.decimals = decimals.value
    if step is not None:
        widget.singleStep = step.value
    widget.minimum = limits[0] if low is None else low
    widget.maximum = limits[1] if high is None else high
    connector = _property(widget, "value", widget.valueChanged)
    connector.read = lambda: type_(widget.value)
    connector.write = lambda value: setattr(widget, "value", type_(value))
    return connector


def _choice(widget: Any, labels: list[str], values: list[Any]) -> Connector:
    widget.clear()
    for label in labels:
        widget.addItem(label)
    return Connector(
        widget,
        lambda: values[widget.currentIndex],
        lambda value: setattr(widget, "currentIndex", values.index(value)),
        widget.currentIndexChanged,
    )


def _text(widget: Any) -> Connector | None:
    kind = type(widget)
    if kind is qt.QLabel:
        return _property(widget, "text", None)
    if kind is qt.QTextEdit:
        return Connector(widget, widget.toPlainText, widget.setPlainText, widget.textChanged)
    if kind is qt.QLineEdit:
        connector = _property(widget, "text", widget.textChanged)
        # Writing an equal text would move the cursor.
        connector.write = lambda value: setattr(widget, "text", value) if value != widget.text else None
        return connector
    return None


def _flag(widget: Any) -> Connector | None:
    kind = type(widget)
    if kind in (qt.QCheckBox, qt.QPushButton, ctk.ctkCheckBox, ctk.ctkCheckablePushButton):
        widget.checkable = True
        return _property(widget, "checked", widget.toggled)
    return None


def _path(widget: Any, type_: Any) -> Connector | None:
    names = {ctk.ctkPathLineEdit: "currentPath", ctk.ctkDirectoryButton: "directory"}
    name = names.get(type(widget))
    if name is None:
        return None
    connector = _property(widget, name, getattr(widget, f"{name}Changed"))
    connector.read = lambda: type_(getattr(widget, name))
    connector.write = lambda value: setattr(widget, name, str(value))
    return connector


def node_classes(type_: Any) -> list[type]:
    """The node classes of a node type or of a union of such with None; empty for any other type."""
    type_, _ = annotations.split(type_)
    members = [annotations.split(item)[0] for item in typing.get_args(type_)] or [type_]
    classes = [item for item in members if isinstance(item, type) and issubclass(item, slicer.vtkMRMLNode)]
    others = [item for item in members if item not in classes and item is not type(None)]
    return [] if others else classes


def _node(widget: Any, classes: list[type]) -> Connector | None:
    if type(widget) is not slicer.qMRMLNodeComboBox:
        return None
    widget.nodeTypes = [cls.__name__ for cls in classes]  # as Slicer does: the .ui file's own are replaced
    return Connector(widget, widget.currentNode, widget.setCurrentNode, widget.currentNodeChanged)


def _combo(widget: Any, type_: Any, notes: list[Any]) -> Connector | None:
    if isinstance(type_, type) and issubclass(type_, enum.Enum):
        members = list(type_)
        label = getattr(type_, "label", lambda member: member.name)
        return _choice(widget, [label(member) for member in members], members)
    choice = annotations.first(notes, Choice)
    if type_ in (int, float, str, bool):
        if choice is None:
            raise RuntimeError("A combo box needs the Choice annotation.")
        return _choice(widget, [str(item) for item in choice.choices], list(choice.choices))
    return None


def _find(widget: Any, type_: Any, notes: list[Any]) -> Connector | None:
    kind = type(widget)
    classes = node_classes(type_)
    if classes:
        return _node(widget, classes)
    if kind in (qt.QComboBox, ctk.ctkComboBox):
        return _combo(widget, type_, notes)
    if type_ is bool:
        return _flag(widget)
    if type_ is int and kind in (qt.QSlider, qt.QSpinBox):
        return _number(widget, int, notes, kind is qt.QSlider, INT_LIMITS)
    sliders = (ctk.ctkSliderWidget, slicer.qMRMLSliderWidget)
    floats = (*sliders, qt.QDoubleSpinBox, ctk.ctkDoubleSlider, ctk.ctkDoubleSpinBox, slicer.qMRMLSpinBox)
    if type_ in (int, float) and kind in floats:
        return _number(widget, type_, notes, kind in sliders, (-math.inf, math.inf))
    if type_ is str:
        return _text(widget)
    if isinstance(type_, type) and issubclass(type_, pathlib.PurePath):
        return _path(widget, type_)
    return None


def make(widget: Any, datatype: Any) -> Connector:
    """The connector of a widget and a parameter's annotated type.

    Raises:
        RuntimeError: Slicer has none for this pair.
    """
    type_, notes = annotations.split(datatype)
    connector = _find(widget, type_, notes)
    if connector is None:
        raise RuntimeError(f"Unable to create GUI connector from datatype '{datatype}' to widget '{type(widget)}'.")
    return connector

"""``@parameterNodeWrapper``: a class whose annotated members live in the module's parameter node."""

import typing
from typing import Any

import slicer
import vtk

from . import connectors, storage
from .annotations import Default, first, split

PROPERTY = "SlicerParameterName"
RESERVED = (
    *("allParameters", "default", "isCached", "dataType", "getValue", "setValue", "connectGui", "disconnectGui"),
    *("connectParametersToGui", "StartModify", "EndModify", "AddObserver", "RemoveObserver", "Modified"),
)


class Parameter:
    """One member: a descriptor that reads and writes the parameter node of its object."""

    def __init__(self, name: str, datatype: Any, default: Default) -> None:
        self.name, self.datatype, self.default = name, datatype, default
        self.storage = storage.make(datatype)

    def __get__(self, owner: Any, _cls: Any = None) -> Any:
        return self if owner is None else self.read(owner.parameterNode)

    def __set__(self, owner: Any, value: Any) -> None:
        with slicer.util.NodeModify(owner.parameterNode):  # observers come when the value is whole
            self.storage.write(owner.parameterNode, self.name, value)

    def read(self, node: Any) -> Any:
        """The value; one that is not there, as after closing the scene, becomes the default."""
        self.ensure(node)
        return self.storage.read(node, self.name)

    def ensure(self, node: Any) -> None:
        """Writes the default if there is no value."""
        if not self.storage.present(node, self.name):
            with slicer.util.NodeModify(node):
                self.storage.write(node, self.name, self.default.value)


class Connection:
    """The widgets of one `connectGui`."""

    def __init__(self, wrapper: "ParameterNodeWrapper", widgets: dict[str, Any]) -> None:
        self._wrapper = wrapper
        self._updating = False
        self._connectors = {name: connectors.make(widget, wrapper.dataType(name)) for name, widget in widgets.items()}
        for name, connector in self._connectors.items():
            connector.write(wrapper.getValue(name))
            connector.connect(lambda name=name, connector=connector: self._widget_changed(name, connector))
        self._tag = wrapper.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._node_changed())

    def _widget_changed(self, name: str, connector: connectors.Connector) -> None:
        if not self._updating:
            self._wrapper.setValue(name, connector.read())

    def _node_changed(self) -> None:
        if self._updating:
            return
        self._updating = True
        try:
            for name, connector in self._connectors.items():
                connector.write(self._wrapper.getValue(name))
        finally:
            self._updating = False

    def close(self) -> None:
        """Ends it."""
        for connector in self._connectors.values():
            connector.disconnect()
        self._wrapper.RemoveObserver(self._tag)


class ParameterNodeWrapper:
    """What the decorator adds to a class; names are Slicer's."""

    allParameters: dict[str, Parameter]

    def __init__(self, parameterNode: Any, prefix: str | None = None) -> None:
        assert parameterNode is not None
        assert prefix is None, "the test host has no prefixes"
        self.parameterNode = parameterNode
        self._connections: dict[int, Connection] = {}
        self._next_tag = 0
        for parameter in self.allParameters.values():
            parameter.ensure(parameterNode)

    @classmethod
    def _parameter(cls, name: str) -> Parameter:
        if name not in cls.allParameters:
            raise ValueError(f"Cannot find a param with the given name: {name}; found {list(cls.allParameters)}")
        return cls.allParameters[name]

    @classmethod
    def dataType(cls, name: str) -> Any:
        """The annotated type of a parameter."""
        return cls._parameter(name).datatype

    def default(self, name: str) -> Default:
        """The default of a parameter."""
        return self._parameter(name).default

    def isCached(self, name: str) -> bool:
        """The host reads the node each time."""
        self._parameter(name)
        return False

    def getValue(self, name: str) -> Any:
        """A parameter by its name."""
        return self._parameter(name).read(self.parameterNode)

    def setValue(self, name: str, value: Any) -> None:
        """Sets a parameter by its name."""
        self._parameter(name).__set__(self, value)

    def connectGui(self, gui: Any) -> int:
        """Connects all widgets that carry the property SlicerParameterName; `gui` is a widget or the `ui` object.

        Raises:
            ValueError: A widget names a parameter that does not exist.
            RuntimeError: Slicer has no connector for a widget and its parameter.
        """
        widgets = _find_widgets(gui)
        return self.connectParametersToGui({str(w.property(PROPERTY)): w for w in widgets if w.property(PROPERTY)})

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        """Connects parameters by name to widgets; returns what `disconnectGui` takes."""
        for name in mapping:
            self._parameter(name)
        tag, self._next_tag = self._next_tag, self._next_tag + 1
        self._connections[tag] = Connection(self, mapping)
        return tag

    def disconnectGui(self, tag: int) -> None:
        """Ends a connection; an unknown one is ignored, as in Slicer."""
        if tag in self._connections:
            self._connections.pop(tag).close()

    def StartModify(self) -> int:
        """As the node's."""
        return self.parameterNode.StartModify()

    def EndModify(self, was_modifying: int) -> int:
        """As the node's."""
        return self.parameterNode.EndModify(was_modifying)

    def AddObserver(self, event: Any, callback: Any, priority: float = 0.0) -> int:
        """As the node's."""
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        """As the node's."""
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        """As the node's."""
        self.parameterNode.Modified()


def _find_widgets(gui: Any) -> list[Any]:
    import qt

    return gui.findChildren(qt.QWidget) if isinstance(gui, qt.QWidget) else list(vars(gui).values())


def find_child_widget(widget: Any, parameter: str) -> Any:
    """The child that shows a parameter, or None."""
    return next((child for child in _find_widgets(widget) if child.property(PROPERTY) == parameter), None)


def is_wrapper(value: Any) -> bool:
    """Whether a class, or an object's, was decorated."""
    return bool(getattr(value, "_is_parameter_node_wrapper", False))


def wrap(cls: type | None = None) -> Any:
    """The decorator, with or without parentheses.

    Raises:
        ValueError: A member has a name that the wrapper needs.
        TypeError: A member's type cannot be stored.
    """
    if cls is None:
        return wrap
    parameters = {}
    for name, datatype in typing.get_type_hints(cls, include_extras=True).items():
        if name in RESERVED:
            raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
        default = Default(cls.__dict__[name]) if name in cls.__dict__ else first(split(datatype)[1], Default)
        parameter = Parameter(name, datatype, default or Default(None))
        if default is None:
            parameter.default = Default(generator=parameter.storage.default)
        parameters[name] = parameter
    members = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    members |= {**parameters, "allParameters": parameters, "_is_parameter_node_wrapper": True}
    bases = tuple(base for base in cls.__bases__ if base is not object)
    return type(cls.__name__, (ParameterNodeWrapper, *bases), members)

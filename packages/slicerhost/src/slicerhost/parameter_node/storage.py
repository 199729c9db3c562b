"""How values of each type lie in a vtkMRMLScriptedModuleNode.

Keys and spellings are those of Slicer, so that a scene saved here opens there.  Types that the host does not know are
refused when the class is made, as Slicer refuses those that it does not know; parameter packs, dictionaries and
``typing.Any`` exist in Slicer only.
"""

import enum
import pathlib
import types
import typing
from collections.abc import Callable, Iterable, MutableSequence
from typing import Any

import slicer

from . import annotations

PATHS = (pathlib.Path, pathlib.PurePath, pathlib.PosixPath, pathlib.PurePosixPath)


class Storage:
    """Reads and writes the values of one type; `validators` run before each write."""

    def __init__(self, validators: Iterable[Any] = ()) -> None:
        self.validators = list(validators)

    def validate(self, value: Any) -> None:
        """Raises what the first validator that objects raises."""
        for validator in self.validators:
            validator.validate(value)

    def accepts(self, value: Any) -> bool:
        """Whether a value would pass."""
        try:
            self.validate(value)
        except (TypeError, ValueError):
            return False
        return True

    def default(self) -> Any:
        """The value of a parameter for which none is given."""
        raise NotImplementedError

    def present(self, node: Any, name: str) -> bool:
        """Whether the node holds a value."""
        return bool(node.HasParameter(name))

    def put(self, node: Any, name: str, value: Any) -> None:
        """Writes a value that has been validated."""
        raise NotImplementedError

    def read(self, node: Any, name: str) -> Any:
        """Reads the value."""
        raise NotImplementedError

    def remove(self, node: Any, name: str) -> None:
        """Takes the value away."""
        node.UnsetParameter(name)

    def write(self, node: Any, name: str, value: Any) -> None:
        """Validates and writes."""
        self.validate(value)
        self.put(node, name, value)


class Text(Storage):
    """Values that are one piece of text: a pair of functions makes and reads it."""

    def __init__(self, default: Any, to_text: Callable[[Any], str], from_text: Callable[[str], Any], kind: Any) -> None:
        super().__init__([annotations.NotNone(), annotations.IsInstance(kind)])
        self._default, self._to_text, self._from_text = default, to_text, from_text

    def default(self) -> Any:
        """The type's empty value."""
        return self._default

    def put(self, node: Any, name: str, value: Any) -> None:
        """Writes the text."""
        node.SetParameter(name, self._to_text(value))

    def read(self, node: Any, name: str) -> Any:
        """Reads the text."""
        return self._from_text(node.GetParameter(name))


class Node(Storage):
    """A reference to a MRML node, or None."""

    def __init__(self, node_class: type) -> None:
        super().__init__([annotations.IsInstance(node_class)])

    def default(self) -> None:
        """No node."""
        return

    def put(self, node: Any, name: str, value: Any) -> None:
        """An empty parameter says that a value is there, even if it is None; the reference holds the node."""
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    def read(self, node: Any, name: str) -> Any:
        """The node, or None."""
        return node.GetNodeReference(name)

    def remove(self, node: Any, name: str) -> None:
        """Takes parameter and reference away."""
        node.UnsetParameter(name)
        node.RemoveNodeReferenceIDs(name)


class Nothing(Storage):
    """None, as one of the types of a union."""

    def default(self) -> None:
        """None."""
        return

    def validate(self, value: Any) -> None:
        """Raises ValueError for anything but None."""
        if value is not None:
            raise ValueError("Value must be None")

    def put(self, node: Any, name: str, _value: Any) -> None:
        """Says that the value is there."""
        node.SetParameter(name, "True")

    def read(self, _node: Any, _name: str) -> None:
        """None."""
        return


class Union(Storage):
    """One of several types; the number of the type is part of the key."""

    def __init__(self, members: list[Storage]) -> None:
        super().__init__()
        self._members = members

    def default(self) -> Any:
        """None for an optional type, else the default of the first."""
        if len(self._members) == 2 and isinstance(self._members[1], Nothing):
            return None
        return self._members[0].default()

    def validate(self, value: Any) -> None:
        """Raises TypeError if no member takes the value."""
        super().validate(value)
        if not any(member.accepts(value) for member in self._members):
            raise TypeError(f"Unable to write value '{value}' of type '{type(value)}'")

    def _keys(self, name: str) -> list[tuple[Storage, str]]:
        return [(member, f"{name}.{index}") for index, member in enumerate(self._members)]

    def present(self, node: Any, name: str) -> bool:
        """Whether any member has a value."""
        return any(member.present(node, key) for member, key in self._keys(name))

    def put(self, node: Any, name: str, value: Any) -> None:
        """Writes with the member that takes the value; None goes to the member made for it."""
        keys = self._keys(name)
        fitting = [item for item in keys if item[0].accepts(value)]
        if value is None:
            fitting = [item for item in keys if isinstance(item[0], Nothing)] or fitting
        self.remove(node, name)
        member, key = fitting[0]
        member.put(node, key, value)

    def read(self, node: Any, name: str) -> Any:
        """The value of the member that has one."""
        return next(member.read(node, key) for member, key in self._keys(name) if member.present(node, key))

    def remove(self, node: Any, name: str) -> None:
        """Takes every member's value away."""
        for member, key in self._keys(name):
            member.remove(node, key)


class StoredList(MutableSequence[Any]):
    """A list in a parameter node: each change is written at once."""

    def __init__(self, save: Callable[[list[Any]], None], values: list[Any]) -> None:
        self._save, self._values = save, values

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> Any:
        return self._values[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._change(lambda values: values.__setitem__(index, value))

    def __delitem__(self, index: Any) -> None:
        self._change(lambda values: values.__delitem__(index))

    def insert(self, index: int, value: Any) -> None:
        """Puts a value in."""
        self._change(lambda values: values.insert(index, value))

    def _change(self, change: Callable[[list[Any]], None]) -> None:
        values = list(self._values)
        change(values)
        self._save(values)  # refuses what the element type refuses, before anything is kept
        self._values = values

    def __eq__(self, other: object) -> bool:
        return self._values == (other._values if isinstance(other, StoredList) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"ObservedList({self._values})"


class List(Storage):
    """A list of one element type: its length, and an item per index."""

    def __init__(self, element: Storage) -> None:
        super().__init__()
        self._element = element

    def default(self) -> list[Any]:
        """An empty list."""
        return []

    def present(self, node: Any, name: str) -> bool:
        """Whether the length is there."""
        return bool(node.HasParameter(f"{name}.len"))

    def _length(self, node: Any, name: str) -> int:
        return int(node.GetParameter(f"{name}.len")) if self.present(node, name) else 0

    def put(self, node: Any, name: str, value: Any) -> None:
        """Writes all items, once all are accepted."""
        values = list(value)
        for item in values:
            self._element.validate(item)
        for index in range(len(values), self._length(node, name)):
            self._element.remove(node, f"{name}.{index}")
        for index, item in enumerate(values):
            self._element.put(node, f"{name}.{index}", item)
        node.SetParameter(f"{name}.len", str(len(values)))

    def read(self, node: Any, name: str) -> StoredList:
        """A list that writes its changes."""
        values = [self._element.read(node, f"{name}.{index}") for index in range(self._length(node, name))]

        def save(changed: list[Any]) -> None:
            with slicer.util.NodeModify(node):
                self.write(node, name, changed)

        return StoredList(save, values)

    def remove(self, node: Any, name: str) -> None:
        """Takes all items away."""
        for index in range(self._length(node, name)):
            self._element.remove(node, f"{name}.{index}")
        node.UnsetParameter(f"{name}.len")


class Tuple(Storage):
    """A fixed number of values, an item per index."""

    def __init__(self, elements: list[Storage]) -> None:
        super().__init__()
        self._elements = elements

    def default(self) -> tuple[Any, ...]:
        """The defaults of the elements."""
        return tuple(element.default() for element in self._elements)

    def present(self, node: Any, name: str) -> bool:
        """Whether the first element is there."""
        return self._elements[0].present(node, f"{name}.0")

    def put(self, node: Any, name: str, value: Any) -> None:
        """Writes all elements; raises ValueError at another number of them."""
        for index, (element, item) in enumerate(zip(self._elements, tuple(value), strict=True)):
            element.write(node, f"{name}.{index}", item)

    def read(self, node: Any, name: str) -> tuple[Any, ...]:
        """All elements."""
        return tuple(element.read(node, f"{name}.{index}") for index, element in enumerate(self._elements))


def _enum(type_: type[enum.Enum]) -> Storage:
    return Text(next(iter(type_)), lambda value: value.name, lambda text: type_[text], type_)


def _of_class(type_: type) -> Storage | None:
    if type_ is bool:
        return Text(False, lambda value: "True" if value else "False", lambda text: text == "True", bool)
    if type_ is int:
        return Text(0, str, int, int)
    if type_ is float:
        return Text(0.0, str, float, (int, float))
    if type_ is str:
        return Text("", str, str, str)
    if type_ in PATHS:
        return Text(type_(), str, type_, type_)
    if type_ is type(None):
        return Nothing()
    if issubclass(type_, enum.Enum):
        return _enum(type_)
    if issubclass(type_, slicer.vtkMRMLNode):
        return Node(type_)
    return None


def make(annotated: Any) -> Storage:
    """The storage of a type with its validators.

    Raises:
        TypeError: The host does not know the type.
    """
    type_, notes = annotations.split(annotated)
    origin, arguments = typing.get_origin(type_), typing.get_args(type_)
    storage: Storage | None = None
    if isinstance(type_, types.UnionType) or origin is typing.Union:
        storage = Union([make(item) for item in arguments])
    elif origin is list:
        storage = List(make(arguments[0]))
    elif origin is tuple:
        storage = Tuple([make(item) for item in arguments])
    elif isinstance(type_, type):
        storage = _of_class(type_)
    if storage is None:
        raise TypeError(f"the test host has no storage for parameters of type {type_}")
    storage.validators += [
        item() if isinstance(item, type) else item
        for item in notes
        if isinstance(item, annotations.Validator)
        or (isinstance(item, type) and issubclass(item, annotations.Validator))
    ]
    return storage

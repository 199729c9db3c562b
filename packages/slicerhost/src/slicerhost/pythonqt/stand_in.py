"""How a host class says that it stands for a C++ class of Slicer or CTK, and the registry of all that do."""

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6 import QtCore

Cls = TypeVar("Cls", bound=type)

#: C++ class name to the class that stands for it; the .ui loader makes its widgets from here
REGISTRY: dict[str, type] = {}


def stands_for(library: str) -> Callable[[Cls], Cls]:
    """Marks a class as the stand-in of the C++ class with its name; `library` is "ctk" or "slicer"."""

    def mark(cls: Cls) -> Cls:
        cls.STANDS_FOR = library
        REGISTRY[cls.__name__] = cls
        return cls

    return mark


def of_library(library: str) -> dict[str, type]:
    """All stand-ins of one library, by name."""
    return {name: cls for name, cls in REGISTRY.items() if cls.__dict__["STANDS_FOR"] == library}


def stored(type_: Any, name: str, default: Any, changed: Callable[[Any], None] | None = None) -> QtCore.Property:
    """A Qt property that keeps its value in the object and calls `changed(object)` after each new value."""
    attribute = f"_{name}"

    def read(self: Any) -> Any:
        return self.__dict__.get(attribute, default)

    def write(self: Any, value: Any) -> None:
        if value == read(self):
            return
        self.__dict__[attribute] = value
        if changed is not None:
            changed(self)

    return QtCore.Property(type_, read, write)

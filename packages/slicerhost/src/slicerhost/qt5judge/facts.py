"""What Qt 5.15 itself says of its classes, printed as JSON; runs alone, as PyQt5 and PySide6 cannot share a process.

    python facts.py

For each class: `bases` (its own name first), whether it is a `qobject`, and what it adds to them: `properties` (type,
whether writable, the keys of an enum or flag with their scope), `signals` and `slots` by signature, `members` (all that
can be reached by name), `values` (its enum values), `returns` (the class that a method gives back).
"""

import json
import re
from types import ModuleType
from typing import Any

from PyQt5 import QtCore, QtGui, QtSvg, QtWidgets

MODULES = (QtCore, QtGui, QtWidgets, QtSvg)
OF_PYQT = {"staticMetaObject", "connectNotify", "disconnectNotify", "receivers", "tr"}


def qt_classes(module: ModuleType) -> dict[str, type]:
    """The classes of a module, by the name that Qt gives them."""
    found = {name: getattr(module, name) for name in dir(module)}
    return {name: item for name, item in found.items() if isinstance(item, type) and name.startswith("Q")}


def own_names(cls: type) -> list[str]:
    """What a class adds; PyQt's own additions left out."""
    return sorted(n for n in vars(cls) if not n.startswith(("_", "pyqt")) and n not in OF_PYQT)


def is_value(item: Any) -> bool:
    """Whether an attribute is an enum's value: an int of a type of its own."""
    return isinstance(item, int) and not isinstance(item, bool)


def returns(cls: type) -> dict[str, str]:
    """Method to the class that it gives, by PyQt's description: the first overload that gives one."""
    found = {}
    for name in own_names(cls):
        match = re.search(
            r"\) -> (?:Optional\[)?(Q\w+(?:\.\w+)?)", getattr(getattr(cls, name, None), "__doc__", None) or ""
        )
        if match:
            found[name] = match[1]
    return found


def property_facts(item: QtCore.QMetaProperty) -> dict[str, Any]:
    """Type of a property, and its enum's keys."""
    facts: dict[str, Any] = {"type": item.typeName(), "writable": item.isWritable()}
    if item.isEnumType():
        enum = item.enumerator()
        facts["keys"] = [enum.key(n) for n in range(enum.keyCount())]
        facts["scope"], facts["flag"] = enum.scope(), enum.isFlag()
    return facts


def meta_facts(meta: QtCore.QMetaObject) -> dict[str, Any]:
    """What a meta-object adds to its base."""
    own = [meta.property(n) for n in range(meta.propertyOffset(), meta.propertyCount())]
    methods = [meta.method(n) for n in range(meta.methodOffset(), meta.methodCount())]
    kinds = QtCore.QMetaMethod

    def signatures(kind: Any) -> list[str]:
        chosen = [item for item in methods if item.methodType() == kind and item.access() == kinds.Public]
        return sorted(bytes(item.methodSignature()).decode() for item in chosen)

    return {
        "properties": {item.name(): property_facts(item) for item in own},
        "signals": signatures(kinds.Signal),
        "slots": signatures(kinds.Slot),
    }


def class_facts(cls: type) -> dict[str, Any]:
    """All that is asked of a class."""
    facts: dict[str, Any] = {
        "bases": [base.__name__ for base in cls.__mro__ if base.__name__.startswith("Q")],
        "qobject": issubclass(cls, QtCore.QObject),
        "properties": {},
        "signals": [],
        "slots": [],
        "members": own_names(cls),
        "values": [name for name in own_names(cls) if is_value(vars(cls)[name])],
        "returns": returns(cls),
    }
    if facts["qobject"]:
        facts.update(meta_facts(getattr(cls, "staticMetaObject")))  # noqa: B009 - PyQt's stubs do not have it
    return facts


def main() -> None:
    """Prints it all."""
    classes = {name: class_facts(cls) for module in MODULES for name, cls in qt_classes(module).items()}
    classes["Qt"] = {**class_facts(QtCore.Qt), "bases": ["Qt"]}
    print(json.dumps({"version": QtCore.qVersion(), "classes": classes}))


if __name__ == "__main__":
    main()

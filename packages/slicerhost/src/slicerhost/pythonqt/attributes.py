"""PythonQt's rules for attributes, laid over PySide6.

Slicer reaches Qt through PythonQt, which resolves ``object.name`` in this order: what Python defines, a Qt property, a
method, an enum value, a dynamic property, a child with that object name.  PySide6 knows methods only.  `install_rules`
changes attribute access of every ``QObject`` class of this process to PythonQt's order, and refuses what PythonQt
refuses: ``label.text`` is a string (calling it fails), ``label.txt = 1`` raises.
"""

import inspect
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import shiboken6
from PySide6 import QtCore

from . import ownership, signals

NATIVE_PREFIXES = ("PySide6", "Shiboken", "shiboken6")
ALIASES = {"name": "objectName"}  # PythonQt's decorators of QObject
#: Properties that Slicer itself replaces by the static method of the same name (slicerqt.py)
SHADOWED_PROPERTIES = {(QtCore.QTimer, "singleShot")}

# The rules call these themselves: taken before attribute access is changed.
_read_property = QtCore.QObject.property
_write_property = QtCore.QObject.setProperty
_meta_object = QtCore.QObject.metaObject
_children = QtCore.QObject.children
_object_name = QtCore.QObject.objectName
_dynamic_names = QtCore.QObject.dynamicPropertyNames
_plain_setattr = QtCore.QObject.__mro__[1].__setattr__  # Shiboken.Object

_origins: dict[tuple[type, str], str] = {}
_property_names: dict[type, frozenset[str]] = {}  # PySide loses a class's meta-object with one of its objects
_being_read: set[tuple[int, str]] = set()
_ui_depth = 0

PYTHON = "python"
OTHER = "other"
PROPERTY = "property:"


@contextmanager
def loading_ui() -> Iterator[None]:
    """While a .ui file is loaded, PySide stores each child as an attribute of its parent: that is let pass, unused."""
    global _ui_depth
    _ui_depth += 1
    try:
        yield
    finally:
        _ui_depth -= 1


def is_native(cls: type) -> bool:
    """Whether a class comes from PySide6 itself."""
    return cls is object or cls.__module__.startswith(NATIVE_PREFIXES)


def is_stand_in(cls: type) -> bool:
    """Whether a class of the host stands for a C++ class; a module's own subclass of it does not."""
    return bool(cls.__dict__.get("STANDS_FOR"))


def is_cpp(cls: type) -> bool:
    """Whether PythonQt would refuse new attributes on objects of this class."""
    return is_native(cls) or is_stand_in(cls)


def _origin(obj: QtCore.QObject, cls: type, name: str) -> str:
    """Where `name` comes from for objects of `cls`; remembered, because every attribute access asks."""
    key = (cls, name)
    if key not in _origins:
        _origins[key] = _find_origin(obj, cls, name)
    return _origins[key]


def _find_origin(obj: QtCore.QObject, cls: type, name: str) -> str:
    if any(not is_native(base) and name in base.__dict__ for base in cls.__mro__):
        return PYTHON
    if any(issubclass(cls, owner) and name == shadowed for owner, shadowed in SHADOWED_PROPERTIES):
        return OTHER
    property_name = ALIASES.get(name, name)
    return PROPERTY + property_name if _meta_object(obj).indexOfProperty(property_name) >= 0 else OTHER


def _get(obj: QtCore.QObject, name: str, plain_get: Callable[[Any, str], Any]) -> Any:
    if name.startswith("__"):
        return plain_get(obj, name)
    if not shiboken6.isValid(obj):
        return _get_of_destroyed(obj, name, plain_get)
    if name in ("connect", "disconnect"):
        return types.MethodType(getattr(signals, name), obj)
    if name == "deleteLater":
        return types.MethodType(ownership.delete_later, obj)
    if name == "delete":
        return types.MethodType(ownership.delete, obj)
    if name == "className":
        return _meta_object(obj).className
    origin = _origin(obj, type(obj), name)
    if origin.startswith(PROPERTY):
        # A C++ virtual such as QLayout::spacing looks for a Python override by attribute access while the property
        # is being read; it must find the plain method.
        key = (id(obj), name)
        if key in _being_read:
            return plain_get(obj, name)
        _being_read.add(key)
        try:
            return _read_property(obj, origin.removeprefix(PROPERTY))
        finally:
            _being_read.discard(key)
    try:
        found = plain_get(obj, name)
    except AttributeError:
        return _get_the_rest(obj, name, plain_get)
    if name in ownership.LENDING and isinstance(found, types.BuiltinMethodType):
        return ownership.lending(obj, name, found)
    return found


def _is_property(cls: type, name: str) -> bool:
    """Whether a C++ class has a property, told without an object of it."""
    native = next(base for base in cls.__mro__ if base in _property_names)
    return ALIASES.get(name, name) in _property_names[native]


def _get_of_destroyed(obj: QtCore.QObject, name: str, plain_get: Callable[[Any, str], Any]) -> Any:
    """What is left when the C++ object is gone: the class, and what Python keeps; all else raises as in PythonQt."""
    cls = type(obj)
    if name in obj.__dict__ or any(not is_native(base) and name in base.__dict__ for base in cls.__mro__):
        return plain_get(obj, name)
    if _is_property(cls, name):
        raise ValueError(f"Trying to read property '{name}' from a destroyed {cls.__name__} object")

    def refuse(*_arguments: Any, **_named: Any) -> Any:
        raise ValueError(f"Trying to call '{name}' on a destroyed {cls.__name__} object")

    return refuse


def _get_the_rest(obj: QtCore.QObject, name: str, plain_get: Callable[[Any, str], Any]) -> Any:
    """What PythonQt tries last; also `exec_` for `exec`, and the setter of a stand-in's property."""
    if name.endswith("_"):
        return _get(obj, name.removesuffix("_"), plain_get)
    if not name.startswith("_"):
        setter = _setter_of_stand_in(obj, name)
        if setter is not None:
            return setter
        value = getattr(type(obj), name, None)  # an enum value, reached through the object
        if value is not None:
            return value
        if name.encode() in [item.data() for item in _dynamic_names(obj)]:
            return _read_property(obj, name)
        for child in _children(obj):
            if _object_name(child) == name:
                return child
    raise AttributeError(f"{_meta_object(obj).className()} has no attribute named '{name}'") from None


def _setter_of_stand_in(obj: QtCore.QObject, name: str) -> Callable[[Any], None] | None:
    """`setValue` for the property `value` that a stand-in declares: C++ has one for each writable property."""
    property_name = name[3:4].lower() + name[4:]
    declared = any(isinstance(base.__dict__.get(property_name), QtCore.Property) for base in type(obj).__mro__)
    if not name.startswith("set") or not declared:
        return None
    return lambda value: setattr(obj, property_name, value)


def _set(obj: QtCore.QObject, name: str, value: Any) -> None:
    cls = type(obj)
    if not shiboken6.isValid(obj):
        if is_cpp(cls) or _is_property(cls, name):
            raise AttributeError(f"Trying to set property '{name}' on a destroyed {cls.__name__} object")
        _plain_setattr(obj, name, value)
        return
    if isinstance(value, QtCore.SignalInstance):  # PySide keeps these on the object
        _plain_setattr(obj, name, value)
        return
    if isinstance(value, tuple):  # PythonQt takes any sequence for a QStringList or QVariantList
        value = list(value)
    origin = _origin(obj, cls, name)
    if origin == PYTHON:
        _set_python(obj, cls, name, value)
    elif origin.startswith(PROPERTY):
        _set_property(obj, name, origin.removeprefix(PROPERTY), value)
    elif name.encode() in [item.data() for item in _dynamic_names(obj)]:
        _write_property(obj, name, value)
    elif not is_cpp(cls) or (is_stand_in(cls) and name.startswith("_")):
        _plain_setattr(obj, name, value)
    elif not _ui_depth:
        raise AttributeError(
            f"'{name}' does not exist on {cls.__name__} and creating new attributes on C++ objects is not allowed"
        )


def _set_python(obj: QtCore.QObject, cls: type, name: str, value: Any) -> None:
    found = next(base.__dict__[name] for base in cls.__mro__ if name in base.__dict__)
    if not isinstance(found, QtCore.Property):
        if is_cpp(cls) and not name.startswith("_"):
            raise AttributeError(f"Slot '{name}' can not be overwritten on {cls.__name__}")
        _plain_setattr(obj, name, value)
    elif not _write_property(obj, name, value):
        raise AttributeError(f"Property '{name}' of {cls.__name__} does not accept {value!r}")


def _set_property(obj: QtCore.QObject, name: str, property_name: str, value: Any) -> None:
    meta = _meta_object(obj)
    found = meta.property(meta.indexOfProperty(property_name))
    if not found.isWritable():
        raise AttributeError(f"Property '{name}' of {type(obj).__name__} object is not writable")
    text_expected = found.typeName() == "QString"
    refused = isinstance(value, bytes) or (text_expected and not isinstance(value, str))
    if refused or not _write_property(obj, property_name, value):
        raise AttributeError(f"Property '{name}' of type '{found.typeName()}' does not accept {value!r}")


def _rules_of(cls: type) -> tuple[Callable[[Any, str], Any], Callable[[Any, str, Any], None]]:
    plain_get = cls.__getattribute__  # some classes have a getter of their own (QFile): each keeps it underneath

    def getter(self: QtCore.QObject, name: str) -> Any:
        return _get(self, name, plain_get)

    def setter(self: QtCore.QObject, name: str, value: Any) -> None:
        _set(self, name, value)

    return getter, setter


def _exists(obj: QtCore.QObject) -> bool:
    """Truth of a wrapper: one whose C++ object is gone counts as nothing."""
    return bool(shiboken6.isValid(obj))


def install_rules(modules: list[types.ModuleType]) -> None:
    """Changes attribute access of all QObject classes of `modules`; once per process."""
    # PySide creates its classes lazily: dir() and getattr() make them all, vars() would miss most.
    values = (getattr(module, name) for module in modules for name in dir(module) if not name.startswith("_"))
    classes = {value for value in values if inspect.isclass(value) and issubclass(value, QtCore.QObject)}
    for cls in classes:
        meta = cls.staticMetaObject
        _property_names[cls] = frozenset(meta.property(n).name() for n in range(meta.propertyCount()))
    rules = {cls: _rules_of(cls) for cls in classes}  # all are read before any is changed: they inherit
    for cls, (getter, setter) in rules.items():
        cls.__getattribute__ = getter
        cls.__setattr__ = setter
    QtCore.QObject.__bool__ = _exists

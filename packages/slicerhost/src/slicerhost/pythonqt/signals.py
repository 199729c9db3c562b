"""Signals by signature, as in PythonQt: ``button.connect("clicked(bool)", function)``.

A signature that the class does not have raises.  A slot gets as many arguments as it takes.  An exception in a slot is
printed and the program goes on, as in Slicer; here it is also kept in `slot_errors`, so that a test can fail on it.
"""

import inspect
import re
import sys
import traceback
import types
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import shiboken6
from PySide6 import QtCore

from . import ownership

_SIGNATURE = re.compile(r"\s*(\w+)\s*\((.*)\)\s*")
_qt_connect = QtCore.QObject.connect
_qt_disconnect = QtCore.QObject.disconnect

#: Exceptions that slots raised since the list was last cleared
slot_errors: list[BaseException] = []

_made: dict[int, list["Connection"]] = {}


@dataclass(frozen=True)
class Connection:
    """One Python callable behind one signal of one object."""

    signature: str
    target: Callable[..., Any]
    relay: Callable[..., Any]
    signal: Any  # PySide's SignalInstance


def normalized(signature: str) -> str:
    """The signature without spaces, const and references, and without the code digit of the SIGNAL macro."""
    return bytes(QtCore.QMetaObject.normalizedSignature(signature.lstrip("012"))).decode()


def split(signature: str) -> tuple[str, list[str]]:
    """Name and argument types of a signature.

    Raises:
        ValueError: It is not of the form ``name(types)``.
    """
    match = _SIGNATURE.fullmatch(signature)
    if match is None:
        raise ValueError(f"not a signal signature: {signature!r}")
    return match[1], [part.strip() for part in match[2].split(",") if part.strip()]


def _accepted_arguments(function: Callable[..., Any]) -> int | None:
    """How many positional arguments a callable takes; None for any number."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # C++ slots do not tell; PySide cuts the arguments itself
        return None if isinstance(function, types.BuiltinMethodType) else 0
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    return sum(
        parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD) for parameter in parameters
    )


def _find_signal(obj: QtCore.QObject, signature: str) -> tuple[Any, list[str]]:
    """The PySide signal behind a signature, and the argument types of the signature.

    Raises:
        AttributeError: The class has no signal of that signature.
    """
    wanted = normalized(signature)
    name, types_wanted = split(wanted)
    for base in type(obj).__mro__:
        for declared in base.__dict__.get("CPP_SIGNALS", ()):
            if normalized(declared) == wanted:
                return getattr(obj, name), types_wanted
    meta = QtCore.QObject.metaObject(obj)
    index = meta.indexOfSignal(wanted)
    if index < 0:
        raise AttributeError(f"signal '{signature}' does not exist on {meta.className()}")
    signal = getattr(obj, name)
    overload = ",".join(bytes(item).decode() for item in meta.method(index).parameterTypes())
    if overload:
        try:
            signal = signal[overload]
        except (IndexError, KeyError, TypeError):  # the signal is not overloaded under that spelling
            return signal, types_wanted
    return signal, types_wanted


def _relay(
    sender: QtCore.QObject, signal: str, function: Callable[..., Any], argument_types: list[str]
) -> Callable[..., None]:
    accepted = _accepted_arguments(function)
    found = weakref.ref(sender)  # as in PythonQt: a connection keeps the slot, but not the sender

    def relay(*arguments: Any) -> None:
        given = [
            bool(value) if wanted == "bool" and not isinstance(value, bool) else value
            for value, wanted in zip(arguments, argument_types, strict=False)
        ]
        with ownership.emitting(found(), signal, report_slot_error):
            try:
                function(*given[: len(given) if accepted is None else accepted])
            except Exception as error:  # a slot's exception never reaches Qt
                report_slot_error(error)

    return relay


def report_slot_error(error: BaseException) -> None:
    """Prints what a slot raised, as Slicer does, and keeps it for the tests."""
    slot_errors.append(error)
    traceback.print_exception(error, file=sys.stderr)


def _connections(obj: QtCore.QObject) -> list[Connection]:
    """The connections made from an object; kept by its C++ address, since PySide may drop and remake the wrapper."""
    address = shiboken6.getCppPointer(obj)[0]
    if address not in _made:
        _made[address] = []
        obj.destroyed.connect(lambda: _made.pop(address, None))
    return _made[address]


def connect(self: QtCore.QObject, signal: Any, *target: Any) -> bool:
    """``sender.connect("signal(types)", callable)`` or ``(..., receiver, "slot(types)")``.

    Raises:
        AttributeError: The sender has no such signal, or the receiver no such slot.
        TypeError: The target is not callable.
    """
    if isinstance(signal, QtCore.QObject):  # the static form connect(sender, "2signal()", f), which PySide uses itself
        return _qt_connect(signal, *target)
    found, argument_types = _find_signal(self, signal)
    if len(target) == 2:
        receiver, slot = target
        function = getattr(receiver, split(slot.lstrip("012"))[0])
    else:
        (function,) = target
    if not callable(function):
        raise TypeError(f"connect('{signal}'): {function!r} is not callable")
    relay = _relay(self, normalized(signal), function, argument_types)
    found.connect(relay)
    _connections(self).append(Connection(normalized(signal), function, relay, found))
    return True


def disconnect(self: QtCore.QObject, signal: Any, *target: Any) -> bool:
    """Undoes `connect`; without a target, every callable of that signal. Returns whether there was one.

    Raises:
        AttributeError: The sender has no such signal.
    """
    if isinstance(signal, QtCore.QObject):  # the static form, which PySide uses itself
        return _qt_disconnect(signal, *target)
    _find_signal(self, signal)
    wanted = normalized(signal)
    made = _connections(self)
    removed = [item for item in made if item.signature == wanted and (not target or item.target == target[-1])]
    for item in removed:
        item.signal.disconnect(item.relay)
        made.remove(item)
    return bool(removed)

"""PythonQt's ownership, laid over PySide6: an object without a parent ends with its last Python reference.

What PythonQt does (`PythonQtInstanceWrapper.cpp`, 3.6.1 and 4.1.0): an object that a script made without a parent
belongs to its Python wrapper, and is deleted there and then when the wrapper goes, unless it got a parent meanwhile.
Nothing else keeps it: neither a connection from it, nor a model's view, nor the signal that it is just emitting.  A
connection keeps its slot, and with a bound method the object behind it, as long as the sender lives.

PySide6 deletes at the same moment, but keeps some objects alive that were handed to another one (`setModel`), and
survives by luck what ends in a crash elsewhere.  Both are recorded here as an `OwnershipError`, like an exception of a
slot, so that the fixture `slicer_scene` fails on them.
"""

import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import shiboken6
from PySide6 import QtCore

#: Methods of Qt that take an object without becoming its owner, by which PySide6 keeps it alive and PythonQt does not
LENDING = frozenset(
    (
        *("addAction", "addButton", "addLayout", "addRow", "addWidget", "insertAction", "insertRow", "insertWidget"),
        *("installEventFilter", "setBuddy", "setCompleter", "setDefaultAction", "setDocument", "setItemDelegate"),
        *("setItemDelegateForColumn", "setItemDelegateForRow", "setMenu", "setModel", "setSelectionModel"),
        *("setSourceModel", "setValidator"),
    )
)
#: What Qt prints when an object goes that must not go yet
DEADLY_MESSAGES = ("QProcess: Destroyed while process",)

_parent = QtCore.QObject.parent  # taken before attribute access is changed
_meta_object = QtCore.QObject.metaObject
_invoke = QtCore.QMetaObject.invokeMethod

_ALONE = [object()]
#: References to an object that nothing but one list holds, as `sys.getrefcount` counts them
ALONE = sys.getrefcount(_ALONE[0])


class OwnershipError(RuntimeError):
    """In Slicer, an object would be deleted that something still needs."""


@dataclass(frozen=True)
class Loan:
    """An object that a method was given and does not own; `kept` references of PySide6 keep it alive."""

    receiver: weakref.ref[Any]
    method: str
    lent: weakref.ref[Any]
    kept: int


_loans: list[Loan] = []
_kept_until_later: list[QtCore.QObject] = []


def _name(obj: QtCore.QObject) -> str:
    return str(_meta_object(obj).className())


def _root(obj: QtCore.QObject) -> QtCore.QObject:
    """The object's ancestor without a parent: the object itself if it has none."""
    while (parent := _parent(obj)) is not None:
        obj = parent
    return obj


def _belongs_to_python(obj: QtCore.QObject) -> bool:
    return shiboken6.isValid(obj) and _parent(obj) is None and bool(shiboken6.ownedByPython(obj))


@contextmanager
def emitting(sender: QtCore.QObject | None, signal: str, report: Callable[[BaseException], None]) -> Iterator[None]:
    """While a slot runs: reports if the sender of the signal, or the root of its tree, is deleted by it.

    The object is kept until `let_go`, so that the tests live on.

    Args:
        sender: Who emits; None if its wrapper is gone.
        signal: The signal's signature, for the report.
        report: Gets the error.
    """
    if sender is None or not shiboken6.isValid(sender):
        yield
        return
    held = [sender]
    root = _root(sender)
    if root is not sender:
        held.append(root)
    names = [_name(item) for item in held]
    del sender, root
    yield
    for place, name in enumerate(names):
        of = f"of its own signal {signal}" if place == 0 else f"of the signal {signal} of its {names[0]}"
        if not shiboken6.isValid(held[place]):
            report(OwnershipError(f"{name} was deleted inside a slot {of}. Use deleteLater(), and keep a reference."))
            break
        if sys.getrefcount(held[place]) <= ALONE and _belongs_to_python(held[place]):
            _kept_until_later.append(held[place])
            report(
                OwnershipError(
                    f"The last reference to {name} went inside a slot {of}: PythonQt deletes it there and then, even "
                    "after deleteLater(). Keep a reference until the next turn of the event loop."
                )
            )


def lending(receiver: QtCore.QObject, method: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A method of `LENDING` that notes what it was given and does not own."""

    def call(*arguments: Any, **named: Any) -> Any:
        given = [item for item in arguments if isinstance(item, QtCore.QObject)]
        before = [sys.getrefcount(item) for item in given]
        result = function(*arguments, **named)
        after = [sys.getrefcount(item) for item in given]
        replaces = method.startswith("set")
        if replaces:
            _loans[:] = [loan for loan in _loans if loan.receiver() is not receiver or loan.method != method]
        for item, old, new in zip(given, before, after, strict=True):
            if new > old and _belongs_to_python(item):
                _loans.append(Loan(weakref.ref(receiver), method, weakref.ref(item), new - old))
        return result

    return call


def overdue() -> list[OwnershipError]:
    """What was lent and is kept alive by nothing but PySide6; each is told once."""
    still, found = [], []
    for loan in _loans:
        receiver, lent = loan.receiver(), [loan.lent()]
        if receiver is None or lent[0] is None or not shiboken6.isValid(receiver) or not _belongs_to_python(lent[0]):
            continue
        kept = sum(other.kept for other in _loans if other.lent is loan.lent)
        if sys.getrefcount(lent[0]) - kept <= ALONE:
            text = (
                f"Nothing holds the {_name(lent[0])} given to {_name(receiver)}.{loan.method}(): PythonQt deletes it "
                "with its last reference. Give it a parent, or keep it."
            )
            found.append(OwnershipError(text))
        else:
            still.append(loan)
    _loans[:] = still
    return found


def delete_later(obj: QtCore.QObject) -> None:
    """`deleteLater` as PythonQt calls it: the object still belongs to Python, and may end before its time."""
    _invoke(obj, "deleteLater", QtCore.Qt.ConnectionType.DirectConnection)  # the method itself would change the owner


def delete(obj: QtCore.QObject) -> None:
    """PythonQt's own method `delete`: there and then, whoever owns it."""
    shiboken6.delete(obj)


def deadly_message(text: str) -> OwnershipError | None:
    """The error behind what Qt has printed, if it is one."""
    return OwnershipError(text) if text.startswith(DEADLY_MESSAGES) else None


def let_go() -> None:
    """Lets the objects go that were kept so that the tests could live on."""
    _kept_until_later.clear()

"""A second judge of the module's window: Qt 5.15, on which the official builds of Slicer run.

The host runs on Qt 6.  What Qt 5.15 says of its own classes comes from `facts.py` in a process of its own; what
Slicer's and CTK's widgets offer to Python comes from a table of their headers (`slicer_widgets.json`).
`ui_judge.ui_faults` judges a .ui file, `code_judge.code_faults` the module's sources, `module_judge.module_faults` all
that belongs to a module; nothing of it is run.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
#: What PythonQt adds to every QObject
OF_PYTHONQT = frozenset(("connect", "disconnect", "className", "inherits", "delete", "help"))
ALIASES = {"name": "objectName"}  # PythonQt's decorators of QObject
#: Properties that Slicer itself replaces by the static method of the same name (slicerqt.py)
SHADOWED = frozenset((("QTimer", "singleShot"),))
PROPERTY, SIGNAL, METHOD, VALUE = "property", "signal", "method", "value"


@dataclass(frozen=True)
class QtClass:
    """What one class adds to its bases; `bases` starts with its own name."""

    name: str
    bases: tuple[str, ...]
    qobject: bool
    properties: Mapping[str, Mapping[str, Any]]
    signals: frozenset[str]
    slots: frozenset[str]
    members: frozenset[str]
    values: frozenset[str]
    returns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """All classes by name."""

    version: str
    classes: Mapping[str, QtClass]

    def chain(self, name: str) -> Iterator[QtClass]:
        """A class and its bases; nothing for an unknown one."""
        known = self.classes.get(name)
        for base in known.bases if known is not None else ():
            yield self.classes[base]

    def property(self, name: str, member: str) -> Mapping[str, Any] | None:
        """What is known of a property, or None."""
        wanted = ALIASES.get(member, member) if self.is_qobject(name) else member
        return next((item.properties[wanted] for item in self.chain(name) if wanted in item.properties), None)

    def signals(self, name: str) -> set[str]:
        """The signatures of all signals of a class."""
        return {signal for item in self.chain(name) for signal in item.signals}

    def slots(self, name: str) -> set[str]:
        """The signatures of all public slots of a class."""
        return {slot for item in self.chain(name) for slot in item.slots}

    def returned(self, name: str, method: str) -> str:
        """The class that a method gives, "" if it is not known."""
        return next((item.returns[method] for item in self.chain(name) if method in item.returns), "")

    def is_qobject(self, name: str) -> bool:
        """Whether a class is a QObject: only these have properties and signals."""
        return name in self.classes and self.classes[name].qobject

    def kind(self, name: str, member: str) -> str:
        """What a member is for PythonQt, in its order: property, signal, method, value; "" for nothing."""
        if (name, member) in SHADOWED:
            return METHOD
        if self.property(name, member) is not None:
            return PROPERTY
        for item in self.chain(name):
            if member in item.values:
                return VALUE
            if member in _names(item.slots):
                return METHOD
            if member in _names(item.signals):
                return SIGNAL
            if member in item.members:
                return METHOD
        return METHOD if self.is_qobject(name) and member in OF_PYTHONQT else ""

    def kind_below(self, name: str, member: str) -> str:
        """As `kind`, for an object of the class or of any class derived from it."""
        below = (item.name for item in self.classes.values() if name in item.bases)
        return self.kind(name, member) or next(filter(None, (self.kind(item, member) for item in below)), "")


def _names(signatures: frozenset[str]) -> set[str]:
    return {signature.partition("(")[0] for signature in signatures}


def _qt_class(name: str, facts: Mapping[str, Any]) -> QtClass:
    sets = {key: frozenset(facts[key]) for key in ("signals", "slots", "members", "values")}
    return QtClass(
        name, tuple(facts["bases"]), facts["qobject"], facts["properties"], returns=facts.get("returns", {}), **sets
    )


def _slicer_class(name: str, table: Mapping[str, Any], known: Mapping[str, QtClass]) -> QtClass:
    facts = table[name]
    base = facts["base"]
    bases = known[base].bases if base in known else _slicer_class(base, table, known).bases
    properties = {key: _with_keys(name, value, facts["enums"], known) for key, value in facts["properties"].items()}
    values = frozenset(key for keys in facts["enums"].values() for key in keys)
    signals, slots = frozenset(facts["signals"]), frozenset(facts["slots"])
    return QtClass(name, (name, *bases), True, properties, signals, slots, frozenset(), values)


def _with_keys(
    name: str, item: Mapping[str, Any], enums: Mapping[str, list[str]], known: Mapping[str, QtClass]
) -> Mapping[str, Any]:
    """A property of Slicer's, with the keys of its enum: its own, or that of a Qt class."""
    scope, _, enum = item["type"].rpartition("::")
    if enum in enums:
        return {**item, "keys": enums[enum], "scope": name, "flag": enum.endswith("s")}
    of_qt = (other for found in known.values() for other in found.properties.values() if other["type"] == item["type"])
    of_class = known[scope].properties.values() if scope in known else ()  # Qt leaves the scope out within the class
    inside = (other for other in of_class if other["type"] == enum)
    found = next((other for other in (*of_qt, *inside) if "keys" in other), {})
    return {**found, **item}


def read_facts(more: Path | None = None) -> Facts:
    """Asks Qt 5.15, and adds Slicer's widgets.

    Args:
        more: A table of further widgets, written as ``slicer_widgets.json``; a class that is in both is taken from it.

    Raises:
        RuntimeError: PyQt5 does not answer; the text says what it said.
    """
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(  # noqa: S603 - this package's own page
        [sys.executable, "-I", str(HERE / "facts.py")], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        raise RuntimeError(f"Qt 5.15 gave no facts, is PyQt5 installed? {done.stderr[-2000:]}")
    said = json.loads(done.stdout)
    classes = {name: _qt_class(name, facts) for name, facts in said["classes"].items()}
    table: dict[str, Any] = {}
    for file in (HERE / "slicer_widgets.json", more):
        table.update({} if file is None else json.loads(file.read_text(encoding="utf-8"))["classes"])
    classes.update({name: _slicer_class(name, table, classes) for name in table})
    return Facts(said["version"], classes)

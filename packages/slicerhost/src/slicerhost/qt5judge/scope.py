"""The type of an expression of the module's sources, as far as it can be told without running them."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from . import METHOD, PROPERTY, Facts

Types = frozenset[str]
NOTHING: Types = frozenset()
UI = "the window's widgets"
#: Before a class's name: the class itself, not an object of it
CLASS = "class "
#: Before a class's name: an object of it or of a class derived from it, as a method gives it back
SOME = "some "


def class_name(item: str) -> str:
    """The bare name."""
    return item.removeprefix(CLASS).removeprefix(SOME)


@dataclass
class Scope:
    """What the names of one function stand for.

    Attributes:
        facts: What Qt says of itself.
        widgets: Class of each widget of the window.
        names: Types of the local names.
        own: Types of the attributes of `self`.
    """

    facts: Facts
    widgets: Mapping[str, str]
    names: dict[str, Types] = field(default_factory=dict)
    own: dict[str, Types] = field(default_factory=dict)

    def bind(self, target: ast.expr, types: Types) -> None:
        """A name, or an attribute of `self`, gets one more type that it may have."""
        if isinstance(target, ast.Name):
            self.names[target.id] = self.names.get(target.id, NOTHING) | types
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
            self.own[target.attr] = self.own.get(target.attr, NOTHING) | types

    def bind_value(self, target: ast.expr, value: ast.expr) -> None:
        """An assignment, also of several names at once."""
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for one, other in zip(target.elts, value.elts, strict=True):
                self.bind_value(one, other)
        else:
            self.bind(target, self.of(value))

    def bind_items(self, target: ast.expr, items: ast.expr) -> None:
        """The variable of a loop over a tuple or list that is written out."""
        for item in getattr(items, "elts", ()):
            self.bind_value(target, item)

    def of(self, node: ast.expr) -> Types:
        """The Qt classes that an expression may have; nothing if that cannot be told."""
        if isinstance(node, ast.Name):
            return frozenset((UI,)) if node.id == "ui" else self.names.get(node.id, NOTHING)
        if isinstance(node, ast.Attribute):
            return self._of_attribute(node)
        if isinstance(node, ast.Call):
            return self._of_call(node)
        if isinstance(node, ast.BoolOp):
            return frozenset().union(*(self.of(item) for item in node.values))
        if isinstance(node, ast.IfExp):
            return self.of(node.body) | self.of(node.orelse)
        return self.of(node.value) if isinstance(node, ast.NamedExpr) else NOTHING

    def _of_attribute(self, node: ast.Attribute) -> Types:
        if node.attr == "ui":
            return frozenset((UI,))
        if isinstance(node.value, ast.Name):
            if node.value.id in ("qt", "ctk"):
                return frozenset((CLASS + node.attr,))
            if node.value.id == "self":
                return self.own.get(node.attr, NOTHING)
        found: set[str] = set()
        for base in self.of(node.value):
            if base == UI:
                found.add(self.widgets.get(node.attr, ""))
            elif not base.startswith(CLASS) and self.facts.kind(class_name(base), node.attr) == PROPERTY:
                known = self.facts.property(class_name(base), node.attr)
                found.add(str(known["type"]).rstrip("*") if known else "")
        return frozenset(item for item in found if item in self.facts.classes)

    def _of_call(self, node: ast.Call) -> Types:
        if not isinstance(node.func, ast.Attribute):
            return NOTHING
        made = {item.removeprefix(CLASS) for item in self.of(node.func) if item.startswith(CLASS)}
        if made:
            return frozenset(item for item in made if item in self.facts.classes)
        bases = [class_name(item) for item in self.of(node.func.value) if item != UI]
        called = [base for base in bases if self.facts.kind(base, node.func.attr) == METHOD]
        given = {self.facts.returned(base, node.func.attr) for base in called}
        return frozenset(SOME + item for item in given if item in self.facts.classes)

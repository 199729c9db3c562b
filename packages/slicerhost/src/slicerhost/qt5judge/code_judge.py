"""Judges the module's sources: every Qt name that they use must exist in Qt 5.15, and be what they take it for.

What is looked at: objects whose class can be told (`scope.Scope`): widgets of the window, what `qt.QClass()` makes,
what their methods give back, and arguments of the module's own functions.  Each fault is a sentence with its line.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import METHOD, PROPERTY, SIGNAL, VALUE, Facts
from .scope import CLASS, NOTHING, SOME, UI, Scope, Types, class_name

#: Type of a property to the Python types of constants that it takes; others are not judged
CONSTANTS = {"bool": (bool, int), "int": (int,), "double": (int, float), "QString": (str,)}
#: Function's name to the types that its arguments have been given, by their place
Parameters = dict[str, dict[int, Types]]


def code_faults(sources: Mapping[str, str], widgets: Mapping[str, str] | None, facts: Facts) -> list[str]:
    """What Qt 5.15 or PythonQt would not take of a module's sources.

    Args:
        sources: Python source by file name.
        widgets: Class of each widget of the window, by name (`ui_judge.widget_classes`); None: not known, then no
            name of a widget is wrong.
        facts: What Qt says of itself.
    """
    return _judged(sources, widgets, facts)[0]


def judged_uses(sources: Mapping[str, str], widgets: Mapping[str, str] | None, facts: Facts) -> set[str]:
    """Every use of a Qt name whose class could be told, as ``QLabel.text``: what `code_faults` can see."""
    return _judged(sources, widgets, facts)[1]


def _judged(sources: Mapping[str, str], widgets: Mapping[str, str] | None, facts: Facts) -> tuple[list[str], set[str]]:
    parameters: Parameters = {}
    pages = frozenset(Path(name).stem for name in sources)
    for _pass in range(3):  # what a function is called with may come from another function
        faults, uses = [], set()
        for name, text in sources.items():
            judge = Judge(facts, widgets, parameters, pages)
            faults += [f"{name}, {fault}" for fault in judge.judge(text)]
            uses |= judge.uses
    return faults, uses


def sources_of(*paths: Path) -> dict[str, str]:
    """Python sources by file name; those of a folder, with all that is below it, by its name and the path within."""
    files = [(path, file) for path in paths for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    return {file.relative_to(path.parent).as_posix(): file.read_text(encoding="utf-8") for path, file in files}


class Judge:
    """Walks one file twice: first for the types of the attributes, then for the faults."""

    def __init__(
        self, facts: Facts, widgets: Mapping[str, str] | None, parameters: Parameters, pages: frozenset[str]
    ) -> None:
        self.facts = facts
        self.widgets: Mapping[str, str] = {} if widgets is None else widgets
        self.names_known = widgets is not None
        self.parameters = parameters
        self.pages = pages
        self.uses: set[str] = set()
        self._faults: dict[str, None] = {}

    def judge(self, text: str) -> list[str]:
        """The faults of a file, in order."""
        tree = ast.parse(text)
        owners: list[ast.Module | ast.ClassDef] = [item for item in ast.walk(tree) if isinstance(item, ast.ClassDef)]
        for owner in [tree, *owners]:
            own: dict[str, Types] = {}
            for _pass in range(2):  # an attribute may be used above the line that sets it
                self._faults_of_class(owner, own)
        return sorted(self._faults, key=lambda fault: int(fault.split()[1].rstrip(":")))

    def _faults_of_class(self, owner: ast.Module | ast.ClassDef, own: dict[str, Types]) -> None:
        for item in owner.body:
            if isinstance(item, ast.FunctionDef):
                names = self._parameters_of(item) if isinstance(owner, ast.Module) else {}
                self._walk(item, Scope(self.facts, self.widgets, names, own))
            elif not isinstance(item, ast.ClassDef):
                self._walk(item, Scope(self.facts, self.widgets, own=own))

    def _parameters_of(self, function: ast.FunctionDef) -> dict[str, Types]:
        given = self.parameters.get(function.name, {})
        return {item.arg: given[place] for place, item in enumerate(function.args.args) if place in given}

    # --- one function

    def _walk(self, node: ast.AST, scope: Scope) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                scope.bind_value(target, node.value)
                self._check_set(target, node.value, scope)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            scope.bind_value(node.target, node.value)
        elif isinstance(node, ast.For | ast.comprehension):
            scope.bind_items(node.target, node.iter)
        elif isinstance(node, ast.Attribute):
            self._check_name(node, scope)
        elif isinstance(node, ast.Call):
            self._check_call(node, scope)
        self._check_truth(node, scope)
        generators = getattr(node, "generators", ())
        for child in [*generators, *(item for item in ast.iter_child_nodes(node) if item not in generators)]:
            self._walk(child, scope)

    def _fault(self, node: ast.AST, text: str) -> None:
        self._faults[f"line {getattr(node, 'lineno', 0)}: {text}"] = None

    def _classes(self, node: ast.Attribute, scope: Scope) -> Iterator[tuple[str, str]]:
        """Classes of the object whose attribute is used, and what the attribute is; "" if there is no such one."""
        for item in sorted(scope.of(node.value) - {UI}):
            name = class_name(item)
            if name in self.facts.classes:
                kind_of = self.facts.kind_below if item.startswith(SOME) else self.facts.kind
                yield item, kind_of(name, node.attr)

    def _check_name(self, node: ast.Attribute, scope: Scope) -> None:
        if isinstance(node.value, ast.Name) and node.value.id == "qt" and node.attr not in self.facts.classes:
            self._fault(node, f"Qt {self.facts.version} has no class {node.attr}")
        if self.names_known and UI in scope.of(node.value) and node.attr not in self.widgets:
            self._fault(node, f"the window has no widget '{node.attr}'")
        for item, kind in self._classes(node, scope):
            name = class_name(item)
            self.uses.add(f"{name}.{node.attr}")
            if not kind:
                self._fault(node, f"{name} has no '{node.attr}'")
            elif item.startswith(CLASS) and kind == PROPERTY:
                self._fault(node, f"{name}.{node.attr} is a property of objects, not of the class")

    def _check_set(self, target: ast.expr, value: ast.expr, scope: Scope) -> None:
        if not isinstance(target, ast.Attribute):
            return
        for item, kind in self._classes(target, scope):
            name = class_name(item)
            known = self.facts.property(name, target.attr)
            if known is None and kind == PROPERTY:  # of a derived class
                continue
            if known is None:
                self._fault(target, f"{name}.{target.attr} is no property: it cannot be set")
            elif not known["writable"]:
                self._fault(target, f"{name}.{target.attr} is read only")
            elif isinstance(value, ast.Constant) and known["type"] in CONSTANTS:
                good = CONSTANTS[known["type"]]
                if not isinstance(value.value, good) or (isinstance(value.value, bool) and bool not in good):
                    self._fault(target, f"{name}.{target.attr} of type {known['type']} is set to {value.value!r}")

    def _check_call(self, node: ast.Call, scope: Scope) -> None:
        self._note_arguments(node, scope)
        if not isinstance(node.func, ast.Attribute):
            return
        for item, kind in self._classes(node.func, scope):
            name = class_name(item)
            if kind == PROPERTY:
                self._fault(node, f"{name}.{node.func.attr} is a property: it is not called")
            if kind in (VALUE, SIGNAL):
                self._fault(node, f"{name}.{node.func.attr} is a {kind}: it is not called")
            if kind == METHOD and node.keywords:
                self._fault(node, f"{name}.{node.func.attr}: PythonQt takes no arguments by name")
            if node.func.attr in ("connect", "disconnect") and not item.startswith(SOME):
                self._check_signal(node, name)

    def _check_signal(self, node: ast.Call, name: str) -> None:
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            self.uses.add(f"{name}.{first.value}")
            if "".join(first.value.split()) not in self.facts.signals(name):
                self._fault(node, f"{name} has no signal '{first.value}'")

    def _check_truth(self, node: ast.AST, scope: Scope) -> None:
        """A method that is not called, where its answer is meant: ``if button.isVisible:``."""
        asked: list[ast.expr] = []
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            asked = [node.test]
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            asked = [node.operand]
        elif isinstance(node, ast.BoolOp):
            asked = node.values
        elif isinstance(node, ast.Compare):
            asked = [node.left, *node.comparators]
        elif isinstance(node, ast.BinOp):
            asked = [node.left, node.right]
        elif isinstance(node, ast.FormattedValue):
            asked = [node.value]
        for item in asked:
            if isinstance(item, ast.Attribute):
                for found, kind in self._classes(item, scope):
                    if kind == METHOD:
                        self._fault(item, f"{class_name(found)}.{item.attr} is a method: it must be called")

    def _note_arguments(self, node: ast.Call, scope: Scope) -> None:
        """What one of the module's functions is called with: its parameters have these types."""
        called, name = node.func, ""
        if isinstance(called, ast.Name):
            name = called.id
        elif isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in self.pages:
            name = called.attr
        for place, item in enumerate(node.args):
            types = scope.of(item) - {UI}
            if types and name:
                known = self.parameters.setdefault(name, {})
                known[place] = known.get(place, NOTHING) | types

"""What can only be seen in a module's source: spellings that PySide6 takes and PythonQt does not.

PythonQt has no scoped enums (``qt.Qt.AlignmentFlag.AlignCenter``): the value lies in the class (``qt.Qt.AlignCenter``).
"""

import ast
import enum
from typing import Any

FOREIGN = ("PySide6", "shiboken6", "PyQt5", "PyQt6", "slicerhost")


def _chain(node: ast.AST) -> list[str]:
    """The names of ``a.b.c``, or nothing for any other expression."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        inner = _chain(node.value)
        return [*inner, node.attr] if inner else []
    return []


def _chain_fault(chain: list[str], qt: Any) -> str | None:
    name = ".".join(chain)
    if not hasattr(qt, chain[1]):
        return f"{'.'.join(chain[:2])} does not exist"
    if len(chain) < 4:
        return None
    kind = getattr(getattr(qt, chain[1]), chain[2], None)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return f"{name}: PythonQt has no scoped enums, write {'.'.join(chain[:2])}.{chain[3]}"
    return None


def source_faults(source: str) -> list[str]:
    """Each fault of a module's source, with its line; the application must run."""
    import qt

    faults = []
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        faults += [
            f"line {node.lineno}: import of {name}"  # type: ignore[attr-defined]
            for name in names
            if name.split(".")[0] in FOREIGN
        ]
        if isinstance(node, ast.Attribute):
            chain = _chain(node)
            fault = _chain_fault(chain, qt) if len(chain) >= 2 and chain[0] == "qt" else None
            if fault is not None:
                faults.append(f"line {node.lineno}: {fault}")
    return faults

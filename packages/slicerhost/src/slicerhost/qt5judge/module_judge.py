"""Judges a whole module: its .ui files and its sources."""

from pathlib import Path

from . import Facts
from .code_judge import code_faults, sources_of
from .ui_judge import ui_faults, widget_classes

#: Folders beside a module's file that hold no part of its window
BESIDE = ("Testing", "Resources", "__pycache__")


def ui_files(module: Path) -> list[Path]:
    """The .ui files of a module, by its file."""
    return sorted((module.parent / "Resources").rglob("*.ui"))


def module_sources(module: Path) -> dict[str, str]:
    """The module's own file and all packages beside it, by file name."""
    folders = [path for path in sorted(module.parent.iterdir()) if path.is_dir() and path.name not in BESIDE]
    return sources_of(module, *(folder for folder in folders if not folder.name.startswith(".")))


def module_widgets(module: Path) -> dict[str, str] | None:
    """Class of each widget of a module's .ui files, by name; None where it has no such file.

    A name that stands for two classes gets none: what it is cannot be told from the name.
    """
    files = ui_files(module)
    found: dict[str, str] = {}
    for file in files:
        for name, kind in widget_classes(file.read_text(encoding="utf-8")).items():
            found[name] = kind if found.get(name, kind) == kind else ""
    return found if files else None


def module_faults(module: Path, facts: Facts) -> list[str]:
    """What Qt 5.15 and PythonQt would not take of a module, each as a sentence that names the file.

    Args:
        module: The module's Python file; its .ui files lie under ``Resources``.
        facts: What Qt says of itself (`read_facts`).
    """
    faults = [
        f"{file.name}, {fault}" for file in ui_files(module) for fault in ui_faults(file.read_text("utf-8"), facts)
    ]
    return [*faults, *code_faults(module_sources(module), module_widgets(module), facts)]

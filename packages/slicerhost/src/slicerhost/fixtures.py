"""pytest fixtures over the host, for a conftest.py: the one at the root takes them as a plugin, any other by name.

    pytest_plugins = ["slicerhost.fixtures"]
    from slicerhost.fixtures import loaded, qt5_facts, slicer_app, slicer_scene  # noqa: F401

They are no plugin that pytest finds by itself: other tests of an environment are none of the host's business.
There is one application per process: every test of the process shares it, and gets an empty scene.
"""

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import slicerhost
from slicerhost.here import WHY_NOT
from slicerhost.qt5judge import Facts, read_facts

slicerhost.set_environment()  # before anything imports Qt or VTK


def _missing(message: str) -> None:
    """Skips what cannot run; under CI a package that is not installed is a failure."""
    if os.environ.get("CI") == "true" and not WHY_NOT:
        pytest.fail(message)
    pytest.skip(message)


class SkippedModule(pytest.Module):
    """A file of tests that is skipped without being imported: where the host cannot run (`here.WHY_NOT`).

    For a conftest.py:

        if WHY_NOT:
            def pytest_pycollect_makemodule(module_path, parent):
                return SkippedModule.from_parent(parent, path=module_path)
    """

    def collect(self) -> list[pytest.Item]:
        """Skips, with the reason."""
        pytest.skip(WHY_NOT, allow_module_level=True)


@pytest.fixture(scope="session")
def slicer_app() -> Any:
    """The application, in testing mode; where its packages are missing the tests are skipped, under CI they fail."""
    if importlib.util.find_spec("slicer_core") is None or importlib.util.find_spec("PySide6") is None:
        _missing(WHY_NOT or "slicer-core and PySide6-Essentials, which the headless host needs, are not installed")
    return slicerhost.start()


@pytest.fixture
def slicer_scene(slicer_app: Any) -> Iterator[Any]:
    """An empty scene, no module, nothing recorded; afterwards no slot may have raised and no answer may wait.

    A test that expects an exception in a slot takes it out of `slicerhost.slot_errors`.
    """
    _reset(slicer_app)
    yield slicer_app.mrmlScene()
    slicerhost.process_events()
    errors, waiting = list(slicerhost.slot_errors), list(slicerhost.dialogs.waiting)
    _reset(slicer_app)
    if errors:
        raise AssertionError(f"a slot raised {errors[0]!r}") from errors[0]
    assert not waiting, f"answers nobody asked for: {waiting}"


def _reset(app: Any) -> None:
    app.moduleManager().unload_all()
    app.processEvents()
    slicerhost.delete_later_now()  # or the widgets of every test would go on following the scene
    app.mrmlScene().Clear(0)
    app.processEvents()
    app.set_testing(True)
    app.userSettings().clear()
    slicerhost.dialogs.reset()
    slicerhost.packages.reset()
    slicerhost.slot_errors.clear()


@pytest.fixture
def loaded(slicer_scene: Any) -> Callable[[str | Path], Any]:
    """A function that loads a module by its file and returns its widget, set up but not entered."""

    def load(path: str | Path) -> Any:
        widget = slicerhost.load_module(path).widgetRepresentation()
        assert widget is not None, f"{path} has no widget class"
        return widget.self()

    return load


@pytest.fixture(scope="session")
def qt5_facts() -> Facts:
    """What Qt 5.15 says of itself, for `qt5judge`; without PyQt5 the tests are skipped, under CI they fail."""
    if importlib.util.find_spec("PyQt5") is None:
        _missing(WHY_NOT or "PyQt5, which the second judge needs, is not installed")
    return read_facts()

"""pytest fixtures over the host: import them in a conftest.py.

    from slicerhost.fixtures import loaded, slicer_app, slicer_scene  # noqa: F401

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
        message = WHY_NOT or "slicer-core and PySide6-Essentials, which the headless host needs, are not installed"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
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
        return slicerhost.load_module(path).widgetRepresentation().self()

    return load

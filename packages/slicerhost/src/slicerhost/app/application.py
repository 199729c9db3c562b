"""``slicer.app``: a real MRML scene with Slicer's application and module logics, inside a headless Qt application."""

import logging
import os
import stat
import sys
import tempfile
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtWidgets

from ..pythonqt import ownership, signals
from ..pythonqt.stand_in import stands_for
from .files import CoreIOManager
from .layout import qSlicerLayoutManager
from .modules import BuiltInModule, ModuleManager
from .subject_hierarchy import SubjectHierarchy

VERSION = (5, 12)
MODULE_LOGICS = {
    "Colors": "vtkSlicerColorLogic",
    "CropVolume": "vtkSlicerCropVolumeLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Models": "vtkSlicerModelsLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Units": "vtkSlicerUnitsLogic",
    "Volumes": "vtkSlicerVolumesLogic",
}

#: Logics that say once that they miss files of Slicer's share folder, which the wheel does not have
WITHOUT_FILES = ("Colors", "Terminologies")


@contextmanager
def vtk_silent(silent: bool) -> Iterator[None]:
    """Keeps VTK's error messages back, for a known reason."""
    shown = vtk.vtkObject.GetGlobalWarningDisplay()
    vtk.vtkObject.SetGlobalWarningDisplay(shown and not silent)
    try:
        yield
    finally:
        vtk.vtkObject.SetGlobalWarningDisplay(shown)


def _put_python_slicer_on_path(folder: Path) -> Path:
    """Makes a command ``PythonSlicer``, which in this host is the Python that runs it."""
    folder.mkdir(parents=True, exist_ok=True)
    command = folder / "PythonSlicer"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    return command


def _print_qt_message(kind: QtCore.QtMsgType, _context: Any, text: str) -> None:
    """Qt's own messages, without the one that the offscreen platform prints for every dialog."""
    if "propagateSizeHints" not in text and kind != QtCore.QtMsgType.QtDebugMsg:
        print(f"Qt: {text}", file=sys.stderr)
    error = ownership.deadly_message(text)
    if error is not None:
        signals.report_slot_error(error)


class CommandOptions:
    """``slicer.app.commandOptions()``."""

    def __init__(self) -> None:
        self.runPythonAndExit = True
        self.testingEnabled = False
        self.noMainWindow = False


class ExtensionsManagerModel:
    """``slicer.app.extensionsManagerModel()``: no extension is installed; what is asked for is recorded."""

    def __init__(self) -> None:
        self.installed: list[str] = []
        self.requested: list[str] = []

    def isExtensionInstalled(self, name: str) -> bool:
        """Whether a test has put the name into `installed`."""
        return name in self.installed

    def installExtensionFromServer(self, name: str, *_more: Any) -> bool:
        """Records the wish; nothing is ever downloaded."""
        self.requested.append(name)
        return False


@stands_for("ctk")
class ctkSettings(QtCore.QSettings):
    """Settings in a file of the application's home."""


class qSlicerApplication(QtWidgets.QApplication):
    """The part of qSlicerApplication that scripts use."""

    startupCompleted = QtCore.Signal()
    STANDS_FOR = "slicer"
    CPP_SIGNALS = ("startupCompleted()",)
    documentationBaseUrl = "https://slicer.readthedocs.io/en/latest/"
    revision = "host"
    mainApplicationName = "Slicer"

    def __init__(self, home: Path | None = None, testing: bool = True, layout: bool = True) -> None:
        """Makes the scene, the logics and, with `layout`, the views; `home` is a folder of its own, made if None."""
        QtCore.QCoreApplication.setOrganizationName("slicerhost")
        QtCore.QCoreApplication.setApplicationName("Slicer")
        QtCore.QCoreApplication.setApplicationVersion("{}.{}.0-host".format(*VERSION))
        QtCore.qInstallMessageHandler(_print_qt_message)
        super().__init__(["Slicer"])
        self._own_home = tempfile.TemporaryDirectory(prefix="slicerhost-") if home is None else None
        self._home = Path(home if self._own_home is None else self._own_home.name).absolute()
        self._testing = testing
        self._options = CommandOptions()
        self._options.testingEnabled, self._options.noMainWindow = testing, not layout
        self._extensions = ExtensionsManagerModel()
        self._startup_environment = dict(os.environ)
        self._render_pauses = 0
        self._use_own_settings()
        self._python_slicer = _put_python_slicer_on_path(self._home / "bin")
        slicer.app = self
        slicer.modules, slicer.moduleNames = types.SimpleNamespace(), types.SimpleNamespace()
        self._modules, self._files = ModuleManager(), CoreIOManager(self)
        self._scene, self._logic = slicer.vtkMRMLScene(), slicer.vtkSlicerApplicationLogic()
        slicer.mrmlScene = self._scene
        self._logics: dict[str, Any] = {}
        self._make_scene()
        self._make_module_logics()
        self._layout: qSlicerLayoutManager | None = None
        if layout:
            self._layout = qSlicerLayoutManager(self._logic, self._scene)

    def _use_own_settings(self) -> None:
        """Settings go to a file of this application's home: never to the user's own."""
        settings = QtCore.QSettings
        settings.setDefaultFormat(settings.Format.IniFormat)
        for scope in (settings.Scope.UserScope, settings.Scope.SystemScope):
            settings.setPath(settings.Format.IniFormat, scope, str(self._home))

    def _make_scene(self) -> None:
        temporary, cache = self._home / "tmp", self._home / "cache"
        temporary.mkdir(parents=True, exist_ok=True)
        cache.mkdir(exist_ok=True)
        crosshair = slicer.vtkMRMLCrosshairNode()
        crosshair.SetCrosshairName("default")
        self._scene.AddNode(crosshair)
        self._logic.SetTemporaryPath(str(temporary))
        self._logic.SetMRMLScene(self._scene)
        # Reading a .mrb needs a cache folder, which the remote-IO logic brings to the scene.
        self._remote, self._data = slicer.vtkMRMLRemoteIOLogic(), slicer.vtkDataIOManagerLogic()
        self._remote.GetCacheManager().SetRemoteCacheDirectory(str(cache))
        self._data.SetMRMLApplicationLogic(self._logic)
        self._remote.SetMRMLScene(self._scene)
        self._remote.AddDataIOToScene()
        self._data.SetAndObserveDataIOManager(self._remote.GetDataIOManager())
        colors = self._logic.GetColorLogic()
        colors.SetMRMLScene(self._scene)
        colors.AddDefaultColorNodes()
        self._logic.SetSliceLogics(vtk.vtkCollection())
        self._logic.SetViewLogics(vtk.vtkCollection())
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self._scene, True)

    def _make_module_logics(self) -> None:
        for name, class_name in MODULE_LOGICS.items():
            logic = getattr(slicer, class_name)()
            logic.SetMRMLApplicationLogic(self._logic)
            with vtk_silent(name in WITHOUT_FILES):
                logic.SetMRMLScene(self._scene)
            self._logic.SetModuleLogic(name, logic)
            self._logics[name] = logic
            self._modules.add(BuiltInModule(name, logic))
        self._hierarchy = SubjectHierarchy(self._scene)

    # --- what scripts ask for

    def mrmlScene(self) -> Any:
        """The scene."""
        return self._scene

    def applicationLogic(self) -> Any:
        """The real application logic."""
        return self._logic

    def moduleLogic(self, name: str) -> Any:
        """The real logic of a C++ module."""
        return self._logics[name]

    def moduleManager(self) -> ModuleManager:
        """The modules."""
        return self._modules

    def coreIOManager(self) -> CoreIOManager:
        """Reading and writing."""
        return self._files

    def ioManager(self) -> CoreIOManager:
        """Reading and writing."""
        return self._files

    def layoutManager(self) -> qSlicerLayoutManager | None:
        """The views; None where Slicer would run without a main window."""
        return self._layout

    def extensionsManagerModel(self) -> ExtensionsManagerModel:
        """The installed extensions: none."""
        return self._extensions

    def commandOptions(self) -> CommandOptions:
        """How the application was started."""
        return self._options

    def testingEnabled(self) -> bool:
        """Whether `slicer.util` keeps dialogs back."""
        return self._testing

    def set_testing(self, testing: bool) -> None:
        """For tests: whether a user is there, see `slicerhost.user_answers`."""
        self._testing = testing

    def userSettings(self) -> ctkSettings:
        """The settings of this application's home."""
        return ctkSettings()

    def settings(self) -> ctkSettings:
        """The settings of this application's home."""
        return ctkSettings()

    def startupEnvironment(self) -> QtCore.QProcessEnvironment:
        """The environment before the application changed it."""
        environment = QtCore.QProcessEnvironment()
        for name, value in self._startup_environment.items():
            environment.insert(name, value)
        return environment

    def moduleDocumentationUrl(self, name: str) -> str:
        """Where Slicer's documentation of a module would lie."""
        return f"{self.documentationBaseUrl}user_guide/modules/{name.lower()}.html"

    def pythonConsole(self) -> None:
        """There is none."""
        return

    def translate(self, _context: str, text: str, *_more: Any) -> str:
        """The text as it is."""
        return text

    def pauseRender(self) -> None:
        """Views are drawn when looked at: only counted."""
        self._render_pauses += 1

    def resumeRender(self) -> None:
        """Ends one `pauseRender`."""
        self._render_pauses -= 1

    def restart(self) -> None:
        """Only logged."""
        logging.warning("the test host does not restart")

    temporaryPath = property(lambda self: str(self._home / "tmp"))
    slicerHome = property(lambda self: str(self._home))
    cachePath = property(lambda self: str(self._home / "cache"))
    slicerUserSettingsFilePath = property(lambda self: QtCore.QSettings().fileName())
    majorVersion = property(lambda self: VERSION[0])
    minorVersion = property(lambda self: VERSION[1])
    os = property(lambda self: "linux")
    arch = property(lambda self: "amd64")

    def close(self) -> None:
        """Modules are unloaded, views closed, the scene cleared: in Slicer's order, so that nothing dies late."""
        self._modules.unload_all()
        self._scene.Clear(1)
        if self._layout is not None:
            self._layout.close()
        if self._own_home is not None:
            self._own_home.cleanup()


def add_aliases(names: Sequence[str]) -> None:
    """Slicer has some of slicer-core's submodules at the top level as well."""
    import slicer_core

    for name in names:
        sys.modules.setdefault(name, getattr(slicer_core, name))

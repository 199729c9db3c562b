"""Scripted modules: loading, their widget, entering and leaving, reloading, unloading."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from ..pythonqt.stand_in import stands_for
from ..widgets.nodes import qMRMLWidget

DOCUMENTATION = "user_guide/modules/{}.html"


@stands_for("slicer")
class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):
    """The C++ side of a module's widget: parent of what `setup` makes."""

    CPP_SIGNALS = qMRMLWidget.CPP_SIGNALS

    def __init__(self, module: "ScriptedModule") -> None:
        super().__init__()
        self._module = module
        self._entered = False
        self._python: Any = None
        QtWidgets.QVBoxLayout(self)
        self._make()

    def _make(self) -> None:
        # Slicer would print an exception of the constructor or of setup and go on with half a panel; tests must see it.
        name = self._module.name
        widget_class = getattr(sys.modules[name], f"{name}Widget")
        self._python = widget_class(self)
        setattr(slicer.modules, f"{name}Widget", self._python)
        self._python.setup()

    def self(self) -> Any:
        """The Python object."""
        return self._python

    def reload(self) -> None:
        """Makes the Python object anew from the class that `sys.modules` holds now."""
        self._make()
        if self._entered:
            self._call("enter")

    def enter(self) -> None:
        """The module was selected."""
        if not self._entered:
            self._entered = True
            self._call("enter")

    def exit(self) -> None:
        """Another module is being selected."""
        if self._entered:
            self._entered = False
            self._call("exit")

    def _call(self, method: str) -> None:
        function = getattr(self._python, method, None)  # optional, as in Slicer
        if function is not None:
            function()


class ScriptedModule:
    """``parent`` of a module's Python class, and ``slicer.modules.<name>`` (qSlicerScriptedLoadableModule)."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.name = Path(path).stem
        self.title = self.name
        self.categories: list[str] = []
        self.dependencies: list[str] = []
        self.contributors: list[str] = []
        self.associatedNodeTypes: list[str] = []
        self.helpText = ""
        self.acknowledgementText = ""
        self.icon = QtGui.QIcon()
        self.logo = QtGui.QImage()
        self.hidden = False
        self.index = -1
        self.widgetRepresentationCreationEnabled = True
        self._widget: qSlicerScriptedLoadableModuleWidget | None = None
        self._scene = slicer.mrmlScene
        self._logic = slicer.vtkSlicerScriptedLoadableModuleLogic()
        self._frozen = True

    def __setattr__(self, name: str, value: Any) -> None:
        if "_frozen" in self.__dict__ and name not in self.__dict__:
            raise AttributeError(f"'{name}' does not exist on qSlicerScriptedLoadableModule")
        object.__setattr__(self, name, value)

    def widgetRepresentation(self) -> qSlicerScriptedLoadableModuleWidget | None:
        """The module's widget, made at the first call."""
        if self._widget is None and hasattr(sys.modules[self.name], f"{self.name}Widget"):
            self._widget = qSlicerScriptedLoadableModuleWidget(self)
            self._widget.setMRMLScene(self._scene)
        return self._widget

    def mrmlScene(self) -> Any:
        """The scene that the module works in."""
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        """Gives the module another scene, and its widget too."""
        self._scene = scene
        if self._widget is not None:
            self._widget.setMRMLScene(scene)

    def createNewWidgetRepresentation(self) -> qSlicerScriptedLoadableModuleWidget:
        """One more widget of the same module."""
        widget = qSlicerScriptedLoadableModuleWidget(self)
        widget.setMRMLScene(slicer.mrmlScene)
        return widget

    def logic(self) -> Any:
        """The C++ logic, which for a scripted module holds nothing; the Python one is ``widget.logic``."""
        return self._logic

    def close(self) -> None:
        """Ends the widget."""
        if self._widget is not None:
            self._widget.exit()
            self._widget.deleteLater()
            self._widget = None


class BuiltInModule:
    """``slicer.modules.<name>`` of a C++ module: its real logic, no widget."""

    def __init__(self, name: str, logic: Any) -> None:
        self.name = name
        self.title = name
        self._logic = logic

    def logic(self) -> Any:
        """The module's logic, from slicer-core."""
        return self._logic

    def widgetRepresentation(self) -> None:
        """The host has no widgets of C++ modules."""
        return


class FactoryManager(QtCore.QObject):
    """The part of qSlicerModuleFactoryManager that loads a module by its file."""

    def __init__(self, manager: "ModuleManager") -> None:
        super().__init__()
        self._manager = manager
        self._registered: dict[str, str] = {}

    def registerModule(self, file: Any) -> str:
        """Notes a module's file (a QFileInfo); returns its name."""
        path = file.absoluteFilePath()
        name = Path(path).stem
        self._registered[name] = path
        return name

    def loadModules(self, names: list[str]) -> bool:
        """Loads registered modules."""
        for name in names:
            self._manager.loadModule(self._registered[name])
        return True

    def isLoaded(self, name: str) -> bool:
        """Whether a module is there."""
        return self._manager.module(name) is not None

    def loadedModuleNames(self) -> list[str]:
        """The names of all modules."""
        return self._manager.modulesNames()


class ModuleManager(QtCore.QObject):
    """``slicer.app.moduleManager()``; which module is selected."""

    moduleLoaded = QtCore.Signal(str)
    moduleAboutToBeUnloaded = QtCore.Signal(str)
    STANDS_FOR = "slicer"

    def __init__(self) -> None:
        super().__init__()
        self._modules: dict[str, Any] = {}
        self._factory = FactoryManager(self)
        self._selected = ""

    def factoryManager(self) -> FactoryManager:
        """What loads modules."""
        return self._factory

    def module(self, name: str) -> Any:
        """A module by its name, or None."""
        return self._modules.get(name)

    def modulesNames(self) -> list[str]:
        """The names of all modules."""
        return list(self._modules)

    def add(self, module: Any) -> None:
        """Makes a module known under its name."""
        self._modules[module.name] = module
        setattr(slicer.modules, module.name.lower(), module)
        setattr(slicer.moduleNames, module.name, module.name)
        self.moduleLoaded.emit(module.name)

    def loadModule(self, path: str) -> ScriptedModule:
        """Imports a scripted module and makes its Python object, as Slicer does at its start.

        Raises:
            AttributeError: The file has no class of its own name.
        """
        path = os.path.realpath(path)
        name, folder = Path(path).stem, str(Path(path).parent)
        if folder not in sys.path:
            sys.path.insert(0, folder)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        python = importlib.util.module_from_spec(spec)
        sys.modules[name] = python
        spec.loader.exec_module(python)
        module = ScriptedModule(path)
        setattr(slicer.modules, f"{name}Instance", getattr(python, name)(module))
        self.add(module)
        return module

    def unload(self, name: str) -> None:
        """Takes a module away: its widget's `cleanup` runs first."""
        if self._selected == name:
            self._selected = ""
        module = self._modules.pop(name)
        if isinstance(module, ScriptedModule) and module._widget is not None:
            module._widget.exit()
        self.moduleAboutToBeUnloaded.emit(name)
        if isinstance(module, ScriptedModule):
            module.close()
        for attribute in (f"{name}Instance", f"{name}Widget", name.lower()):
            slicer.modules.__dict__.pop(attribute, None)
        slicer.moduleNames.__dict__.pop(name, None)
        getattr(slicer, "selfTests", {}).pop(name, None)

    def unload_all(self) -> None:
        """Takes all scripted modules away, as at the end of the application."""
        for name in [name for name, module in self._modules.items() if isinstance(module, ScriptedModule)]:
            self.unload(name)

    @property
    def selected(self) -> str:
        """Name of the module whose panel is shown, or ""."""
        return self._selected

    def select(self, name: str) -> None:
        """Leaves the module shown so far and enters another; "" for none."""
        if name == self._selected:
            return
        old, new = self._modules.get(self._selected), self._modules.get(name)
        if isinstance(old, ScriptedModule) and old._widget is not None:
            old._widget.exit()
        self._selected = name if new is not None else ""
        widget = new.widgetRepresentation() if new is not None else None
        if widget is not None:
            widget.enter()

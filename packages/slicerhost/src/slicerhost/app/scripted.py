"""``slicer.ScriptedLoadableModule``, ``slicer.i18n`` and ``slicer.testing``: own, narrow versions.

They do what a module relies on, in Slicer's order; the module's developer section (Reload & Test) is left out.
"""

import importlib
import logging
import os
import sys
import types
import unittest
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtGui, QtWidgets

ICON_SUFFIXES = (".svg", ".png")


class ScriptedLoadableModule:
    """What Slicer knows of a module before its widget is made."""

    def __init__(self, parent: Any) -> None:
        super().__init__()
        self.parent = parent
        self.moduleName = type(self).__name__
        # Slicer's own defaults name a Slicer developer: a module that forgets them must be seen to have forgotten.
        parent.title = ""
        parent.categories = []
        parent.dependencies = []
        parent.contributors = []
        parent.helpText = ""
        parent.acknowledgementText = ""
        icons = Path(parent.path).parent / "Resources" / "Icons"
        icon = next(
            (path for path in (icons / (self.moduleName + end) for end in ICON_SUFFIXES) if path.is_file()), None
        )
        if icon is not None:
            parent.icon = QtGui.QIcon(str(icon))
        if not hasattr(slicer, "selfTests"):
            slicer.selfTests = {}
        slicer.selfTests[self.moduleName] = self.runTest

    def resourcePath(self, filename: str) -> str:
        """Absolute path of a file under the module's ``Resources``."""
        return os.path.join(os.path.dirname(self.parent.path), "Resources", filename)  # noqa: PTH118, PTH120

    def getDefaultModuleDocumentationLink(self, docPage: str | None = None) -> str:
        """A sentence with a link to the module's page."""
        app = slicer.app
        url = app.documentationBaseUrl + docPage if docPage else app.moduleDocumentationUrl(self.moduleName)
        return f'<p>For more information, see the <a href="{url}">online documentation</a>.</p>'

    def runTest(self, msec: int = 100, **kwargs: Any) -> None:
        """Runs the module's self-test.

        Raises:
            AssertionError: The module has no test class.
        """
        module = importlib.import_module(type(self).__module__)
        test_class = getattr(module, f"{self.moduleName}Test", None)
        if test_class is None:
            raise AssertionError(f"Test case class not found: {type(self).__module__}.{self.moduleName}Test")
        test = test_class()
        test.messageDelay = msec
        test.runTest(**kwargs)


class ScriptedLoadableModuleWidget:
    """A module's panel; without a parent it makes a window of its own, as in Slicer."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = False
        if parent is None:
            self.parent = slicer.qMRMLWidget()
            self.parent.setLayout(QtWidgets.QVBoxLayout())
            self.parent.setMRMLScene(slicer.mrmlScene)
        else:
            self.parent = parent
        self.layout = self.parent.layout()
        if parent is None:
            self.setup()
            self.parent.show()
        slicer.app.moduleManager().connect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)

    def resourcePath(self, filename: str) -> str:
        """Absolute path of a file under the module's ``Resources``."""
        folder = os.path.dirname(slicer.util.modulePath(self.moduleName))  # noqa: PTH120
        return os.path.join(folder, "Resources", filename)  # noqa: PTH118

    def setup(self) -> None:
        """Makes the panel; a module extends it."""

    def cleanup(self) -> None:
        """Undoes what outlives the panel; a module overrides it."""

    def onReload(self) -> None:
        """Loads the module's source anew."""
        slicer.util.reloadScriptedModule(self.moduleName)

    def _onModuleAboutToBeUnloaded(self, moduleName: str) -> None:
        if moduleName == self.moduleName:
            self.cleanup()
            slicer.app.moduleManager().disconnect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)


class ScriptedLoadableModuleLogic:
    """A module's computation, and its parameter node."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self) -> Any:
        """The module's parameter node, made if the scene has none."""
        if self.isSingletonParameterNode:
            node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
            if node is not None:
                node.SetAttribute("ModuleName", self.moduleName)  # closing the scene takes attributes away
                return node
        else:
            existing = self.getAllParameterNodes()
            if existing:
                return existing[0]
        return slicer.mrmlScene.AddNode(self.createParameterNode())

    def getAllParameterNodes(self) -> list[Any]:
        """Every parameter node of this module in the scene."""
        nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
        return [node for node in nodes if node.GetAttribute("ModuleName") == self.moduleName]

    def createParameterNode(self) -> Any:
        """A new parameter node, not yet in the scene; a module may extend it with defaults."""
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)  # the Python variable owns it
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """A module's self-test: `runTest` runs every method with "test" in its name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.messageDelay = 100
        self.moduleTestNames = [name for name in dir(self) if "test" in name and callable(getattr(self, name))]

    def delayDisplay(self, message: str, requestedDelay: int | None = None, msec: int | None = None) -> None:
        """Logs a message and lets the event loop catch up."""
        logging.info(message)
        slicer.app.processEvents()

    def takeScreenshot(self, name: str, description: str, type: int = -1) -> None:  # noqa: A002
        """Says only what it would show; `slicerhost.MainWindow.screenshot` makes pictures."""
        self.delayDisplay(description)

    def runTest(self) -> None:
        """Runs the tests one after the other."""
        self.setUpClass()
        for name in self.moduleTestNames:
            self.setUp()
            logging.info("Running %s", name)
            getattr(self, name)()
            self.tearDown()
        self.tearDownClass()


def tr(text: str) -> str:
    """The text as it is: the host has no translations."""
    return text


def translate(context: str, text: str) -> str:
    """The text as it is: the host has no translations."""
    return text


def run_unit_test(path: str | list[str], testname: str) -> None:
    """What `ctest` calls: runs a test file by unittest.

    Raises:
        Exception: A test failed, or there was none.
    """
    sys.path.extend([path] if isinstance(path, str) else path)
    suite = unittest.defaultTestLoader.loadTestsFromName(testname)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    if not result.wasSuccessful() or not result.testsRun:
        raise Exception(f"unit tests of {testname} failed ({result.testsRun} run)")


def _publish(name: str, **contents: Any) -> None:
    module = types.ModuleType(f"slicer.{name}")
    module.__dict__.update(contents)
    sys.modules[module.__name__] = module
    setattr(slicer, name, module)


def install() -> None:
    """Makes the three modules importable."""
    classes = (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    )
    names = {cls.__name__: cls for cls in classes}
    _publish("ScriptedLoadableModule", __all__=list(names), **names)
    _publish("i18n", tr=tr, translate=translate)
    _publish("testing", runUnitTest=run_unit_test)

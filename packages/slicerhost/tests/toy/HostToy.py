"""A small scripted module, written as for Slicer, that the host's own tests load."""

import enum
import pathlib
from typing import Annotated

import ctk  # noqa: F401 - must be importable
import numpy as np
import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import Choice, Default, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

CHILD = (
    "import sys, time\nfor i in range(3):\n    print(i, flush=True)\nprint('é', flush=True)\nsys.exit(int(sys.argv[1]))"
)


class HostToy(ScriptedLoadableModule):
    def __init__(self, parent):
        super().__init__(parent)
        self.parent.title = _("Host toy")
        self.parent.categories = ["Testing"]
        self.parent.contributors = ["The slicerhost contributors"]
        self.parent.helpText = _("Exercises the test host.")
        self.parent.acknowledgementText = _("None.")


class Mode(enum.Enum):
    QUICK = "quick"
    THOROUGH = "thorough"

    def label(self):
        return self.value.title()


@parameterNodeWrapper
class HostToyParameters:
    volume: slicer.vtkMRMLScalarVolumeNode
    map: slicer.vtkMRMLScalarVolumeNode | None
    mode: Mode = Mode.THOROUGH
    opacity: Annotated[float, WithinRange(0.0, 1.0), Default(0.5)]
    show: bool = True
    note: str
    device: Annotated[str, Choice(["cpu", "cuda"])] = "cpu"
    folder: pathlib.Path
    names: list[str]


class HostToyWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.parameters = None
        self.guiTag = None
        self.process = None
        self.events = []

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/HostToy.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = HostToyLogic()
        self.editorNode = slicer.mrmlScene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode")
        if self.editorNode is None:
            node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
            node.UnRegister(None)
            node.SetSingletonTag("SegmentEditor")
            self.editorNode = slicer.mrmlScene.AddNode(node)
        self.ui.segmentEditor.setMRMLSegmentEditorNode(self.editorNode)
        self.ui.segmentEditor.setEffectNameOrder(["Threshold", "Paint", "Erase"])
        self.ui.segmentEditor.unorderedEffectsVisible = False
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.ui.runButton.connect("clicked()", self.onRun)
        self.initializeParameterNode()

    def cleanup(self):
        self.events.append("cleanup")
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self):
        self.events.append("enter")
        self.initializeParameterNode()
        self.ui.segmentEditor.installKeyboardShortcuts()

    def exit(self):
        self.events.append("exit")
        self.ui.segmentEditor.setActiveEffect(None)
        self.ui.segmentEditor.uninstallKeyboardShortcuts()
        self.ui.segmentEditor.removeViewObservations()
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event):
        self.events.append("start close")
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        self.events.append("end close")
        self.initializeParameterNode()

    def initializeParameterNode(self):
        self.setParameterNode(HostToyParameters(self.logic.getParameterNode()))

    def setParameterNode(self, parameters):
        if self.parameters:
            self.parameters.disconnectGui(self.guiTag)
            self.removeObserver(self.parameters, vtk.vtkCommand.ModifiedEvent, self.checkCanApply)
        self.parameters = parameters
        if parameters:
            self.guiTag = parameters.connectGui(self.ui)
            self.addObserver(parameters, vtk.vtkCommand.ModifiedEvent, self.checkCanApply)
            self.checkCanApply()

    def checkCanApply(self, caller=None, event=None):
        ready = self.parameters.volume is not None
        self.ui.applyButton.enabled = ready
        self.ui.applyButton.toolTip = _("Make the map") if ready else _("Choose a volume")

    def onApply(self, checked=False):
        with slicer.util.tryWithErrorDisplay(_("The map failed."), waitCursor=True):
            self.parameters.map = self.logic.makeMap(self.parameters.volume)
            slicer.util.setSliceViewerLayers(
                foreground=self.parameters.map, foregroundOpacity=self.ui.opacitySlider.value
            )
            self.ui.statusLabel.text = _("Done")
            self.ui.progressBar.value = 100

    def onRun(self, code=0):
        self.process = qt.QProcess()
        self.process.setProcessChannelMode(qt.QProcess.MergedChannels)
        self.process.connect("readyReadStandardOutput()", self.onOutput)
        self.process.connect("finished(int,QProcess::ExitStatus)", self.onFinished)
        self.process.connect("errorOccurred(QProcess::ProcessError)", self.onError)
        self.process.connect("stateChanged(QProcess::ProcessState)", self.onState)
        self.process.start("PythonSlicer", ["-c", CHILD, str(code)])

    def onOutput(self):
        text = bytes(self.process.readAllStandardOutput().data()).decode("utf-8", errors="replace")
        self.ui.logEdit.append(text)

    def onFinished(self, code, status):
        self.events.append(("finished", code, status == qt.QProcess.NormalExit))

    def onError(self, error):
        self.events.append(("error", error == qt.QProcess.FailedToStart))

    def onState(self, state):
        if state == qt.QProcess.Running:
            self.events.append("running")


class HostToyLogic(ScriptedLoadableModuleLogic):
    def makeMap(self, volume):
        """A volume that is 1 in the half with the larger i of the input, on the input's grid."""
        values = np.zeros(slicer.util.arrayFromVolume(volume).shape, np.float32)
        values[:, :, values.shape[2] // 2 :] = 1.0
        matrix = vtk.vtkMatrix4x4()
        volume.GetIJKToRASMatrix(matrix)
        node = slicer.util.addVolumeFromArray(values, ijkToRAS=matrix, name="map")
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeRed")
        display.AutoWindowLevelOff()
        display.SetWindowLevelMinMax(0.0, 1.0)
        display.ApplyThresholdOn()
        display.SetThreshold(0.5, 1.0)
        return node


class HostToyTest(ScriptedLoadableModuleTest):
    def setUp(self):
        slicer.mrmlScene.Clear()

    def test_map(self):
        volume = slicer.util.addVolumeFromArray(np.zeros((4, 5, 6), np.int16), name="zeros")
        values = slicer.util.arrayFromVolume(HostToyLogic().makeMap(volume))
        self.assertEqual(values.sum(), 4 * 5 * 3)  # noqa: PT009 - as a module for Slicer writes it
        self.delayDisplay("Test passed")

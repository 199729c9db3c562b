"""3D Slicer module: outline a lung tumor on a chest CT, press Predict, see the answer on the images.

The module wires widgets, scene and library together and computes nothing itself: all computing is the library's
(`PDL1PredictorLib`), in a background process.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

OWN_PACKAGES = ("PDL1PredictorGUI", "PDL1PredictorLib")
SECTIONS = ("patient", "tumor", "regions", "predict", "results", "batch", "models")


class PDL1Predictor(ScriptedLoadableModule):
    """What Slicer knows of the module before it is opened."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        self.parent.title = _("PD-L1 Predictor")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        self.parent.dependencies = ["Segmentations", "Colors", "Plots"]
        self.parent.contributors = ["The PDL1Predictor contributors"]
        self.parent.helpText = _(
            "Predicts PD-L1 status and nine other biomarkers of non-small-cell lung cancer from a chest CT and the "
            "outline of the tumor, each with a calibrated probability, its uncertainty and a heat map.<p><b>Research "
            "use only.</b> Not a medical device: it must not guide diagnosis or treatment and does not replace a "
            "biopsy."
        )
        self.parent.helpText += self.getDefaultModuleDocumentationLink()
        self.parent.acknowledgementText = _(
            "Method: Deep-RadScore, and others as named in each model's card. Of the bundled models, those whose names "
            "end in -demo were trained on synthetic patients only: they show that the software works and say "
            "nothing about real ones. nsclc-radiogenomics was trained on 99 tumors of NSCLC Radiogenomics (Bakr et al. "
            "2018, doi 10.1038/sdata.2018.202) and pretrained on LIDC-IDRI (Armato et al. 2011, doi "
            "10.1118/1.3528204), both from The Cancer Imaging Archive under CC BY 3.0 "
            "(https://creativecommons.org/licenses/by/3.0/); the images were resampled, measured and used to fit "
            "weights. It makes no call on PD-L1: what it tells, it tells by the tumor's volume."
        )
        slicer.app.connect("startupCompleted()", register_sample_data)


def register_sample_data() -> None:
    """Lists the sample patient in the module Sample Data."""
    from PDL1PredictorGUI.scene import sample

    sample.register()


class PDL1PredictorWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The window: seven sections, six of them over one case."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: Any = None
        self.shared: Any = None
        self.sections: list[Any] = []
        self._gui_tag: int | None = None
        self._refreshing = False
        self._again = False

    def setup(self) -> None:
        """Makes the window; needs no main window, no network and no package that Slicer does not bring."""
        ScriptedLoadableModuleWidget.setup(self)
        from PDL1PredictorGUI.setup.library import make_importable
        from PDL1PredictorGUI.window.batch_section import BatchSection
        from PDL1PredictorGUI.window.live import LiveRegions
        from PDL1PredictorGUI.window.models.models_section import ModelsSection
        from PDL1PredictorGUI.window.patient import PatientSection
        from PDL1PredictorGUI.window.predict_section import PredictSection
        from PDL1PredictorGUI.window.regions import RegionsSection
        from PDL1PredictorGUI.window.results_section import ResultsSection
        from PDL1PredictorGUI.window.section import Shared
        from PDL1PredictorGUI.window.tumor import TumorSection

        make_importable()
        window = slicer.util.loadUI(self.resourcePath("UI/PDL1Predictor.ui"))
        self.layout.addWidget(window)
        self.ui = slicer.util.childWidgetVariables(window)
        window.setMRMLScene(slicer.mrmlScene)
        self.logic = PDL1PredictorLogic()
        self.shared = shared = Shared(self.ui, self.logic, self.refresh)
        shared.live = LiveRegions(shared, self.on_settled)
        self.results = ResultsSection(shared)
        self.predict = PredictSection(shared, self.results.show)
        self.batch = BatchSection(shared)
        self.models = ModelsSection(shared, self.predict.model)
        first = [PatientSection(shared), TumorSection(shared), RegionsSection(shared)]
        self.sections = [*first, self.predict, self.results, self.batch, self.models]
        for name in SECTIONS:
            getattr(self.ui, f"{name}Section").connect("contentsCollapsed(bool)", self.on_opened)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.on_scene_start_close)
        self.addObserver(scene, scene.EndCloseEvent, self.on_scene_end_close)
        self.addObserver(scene, scene.StartImportEvent, self.on_scene_start_import)
        self.addObserver(scene, scene.EndImportEvent, self.on_scene_end_import)
        self.addObserver(scene, scene.NodeRemovedEvent, self.on_node_removed)
        self.initialize_parameters()

    def cleanup(self) -> None:
        """The window goes away, also before a reload: nothing of it may run on."""
        self.let_go()
        for section in self.sections:
            section.stop()
            section.cleanup()
        self.removeObservers()

    def onReload(self) -> None:
        """Reload takes the module's own packages along, not only this file."""
        for name in [name for name in sys.modules if name.partition(".")[0] in OWN_PACKAGES]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def enter(self) -> None:
        """The module is shown."""
        self.shared.entered = True
        for section in self.sections:
            section.enter()
        self.initialize_parameters()
        self.shared.live.poke()

    def exit(self) -> None:
        """Another module is shown; what runs in the background goes on."""
        self.shared.entered = False
        self.shared.live.stop()
        for section in self.sections:
            section.exit()

    # --- the scene

    def on_scene_start_close(self, _caller: Any, _event: str) -> None:
        """All nodes go away: none may be held, and what runs has nothing to give its result to."""
        for section in self.sections:
            section.close_scene()
        self.let_go()

    def on_scene_start_import(self, _caller: Any, _event: str) -> None:
        """Nodes come, and the parameters may be replaced."""
        self.let_go()

    def on_scene_end_close(self, _caller: Any, _event: str) -> None:
        """A new scene."""
        self.initialize_parameters()

    def on_scene_end_import(self, _caller: Any, _event: str) -> None:
        """A scene was opened: what a file cannot hold is made anew."""
        from PDL1PredictorGUI.scene import results

        failed = results.restore_all()
        self.initialize_parameters()
        if failed:
            text = _("These results of the scene are damaged and cannot be shown: {names}. Predict again.")
            slicer.util.warningDisplay(text.format(names=", ".join(failed)))

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def on_node_removed(self, _caller: Any, _event: str, node: Any) -> None:
        """A node was deleted: what points to it must not go on as if it were there."""
        if node.IsA("vtkMRMLVolumeNode") or node.IsA("vtkMRMLSegmentationNode") or node.IsA("vtkMRMLTextNode"):
            self.refresh()

    def let_go(self) -> None:
        """Holds no node any more."""
        shared = self.shared
        if shared is None:
            return
        if shared.parameters is not None:
            shared.parameters.disconnectGui(self._gui_tag)
            self.removeObserver(shared.parameters, vtk.vtkCommand.ModifiedEvent, self.on_parameters)
            shared.parameters = None
        shared.live.forget()
        for section in self.sections:
            section.forget()

    def initialize_parameters(self) -> None:
        """Takes up the scene's parameters; the first CT and segmentation are chosen where none is."""
        shared = self.shared
        if shared.parameters is None:
            shared.parameters = self.logic.getParameterNode()
            self._gui_tag = shared.parameters.connectGui(self.ui)
            self.addObserver(shared.parameters, vtk.vtkCommand.ModifiedEvent, self.on_parameters)
        if shared.parameters.volume is None:
            shared.parameters.volume = self.logic.first_ct()
        self.refresh()

    def on_parameters(self, _caller: Any, _event: str) -> None:
        """A choice has changed."""
        self.refresh()

    # --- showing

    def refresh(self) -> None:
        """Brings every section up to date; a call from within comes after the present one."""
        from PDL1PredictorGUI.window.section import scene_is_moving

        if self.shared.parameters is None or scene_is_moving():
            return
        if self._refreshing:
            self._again = True
            return
        self._refreshing = True
        try:
            for _attempt in range(5):  # what one section decides another may follow, but not for ever
                self._again = False
                self.shared.live.follow()
                for section in self.sections:
                    section.update()
                if not self._again:
                    break
        finally:
            self._refreshing = False

    def on_settled(self) -> None:
        """The case was measured."""
        for section in self.sections:
            section.settled()

    def on_opened(self, collapsed: bool) -> None:
        """A section was opened: Qt shows all that is in it, also what is not to be shown now."""
        if not collapsed:
            self.refresh()
            self.on_settled()


class PDL1PredictorLogic(ScriptedLoadableModuleLogic):
    """For scripts, without a window.

    A prediction that waits, and one that does not:

        logic = PDL1PredictorLogic()
        result = logic.predict(ctNode, segmentationNode, segmentID, model="phantom-demo", device="cpu")
        print(result.endpoint("PDL1")["probability"])

        prediction = logic.predict(ctNode, segmentationNode, segmentID, wait=False, onEnd=print)
        prediction.cancel()
    """

    def getParameterNode(self) -> Any:
        """The scene's parameters."""
        from PDL1PredictorGUI.scene.parameters import PDL1PredictorParameters

        return PDL1PredictorParameters(super().getParameterNode())

    @staticmethod
    def first_ct() -> Any:
        """The first volume that can be a CT, or None."""
        from PDL1PredictorGUI.scene import bridge

        volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        return next((node for node in volumes if not bridge.why_not_ct(node)), None)

    @staticmethod
    def request(
        ctNode: Any,
        segmentationNode: Any,
        segmentID: str,
        model: str | None = None,
        device: str = "auto",
        regions: Any = None,
        clinical: Mapping[str, Any] | None = None,
        ringSegmentID: str | None = None,
        clinicalInputs: tuple[str, ...] | None = None,
        withPatient: bool | None = None,
        petNode: Any = None,
    ) -> Any:
        """What `predict` starts with these arguments: a `PDL1PredictorGUI.background.predictor.PredictRequest`.

        Without `clinicalInputs`, what the model asks for is read from it; without `withPatient`, clinical values that
        are given are written into the report.

        Raises:
            InputError: No model is named, and the CT is not synthetic.
        """
        from PDL1PredictorGUI.background.scripting import make_request

        return make_request(
            ctNode,
            segmentationNode,
            segmentID,
            model,
            clinical,
            clinicalInputs,
            withPatient,
            ringSegmentID,
            device=device,
            regions=regions,
            pet=petNode,
        )

    @staticmethod
    def new_prediction(
        onProgress: Callable[..., None] | None = None,
        onLog: Callable[[str], None] | None = None,
        onEnd: Callable[..., None] | None = None,
    ) -> Any:
        """A background prediction, not yet started."""
        from PDL1PredictorGUI.background.predictor import Prediction

        return Prediction(onProgress, onLog, onEnd)

    def predict(
        self,
        ctNode: Any,
        segmentationNode: Any,
        segmentID: str,
        model: str | None = None,
        device: str = "auto",
        regions: Any = None,
        clinical: Mapping[str, Any] | None = None,
        ringSegmentID: str | None = None,
        wait: bool = True,
        onProgress: Callable[..., None] | None = None,
        onLog: Callable[[str], None] | None = None,
        onEnd: Callable[..., None] | None = None,
        petNode: Any = None,
    ) -> Any:
        """Predicts one tumor in the background process that the window uses; the result is kept in the scene.

        Args:
            ctNode: Chest CT, a scalar volume.
            segmentationNode: Holds the tumor's contour.
            segmentID: The tumor's segment.
            model: Name of a bundled model, or path of a bundle. None is for a synthetic CT, which has a model of its
                own; a real one has none.
            device: auto, cpu, cuda or mps.
            regions: `PDL1PredictorLib.core.settings.RegionSettings`; None for the model's own.
            clinical: What is known of the patient, by the names of `PDL1PredictorLib.core.case.Clinical` and of the
                values that the model declares; it is written into the report.
            ringSegmentID: A ring to use as it is; None uses the tumor's own ring if it was edited in the window.
            wait: False comes back at once.
            onProgress: Called with stage, fraction (0 to 1), text and seconds.
            onLog: Called with each line of the log.
            onEnd: Called with the outcome and the result (None if there is none).
            petNode: PET of the same patient, for models that look at one: loaded from DICOM, or in SUV.

        Returns:
            `results.ResultNodes` with `wait`; else the running `predictor.Prediction`, which can be cancelled.

        Raises:
            PDL1Error: With what to do; with `wait` also when the prediction did not reach its end.
        """
        from PDL1PredictorGUI.setup.library import make_importable

        make_importable()
        from PDL1PredictorGUI.background.scripting import run

        request = self.request(
            ctNode, segmentationNode, segmentID, model, device, regions, clinical, ringSegmentID, petNode=petNode
        )
        return run(request, wait, onProgress, onLog, onEnd)


class PDL1PredictorTest(ScriptedLoadableModuleTest):
    """Self-test: runs in Slicer and in the test host."""

    def setUp(self) -> None:
        """An empty scene, and the library within reach."""
        from PDL1PredictorGUI.setup.library import make_importable

        make_importable()
        slicer.mrmlScene.Clear()

    def test_predict_from_a_script(self) -> None:
        """A prediction without a window gives an answer for every endpoint."""
        from PDL1PredictorGUI.window import self_test

        self.delayDisplay(self_test.predict_from_a_script(PDL1PredictorLogic()) or "Test passed")

    def test_a_volume_that_is_no_ct_is_refused(self) -> None:
        """The reason is told before anything is started."""
        from PDL1PredictorGUI.window import self_test

        from PDL1PredictorLib.core.errors import PDL1Error

        with self.assertRaises(PDL1Error):  # noqa: PT027 - no pytest in Slicer
            self_test.predict_from_an_mr(PDL1PredictorLogic())
        self.delayDisplay("Test passed")

    def test_the_window_measures_a_tumor(self) -> None:
        """The measures appear once CT and tumor are chosen; a click draws a tumor."""
        from PDL1PredictorGUI.window import self_test

        self_test.measure_in_the_window(slicer.util.getModuleWidget("PDL1Predictor"))
        self_test.draw_from_a_click(slicer.util.getModuleWidget("PDL1Predictor"))
        self.delayDisplay("Test passed")

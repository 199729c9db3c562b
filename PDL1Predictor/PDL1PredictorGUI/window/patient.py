"""Section 1: the CT and what is known of the patient."""

from typing import Any

import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.scene.parameters import fill_clinical
from PDL1PredictorGUI.window.declared import DeclaredValues
from PDL1PredictorGUI.window.pet_choice import PetChoice
from PDL1PredictorGUI.window.section import ERROR, Section, Shared, enable, say


class PatientSection(Section):
    """Chooses the CT, fills in the clinical values of a new one, loads the sample patient."""

    SAMPLE_TIP = _(
        "Loads a synthetic chest CT with an outlined tumor: to try everything without a patient and without the "
        "internet."
    )

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.declared, self.pet = DeclaredValues(shared), PetChoice(shared)
        self.ui.sampleButton.connect("clicked(bool)", self.on_sample)
        self.ui.volumeSelector.connect("nodeActivated(vtkMRMLNode*)", self.on_chosen)

    def update(self) -> None:
        """Says why a volume cannot be used; a CT that is new here brings its own clinical values."""
        volume = self.parameters.volume
        say(self.ui.volumeProblemLabel, bridge.why_not_ct(volume) if volume is not None else "", ERROR)
        if volume is not None and volume is not self.parameters.clinical_volume:
            self._fill_in(volume)
        self.pet.update()
        self.declared.update()
        enable(self.ui.sampleButton, self.SAMPLE_TIP, self.shared.busy)

    def _fill_in(self, volume: Any) -> None:
        from PDL1PredictorGUI.scene.clinical import clinical_of

        values = clinical_of(volume)
        # All of them, also those entered by hand: one patient's values must never stay with the next patient's CT.
        fill_clinical(self.parameters, values)
        self.declared.forget()
        self.parameters.clinical_volume = volume
        note = _("Filled in from DICOM where it is known.") if values else _("This volume carries no DICOM values.")
        self.ui.clinicalNoteLabel.setText(note)

    def on_chosen(self, volume: Any) -> None:
        """The user has chosen a volume in the list: shows it."""
        if volume is not None and not bridge.why_not_ct(volume) and slicer.app.layoutManager() is not None:
            slicer.util.setSliceViewerLayers(background=volume, fit=True)

    def on_sample(self) -> None:
        """Loads the sample patient and chooses its tumor, and the model for synthetic patients."""
        from PDL1PredictorGUI.scene.ring import tumors
        from PDL1PredictorGUI.scene.sample import load_sample
        from PDL1PredictorGUI.setup.models import default_model
        from PDL1PredictorGUI.window.tumor import FILL_OPACITY

        with slicer.util.tryWithErrorDisplay(_("The sample patient could not be loaded."), waitCursor=True):
            volume, segmentation = load_sample()
            segmentation.GetDisplayNode().SetOpacity2DFill(FILL_OPACITY)
            with slicer.util.NodeModify(self.parameters.parameterNode):
                self.parameters.volume = volume
                self.parameters.segmentation = segmentation
                self.parameters.segment_id = tumors(segmentation)[0][0]
                self.parameters.model, self.parameters.model_ct_id = default_model(synthetic=True), volume.GetID()
        self.shared.refresh()

"""Section 1: the PET of the same patient, where the chosen model looks at one."""

from typing import Any

import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene.pet import dicom_file, why_not_pet
from PDL1PredictorGUI.scene.synthetic import same_patient
from PDL1PredictorGUI.window.section import ERROR, NOTE, WARNING, Section, say


class PetChoice(Section):
    """Shows the selector for models that need or can use a PET, and says what its numbers are taken for."""

    def update(self) -> None:
        """Selector, and why the model cannot answer with what is chosen."""
        self._follow_ct()
        wanted, pet = self.shared.pet, self.parameters.pet
        for widget in (self.ui.petSelectorLabel, self.ui.petSelector):
            widget.setVisible(wanted != "no")
        if wanted == "no":
            self.shared.why_no_pet = ""
            say(self.ui.petNoteLabel, "")
            return
        problem = why_not_pet(pet, self.parameters.volume) if pet is not None else ""
        missing = pet is None and wanted == "required"
        self.shared.why_no_pet = problem or (_("Choose a PET in section 1: the model needs one.") if missing else "")
        if problem:
            say(self.ui.petNoteLabel, problem, ERROR)
        else:
            say(self.ui.petNoteLabel, self._note(pet), WARNING if missing else NOTE)

    def _note(self, pet: Any) -> str:
        if pet is not None:
            if dicom_file(pet) is not None:
                return _("SUV is computed from the DICOM series, by dose, weight and times.")
            return _("The voxels are taken as SUV by body weight.")
        if self.shared.pet == "required":
            return _("The chosen model needs a PET of the same patient, in SUV, beside the CT.")
        return _("The chosen model can use a PET in SUV; without one it answers from the CT alone.")

    def _follow_ct(self) -> None:
        """Another patient's CT starts without a PET."""
        parameters, volume = self.parameters, self.parameters.volume
        if volume is None or volume.GetID() == parameters.pet_ct_id:
            return
        before = slicer.mrmlScene.GetNodeByID(parameters.pet_ct_id) if parameters.pet_ct_id else None
        kept = not parameters.pet_ct_id or same_patient(before, volume)
        with slicer.util.NodeModify(parameters.parameterNode):
            if not kept:
                parameters.pet = None
            parameters.pet_ct_id = volume.GetID()

"""In section 4: whether a result is filed as DICOM, and in which folder."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import ctk
from slicer.i18n import tr as _

from PDL1PredictorGUI.background.filing import DicomFiling, series_file, why_not_filed
from PDL1PredictorGUI.setup import packages, preferences
from PDL1PredictorGUI.setup.library import make_importable
from PDL1PredictorGUI.window.section import Shared, enable


class FilingChoice:
    """A box to tick and a folder; the packages that it takes are offered when it is ticked."""

    TIP = _("Writes the result as DICOM objects of the CT's study, too: they name the patient, as the CT does.")

    def __init__(self, shared: Shared) -> None:
        self.shared, self.ui = shared, shared.ui
        self.ui.dicomFolderEdit.filters = ctk.ctkPathLineEdit.Dirs
        self.ui.dicomFolderEdit.currentPath = preferences.read(preferences.DICOM_FOLDER)
        self.ui.dicomFolderEdit.connect("currentPathChanged(QString)", self.on_folder)
        self.ui.fileAsDicomCheckBox.connect("toggled(bool)", self.on_wanted)

    def update(self, why_off: str = "") -> None:
        """Off where the CT did not come from DICOM, or while something runs."""
        parameters = self.shared.parameters
        volume = None if parameters is None else parameters.volume
        why_not = why_off or why_not_filed(volume)
        box = self.ui.fileAsDicomCheckBox
        if why_not and not why_off and box.checked:
            box.checked = False
        enable(box, self.TIP, why_not)
        enable(self.ui.dicomFolderEdit, _("Each result gets a new folder in it."), why_not)

    def on_folder(self, path: str) -> None:
        """Another folder: kept for this computer."""
        preferences.write(preferences.DICOM_FOLDER, path)

    def on_wanted(self, wanted: bool) -> None:
        """Ticked: what is missing for it is offered, and without it the box is empty again."""
        if not wanted or not packages.missing(packages.FILING):
            return
        make_importable()
        from PDL1PredictorLib.core.errors import PDL1Error

        why = _("Without these packages nothing can be filed.")
        try:
            there = packages.ensure(confirm=True, more=packages.FILING)
        except PDL1Error as error:
            there, why = False, str(error)
        if not there:
            self.ui.fileAsDicomCheckBox.checked = False
            enable(self.ui.fileAsDicomCheckBox, why)

    def completed(self, request: Any) -> Any:
        """The request with where its result is filed, if that is wanted.

        Raises:
            InputError: No folder was chosen, or the CT's files are not there any more.
        """
        if not self.ui.fileAsDicomCheckBox.checked:
            return request
        make_importable()
        from PDL1PredictorLib.core.errors import InputError

        folder, series = self.ui.dicomFolderEdit.currentPath, series_file(request.volume)
        if series is None:
            raise InputError(why_not_filed(request.volume))
        if not folder or not Path(folder).is_dir():
            raise InputError(_("Choose the folder for DICOM objects in section 4, or clear the box File as DICOM."))
        name = re.sub(r"[^\w -]", "_", request.volume.GetName()).strip() or "CT"
        return dataclasses.replace(request, filing=DicomFiling(series, Path(folder), f"{name} PD-L1 DICOM"))

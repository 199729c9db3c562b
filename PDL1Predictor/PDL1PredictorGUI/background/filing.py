"""A result as DICOM objects of the CT's study: which series it is filed beside, and where the objects go."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.setup.library import make_importable

OBJECTS = "dicom"  # the folder of them in a result's


@dataclass(frozen=True)
class DicomFiling:
    """Where objects come from and go.

    Attributes:
        series: A file of the CT's series.
        folder: In which each result gets a new folder.
        name: Of that folder; a number is added where it is taken.
    """

    series: Path
    folder: Path
    name: str

    def take(self, result: Path) -> Path:
        """Moves the objects out of a folder of results.

        Returns:
            The folder that holds them now.

        Raises:
            OutputError: They cannot be written there.
        """
        make_importable()
        from PDL1PredictorLib.core.files.output import whole_folder

        target = self.folder / self.name
        number = 2
        while target.exists():
            target = self.folder / f"{self.name} {number}"
            number += 1
        with whole_folder(target) as draft:
            for path in sorted((result / OBJECTS).iterdir()):
                shutil.copyfile(path, draft / path.name)
        return target


def series_file(volume: Any) -> Path | None:
    """A file of the DICOM series that a volume was loaded from; None where Slicer's database knows none."""
    uids = (volume.GetAttribute("DICOM.instanceUIDs") or "").split() if volume is not None else []
    database = getattr(slicer, "dicomDatabase", None)
    if not uids or database is None:
        return None
    found = str(database.fileForInstance(uids[0]) or "")
    return Path(found) if found and Path(found).is_file() else None


def why_not_filed(volume: Any) -> str:
    """Why a result of this CT cannot be filed; empty where it can."""
    if series_file(volume) is not None:
        return ""
    return _("Off: only a CT that was loaded from Slicer's DICOM database can have its result filed beside it.")

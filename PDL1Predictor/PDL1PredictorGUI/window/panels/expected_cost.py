"""Sections 4 and 6: what a run will take of time and memory, told before it starts. The library has the sum."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from PDL1PredictorGUI.setup import preferences
from PDL1PredictorGUI.setup.library import make_importable
from PDL1PredictorGUI.setup.preferences import clock
from PDL1PredictorGUI.window.section import NOTE, WARNING, say


class ExpectedCost:
    """Knows what a prediction with a model takes on this computer; a model is read once."""

    def __init__(self) -> None:
        self._manifests: dict[str, Any] = {}

    def of(self, model: str, device: str, size: Any) -> Any:
        """The library's `Expected` of a case; None where the model cannot be read.

        Args:
            model: Name or path of the bundle.
            device: As chosen.
            size: `models.expected.CaseSize`.
        """
        manifest = self._manifest(model)
        if manifest is None or size is None:
            return None
        from PDL1PredictorLib.models.expected import expected_run

        return expected_run(size, manifest, device, slowness=preferences.slowness(device))

    def show(self, label: Any, found: Sequence[Any]) -> None:
        """Says what one run, or several one after another, will take; and warns where memory is short."""
        known = [one for one in found if one is not None]
        if not known:
            say(label, "")
            return
        from PDL1PredictorLib.models.expected import memory_warning

        largest = max(known, key=lambda one: one.bytes)
        time = clock(max(1.0, sum(one.seconds for one in known)))
        text = _("Takes about {time} and {memory} of memory.").format(time=time, memory=largest.gigabytes)
        if len(known) > 1:
            text = _("{count} cases take about {time}, and up to {memory} of memory.")
            text = text.format(count=len(known), time=time, memory=largest.gigabytes)
        short = memory_warning(largest)
        say(label, f"{text} {short}" if short else text, WARNING if short else NOTE)

    def _manifest(self, model: str) -> Any:
        if model not in self._manifests:
            self._manifests[model] = _read(model)
        return self._manifests[model]


def size_of_files(ct: Path) -> Any:
    """The size of a case of files, from the header of its CT; None where that tells nothing, as of a DICOM folder.

    How large the tumor is, its mask would tell, which is not read for this: one of a usual size stands in.
    """
    make_importable()
    from PDL1PredictorLib.core.errors import PDL1Error
    from PDL1PredictorLib.models.expected import usual_size

    try:
        from PDL1PredictorLib.imaging.volumes.files import read_header

        if ct.is_dir():
            return None
        i, j, k = read_header(ct, "CT").size
        return usual_size(i * j * k)
    except (PDL1Error, OSError, ValueError):  # not of three axes
        return None


def size_of_volume(volume: Any) -> Any:
    """The size of a CT of the scene with a tumor of a usual size."""
    make_importable()
    from PDL1PredictorLib.models.expected import usual_size

    data = volume.GetImageData()
    return None if data is None else usual_size(data.GetNumberOfPoints())


def size_of_case(preview: Any, volume: Any) -> Any:
    """The size of the measured case; None while nothing is measured."""
    if preview is None or volume is None or volume.GetImageData() is None:
        return None
    from PDL1PredictorLib.models.expected import size_of

    voxels, tumor = volume.GetImageData().GetNumberOfPoints(), preview.tumor
    return size_of(voxels, tumor.volume_ml, tumor.longest_axial_diameter_mm)


def _read(model: str) -> Any:
    make_importable()
    from PDL1PredictorLib.core.errors import PDL1Error
    from PDL1PredictorLib.models.bundle import read_bundle
    from PDL1PredictorLib.models.manifest import read_manifest
    from PDL1PredictorLib.resources import find_model

    try:
        return read_manifest(read_bundle(find_model(model))) if model else None
    except (PDL1Error, OSError):
        return None

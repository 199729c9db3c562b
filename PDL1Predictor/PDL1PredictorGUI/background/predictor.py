"""One background prediction of one segment: out of the scene, through the library, back into the scene."""

import dataclasses
import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from PDL1PredictorGUI.background.case_files import CaseFiles, export_case
from PDL1PredictorGUI.background.filing import DicomFiling
from PDL1PredictorGUI.background.job import Job, OnLog, OnProgress
from PDL1PredictorGUI.background.outcome import CRASHED, DONE, REFUSED, Outcome
from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.scene.pet import why_not_pet
from PDL1PredictorGUI.setup.library import background_environment, make_importable, python_executable
from PDL1PredictorGUI.setup.run_folders import PREFIX as FOLDER_PREFIX
from PDL1PredictorGUI.setup.run_folders import new_folder, remove_folder

__all__ = ["FOLDER_PREFIX", "PredictRequest", "Prediction", "command_of"]

RESULT_BYTES = 100 * 2**20  # a report with pictures, features, regions and heat maps take about a tenth of it


@dataclass(frozen=True, eq=False)
class PredictRequest:
    """What is to be predicted, and how.

    Attributes:
        volume: The CT, a vtkMRMLScalarVolumeNode.
        segmentation: vtkMRMLSegmentationNode.
        segment_id: The tumor.
        model: Bundle: name, folder or .zip.
        device: auto, cpu, cuda or mps.
        regions: `core.settings.RegionSettings`, of which the ring's thickness and what it leaves out are used; None
            for the model's own.
        clinical: Fields of `core.case.Clinical`, and declared values by name; missing ones may be None.
        clinical_inputs: Names of those that the answer depends on.
        ring_segment_id: A ring that the user edited and that is used as it is.
        pet: Volume of a PET, for models that look at one; None without.
        with_patient: The report names the case and its clinical values.
        name: How the case is called in the report.
        filing: Where the result goes as DICOM objects, a `filing.DicomFiling`; None for nowhere.
    """

    volume: Any
    segmentation: Any
    segment_id: str
    model: str
    device: str = "auto"
    regions: Any = None
    clinical: Mapping[str, Any] | None = None
    clinical_inputs: tuple[str, ...] = ()
    ring_segment_id: str | None = None
    pet: Any = None
    with_patient: bool = False
    name: str = "case"
    filing: DicomFiling | None = None


def command_of(request: PredictRequest, files: CaseFiles) -> list[str]:
    """The command that predicts an exported case into the folder `result` beside its files.

    It works in that folder and names the files without their path: the path may hold letters that a library's file
    functions do not take on every system.
    """
    command = [python_executable(), "-m", "PDL1PredictorLib", "predict", "--progress", "json"]
    command += ["--ct", files.ct.name, "--tumor", files.tumor.name, "--out", "result"]
    command += ["--model", model_argument(request.model), "--device", request.device, "--name", request.name or "case"]
    if files.ring is not None:
        command += ["--ring", files.ring.name]
    if files.pet is not None:
        command += ["--pet", files.pet.name]
    if files.clinical is not None:
        command += ["--clinical", files.clinical.name]
    if request.with_patient:
        command.append("--with-patient")
    if request.filing is not None:
        command += ["--dicom", str(request.filing.series)]
    return command + region_arguments(request.regions)


def region_arguments(regions: Any) -> list[str]:
    """Options for a `RegionSettings`; none for None."""
    if regions is None:
        return []
    flags = [("--exclude-air", regions.exclude_air), ("--exclude-bone", regions.exclude_bone)]
    return ["--ring-mm", repr(float(regions.ring_mm)), *(flag for flag, wanted in flags if wanted)]


def model_argument(model: str) -> str:
    """A bundle's path made absolute, since the command works elsewhere; a name as it is."""
    path = Path(model)
    return str(path.resolve()) if path.exists() else model


class Prediction:
    """Runs one prediction at a time; may be used again after it has ended.

    It stops, and leaves nothing, when its nodes are deleted or the scene is closed.

    Args:
        on_progress: Receives the stage, the fraction done (0 to 1), a sentence, and the seconds so far.
        on_log: Receives lines for the log.
        on_end: Receives the outcome, and what `store` returned if it is done, else None.
        store: Brings the folder of results into the scene; None is `results.store`.
    """

    def __init__(
        self,
        on_progress: OnProgress | None = None,
        on_log: OnLog | None = None,
        on_end: Callable[[Outcome, Any], None] | None = None,
        store: Callable[..., Any] | None = None,
    ) -> None:
        self._on_end, self._on_log = on_end, on_log
        self._store = store
        self._job = Job(on_progress, on_log, self._on_job_end)
        self._observers: list[int] = []
        self._outcome: Outcome | None = None
        self.request: PredictRequest | None = None
        self.result: Any = None

    @property
    def running(self) -> bool:
        """Whether a prediction is under way."""
        return self._job.running

    @property
    def cancelling(self) -> bool:
        """Whether it was asked to stop and has not yet."""
        return self._job.cancelling

    @property
    def outcome(self) -> Outcome | None:
        """How the last one ended; None before, and while one runs."""
        return self._outcome

    def start(self, request: PredictRequest) -> None:
        """Exports the case and starts; comes back at once, and tells the end through `on_end`.

        Raises:
            PDL1Error: The case cannot be used, or not be written, with what to do. Nothing was started.
            RuntimeError: The last one still runs.
        """
        if self.running:
            raise RuntimeError("a prediction is still under way; wait for its end")
        make_importable()
        reason = bridge.why_not_ct(request.volume)
        if reason:
            raise bridge.input_error(reason)
        self.request = dataclasses.replace(request)
        self.result, self._outcome = None, None
        reason = why_not_pet(request.pet, request.volume) if request.pet is not None else ""
        if reason:
            raise bridge.input_error(reason)
        volumes = [volume for volume in (request.volume, request.pet) if volume is not None]
        folder = make_folder(sum(map(needed_bytes, volumes)))
        try:
            files = _export(request, folder)
            for line in files.told if self._on_log is not None else ():
                self._on_log(line)
            self._made_from = self._fingerprint(request)
            self._folder = folder
            self._job.start(command_of(request, files), background_environment(), folder, folder)
        except BaseException:
            remove_folder(folder)
            raise
        if self.running:  # it may have failed to start, which has been told
            self._watch_scene()

    def cancel(self) -> None:
        """Stops it; `on_end` comes when nothing is left."""
        self._job.cancel()

    def stop(self) -> None:
        """Stops it and waits for that: for the end of the module."""
        self._job.stop()

    def wait(self, seconds: float | None = None) -> Outcome | None:
        """Waits for the end without giving the window a turn; None if it still runs after `seconds`."""
        self._job.wait(seconds)
        return self._outcome

    # --- its end

    def _on_job_end(self, outcome: Outcome) -> None:
        self._leave_scene()
        if outcome.kind == DONE:
            try:
                outcome, self.result = self._take_result()
            finally:
                remove_folder(self._folder)
        self._outcome = outcome
        if self._on_end is not None:
            self._on_end(outcome, self.result)

    def _take_result(self) -> tuple[Outcome, Any]:
        from PDL1PredictorLib.core.errors import PDL1Error

        request = self.request
        assert request is not None
        gone = _what_is_gone(request)
        if gone:
            return Outcome(REFUSED, gone), None
        try:
            return Outcome(DONE), self._stored(self._folder / "result", request)
        except PDL1Error as error:
            return Outcome(REFUSED, str(error)), None
        except Exception as error:
            logging.exception("The result could not be brought into the scene")
            text = _("The prediction is done, but its result could not be brought into the scene: {error}.")
            advice = _("Predict again; if it happens again, report it with the application's log.")
            return Outcome(CRASHED, text.format(error=error), advice), None

    def _stored(self, folder: Path, request: PredictRequest) -> Any:
        if request.filing is not None:
            request.filing.take(folder)
        if self._store is not None:
            return self._store(folder, request)
        from PDL1PredictorGUI.scene import results

        return results.store(folder, request, self._made_from)

    def _fingerprint(self, request: PredictRequest) -> Any:
        """What the case was when it was exported: the user may go on drawing while it is predicted."""
        if self._store is not None:
            return None
        from PDL1PredictorGUI.scene.fingerprint import fingerprint

        return fingerprint(request)

    # --- the scene meanwhile

    def _watch_scene(self) -> None:
        scene = slicer.mrmlScene
        self._observers = [
            scene.AddObserver(scene.StartCloseEvent, self._on_scene_close),
            scene.AddObserver(scene.NodeAboutToBeRemovedEvent, self._on_node_removed),
        ]

    def _leave_scene(self) -> None:
        for tag in self._observers:
            slicer.mrmlScene.RemoveObserver(tag)
        self._observers = []

    def _on_scene_close(self, _caller: Any, _event: str) -> None:
        self._job.cancel(_("Cancelled, because the scene was closed. Nothing was kept."))

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_removed(self, _caller: Any, _event: str, node: Any) -> None:
        assert self.request is not None
        if node in (self.request.volume, self.request.segmentation):  # the PET was read when it was started
            text = _("Cancelled, because {name} was deleted while it was being predicted. Nothing was kept.")
            self._job.cancel(text.format(name=node.GetName()))


def _what_is_gone(request: PredictRequest) -> str:
    for node in (request.volume, request.segmentation):
        if not slicer.mrmlScene.IsNodePresent(node):
            return _("{name} was deleted while it was being predicted. Nothing was kept.").format(name=node.GetName())
    if request.segmentation.GetSegmentation().GetSegment(request.segment_id) is None:
        return _("The tumor segment was deleted while it was being predicted. Nothing was kept.")
    return ""


def _export(request: PredictRequest, folder: Path) -> CaseFiles:
    try:
        return export_case(
            request.volume,
            request.segmentation,
            request.segment_id,
            folder,
            request.ring_segment_id,
            request.clinical,
            request.pet,
        )
    except OSError as error:
        raise output_error(folder, error) from error


def output_error(folder: Path, error: OSError) -> Exception:
    """The library's `OutputError` for the temporary folder."""
    from PDL1PredictorLib.core.errors import OutputError

    text = _(
        "The temporary folder {folder} cannot be written: {reason}. Free some space, or choose another one "
        "(Edit, Application Settings, General)."
    )
    return OutputError(text.format(folder=folder, reason=error.strerror or error))


def needed_bytes(volume: Any) -> int:
    """About what a case and its result take on disk."""
    data = volume.GetImageData()
    voxels = data.GetNumberOfPoints()
    return voxels * (data.GetScalarSize() + 2) + RESULT_BYTES  # the CT, and up to two masks of one byte


def make_folder(needed: int) -> Path:
    """A new folder for one run in Slicer's temporary folder.

    Raises:
        OutputError: It cannot be made, or the disk has fewer bytes left than are needed.
    """
    parent = Path(slicer.app.temporaryPath)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(parent).free
        if free < needed:
            text = _("{needed} MB are needed and {free} MB are free").format(
                needed=needed // 10**6 + 1, free=free // 10**6
            )
            raise OSError(28, text)
        return new_folder(parent)
    except OSError as error:
        raise output_error(parent, error) from error

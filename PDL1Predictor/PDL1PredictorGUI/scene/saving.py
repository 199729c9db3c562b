"""A result leaves the scene: as a folder like that of `pdl1 predict`, as a table, as a report in the browser."""

import atexit
import re
from pathlib import Path
from types import SimpleNamespace

import qt
import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.scene.result_nodes import ResultNodes
from PDL1PredictorGUI.scene.result_tables import number
from PDL1PredictorGUI.setup.library import make_importable
from PDL1PredictorGUI.setup.run_folders import new_folder, remove_folder

TUMOR, RING = 1, 2  # values of the label map of measured regions
_report_folders: list[Path] = []


def save_results(result: ResultNodes, folder: Path) -> Path:
    """Writes what `pdl1 predict` writes; heat maps and regions lie where the CT lies now. Whole, or not at all.

    Args:
        result: The result. Nodes of it that the user deleted are left out.
        folder: Filled if it is not there or empty; else a new folder named after the tumor is made in it.

    Returns:
        The folder that holds the files.

    Raises:
        OutputError: It cannot be written.
    """
    make_importable()
    from PDL1PredictorLib.core.files.output import whole_folder

    target = Path(folder)
    if target.is_dir() and any(target.iterdir()):
        target = _free_name(target, _("{segment} PD-L1 prediction").format(segment=result.segment_name))
    with whole_folder(target) as draft:
        (draft / "result.json").write_text(result.main.GetText(), encoding="utf-8", newline="\n")
        (draft / "summary.txt").write_text(result.plain_text, encoding="utf-8", newline="\n")
        if result.report is not None:
            (draft / "report.html").write_text(result.report.GetText(), encoding="utf-8", newline="\n")
        _write_features(result, draft / "features.csv", list(result.lesion["features"]))
        _write_heat_maps(result, draft)
        if result.regions is not None:
            _write_regions(result, draft / "tumor_and_ring.seg.nrrd")
    return target


def save_features(result: ResultNodes, path: Path, filter_text: str = "") -> int:
    """Writes the radiomic features as CSV, in full precision, in place of an existing file.

    Args:
        result: The result.
        path: File to write.
        filter_text: Only features whose name holds every word of it, in any case; empty for all.

    Returns:
        How many features were written.

    Raises:
        OutputError: It cannot be written.
    """
    make_importable()
    from PDL1PredictorLib.core.files.output import whole_file

    names = matching(result, filter_text)
    with whole_file(Path(path), overwrite=True) as draft:
        _write_features(result, draft, names)
    return len(names)


def matching(result: ResultNodes, filter_text: str) -> list[str]:
    """The features whose name holds every word, in any case."""
    words = filter_text.casefold().split()
    return [name for name in result.lesion["features"] if all(word in name.casefold() for word in words)]


def open_report(result: ResultNodes) -> Path:
    """Opens the report in the user's browser, from a temporary file that `discard_reports` removes.

    Raises:
        InputError: The report was deleted from the scene.
        OutputError: It cannot be written, or there is no browser.
    """
    make_importable()
    from PDL1PredictorLib.core.errors import InputError

    if result.report is None:
        raise InputError(_("The report was deleted from the scene. Predict again to make it anew."))
    return open_page(result.report.GetText())


def open_page(html: str) -> Path:
    """Opens a page in the user's browser, likewise.

    Raises:
        OutputError: It cannot be written, or there is no browser.
    """
    make_importable()
    from PDL1PredictorLib.core.errors import OutputError

    try:
        parent = Path(slicer.app.temporaryPath)
        parent.mkdir(parents=True, exist_ok=True)
        folder = new_folder(parent, "report")
        _report_folders.append(folder)
        path = folder / "report.html"
        path.write_text(html, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputError(
            _("The report cannot be written to {folder}: {reason}. Free some space there.").format(
                folder=slicer.app.temporaryPath, reason=error.strerror or error
            )
        ) from error
    if len(_report_folders) == 1:
        atexit.register(discard_reports)
    if not qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path))):
        raise OutputError(
            _("No browser opened {path}. Set one as the default, or save the results and open report.html.").format(
                path=path
            )
        )
    return path


def discard_reports() -> None:
    """Removes the temporary files of opened reports: at the end of the module, and of the application."""
    for folder in _report_folders:
        remove_folder(folder)
    _report_folders.clear()
    atexit.unregister(discard_reports)


def _write_features(result: ResultNodes, path: Path, names: list[str]) -> None:
    from PDL1PredictorLib.core.results import CaseWarning
    from PDL1PredictorLib.report.csv_table import write_features

    index, features = result.lesion["index"], result.lesion["features"]
    warnings = [CaseWarning(**warning) for warning in result.warnings]
    write_features({index: {name: number(features[name]) for name in names}}, {index: warnings}, path)


def _write_heat_maps(result: ResultNodes, folder: Path) -> None:
    import numpy as np
    import SimpleITK as sitk

    from PDL1PredictorLib.report.nrrd import write_nrrd

    for endpoint, node in result.heat_maps.items():
        image = bridge.image_of_volume(node)
        write_nrrd(
            folder / result.endpoint(endpoint)["heat_map"], sitk.GetArrayFromImage(image).astype(np.float32), image
        )


def _write_regions(result: ResultNodes, path: Path) -> None:
    """Both regions as the segments that the command line writes."""
    from PDL1PredictorLib.report.segments import write_segments

    labels = bridge.image_of_volume(result.regions)
    lesion = SimpleNamespace(index=result.lesion["index"], tumor_image=labels == TUMOR, ring_image=labels == RING)
    write_segments([lesion], path)


def _free_name(parent: Path, wanted: str) -> Path:
    """A folder that is not there yet, named by letters that every system allows."""
    plain = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", wanted).strip(" .") or "PD-L1 prediction"
    names = [plain, *(f"{plain} ({n})" for n in range(2, 1000))]
    return next(path for path in (parent / name for name in names) if not path.exists())

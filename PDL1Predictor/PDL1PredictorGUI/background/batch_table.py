"""The cases of a batch as the table that `pdl1 predict --cohort` reads, and those that cannot be in it."""

import csv
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.background.batch_cases import BadCase, BatchCase, FileCase, SceneCase
from PDL1PredictorGUI.background.case_files import export_case
from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.setup.library import make_importable

COHORT, LEFT_OUT = "cases.csv", "left_out.csv"
REQUEST = "batch.json"  # `batch.recognition.REQUEST`, whose page needs packages that Slicer does not bring


def write_cohort(
    cases: Mapping[str, BatchCase],
    segment: str | None,
    folder: Path,
    clinical: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> dict[str, str]:
    """Writes the table into a folder, and the scene's tumors beside it.

    Args:
        cases: By their names, unique.
        segment: Which region of a mask file, where it has several.
        folder: An existing folder.
        clinical: ID of a volume to what is known of its patient, by name; files bring their own in DICOM.

    Returns:
        By name, why a case is not in the table.
    """
    rows, problems = [], {}
    names = sorted({name for values in clinical.values() for name in values})
    for name, case in cases.items():
        try:
            known = clinical.get(case.volume.GetID(), {}) if isinstance(case, SceneCase) else {}
            cells = [_cell(known.get(one)) for one in names]
            rows.append((name, *_files(case, folder / f"case-{len(rows)}", segment), *cells))
        except Exception as error:  # one case that nobody thought of must not keep the others from being predicted
            problems[name] = _problem(name, error)
    _write(folder / COHORT, ("case", "image", "mask", "segment", *names), rows)
    return problems


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def write_left_out(problems: Mapping[str, str], out: Path) -> None:
    """Writes the cases that were never tried beside the tables of the others, once those are there."""
    make_importable()
    from PDL1PredictorLib.core.outside_text import safe_cell

    if problems and (out / REQUEST).is_file():  # a folder that is no batch's must not be made one that cannot be
        rows = [tuple(map(safe_cell, row)) for row in problems.items()]
        try:
            _write(out / LEFT_OUT, ("case", "reason"), rows)
        except OSError:  # the list in the window has them
            logging.exception("%s cannot be written", out / LEFT_OUT)


def _files(case: BatchCase, folder: Path, segment: str | None) -> tuple[str, str, str]:
    """Image, mask and segment of a case."""
    if isinstance(case, BadCase):
        raise bridge.input_error(case.problem)
    if isinstance(case, FileCase):
        return str(case.ct.resolve()), str(case.mask.resolve()), segment or ""
    _require_in_scene(case)
    folder.mkdir()
    files = export_case(case.volume, case.segmentation, case.segment_id, folder)
    return f"{folder.name}/{files.ct.name}", f"{folder.name}/{files.tumor.name}", ""


def _require_in_scene(case: SceneCase) -> None:
    if not all(slicer.mrmlScene.IsNodePresent(node) for node in (case.volume, case.segmentation)):
        raise bridge.input_error(_("It is no longer in the scene."))
    reason = bridge.why_not_ct(case.volume)
    if reason:
        raise bridge.input_error(reason)


def _problem(name: str, error: Exception) -> str:
    make_importable()
    from PDL1PredictorLib.core.errors import PDL1Error

    if isinstance(error, (PDL1Error, OSError)):
        return str(error)
    logging.exception("The case %s could not be started", name)
    return _("It could not be started, by an error that nobody expected: {error}.").format(error=error)


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(head)
        table.writerows(rows)

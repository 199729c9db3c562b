"""Writes a phantom cohort: pictures, a table as a hospital would have it, and beside it the truth."""

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.files.output import whole_folder
from PDL1PredictorLib.core.outside_text import safe_cell
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.running.processes import run_each
from PDL1PredictorLib.imaging.volumes.itk import write_image
from PDL1PredictorLib.phantom.outcomes import OUTCOMES
from PDL1PredictorLib.phantom.patient import Extent, PhantomPatient, make_patient
from PDL1PredictorLib.phantom.people import PEOPLE
from PDL1PredictorLib.phantom.record import truth_record
from PDL1PredictorLib.phantom.traits import TRAITS, UPTAKE
from PDL1PredictorLib.phantom.truth import LATER_LAWS, PHANTOM_ENDPOINTS

MOST_PATIENTS = 100_000
SCAN_COLUMNS = ("slice_thickness_mm", "kernel", "manufacturer")
LATER_COLUMNS = tuple(column for key in OUTCOMES for column in endpoint(key).columns)
CASE_COLUMNS = ("case", "image", "mask", "pet", *PEOPLE, *SCAN_COLUMNS, *PHANTOM_ENDPOINTS, *LATER_COLUMNS)
TRUTH_COLUMNS = (
    "case",
    *TRAITS,
    *(f"p_{key}" for key in PHANTOM_ENDPOINTS),
    UPTAKE,
    *(f"p_{key}" for key in LATER_LAWS),
    "log_hazard_PFS",
)


def write_cohort(
    out: Path,
    n: int,
    seed: int,
    progress: Progress = SILENT,
    extent: Extent = "chest",
    overwrite: bool = False,
    workers: int | None = None,
    pet: bool = False,
) -> None:
    """Write the patients 1 to n of a cohort; a patient's files do not depend on n.

    The folder holds `cases.csv` (paths relative to it, clinical values, labels 1, 0 or empty, the TPS in %, the days
    until progression), `truth.csv` (traits and true probabilities), `truth.json` (the laws behind them and what no
    model can beat) and `images/`. The same arguments give the same bytes on
    one machine, and the same voxels and labels on every one.

    Args:
        out: The folder to write, whole or not at all.
        n: Number of patients, 1 to 100000.
        seed: Of the cohort, 0 or more.
        progress: Told of each patient.
        extent: "chest" or "tumor", as in `make_patient`.
        overwrite: Replace an existing folder.
        workers: Processes that make patients; None takes one a core.
        pet: Whether each patient has a PET, too.

    Raises:
        InputError: The number, the seed or the extent is not possible.
        OutputError: The folder exists, or cannot be written.
        CancelledError: The user cancelled; nothing was written.
    """
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST_PATIENTS:
        raise InputError(f"The number of phantom patients must be a whole number from 1 to {MOST_PATIENTS}, got {n!r}.")
    with whole_folder(out, overwrite) as folder:
        (folder / "images").mkdir()
        jobs = [(folder, seed, index, extent, pet) for index in range(1, n + 1)]
        rows = run_each(_write_patient, jobs, workers, progress, "phantom", "patients")
        cases, truths = [case for case, _ in rows], [truth for _, truth in rows]
        columns = tuple(name for name in CASE_COLUMNS if pet or name != "pet")
        _write_table(folder / "cases.csv", columns, cases)
        _write_table(folder / "truth.csv", TRUTH_COLUMNS, truths)
        truth = json.dumps(truth_record(seed, n, extent), indent=2, sort_keys=True)
        (folder / "truth.json").write_text(truth + "\n", encoding="utf-8")


def _write_patient(
    folder: Path, seed: int, index: int, extent: Extent, pet: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    patient = make_patient(seed, index, extent, pet)
    return _write_case(folder, patient), _truth_row(patient)


def _write_case(folder: Path, patient: PhantomPatient) -> dict[str, Any]:
    case = patient.case
    files = {"image": f"images/{case.name}_ct.nii.gz", "mask": f"images/{case.name}_tumor.nii.gz"}
    write_image(case.ct, folder / files["image"], compressed=True, synthetic=case.synthetic)
    write_image(case.tumor, folder / files["mask"], compressed=True)
    if case.pet is not None:
        files["pet"] = f"images/{case.name}_pet.nii.gz"
        write_image(case.pet, folder / files["pet"], compressed=True, synthetic=case.synthetic)
    labels = {key: "" if label is None else label for key, label in patient.labels.items()}
    return {"case": case.name, **files, **_clinical_cells(patient), **labels, **_later_cells(patient)}


def _clinical_cells(patient: PhantomPatient) -> dict[str, Any]:
    people, scan = patient.outcomes.people.to_dict(), patient.case.clinical.to_dict()
    family = people["family_history"]
    return {
        **{name: people[name] for name in PEOPLE},
        **{name: scan[name] for name in SCAN_COLUMNS},
        "family_history": None if family is None else int(family),
    }


def _later_cells(patient: PhantomPatient) -> dict[str, Any]:
    found = patient.outcomes
    cells: dict[str, Any] = {}
    for key, label in found.labels.items():
        known = [label] if key not in found.events else [label, int(found.events[key])]
        cells |= dict(zip(endpoint(key).columns, known, strict=True))
    return cells


def _truth_row(patient: PhantomPatient) -> dict[str, Any]:
    chances = {**patient.probabilities, **patient.outcomes.probabilities}
    return {
        "case": patient.case.name,
        **asdict(patient.traits),
        **{f"p_{key}": f"{chance:.6f}" for key, chance in chances.items()},
        UPTAKE: patient.outcomes.uptake,
        "log_hazard_PFS": f"{patient.outcomes.log_hazard:.6f}",
    }


def _write_table(path: Path, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: safe_cell(cell) for name, cell in row.items()} for row in rows)

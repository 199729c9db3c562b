"""Writes a phantom cohort: pictures, a table as a hospital would have it, and beside it the truth."""

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PDL1PredictorLib import __version__
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.files.output import whole_folder
from PDL1PredictorLib.core.outside_text import safe_cell
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.running.processes import run_each
from PDL1PredictorLib.imaging.volumes.itk import write_image
from PDL1PredictorLib.phantom.patient import Extent, PhantomPatient, make_patient
from PDL1PredictorLib.phantom.traits import TRAIT_LIMIT, TRAITS
from PDL1PredictorLib.phantom.truth import LAWS, MISSING_LABEL_SHARE, PHANTOM_ENDPOINTS, bayes_auc, intercept

MOST_PATIENTS = 100_000
CLINICAL_COLUMNS = ("age_years", "sex", "smoking", "slice_thickness_mm", "kernel", "manufacturer")
CASE_COLUMNS = ("case", "image", "mask", *CLINICAL_COLUMNS, *PHANTOM_ENDPOINTS)
TRUTH_COLUMNS = ("case", *TRAITS, *(f"p_{key}" for key in PHANTOM_ENDPOINTS))


def write_cohort(
    out: Path,
    n: int,
    seed: int,
    progress: Progress = SILENT,
    extent: Extent = "chest",
    overwrite: bool = False,
    workers: int | None = None,
) -> None:
    """Write the patients 1 to n of a cohort; a patient's files do not depend on n.

    The folder holds `cases.csv` (paths relative to it, labels 1, 0 or empty), `truth.csv` (traits and true
    probabilities), `truth.json` (the laws behind them) and `images/`. The same arguments give the same bytes on
    one machine, and the same voxels and labels on every one.

    Args:
        out: The folder to write, whole or not at all.
        n: Number of patients, 1 to 100000.
        seed: Of the cohort, 0 or more.
        progress: Told of each patient.
        extent: "chest" or "tumor", as in `make_patient`.
        overwrite: Replace an existing folder.
        workers: Processes that make patients; None takes one a core.

    Raises:
        InputError: The number, the seed or the extent is not possible.
        OutputError: The folder exists, or cannot be written.
        CancelledError: The user cancelled; nothing was written.
    """
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST_PATIENTS:
        raise InputError(f"The number of phantom patients must be a whole number from 1 to {MOST_PATIENTS}, got {n!r}.")
    with whole_folder(out, overwrite) as folder:
        (folder / "images").mkdir()
        jobs = [(folder, seed, index, extent) for index in range(1, n + 1)]
        rows = run_each(_write_patient, jobs, workers, progress, "phantom", "patients")
        cases, truths = [case for case, _ in rows], [truth for _, truth in rows]
        _write_table(folder / "cases.csv", CASE_COLUMNS, cases)
        _write_table(folder / "truth.csv", TRUTH_COLUMNS, truths)
        truth = json.dumps(truth_record(seed, n, extent), indent=2, sort_keys=True)
        (folder / "truth.json").write_text(truth + "\n", encoding="utf-8")


def truth_record(seed: int, n: int, extent: Extent) -> dict[str, Any]:
    """The laws of the cohort as plain values for JSON."""
    return {
        "about": "Synthetic patients. The laws are invented and say nothing about real biology.",
        "library_version": __version__,
        "seed": seed,
        "patients": n,
        "extent": extent,
        "missing_label_share": MISSING_LABEL_SHARE,
        "traits": {"names": list(TRAITS), "distribution": f"standard normal, clipped at +-{TRAIT_LIMIT}"},
        "endpoints": {
            key: {
                "prevalence": LAWS[key].prevalence,
                "intercept": intercept(key),
                "weights": dict(LAWS[key].weights),
                "bayes_auc": round(bayes_auc(key), 4),
            }
            for key in PHANTOM_ENDPOINTS
        },
    }


def _write_patient(folder: Path, seed: int, index: int, extent: Extent) -> tuple[dict[str, Any], dict[str, Any]]:
    patient = make_patient(seed, index, extent)
    return _write_case(folder, patient), _truth_row(patient)


def _write_case(folder: Path, patient: PhantomPatient) -> dict[str, Any]:
    case = patient.case
    image, mask = f"images/{case.name}_ct.nii.gz", f"images/{case.name}_tumor.nii.gz"
    write_image(case.ct, folder / image, compressed=True, synthetic=case.synthetic)
    write_image(case.tumor, folder / mask, compressed=True)
    clinical = {name: value for name, value in case.clinical.to_dict().items() if name in CLINICAL_COLUMNS}
    labels = {key: "" if label is None else label for key, label in patient.labels.items()}
    return {"case": case.name, "image": image, "mask": mask, **clinical, **labels}


def _truth_row(patient: PhantomPatient) -> dict[str, Any]:
    chances = {f"p_{key}": f"{chance:.6f}" for key, chance in patient.probabilities.items()}
    return {"case": patient.case.name, **asdict(patient.traits), **chances}


def _write_table(path: Path, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: safe_cell(cell) for name, cell in row.items()} for row in rows)

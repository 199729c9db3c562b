"""Times and peak memory of `pdl1 predict`, stage by stage, on real and synthetic cases, into docs/performance.md.

Every run is a process of its own, as a user starts it; the figures are medians of five. Real cases are read from the
folder of real data beside the project (or PDL1_SHARED); without it the synthetic case alone is measured.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from page_sections import PAGE, write_section

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("PDL1_SHARED", ROOT.parent / "shared"))
RUNS = 5
STAGES = ("read", "model", "regions", "features", "network", "answer", "pictures", "report")

CHILD = """
import json, resource, sys
from pathlib import Path
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.prediction import Files, Options, predict_files
from PDL1PredictorLib.resources import find_model
ct, tumor, segment, out = sys.argv[1:]
progress = Progress()
result = predict_files(Files(Path(ct), Path(tumor), segment or None), find_model("phantom-demo"), Path(out),
Options(device="cpu"), progress=progress)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
lesion = result.lesions[0]
print(json.dumps({"seconds": progress.seconds, "peak_mb": peak, "tumor_ml": lesion.tumor.volume_ml}))
"""


@dataclass(frozen=True)
class Subject:
    """A case to measure."""

    name: str
    ct: Path
    tumor: Path
    segment: str = ""


def subjects(folder: Path) -> list[Subject]:
    """The synthetic patient of `make demo`, and the real cases that are there."""
    cohort = folder / "cohort"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "PDL1PredictorLib",
            "phantom",
            "--n",
            "1",
            "--seed",
            "2028",
            "--out",
            str(cohort),
            "--progress",
            "none",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    images = cohort / "images"
    found = [
        Subject("synthetic chest CT (make demo)", images / "case_0001_ct.nii.gz", images / "case_0001_tumor.nii.gz")
    ]
    ibsi, data = SHARED / "ibsi" / "ct_phantom", SHARED / "data"
    found.append(Subject("IBSI CT phantom", ibsi / "phantom.nii.gz", ibsi / "mask.nii.gz"))
    nrrd = data / "chest_ct_nrrd"
    found.append(Subject("chest CT, NRRD", nrrd / "lung1_image.nrrd", nrrd / "lung1_label.nrrd"))
    found.extend(dicom_subject(patient) for patient in sorted((data / "ct_dicom_rtstruct").glob("pat_*")))
    voi = data / "nsclc_radiogenomics_voi" / "voi"
    for image in sorted(voi.glob("*_image.nii.gz"))[:5]:
        case = image.name.removesuffix("_image.nii.gz")
        found.append(Subject(f"NSCLC Radiogenomics {case}", image, voi / f"{case}_mask.nii.gz"))
    return [subject for subject in found if subject.ct.exists() and subject.tumor.exists()]


def dicom_subject(patient: Path) -> Subject:
    """A folder with a DICOM CT and one RTSTRUCT somewhere in it."""
    import pydicom

    modality = {}
    for file in sorted(patient.rglob("*.dcm")):
        modality.setdefault(str(pydicom.dcmread(file, stop_before_pixels=True).Modality), file)
    return Subject(f"DICOM + RTSTRUCT {patient.name}", modality["CT"].parent, modality["RTSTRUCT"], "GTV-1")


def measure(subject: Subject, folder: Path) -> dict[str, float]:
    """Medians of five runs: stages, the rest of the process (imports), the whole, peak memory."""
    runs = []
    for number in range(RUNS):
        started = perf_counter()
        arguments = [str(subject.ct), str(subject.tumor), subject.segment, str(folder / f"out{number}")]
        done = subprocess.run([sys.executable, "-c", CHILD, *arguments], check=True, capture_output=True, text=True)
        run = json.loads(done.stdout.splitlines()[-1])
        stages = {stage: run["seconds"].get(stage, 0.0) for stage in STAGES}
        whole = perf_counter() - started
        rest = whole - sum(stages.values())
        runs.append({**stages, "start": rest, "whole": whole, "peak_mb": run["peak_mb"], "tumor_ml": run["tumor_ml"]})
        subprocess.run(["rm", "-rf", str(folder / f"out{number}")], check=True)
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def page(rows: list[tuple[str, dict[str, float]]]) -> str:
    """The Markdown of the section."""
    head = ("case", "tumor, mL", "start", *STAGES, "whole, s", "peak, MB")
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for name, row in rows:
        times = " | ".join(f"{row[stage]:.2f}" for stage in ("start", *STAGES))
        lines.append(f"| {name} | {row['tumor_ml']:.1f} | {times} | {row['whole']:.2f} | {row['peak_mb']:.0f} |")
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, no GPU used"
    return f"""## Prediction

`pdl1 predict` with the bundled model on {datetime.now(UTC):%Y-%m-%d} ({machine}), each run a process of its own;
seconds, medians of {RUNS}. *start* is Python and its imports; *read* the files; *model* checking and loading the
bundle; *regions* resampling and drawing the ring; *features* 851 radiomic features of both regions; *network* the
forward pass and ten heat maps; *answer* classifiers, calibration and contributions; *pictures* the volume for the
report; *report* writing everything.

{chr(10).join(lines)}
"""


def main() -> None:
    """Measure everything and write the page."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rows = []
        for subject in subjects(folder):
            rows.append((subject.name, measure(subject, folder)))
            print(f"{subject.name}: {rows[-1][1]['whole']:.2f} s, {rows[-1][1]['peak_mb']:.0f} MB", flush=True)
    write_section("prediction", page(rows))
    print(f"Written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()

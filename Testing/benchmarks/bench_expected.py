"""How far the time and memory that the window tells before a run are off, on cases of several sizes.

    python Testing/benchmarks/bench_expected.py [--no-page]

Every run is a process of its own with the command `pdl1 predict`, as the window starts it; the first run of a model is
left out (its kernels may have to be compiled). Synthetic patients, cut to several sizes about the tumor, whole ones,
and the whole CTs of the folder of real data where it is there (PDL1_SHARED). Writes a table into docs/performance.md.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from page_sections import write_section

from PDL1PredictorLib.imaging.preview import tumor_places
from PDL1PredictorLib.imaging.read import read_ct, read_mask
from PDL1PredictorLib.models.bundle import read_bundle
from PDL1PredictorLib.models.expected import expected_run, size_of
from PDL1PredictorLib.models.manifest import read_manifest
from PDL1PredictorLib.resources import find_model

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("PDL1_SHARED", ROOT.parent / "shared"))
CHILD = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
MODELS = ("phantom-demo", "nsclc-radiogenomics")
MARGINS_MM = (15, 60)
CLOCK_PER_PROCESSOR_S = 1.79 / 2.34  # of a quiet run on two cores, docs/performance.md, "From files to report"


def cases(folder: Path) -> list[tuple[str, Path, Path]]:
    """Name, CT and mask."""
    command = [sys.executable, "-m", "PDL1PredictorLib", "phantom", "--n", "2", "--seed", "31", "--progress", "none"]
    subprocess.run([*command, "--out", str(folder / "cohort")], check=True, stdout=subprocess.DEVNULL)
    found = []
    for number in (1, 2):
        paths = [folder / "cohort" / "images" / f"case_000{number}_{what}.nii.gz" for what in ("ct", "tumor")]
        for margin_mm in MARGINS_MM:
            name = f"synthetic patient {number}, {margin_mm} mm about the tumor"
            found.append((name, *cropped(folder, f"{number}_{margin_mm}", paths[0], paths[1], margin_mm)))
        found.append((f"synthetic patient {number}, whole", *paths))
    nrrd, ibsi = SHARED / "data" / "chest_ct_nrrd", SHARED / "ibsi" / "ct_phantom"
    found.append(("chest CT (NRRD), whole", nrrd / "lung1_image.nrrd", nrrd / "lung1_label.nrrd"))
    found.append(("IBSI CT phantom, whole", ibsi / "phantom.nii.gz", ibsi / "mask.nii.gz"))
    return [case for case in found if case[1].exists() and case[2].exists()]


def cropped(folder: Path, name: str, ct: Path, mask: Path, margin_mm: float) -> tuple[Path, Path]:
    """The same case, cut to a box about the tumor."""
    images = [sitk.ReadImage(str(path)) for path in (ct, mask)]
    where = np.argwhere(sitk.GetArrayViewFromImage(images[1]) > 0)[:, ::-1]
    margin = np.ceil(margin_mm / np.array(images[1].GetSpacing())).astype(int)
    start = np.maximum(where.min(0) - margin, 0)
    stop = np.minimum(where.max(0) + margin + 1, images[1].GetSize())
    files = folder / f"{name}_ct.nrrd", folder / f"{name}_mask.nrrd"
    for image, file in zip(images, files, strict=True):
        part = sitk.RegionOfInterest(image, [int(n) for n in stop - start], [int(n) for n in start])
        sitk.WriteImage(part, str(file))
    return files


def run(ct: Path, mask: Path, model: str, out: Path) -> tuple[float, float]:
    """Seconds (of the processor, turned into those by the clock of two quiet cores) and MB of one prediction."""
    command = [sys.executable, "-m", "PDL1PredictorLib", "predict", str(ct), str(mask), "--model", model]
    command += ["--out", str(out), "--progress", "none"]
    done = subprocess.run([sys.executable, "-c", CHILD, *command], check=True, capture_output=True, text=True)
    processor_s, peak_kb = map(float, done.stdout.split())
    return CLOCK_PER_PROCESSOR_S * processor_s, peak_kb / 1024


def measured(folder: Path) -> list[dict[str, Any]]:
    """Every case with every model: what was expected, and what it took."""
    rows = []
    for model in MODELS:
        manifest = read_manifest(read_bundle(find_model(model)))
        for number, (name, ct, mask) in enumerate(cases(folder / model)):
            image = read_ct(ct).image
            place = tumor_places(read_mask(mask, image).image)[0]
            size = size_of(image.GetNumberOfPixels(), place.volume_ml, place.longest_axial_diameter_mm)
            expected = expected_run(size, manifest)
            if number == 0:
                run(ct, mask, model, folder / model / "first")
            seconds, mb = run(ct, mask, model, folder / model / f"out{number}")
            rows.append(
                {
                    "model": model,
                    "case": name,
                    "voxels": size.voxels,
                    "box": size.box_voxels,
                    "tumor": size.tumor_voxels,
                    "expected_s": expected.seconds,
                    "s": seconds,
                    "expected_mb": expected.bytes / 2**20,
                    "mb": mb,
                }
            )
            print(json.dumps(rows[-1]), flush=True)
    return rows


def page(rows: list[dict[str, Any]]) -> str:
    """The Markdown of the section."""
    head = ("model", "case", "Mvoxels", "tumor, mL", "expected, s", "took, s", "off", "expected, MB", "took, MB", "off")
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [row["model"], row["case"], f"{row['voxels'] / 1e6:.1f}", f"{row['tumor'] / 1000:.1f}"]
        cells += [f"{row['expected_s']:.1f}", f"{row['s']:.1f}", f"{100 * off(row, 's'):+.0f} %"]
        cells += [f"{row['expected_mb']:.0f}", f"{row['mb']:.0f}", f"{100 * off(row, 'mb'):+.0f} %"]
        lines.append(f"| {' | '.join(cells)} |")
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    time, memory = ([100 * abs(off(row, name)) for row in rows] for name in ("s", "mb"))
    return f"""## Told before the run

What the window says before *Predict* of time and memory (`models.expected`), against `pdl1 predict` on {machine},
each run a process of its own. Other work went on, so the seconds are those of the processor, turned into the clock's of
two quiet cores ({CLOCK_PER_PROCESSOR_S:.2f} of them, as measured above). Written by
`python Testing/benchmarks/bench_expected.py`. The rates were fitted on the rows of phantom-demo; those of
nsclc-radiogenomics were left aside. On another computer the window multiplies the time by what its earlier runs took.

{chr(10).join(lines)}

Time is off by {statistics.median(time):.0f} % (median; at most {max(time):.0f} %), memory by
{statistics.median(memory):.0f} % (at most {max(memory):.0f} %).
"""


def off(row: dict[str, Any], name: str) -> float:
    """How far the estimate lies above what it took, as a share of that."""
    return float(row[f"expected_{name}"] / row[name] - 1)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-page", action="store_true", help="print the figures, write nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        rows = measured(Path(temporary))
    text = page(rows)
    if options.no_page:
        print(text)
    else:
        write_section("expected", text)


if __name__ == "__main__":
    main()

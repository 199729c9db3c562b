"""Times and peak memory of the radiomics engine beside pyradiomics and flash-radiomics, into docs/performance.md.

    python Testing/benchmarks/bench_radiomics.py [ROUNDS]

Every measurement is a process of its own; in each round all tools run in turn on each tumor, and ratios are medians of
the rounds. Tumors are cut from the IBSI CT phantom of the folder of real data (or PDL1_SHARED), whose whole chest CT
with a small tumor is added; without that folder spheres in a synthetic patient take their place.
"""

import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk
from page_sections import PAGE, write_section
from scipy import ndimage

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("PDL1_SHARED", ROOT.parent / "shared"))
CHILD = Path(__file__).with_name("radiomics_child.py")
PLOT = ROOT / "docs" / "images" / "radiomics_times.svg"
VOLUMES_ML = (1, 10, 100)
TOOLS = {"baseline": "pyradiomics 3.0.1", "flash": "flash-radiomics 1.0.0", "ours": "this library"}
GOALS = {"chest CT": 12, "358 mL": 30}
PROTOTYPE_S = {"chest CT": 0.14, "1 mL": 0.05, "10 mL": 0.07, "100 mL": 0.26, "358 mL": 0.41}
"""A prototype in C with the same ideas, 2 threads, on a machine like that of the first table; not distributed."""
COHORT = 6  # cases per process


class Run(NamedTuple):
    """One measurement: by the clock, and of all cores together, which a busy machine lengthens less."""

    seconds: float
    processor_s: float
    peak_mb: float


def subjects(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and folder of each case: ct, tumor and ring of 3 mm on the CT's own grid."""
    nrrd = SHARED / "data" / "chest_ct_nrrd"
    if nrrd.is_dir():
        ct, tumor = sitk.ReadImage(str(nrrd / "lung1_image.nrrd")), sitk.ReadImage(str(nrrd / "lung1_label.nrrd"))
        yield "chest CT", written(folder / "chest", ct, sitk.GetArrayFromImage(tumor) != 0)
    phantom = SHARED / "ibsi" / "ct_phantom"
    if phantom.is_dir():
        ct = sitk.ReadImage(str(phantom / "phantom.nii.gz"))
        inside = sitk.GetArrayFromImage(sitk.ReadImage(str(phantom / "mask.nii.gz"))) != 0
        for volume_ml in VOLUMES_ML:
            yield f"{volume_ml} mL", written(folder / f"{volume_ml}", ct, sphere(inside, ct, volume_ml))
        yield "358 mL", written(folder / "358", ct, inside)
        return
    ct = synthetic_chest()
    everywhere = np.ones(ct.GetSize()[::-1], bool)
    for volume_ml in (*VOLUMES_ML, 358):
        yield f"{volume_ml} mL", written(folder / f"{volume_ml}", ct, sphere(everywhere, ct, volume_ml))


def synthetic_chest() -> sitk.Image:
    """The CT of a synthetic patient."""
    from PDL1PredictorLib.phantom.patient import make_patient

    return make_patient(seed=2028, index=0).case.ct


def sphere(inside: np.ndarray, ct: sitk.Image, volume_ml: float) -> np.ndarray:
    """The part of a region within a radius of its deepest point, as large as wanted."""
    spacing_mm = np.array(ct.GetSpacing()[::-1])
    padded = np.pad(inside, 1)
    deepest = np.unravel_index(ndimage.distance_transform_edt(padded, sampling=spacing_mm).argmax(), padded.shape)
    offsets = (np.indices(inside.shape).T + 1 - np.array(deepest)) * spacing_mm
    squared = np.where(inside, (offsets**2).sum(axis=-1).T, np.inf)
    wanted = round(volume_ml * 1000 / spacing_mm.prod())
    return squared <= np.partition(squared, wanted - 1, axis=None)[wanted - 1]


def written(folder: Path, ct: sitk.Image, inside: np.ndarray) -> Path:
    """Files of a case for the child."""
    folder.mkdir()
    away_mm = ndimage.distance_transform_edt(~inside, sampling=ct.GetSpacing()[::-1])
    sitk.WriteImage(sitk.Cast(ct, sitk.sitkInt16), str(folder / "ct.nii.gz"))
    for name, mask in (("tumor", inside), ("ring", (away_mm > 0) & (away_mm <= 3))):
        image = sitk.GetImageFromArray(mask.astype(np.uint8))
        image.CopyInformation(ct)
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))
    return folder


def run(tool: str, folder: Path, **environment: str) -> Run:
    """One measurement in a process of its own."""
    command = [sys.executable, str(CHILD), tool, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | environment)
    found = json.loads(done.stdout.splitlines()[-1])
    return Run(found["seconds"], found["processor_s"], found["peak_mb"])


def available_tools() -> list[str]:
    """Those that are installed."""
    modules = {"baseline": "radiomics", "flash": "flash_radiomics"}
    return [tool for tool in TOOLS if tool not in modules or importlib.util.find_spec(modules[tool])]


def compile_seconds(folder: Path) -> tuple[float, float]:
    """First use of the kernels on a machine, and in a later process."""
    environment = {"NUMBA_CACHE_DIR": str(folder / "cache")}
    return run("kernels", folder, **environment).seconds, run("kernels", folder, **environment).seconds


def scaling(folder: Path) -> tuple[float, float]:
    """Cases of two processes at once over those of one, one thread each: by the clock, and by processor seconds."""
    alone, both = cohort(folder, 1), cohort(folder, 2)
    return 2 * alone.seconds / both.seconds, 2 * alone.processor_s / both.processor_s


def cohort(folder: Path, processes: int) -> Run:
    """One case while so many processes work at once, each on a cohort of its own; the slowest process counts."""
    command = [sys.executable, str(CHILD), "ours", str(folder), str(COHORT), "wait"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(processes)
    ]
    for child in children:
        child.stdout.readline()
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()
    found = [json.loads(child.communicate()[0].splitlines()[-1]) for child in children]
    return Run(*(max(each[name] for each in found) for name in ("seconds", "processor_s", "peak_mb")))


def times(runs: dict[str, dict[str, list[Run]]], tools: list[str], what: str, goals: bool) -> str:
    """Medians of every case and tool, and how many times faster this library is.

    Args:
        runs: By case and tool.
        tools: Which of them.
        what: `seconds` or `processor_s`.
        goals: Whether to add the goals and the prototype.
    """
    others = [tool for tool in tools if tool != "ours"]
    head = ["tumor", *(f"{TOOLS[tool]}, s" for tool in tools), *(f"times {TOOLS[tool]}" for tool in others)]
    rows = []
    for name, by_tool in runs.items():
        cells = [name, *(f"{median(by_tool[tool], what):.2f}" for tool in tools)]
        cells += [f"{ratio(by_tool, tool, what):.0f}" for tool in others]
        if goals:
            cells += [f">= {GOALS[name]}" if name in GOALS else "-", str(PROTOTYPE_S.get(name, "-"))]
        rows.append(cells)
    return markdown([*head, "goal", "C prototype, s"] if goals else head, rows)


def memory(runs: dict[str, dict[str, list[Run]]], tools: list[str]) -> str:
    """Medians of the peak memory."""
    rows = [[name, *(f"{median(by_tool[tool], 'peak_mb'):.0f}" for tool in tools)] for name, by_tool in runs.items()]
    return markdown(["tumor", *(f"{TOOLS[tool]}, MB" for tool in tools)], rows)


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table."""
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def median(runs: list[Run], what: str) -> float:
    """Of one of the numbers of some runs."""
    return statistics.median(getattr(each, what) for each in runs)


def ratio(by_tool: dict[str, list[Run]], other: str, what: str = "seconds") -> float:
    """How many times faster, the median over the rounds."""
    pairs = zip(by_tool[other], by_tool["ours"], strict=True)
    return statistics.median(getattr(theirs, what) / getattr(ours, what) for theirs, ours in pairs)


def plot(runs: dict[str, dict[str, list[Run]]], tools: list[str]) -> None:
    """Time against tumor volume, both on logarithmic axes."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "radiomics", "font.family": "sans-serif"}
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    names = [name for name in runs if name.endswith("mL")]
    volumes = [float(name.split()[0]) for name in names]
    for tool in tools:
        seconds = [median(runs[name][tool], "seconds") for name in names]
        axes.loglog(volumes, seconds, "o-", label=TOOLS[tool])
    axes.set(xlabel="tumor volume, mL", ylabel="851 features of two regions, s", xticks=volumes, xticklabels=names)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(PLOT, metadata={"Date": None, "Creator": None})


class Kernels(NamedTuple):
    """Seconds that a first and a later process on a machine spend on the kernels."""

    first_s: float
    later_s: float


def section(
    runs: dict[str, dict[str, list[Run]]], tools: list[str], kernels: Kernels, two_processes: list[tuple[float, float]]
) -> str:
    """The Markdown."""
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    rounds = len(runs["358 mL"]["ours"])
    absent = [TOOLS[tool] for tool in TOOLS if tool not in tools]
    missing = f" Not installed here: {', '.join(absent)}." if absent else ""
    by_clock, by_processor = (statistics.median(each) for each in zip(*two_processes, strict=True))
    return f"""## Radiomics

851 features of the tumor and of its ring of 3 mm, from a CT and its masks in memory, on {datetime.now(UTC):%Y-%m-%d}
({machine}). *pyradiomics* is called as its users call it, an extractor per region; *this library* resamples, draws the
ring and measures, its kernels loaded. In each round ({rounds}) all run in turn, every run in a process of its own:
medians of the rounds, and how many times faster as the median of each round's ratio.{missing}

*chest CT* is a whole one with a tumor of 1.3 mL; the others are cut from a tumor of 358 mL. A *prototype in C* marks
how far the same ideas can be taken; its times are from another day on a quiet machine. At the end the load was {load}
(above the number of cores, others are at work too, and times by the clock are longer than need be).

{times(runs, tools, "seconds", goals=True)}

![Time against tumor volume](images/{PLOT.name})

Processor seconds, of all cores together:

{times(runs, tools, "processor_s", goals=False)}

Peak memory:

{memory(runs, tools)}

The first extraction on a machine compiles the kernels: {kernels.first_s:.1f} s, once (goal: at most 20); a later
process loads them in {kernels.later_s:.1f} s. Two processes on two cores, one thread each, measure {by_clock:.2f} times
as many cases as one by the clock, {by_processor:.2f} by processor seconds (goal: at least 1.7)."""


def main() -> None:
    """Measure everything and write the section and the plot."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    tools = available_tools()
    with tempfile.TemporaryDirectory() as temporary:
        cases = dict(subjects(Path(temporary)))
        runs: dict[str, dict[str, list[Run]]] = {name: {tool: [] for tool in tools} for name in cases}
        for _ in range(rounds):
            for name, folder in cases.items():
                for tool in tools:
                    runs[name][tool].append(run(tool, folder))
                told = ", ".join(f"{tool} {runs[name][tool][-1].seconds:.2f} s" for tool in tools)
                print(f"{name}: {told}", flush=True)
        kernels = Kernels(*compile_seconds(Path(temporary)))
        two_processes = [scaling(cases["10 mL"]) for _ in range(rounds)]
    plot(runs, tools)
    write_section("radiomics", section(runs, tools, kernels, two_processes))
    print(f"Written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()

"""`pdl1 predict` of this checkout against an earlier commit's, in turn, into docs/performance.md.

    python Testing/benchmarks/bench_start.py COMMIT

The earlier commit is checked out beside this one and removed again. The figures are the least of the runs, by the clock
and by processor time: what another program does meanwhile only adds to them.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from page_sections import PAGE, write_section

ROOT = Path(__file__).resolve().parents[2]
RUNS = 6


class Run(NamedTuple):
    """One run, files to report.

    Attributes:
        clock_s: By the clock.
        processor_s: Of all its threads and processes.
    """

    clock_s: float
    processor_s: float


def timed(root: Path, images: Path, out: Path) -> Run:
    """Predict the synthetic patient with a checkout, in a process of its own."""
    case = ["--ct", str(images / "case_0001_ct.nii.gz"), "--tumor", str(images / "case_0001_tumor.nii.gz")]
    begun, before = perf_counter(), _children()
    _pdl1(root, "predict", *case, "--out", str(out), "--overwrite")
    return Run(perf_counter() - begun, _children() - before)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _pdl1(root: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "PDL1PredictorLib", *arguments, "--progress", "none"]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run(command, cwd=root, env=environment, check=True, stdout=subprocess.DEVNULL)


def page(commit: str, before: list[Run], now: list[Run], load: float) -> str:
    """The Markdown of the section."""
    machine = f"{os.cpu_count()} cores, {platform.system()}, {platform.machine()}, Python {platform.python_version()}"
    rows = [
        f"| {name} | {min(run.clock_s for run in runs):.2f} | {min(run.processor_s for run in runs):.2f} |"
        for name, runs in ((f"commit {commit}", before), ("now", now))
    ]
    return f"""## From files to report

`pdl1 predict` of the synthetic patient of `make demo`, the whole command, by an earlier commit and by this one in turn
({len(now)} times each) on {machine}; the least of each, in seconds. At the end the load was {load:.1f} (above the
number of cores, others are at work too: times by the clock are longer then than need be).

| | by the clock | processor time |
|---|---|---|
{chr(10).join(rows)}
"""


def main() -> None:
    """Measure both and write the section."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("commit", help="the earlier commit")
    commit = parser.parse_args().commit
    with tempfile.TemporaryDirectory() as folder:
        earlier = Path(folder) / "before"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(earlier), commit], check=True)
        try:
            _pdl1(ROOT, "phantom", "--n", "1", "--seed", "2028", "--out", str(Path(folder) / "cohort"))
            images = Path(folder) / "cohort" / "images"
            pairs = [
                tuple(timed(root, images, Path(folder) / "out") for root in (earlier, ROOT)) for _ in range(RUNS + 1)
            ][1:]  # the first compiles and fills caches
        finally:
            subprocess.run([*git, "remove", "--force", str(earlier)], check=True)
    text = page(commit, [pair[0] for pair in pairs], [pair[1] for pair in pairs], os.getloadavg()[0])
    write_section("start", text)
    print(f"{text}\nWritten: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()

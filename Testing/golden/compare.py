"""Holds the numbers of this checkout against those of an earlier commit: a short study, and the bundled models.

    python Testing/golden/compare.py COMMIT [--tolerance 1e-12]

Both run here, on one processor and one thread, since a training amplifies the last bit in which processors differ: the
numbers are not stored. The earlier commit is checked out beside this one and removed again. What a change is meant to
move (names of keys, a schema) is listed in `RENAMED`; everything else must be there, and equal.
"""

import argparse
import csv
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("phantom-demo", "nsclc-radiogenomics")
PATIENTS = 3
STUDY = ("--n", "60", "--seed", "3", "--endpoints", "PDL1,LVI", "--preset", "karim", "--repeats", "1")
NETWORK = ("--patch-pixels", "64", "--epochs", "1", "1", "--pixels", "48", "64", "--device", "cpu", "--workers", "2")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
PASSING = (
    ".bytes",
    "seconds",
    "created",
    "version",
    "sha256",
    "peak_memory",
    "command",
    "provenance.device",
)  # not results
RENAMED = {
    "model.conformal_coverage": "model.coverage",
    ".classifier.cross_validated_auc.": ".model.cross_validated.",
    ".test_auc.value": ".test.auc",
    ".test_auc.": ".test.",
    "study.resampling.roc_band": "study.resampling.bands",
}  # key of the earlier commit to the key of today, as parts of a path


def numbers(root: Path, out: Path) -> dict[str, float]:
    """All numbers that a checkout writes: of the study, its model and its predictions, and of the bundled models."""
    model = out / "model"
    _pdl1(root, "train", "--recipe", "deepradscore", *STUDY, *NETWORK, "--out", str(model))
    found = dict(_flat(_json(model.with_name("model.study") / "study.json"), "study"))
    found |= dict(_flat(_json(model / "model.json"), "model"))
    found |= dict(_flat(_rows(model.with_name("model.study") / "predictions.csv"), "predictions"))
    _pdl1(root, "phantom", "--n", str(PATIENTS), "--seed", "2028", "--extent", "tumor", "--out", str(out / "cohort"))
    for name in MODELS:
        for case in range(1, PATIENTS + 1):
            result = out / f"{name} {case}"
            images = [str(out / "cohort" / "images" / f"case_{case:04d}_{kind}.nii.gz") for kind in ("ct", "tumor")]
            bundle = root / "Resources" / "Models" / name
            arguments = ("--ct", images[0], "--tumor", images[1], "--model", str(bundle), "--device", "cpu")
            if _knows_runtime(root):
                arguments = (*arguments, "--runtime", "torch")  # as earlier commits ran the network, to the last bit
            _pdl1(root, "predict", *arguments, "--out", str(result))
            found |= dict(_flat(_json(result / "result.json"), f"{name}.{case}"))
    return found


def _knows_runtime(root: Path) -> bool:
    """Whether a checkout can be told what runs the network; before it could, that was torch."""
    return "--runtime" in (root / "PDL1PredictorLib" / "cli" / "predict.py").read_text(encoding="utf-8")


def differences(earlier: dict[str, float], now: dict[str, float], tolerance: float) -> list[str]:
    """What is gone, and what has another value."""
    told = []
    for name, value in earlier.items():
        today = now.get(_renamed(name), math.nan)
        if math.isnan(value) and math.isnan(today):
            continue
        if not abs(today - value) <= tolerance * max(1.0, abs(value)):
            told.append(f"{name}: {value!r} before, {today!r} now")
    return told


def _renamed(name: str) -> str:
    for before, after in RENAMED.items():
        name = name.replace(before, after)
    return re.sub(r"\.radscores\.(\w+)\.", r".scores.\1.radscore_", name)  # of result.json before schema 2.0


def _flat(content: Any, path: str) -> Iterator[tuple[str, float]]:
    if any(word in path for word in PASSING):
        return
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _flat(value, f"{path}.{key}")
    elif isinstance(content, list):
        for position, value in enumerate(content):
            yield from _flat(value, f"{path}[{position}]")
    elif content is None or isinstance(content, bool | int | float):
        yield path, math.nan if content is None else float(content)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _rows(path: Path) -> list[dict[str, float]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: _number(text) for name, text in row.items()} for row in csv.DictReader(file)]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _pdl1(root: Path, *arguments: str) -> None:
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "PDL1PredictorLib", *arguments, "--progress", "none"]
    subprocess.run(command, cwd=root, env=environment, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Says what differs; 0 if nothing does."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("commit")
    parser.add_argument("--tolerance", type=float, default=1e-12, help="relative, absolute below 1 (default: 1e-12)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder) / "before"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(before), options.commit], check=True)
        try:
            earlier = numbers(before, Path(folder) / "earlier")
        finally:
            subprocess.run([*git, "remove", "--force", str(before)], check=True)
        now = numbers(ROOT, Path(folder) / "now")
    told = differences(earlier, now, options.tolerance)
    print("\n".join([*told[:50], f"{len(earlier)} numbers, {len(told)} differ by more than {options.tolerance:g}"]))
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())

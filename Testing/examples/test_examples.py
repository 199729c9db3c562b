"""Every example runs from its beginning to its end in an empty folder, without a warning."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
LEAVES = {  # example: what it leaves in the folder, and a word that it says
    "predict_one_case": ("demo/result/report.html", "Research use only."),
    "features_to_csv": ("demo/features.csv", "1702 features"),
    "cohort_features": ("demo/cohort_features.csv", "2 problems; nothing was started"),
    "batch_over_folder": ("demo/answers.csv", "Failed, damaged"),
    "read_result": ("demo/result/result.json", "log-odds"),
    "custom_ring": ("demo/ring.nrrd", "Warning (ring_edited)"),
    "train_tiny_study": ("demo/tiny.study/report.html", "Pleural invasion"),
}


def run(script: Path, folder: Path) -> str:
    """What a script says.

    Raises:
        CalledProcessError: It fails.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(EXAMPLES)])}
    command = [sys.executable, "-W", "error", str(script)]
    done = subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def test_every_example_is_tested_and_named_in_the_docs():
    names = {path.stem for path in EXAMPLES.glob("*.py")} - {"patients"}
    assert names == set(LEAVES)
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert {name for name in names if f"(../examples/{name}.py)" not in page} == set()


@pytest.mark.parametrize("name", LEAVES)
def test_the_example_runs(name, tmp_path):
    left, word = LEAVES[name]
    assert word in run(EXAMPLES / f"{name}.py", tmp_path)
    assert (tmp_path / left).is_file()


def test_a_broken_example_fails(tmp_path):
    text = (EXAMPLES / "features_to_csv.py").read_text(encoding="utf-8")
    broken = tmp_path / "broken.py"
    broken.write_text(text.replace("pdl1.features(", "pdl1.no_such_function("), encoding="utf-8")
    with pytest.raises(subprocess.CalledProcessError):
        run(broken, tmp_path)
    assert not (tmp_path / "demo" / "features.csv").exists()

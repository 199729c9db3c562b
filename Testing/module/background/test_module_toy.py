"""A further recipe's model, a number from features alone, in batch and window, by no code of its own."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import slicerhost
from PDL1PredictorGUI.background.batch import Batch, BatchRequest
from PDL1PredictorGUI.background.batch_cases import cases_of_folder

from PDL1PredictorLib.imaging.case_files import Files
from PDL1PredictorLib.prediction import predict_files

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.usefixtures("slicer_scene")


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the cohort's images and the `model`."""
    folder = tmp_path_factory.mktemp("toy")
    helper = ROOT / "Testing" / "helpers" / "toy_cohort.py"
    done = subprocess.run(
        [sys.executable, str(helper), str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def result_folder(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pdl1 predict` writes for one case, in place of the tiny model's."""
    folder = tmp_path_factory.mktemp("predicted") / "result"
    predict_files(Files(toy / "c00_ct.nii.gz", toy / "c00_mask.nii.gz"), toy / "model", folder)
    return folder


def test_the_batch_table_holds_the_number(toy: Path, tmp_path: Path):
    cohort, out = tmp_path / "cases", tmp_path / "out"
    cohort.mkdir()
    for name in ("c00", "c01"):
        for what in ("ct", "mask"):
            shutil.copy(toy / f"{name}_{what}.nii.gz", cohort)
    ended: list[tuple] = []
    batch = Batch(on_end=lambda *end: ended.append(end))
    batch.start(cases_of_folder(cohort), BatchRequest(out, str(toy / "model"), "cpu"))
    slicerhost.wait_until(lambda: ended, 120)
    outcome, rows = ended[0]
    assert (outcome.kind, [row.problem for row in rows.values()]) == ("done", ["", ""])
    with (out / "predictions.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    with (toy / "cases.csv").open(encoding="utf-8", newline="") as file:
        truth = {row["case"]: float(row["TPS"]) for row in csv.DictReader(file)}
    for line in table:
        value = float(line["TPS_value"] or line["TPS_withheld"])
        assert 0 <= value <= 100
        assert bool(line["TPS_value"]) == (line["TPS_verdict"] == "answered")
        assert value == pytest.approx(truth[line["case"]], abs=25)


def test_the_window_shows_the_number(answered, result_folder: Path):
    (answer,) = json.loads((result_folder / "result.json").read_text(encoding="utf-8"))["lesions"][0]["endpoints"]
    given = answer["verdict"]["status"] == "answered"
    table = answered.ui.predictionsTable
    assert table.rowCount == 1
    cells = [table.item(0, column).text() for column in range(table.columnCount)]
    assert cells[0] == "PD-L1 TPS"
    assert (f"{answer['value']:.0f} %" in " ".join(cells)) == given
    assert given or cells[1] == "not answered"

"""The command `pdl1 first-look`, on a few small tumors."""

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.errors import EXIT_REFUSED

N = 24


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Balls in lung: T2 or higher are the large ones; two blocks, of which one serves for `--only`."""
    folder = tmp_path_factory.mktemp("look")
    rng = np.random.default_rng(2)
    at = np.stack(np.meshgrid(*(np.arange(20) - 9.5 for _ in range(3)), indexing="ij"), axis=-1)
    rows = []
    for i in range(N):
        ball = np.linalg.norm(at, axis=-1) < 3.6 + 1.2 * (i % 2) + 0.2 * rng.random()
        hu = rng.normal(-800, 40, ball.shape)
        hu[ball] = rng.normal(30, 15, int(ball.sum()))
        for what, array in (("ct", hu.astype(np.int16)), ("mask", ball.astype(np.uint8))):
            sitk.WriteImage(sitk.GetImageFromArray(array), str(folder / f"c{i}_{what}.nii.gz"))
        rows.append([f"c{i}", f"c{i}_ct.nii.gz", f"c{i}_mask.nii.gz", i % 2, "AB"[i // 12], "yes" if i < 20 else "no"])
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["case", "image", "mask", "PT2", "note_block", "note_firm"], *rows])
    return folder / "cases.csv"


def run(table, out, *more):
    call = ["first-look", "--cohort", str(table), "--cache", str(table.parent / "cache"), "--out", str(out)]
    call += ["--folds", "2", "--repeats", "1", "--permutations", "1", "--workers", "1", "--progress", "none"]
    return main([*call, *more])


def test_a_cohort_is_looked_at_whole_and_in_part(table, tmp_path, capsys):
    assert run(table, tmp_path / "all", "--stratify", "block") == 0
    assert "| PT2 | 12 / 12 | 1.00" in capsys.readouterr().out
    assert run(table, tmp_path / "part", "--only", "firm=yes") == 0
    content = json.loads((tmp_path / "part" / "first_look.json").read_text(encoding="utf-8"))
    assert (content["endpoints"]["PT2"]["positive"], content["endpoints"]["PT2"]["negative"]) == (10, 10)
    assert "--only firm=yes" in content["command"]


def test_a_choice_that_is_none_leaves_nothing_behind(table, tmp_path, capsys):
    assert run(table, tmp_path / "none", "--only", "firm=perhaps") == EXIT_REFUSED
    assert "No case of cases.csv has firm=perhaps" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()

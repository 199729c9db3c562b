import csv
import json

import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.errors import CancelledError, InputError, OutputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.phantom.cohort import write_cohort
from PDL1PredictorLib.phantom.patient import draw_truth
from PDL1PredictorLib.phantom.truth import LAWS, PHANTOM_ENDPOINTS, intercept


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("Köhorte 1") / "phantom é"
    write_cohort(out, 2, seed=4, extent="tumor")
    return out


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_seed_writes_the_same_bytes_and_a_case_does_not_depend_on_n(folder, tmp_path):
    write_cohort(tmp_path / "again", 2, seed=4, extent="tumor")
    assert contents(tmp_path / "again") == contents(folder)
    write_cohort(tmp_path / "one", 1, seed=4, extent="tumor")
    for name, content in contents(tmp_path / "one").items():
        if name.startswith("images/"):
            assert content == contents(folder)[name]
    assert rows_of(tmp_path / "one" / "cases.csv") == rows_of(folder / "cases.csv")[:1]


def test_the_packed_files_carry_no_time(folder):
    for path in (folder / "images").iterdir():
        assert path.read_bytes()[4:8] == bytes(4)  # the gzip header's time of change


def test_the_table_leads_to_valid_cases_with_their_labels(folder):
    rows = rows_of(folder / "cases.csv")
    assert [row["case"] for row in rows] == ["case_0001", "case_0002"]
    for index, row in enumerate(rows, start=1):
        Case(sitk.ReadImage(str(folder / row["image"])), sitk.ReadImage(str(folder / row["mask"])))
        labels = draw_truth(4, index)[2]
        assert {key: row[key] for key in PHANTOM_ENDPOINTS} == {
            key: "" if label is None else str(label) for key, label in labels.items()
        }


def test_the_truth_is_written_beside_the_cases(folder):
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    assert truth["seed"] == 4
    assert truth["endpoints"]["PDL1"]["intercept"] == pytest.approx(intercept("PDL1"))
    assert truth["endpoints"]["PDL1"]["weights"] == LAWS["PDL1"].weights
    assert 0.88 < truth["endpoints"]["PDL1"]["bayes_auc"] < 0.92
    traits, chances, _ = draw_truth(4, 2)
    row = rows_of(folder / "truth.csv")[1]
    assert float(row["halo"]) == traits.halo
    assert float(row["p_PDL1"]) == pytest.approx(chances["PDL1"], abs=1e-6)


@pytest.mark.parametrize("n", [0, -3, 100_001, 2.0, True])
def test_an_impossible_number_of_patients_is_refused(n, tmp_path):
    with pytest.raises(InputError, match="from 1 to 100000"):
        write_cohort(tmp_path / "out", n, seed=1)
    assert not (tmp_path / "out").exists()


def test_an_existing_folder_is_kept(folder):
    before = contents(folder)
    with pytest.raises(OutputError, match="exists already"):
        write_cohort(folder, 1, seed=5, extent="tumor")
    assert contents(folder) == before


def test_a_cancelled_cohort_leaves_nothing(tmp_path):
    steps = []

    def cancelled():
        steps.append(1)
        return len(steps) > 1

    with pytest.raises(CancelledError, match="Nothing was written"):
        write_cohort(tmp_path / "out", 3, 1, Progress(cancelled=cancelled), "tumor")
    assert list(tmp_path.iterdir()) == []

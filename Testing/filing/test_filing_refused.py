"""What cannot be filed is said before anything long begins, and nothing is left behind."""

import sys

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.errors import InputError, MissingPackageError
from PDL1PredictorLib.filing.request import Filing, paper_of
from PDL1PredictorLib.filing.source import on_grid_of, require_copy
from PDL1PredictorLib.imaging.case_files import Files
from PDL1PredictorLib.prediction import Options, predict_files


@pytest.fixture
def volume(oblique, tmp_path) -> Files:
    sitk.WriteImage(oblique.ct, tmp_path / "ct.nrrd")
    sitk.WriteImage(oblique.tumor, tmp_path / "tumor.nrrd")
    return Files(tmp_path / "ct.nrrd", tmp_path / "tumor.nrrd")


def test_a_ct_that_is_no_series_is_refused(volume, tmp_path):
    with pytest.raises(InputError, match=r"ct\.nrrd is a volume file, which names no study.*leave out --dicom"):
        predict_files(volume, tmp_path / "no model", tmp_path / "out", Options(), filing=Filing(dicom=True))
    assert not (tmp_path / "out").exists()


def test_a_volume_that_is_no_copy_of_the_series_is_refused(oblique):
    changed = sitk.Image(oblique.ct)
    changed[3, 3, 3] += 1
    with pytest.raises(InputError, match="no copy of the series .* its voxels have other values"):
        require_copy(changed, oblique.series.folder, None)
    with pytest.raises(InputError, match="no copy of the series .* their sizes differ"):
        require_copy(oblique.ct[:, :, 1:], oblique.series.folder, None)


def test_a_copy_may_run_the_other_way(oblique):
    copy = sitk.Flip(oblique.ct, (True, False, True))
    original, source = require_copy(copy, oblique.series.folder, None)
    assert list(source.instances()) == list(oblique.source.instances())
    mask = on_grid_of(original, sitk.Flip(oblique.tumor, (True, False, True)))
    assert np.array_equal(sitk.GetArrayFromImage(mask), sitk.GetArrayFromImage(oblique.tumor))


@pytest.mark.parametrize("name", ["highdicom", "reportlab"])
def test_a_missing_package_is_named_with_its_remedy(name, oblique, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    files = Files(oblique.series.folder, tmp_path / "tumor.nrrd")
    with pytest.raises(MissingPackageError, match=rf"{name} .* pip install pdl1predictor\[dicom\]"):
        predict_files(files, tmp_path / "no model", tmp_path / "out", Options(), filing=Filing(dicom=True))


def test_paper_is_a4_or_letter():
    assert (paper_of("a4"), paper_of("LETTER"), paper_of(None)) == ("A4", "Letter", None)
    with pytest.raises(InputError, match="--paper must be A4 or Letter, got 'A5'"):
        paper_of("A5")


@pytest.mark.parametrize("option", [["--dicom"], ["--paper", "A4"]])
def test_a_table_of_cases_is_not_filed(option, tmp_path, capsys):
    assert main(["predict", "--cohort", str(tmp_path / "c.csv"), "--out", str(tmp_path / "out"), *option]) == 2
    assert "are for one case" in capsys.readouterr().err


def test_the_folder_of_a_copy_is_looked_into_once(oblique, monkeypatch):
    from PDL1PredictorLib.imaging.dicom import series

    seen, real = [], series.look_into
    monkeypatch.setattr(series, "look_into", lambda folder: seen.append(folder) or real(folder))
    require_copy(oblique.ct, oblique.series.folder, None)
    assert seen == [oblique.series.folder]

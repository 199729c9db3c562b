"""What names a case in the cache: the content of every file that its image and mask are made of."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.cohort.sources import FileSource, source_keys
from PDL1PredictorLib.cohort.table import CohortCase
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.errors import InputError


@pytest.fixture
def source(tmp_path):
    """A case of two volumes in a folder of its own; equal fill, equal content."""

    def make(name: str, suffix: str, fill: int, zipped: bool = False) -> FileSource:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for file in ("ct", "mask"):
            image = sitk.GetImageFromArray(np.full((5, 5, 5), fill if file == "ct" else 1, np.int16))
            sitk.WriteImage(image, str(folder / f"{file}.{suffix}"), zipped)
        return of(folder, suffix)

    return make


def of(folder: Path, suffix: str) -> FileSource:
    image, mask = folder / f"ct.{suffix}", folder / f"mask.{suffix}"
    return FileSource(CohortCase(folder.name, folder.name, image, mask, None, None, Clinical(), {}))


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("suffix", ["mhd", "nhdr", "mha", "nrrd", "nii"])
def test_two_cases_that_differ_in_their_voxels_alone_have_two_keys(source, suffix, zipped):
    one, other, again = (source(*row, zipped=zipped) for row in (("a", suffix, 1), ("b", suffix, 2), ("c", suffix, 1)))
    assert one.key != other.key
    assert one.key == again.key
    with pytest.raises(InputError, match="are the same: a and c hold the same image"):
        source_keys([one, other, again])


@pytest.mark.parametrize("suffix", ["mhd", "nhdr"])
def test_voxels_that_are_replaced_give_another_key(source, suffix):
    before = source("a", suffix, 1).key
    assert source("a", suffix, 7).key != before


def test_a_data_file_that_is_not_there_or_not_followed_is_a_reason(source, tmp_path):
    whole = source("a", "mhd", 1)
    lost = source("b", "mhd", 2)
    (tmp_path / "b" / "ct.raw").unlink()
    led_away = source("c", "mhd", 3)
    header = tmp_path / "c" / "ct.mhd"
    header.write_text(header.read_text().replace("ct.raw", "../a/ct.raw"))
    keys, failed = source_keys([whole, lost, led_away])
    assert list(keys) == [0]
    assert "ct.raw, which is not there" in failed["b"]
    assert "outside its own folder" in failed["c"]

"""Names that are not UTF-8, or that the system keeps in another encoding: SimpleITK never sees them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.case import same_grid
from PDL1PredictorLib.core.errors import InputError, printable
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.read import read_ct, read_mask
from PDL1PredictorLib.imaging.volumes import itk as itk_files
from PDL1PredictorLib.imaging.volumes.itk import is_plain, plain_names, write_image

pytestmark = pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="names are always Unicode there")
LATIN = os.fsdecode(b"M\xfcller")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / LATIN).mkdir()
    return tmp_path / LATIN


def array(image):
    return sitk.GetArrayFromImage(image)


def test_only_names_that_are_utf_8_are_plain():
    assert is_plain("a.nii")
    assert is_plain("Müller 胸部.nii")
    assert not is_plain(f"{LATIN}.nii")


@pytest.mark.parametrize("suffix", ["nii", "nii.gz", "nrrd", "mha", "mhd", "nhdr"])
def test_a_volume_is_read_from_such_a_folder(chest, folder, tmp_path, suffix):
    sitk.WriteImage(chest, str(tmp_path / f"ct.{suffix}"))
    for file in tmp_path.glob("ct.*"):
        file.rename(folder / file.name)
    found = read_ct(folder / f"ct.{suffix}").image
    assert (array(found) == array(chest)).all()
    assert same_grid(found, chest)


def test_a_dicom_series_is_read_from_such_a_folder_with_such_files(chest, folder, write_series):
    write_series(folder, chest, prefix=LATIN)
    assert any(not is_plain(path.name) for path in folder.iterdir())
    assert (array(read_ct(folder).image) == array(chest)).all()


def test_a_damaged_slice_in_such_a_folder_is_named_printably(chest, folder, write_series):
    write_series(folder, chest, prefix=LATIN)
    victim = sorted(folder.iterdir())[3]
    victim.write_bytes(victim.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"M\\xfcller") as caught:
        read_ct(folder)
    str(caught.value).encode("utf-8")


def test_a_volume_is_written_under_such_a_name_and_nothing_is_left(chest, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    write_image(chest, folder / f"{LATIN}.nii.gz", compressed=True)
    assert (array(read_ct(folder / f"{LATIN}.nii.gz").image) == array(chest)).all()
    assert [path.name for path in tmp_path.iterdir()] == [LATIN]


def test_where_links_are_not_allowed_the_files_are_copied(chest, folder, monkeypatch):
    write_image(chest, folder / "a.mha")

    def forbidden(*_):
        raise OSError

    monkeypatch.setattr(os, "symlink", forbidden)
    monkeypatch.setattr(os, "link", forbidden)
    with plain_names([folder / "a.mha"]) as (name,):
        assert Path(name).read_bytes() == (folder / "a.mha").read_bytes()
        assert not Path(name).is_symlink()
    assert not Path(name).exists()


def test_a_temporary_folder_that_is_not_plain_either_is_passed_over(chest, folder, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    write_image(chest, folder / "a.mha")
    assert [path.name for path in folder.iterdir()] == ["a.mha"]
    monkeypatch.setattr(itk_files, "is_plain", lambda path: False)
    with pytest.raises(InputError, match="No temporary folder has a name that can be used"):
        write_image(chest, folder / "b.mha")


def test_a_file_that_cannot_be_written_is_an_error_of_the_system(chest, tmp_path):
    with pytest.raises(OSError, match="could not be written"):
        write_image(chest, tmp_path / "nowhere" / "a.mha")


def test_messages_and_warnings_with_such_names_can_be_printed(folder):
    with pytest.raises(InputError) as caught:
        read_mask(folder / "none.nii", sitk.Image([3, 3, 3], sitk.sitkUInt8))
    assert r"M\xfcller/none.nii does not exist" in str(caught.value)
    assert CaseWarning("a", f"{LATIN} \x1b[31mred").text == r"M\xfcller \x1b[31mred"
    assert printable("Müller\n\t胸部 é") == "Müller\n\t胸部 é"


LIBRARY = Path(itk_files.__file__).resolve().parents[2]
DOORS = {"imaging/volumes/itk.py", "imaging/dicom/series.py"}


def hands_a_name_over(source):
    return re.search(r"sitk\.(ReadImage|WriteImage|Image\w*(Reader|Writer))", source) is not None


def test_no_other_file_of_the_library_hands_simpleitk_a_name():
    sources = {path.relative_to(LIBRARY).as_posix(): path.read_text(encoding="utf-8") for path in LIBRARY.rglob("*.py")}
    assert {name for name, source in sources.items() if hands_a_name_over(source)} <= DOORS
    assert all("plain_names(" in sources[name] for name in DOORS)
    assert hands_a_name_over("image = sitk.ReadImage(str(path))")


CODE = """
import sys
from pathlib import Path
import SimpleITK as sitk
from PDL1PredictorLib.imaging.volumes.itk import write_image
from PDL1PredictorLib.imaging.read import read_ct
folder = Path(sys.argv[1])
for name in ("a.nii.gz", "a.mhd"):
    print(read_ct(folder / name).image.GetSize())
print(read_ct(folder / "series").image.GetSize())
write_image(read_ct(folder / "a.nii.gz").image, folder / "b.nii.gz")
print(read_ct(folder / "b.nii.gz").image.GetSize())
"""


def test_umlauts_are_read_and_written_where_the_system_speaks_ascii_only(chest, tmp_path, write_series):
    folder = tmp_path / "Müller ü"
    folder.mkdir()
    for name in ("a.nii.gz", "a.mhd"):
        sitk.WriteImage(chest, str(folder / name))
    write_series(folder / "series", chest, prefix="ä")
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", CODE, os.fsencode(folder)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:4] == ["(24, 20, 12)"] * 4

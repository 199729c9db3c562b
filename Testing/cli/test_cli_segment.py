"""The command `pdl1 segment`: files and their provenance, what it says, what it refuses."""

import json
import re

import numpy as np
import pytest
import SimpleITK as sitk
from clicked import made_ct

from PDL1PredictorLib import __version__, resources
from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.errors import EXIT_REFUSED
from PDL1PredictorLib.imaging.case_files import Files, read_case
from PDL1PredictorLib.imaging.read import read_mask


@pytest.fixture(scope="module")
def ct(tmp_path_factory):
    path = tmp_path_factory.mktemp("Fälle 2") / "ct.nrrd"
    sitk.WriteImage(made_ct(radius_mm=6.0).ct, str(path))
    return path


POINT = "--point=0,0,-160"


@pytest.fixture(autouse=True)
def no_network_is_installed(monkeypatch, request):
    """Most tests are of the classical method; that of the installed network is asked for by its fixture."""
    if "installed_network" not in request.fixturenames:
        monkeypatch.setattr(resources, "segmenter_folder", lambda: None)


@pytest.fixture
def installed_network():
    """The network that the library brings."""
    folder = resources.segmenter_folder()
    assert folder is not None
    return folder


def test_the_installed_network_draws_where_none_is_named(ct, tmp_path, capsys, installed_network):
    assert run(ct, tmp_path / "a.seg.nrrd", POINT) == 0
    said = capsys.readouterr()
    assert "by the network method, semi-automatic: check it" in said.out
    assert "no network" not in said.err
    image = sitk.ReadImage(str(ct))
    read = read_mask(tmp_path / "a.seg.nrrd", image)
    assert read.outline is not None
    assert read.outline.method == "network (click-unet 1.0)"
    found, truth = sitk.GetArrayFromImage(read.image) > 0, made_ct(radius_mm=6.0).tumor
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.85  # a ball of 6 mm in lung
    assert run(ct, tmp_path / "b.seg.nrrd", POINT, "--method", "classical") == 0
    assert "by the classical method" in capsys.readouterr().out


def run(ct, out, *options):
    return main(["segment", "--ct", str(ct), "--out", str(out), "--no-spread", *options])


@pytest.mark.parametrize("suffix", [".seg.nrrd", ".nrrd", ".nii.gz"])
def test_each_format_is_read_back_as_the_same_mask(ct, tmp_path, suffix, capsys):
    out = tmp_path / f"Kontur ä{suffix}"
    assert run(ct, out, POINT) == 0
    said = capsys.readouterr()
    assert "semi-automatic: check it" in said.out
    assert "the classical method draws this one" in said.err
    image = sitk.ReadImage(str(ct))
    mask = sitk.GetArrayFromImage(read_mask(out, image).image) > 0
    assert mask.sum() * 2.0 == pytest.approx(4 / 3 * np.pi * 6**3, rel=0.4)
    assert mask[20, 38, 40]


def test_the_segment_says_where_it_comes_from(ct, tmp_path):
    out = tmp_path / "a.seg.nrrd"
    assert run(ct, out, "--line=-6,0,-160,6,0,-160") == 0
    header = out.read_bytes().split(b"\n\n", 1)[0].decode()
    facts = dict(re.split(r":=|: ", row, maxsplit=1) for row in header.splitlines()[1:])
    assert facts["PDL1_Method"] == "classical"
    assert facts["PDL1_Origin"].startswith("semi-automatic")
    assert facts["PDL1_PointsLPS"] == "-6.00,0.00,-160.00 6.00,0.00,-160.00"
    assert facts["PDL1_Prompt"] == "line"
    assert facts["Segment0_Tags"].startswith("Segmentation.Status:inprogress|")
    assert facts["sizes"] == "80 80 40"


@pytest.mark.parametrize(("suffix", "edited"), [(".seg.nrrd", False), (".nrrd", False), (".nii.gz", None)])
def test_what_reads_it_knows_that_it_is_semi_automatic(ct, tmp_path, suffix, edited):
    out = tmp_path / f"a{suffix}"
    assert run(ct, out, POINT) == 0
    read = read_case(Files(ct, out))
    outline = read.case.outline
    assert (outline.method, outline.version, outline.edited) == ("classical", __version__, edited)
    assert outline.prompt == ("point" if edited is False else "")
    (told,) = read.warnings
    assert told.code == "contour_unchecked"
    assert "semi-automatic (classical" in told.text


def test_a_readers_edit_and_confirmation_are_seen_and_another_mask_is_nobodys(ct, tmp_path):
    out = tmp_path / "a.seg.nrrd"
    assert run(ct, out, POINT) == 0
    image = sitk.ReadImage(str(out))
    tags = image.GetMetaData("Segment0_Tags").replace("inprogress", "completed")
    image[40, 38, 20] = 0
    image.SetMetaData("Segment0_Tags", tags)
    sitk.WriteImage(image, str(tmp_path / "b.seg.nrrd"))
    read = read_case(Files(ct, tmp_path / "b.seg.nrrd"))
    assert (read.case.outline.edited, read.case.outline.checked) == (True, True)
    assert read.warnings == ()
    for key in image.GetMetaDataKeys():
        image.EraseMetaData(key)
    sitk.WriteImage(image, str(tmp_path / "c.nrrd"))
    assert read_case(Files(ct, tmp_path / "c.nrrd")).case.outline is None


def test_a_nifti_says_it_in_its_description(ct, tmp_path):
    out = tmp_path / "a.nii.gz"
    assert run(ct, out, POINT) == 0
    notes = sitk.ReadImage(str(out)).GetMetaData("descrip")
    assert "semi-automatic classical LPS 0.0,0.0,-160.0" in notes


def test_programs_are_told_in_numbers(ct, tmp_path, capsys):
    assert run(ct, tmp_path / "a.nrrd", POINT, "--progress", "json") == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["method"] == "classical"
    assert last["points_lps_mm"] == [[0.0, 0.0, -160.0]]
    assert last["warnings"] == []
    assert last["volume_ml"] > 0.5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "Give either a point"),
        ((POINT, "--method", "network"), "No network that draws contours"),
        (("--point=500,0,0",), "outside the CT"),
        ((POINT, "--segmenter", "nowhere"), "cannot be used"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_is_written(ct, tmp_path, options, words, capsys):
    assert run(ct, tmp_path / "a.nrrd", *options) == EXIT_REFUSED
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_another_suffix_is_refused(ct, tmp_path, capsys):
    assert run(ct, tmp_path / "a.txt", POINT) == EXIT_REFUSED
    assert ".seg.nrrd, .nrrd, .nii.gz" in capsys.readouterr().err


def test_a_training_without_cases_is_refused(tmp_path, capsys):
    assert main(["train-segmenter", "--out", str(tmp_path / "net")]) == EXIT_REFUSED
    assert "nothing to learn from" in capsys.readouterr().err


def test_a_network_is_trained_written_and_asked(ct, tmp_path, monkeypatch, capsys):
    """One step on one ball teaches nothing, but every part of the way is gone."""
    from PDL1PredictorLib.learning.segmenter import cubes

    away = np.linalg.norm(np.indices((cubes.WIDE,) * 3).T - cubes.WIDE / 2, axis=-1).T
    tumor = away <= 8
    hu = np.where(tumor, 40, -850).astype(np.int16)
    one = cubes.Cubes((cubes.WideCube("ball", "LIDC", False, 0.75, hu, tumor, np.ones_like(tumor), True),), {})
    monkeypatch.setattr(cubes, "read_cubes", lambda *_: [one, one])
    out = tmp_path / "Netz ä"
    command = ["train-segmenter", "--phantoms", "1", "--epochs", "1", "--examples", "1", "--device", "cpu"]
    assert main([*command, "--out", str(out)]) == 0
    assert "Network of epoch 1" in capsys.readouterr().out
    assert not list(tmp_path.glob("*.checkpoint"))
    assert sum(file.stat().st_size for file in out.iterdir()) < 3_000_000
    assert run(ct, tmp_path / "a.nrrd", POINT, "--segmenter", str(out)) == 0
    said = capsys.readouterr().out
    assert "network method" in said or "segment_network_unsure" in said

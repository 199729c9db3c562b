"""A study's report that is made again: letter for letter the same; what its folder lacks is told, not made up."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.cli.report import OF_STUDIES
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.report.pictures import Picture, png_of
from PDL1PredictorLib.study.outcome import GalleryPlane, Overlay
from PDL1PredictorLib.study.remade import again as module
from PDL1PredictorLib.study.remade.again import FORMS, NO_DOTS, NO_PICTURES, again
from PDL1PredictorLib.study.report.dots import FILE, dots_of, read_dots, write_dots
from PDL1PredictorLib.study.report.write import write_study_report

EVIL = '"><script>alert(1)</script>{{ 7 * 7 }}'


def overlay(found):
    """The tumor of a number's first case, in planes of a few pixels."""
    png = png_of(np.arange(48, dtype=np.uint8).reshape(6, 8))
    about = {"note": "+3 mm", "png": png, "overlay_png": None, "width": 8, "height": 6, "mm_per_pixel": 1.0}
    drawn = {"letters": ("R", "L", "A", "P"), "tumor_path": "M1 1L2 1L2 2Z", "ring_path": ""}
    pictures = tuple(Picture(title=title, **about, **drawn) for title in ("Lung window", "Coronal"))
    return Overlay(found.key, found.cases[0], float(found.labels[0]), 40.0, 10.0, 70.0, pictures)


def of_volumes(outcome):
    """The gallery of a network of volumes: two further planes."""
    planes = [
        GalleryPlane(name, case.hu[:40], case.tumor[:40], case.heat[:40])
        for case, name in zip(outcome.gallery[:1] * 2, ("coronal", "sagittal"), strict=True)
    ]
    return replace(outcome, gallery=tuple(replace(case, others=tuple(planes)) for case in outcome.gallery))


@pytest.fixture(scope="module")
def written(make_study, tmp_path_factory):
    """The folder of a small study, at a path with a space and letters beyond ASCII, of volumes and with an odd name."""
    folder = tmp_path_factory.mktemp("studies") / "Übersicht 報告.study"
    outcome = of_volumes(make_study(keys=("PDL1",), sizes=(24,)))
    named = tuple(replace(case, case=f"{case.case} {EVIL} ü") for case in outcome.gallery)
    write_study_report(replace(outcome, gallery=named), folder)
    return folder


@pytest.fixture
def folder(written, tmp_path):
    """A copy that a test may spoil."""
    return Path(shutil.copytree(written, tmp_path / "a copy"))


@pytest.fixture
def shown(monkeypatch):
    """What is given to the page, which is not drawn: that takes seconds."""
    found = []
    monkeypatch.setattr(module, "to_html", lambda document, beside, **_: found.append(beside) or "page")
    return found


def same_page(folder):
    """Whether the page of a folder comes out as it lies there; of such long texts pytest would seek the difference."""
    made = again(folder)
    assert made.lacking == ()
    assert "<script>" not in made.page
    return made.page == (folder / "report.html").read_text(encoding="utf-8")


def test_it_is_the_same_page(written):
    assert same_page(written)


def test_of_numbers_it_is_the_same_page(make_study, tmp_path):
    outcome = make_study(keys=("TPS",), sizes=(30,))
    write_study_report(replace(outcome, overlays=(overlay(outcome.endpoints["TPS"]),)), tmp_path / "study")
    assert same_page(tmp_path / "study")


def test_of_folds_without_contributions_it_is_the_same_page(make_study, tmp_path):
    outcome = make_study(Design.NESTED, keys=("PDL1",), sizes=(24,))
    bare = {key: replace(found, contributions=None) for key, found in outcome.endpoints.items()}
    write_study_report(replace(outcome, endpoints=bare), tmp_path / "study")
    assert not (tmp_path / "study" / FILE).exists()
    assert same_page(tmp_path / "study")


def test_every_dot_comes_back_where_it_was(make_study, tmp_path):
    found = dots_of(make_study(keys=("PDL1",), sizes=(24,)))["PDL1"]
    assert found.inputs.shape == (24, 12)
    write_dots({"PDL1": found}, tmp_path)
    (kept,) = read_dots(tmp_path).values()
    assert np.array_equal(kept.inputs, found.inputs)
    assert np.array_equal(kept.effects, found.effects)
    assert not np.array_equal(kept.inputs, found.inputs[::-1])


def test_an_older_folder_has_no_dots_and_says_so(folder, shown):
    (folder / FILE).unlink()
    assert again(folder).lacking == (NO_DOTS,)
    assert shown[0].dots == {}
    assert len(shown[0].gallery["PDL1"]) == 4


def test_without_the_earlier_page_there_are_no_heat_maps_and_it_says_so(folder, shown):
    (folder / "report.html").unlink()
    assert again(folder).lacking == (NO_PICTURES,)
    assert shown[0].gallery == {}
    assert list(shown[0].dots) == ["PDL1"]


@pytest.mark.parametrize("strange", ["<script>alert(1)</script>", '<image href="https://example.org/x.png"/>'])
def test_a_strange_drawing_is_not_taken(folder, shown, strange):
    page = (folder / "report.html").read_text(encoding="utf-8")
    (folder / "report.html").write_text(page.replace("</svg>", f"{strange}</svg>"), encoding="utf-8")
    assert again(folder).lacking == (NO_PICTURES,)
    assert shown[0].gallery == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda content: content.update(schema_version="2.0"),
            "is of version '2.0'; reports are made again of version",
        ),
        (lambda content: content.pop("endpoints"), "is damaged: KeyError, 'endpoints'"),
        (lambda content: content["endpoints"]["PDL1"].update(kind="taste"), "shows endpoints of the kinds"),
        (lambda content: content["endpoints"]["PDL1"].update(models=3), "is damaged: "),
        (lambda content: content["gallery"][0].update(more=1), "is damaged: TypeError"),
        (
            lambda content: content["endpoints"].update(NONE=content["endpoints"]["PDL1"]),
            "Endpoint 'NONE' is not known",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(folder, change, words):
    content = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    change(content)
    (folder / "study.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match=words):
        again(folder)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\3\4", "is damaged: its header would have"),
        (safetensors.numpy.save({"PDL1.inputs": np.zeros((3, 2), np.float16)}), "is damaged: 'PDL1.effects'"),
        (
            safetensors.numpy.save({f"PDL1.{name}": np.zeros((3, 2), np.float16) for name in ("inputs", "effects")}),
            "is not of this study: PDL1",
        ),
    ],
)
def test_dots_of_elsewhere_are_refused(folder, content, words):
    (folder / FILE).write_bytes(content)
    with pytest.raises(InputError, match=words):
        again(folder)


def test_the_command_makes_it_over_the_old_one_or_beside_it(folder, shown, capsys):
    assert main(["report", str(folder)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["report", str(folder), "--overwrite"]) == 0
    assert (folder / "report.html").read_text(encoding="utf-8") == "page"
    (folder / FILE).unlink()
    assert main(["report", str(folder), "--out", str(folder / "new.html"), "--progress", "json"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["out"] == str(folder / "new.html")
    assert said["lacking"] == [NO_PICTURES, NO_DOTS]  # the page that they lay in was replaced


def test_the_command_knows_every_folder_that_can_be_made_again(tmp_path, capsys):
    assert set(OF_STUDIES) == set(FORMS)
    assert main(["report", str(tmp_path)]) == 2
    assert "holds no result.json, study.json, evaluation.json or survival.json" in capsys.readouterr().err

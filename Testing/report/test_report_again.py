"""A report that is made again: letter for letter the same, without the CT; nothing strange comes out of an old page."""

import json
import shutil
from dataclasses import replace

import pytest

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.cli.report import WITHOUT
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import VoxelMap
from PDL1PredictorLib.report.remade.again import report_again
from PDL1PredictorLib.report.remade.kept import kept_pictures
from PDL1PredictorLib.report.write import write_all


@pytest.fixture
def write(tmp_path):
    """Writes a result into a folder of its own."""

    def written(result, with_patient=False):
        folder = tmp_path / "résultat 1"
        folder.mkdir()
        write_all(result, folder, with_patient=with_patient)
        return folder

    return written


@pytest.mark.parametrize("kind", ["plain", "several, tilted", "number", "patient", "no heat", "empty heat", "maps"])
def test_it_is_the_same_page(write, make_result, with_number, kind):
    result = {
        "several, tilted": lambda: make_result(lesions=2, tilt_degrees=12, touching=True),
        "number": lambda: with_number,
        "patient": lambda: replace(make_result(), case="A & <B>", clinical=Clinical(age_years=63, sex="female")),
        "no heat": lambda: _changed(make_result(), heat_maps=()),
        "maps": lambda: _changed(make_result(), voxel_maps=_maps(make_result().lesions[0])),
        "empty heat": lambda: _changed(
            make_result(), heat_maps=tuple(replace(m, image=m.image * 0) for m in make_result().lesions[0].heat_maps)
        ),
    }.get(kind, make_result)()
    folder = write(result, kind == "patient")
    page, with_pictures = report_again(folder)
    assert with_pictures
    assert page == (folder / "report.html").read_text(encoding="utf-8")


def _maps(lesion):
    image = lesion.tumor_image * 1.0
    return tuple(
        VoxelMap(f"tumor_original_glcm_{name}", unit, image, 0.5, 1.0, 0.0, 2, 3)
        for name, unit in (("Contrast", ""), ("SumEntropy", "bit"))
    )


def _changed(result, **changes):
    return replace(result, lesions=tuple(replace(lesion, **changes) for lesion in result.lesions))


def test_without_the_old_page_the_words_are_there_and_no_picture(write, make_result):
    folder = write(make_result())
    (folder / "report.html").unlink()
    page, with_pictures = report_again(folder)
    assert not with_pictures
    assert "<image" not in page
    assert "EGFR" in page


@pytest.mark.parametrize(
    "strange",
    [
        "<script>alert(1)</script>",
        '<image href="https://example.org/x.png" width="1" height="1"/>',
        '<path class="x" d="M0 0" onload="alert(1)"/>',
        '<text class="letter" x="1" y="1" font-size="1" stroke-width="1" text-anchor="middle">&lt;b</text>',
        "<foreignObject></foreignObject>",
    ],
)
def test_a_strange_drawing_is_not_taken(write, make_result, strange):
    folder = write(make_result())
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert all(one.slices for one in kept_pictures(page))
    assert not any(one.slices or one.heat for one in kept_pictures(page.replace("</svg>", f"{strange}</svg>")))
    (folder / "report.html").write_text(page.replace("</svg>", f"{strange}</svg>"), encoding="utf-8")
    again, with_pictures = report_again(folder)
    assert not with_pictures
    assert strange not in again


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda content: content.update(schema_version="2.0"),
            "is of version '2.0'; results of version",
        ),
        (lambda content: content.pop("model"), "is damaged: KeyError, 'model'"),
        (lambda content: content["lesions"][0]["endpoints"][0].update(probability=2), "is damaged: ValueError"),
        (lambda content: content["provenance"].update(more=1), "is damaged: TypeError"),
        (lambda content: content.update(lesions=3), "is damaged: TypeError"),
    ],
)
def test_what_cannot_be_read_is_refused(write, make_result, change, words):
    folder = write(make_result())
    content = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    change(content)
    (folder / "result.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match=words):
        report_again(folder)


def test_a_folder_that_is_no_result_is_refused(tmp_path):
    with pytest.raises(InputError, match="is no result: it holds no result.json"):
        report_again(tmp_path)
    (tmp_path / "result.json").write_text("[1", encoding="utf-8")
    with pytest.raises(InputError, match="is no result: "):
        report_again(tmp_path)
    (tmp_path / "result.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(InputError, match="is of version None"):
        report_again(tmp_path)


def test_the_command_writes_it_beside_or_over_the_old_one(write, make_result, capsys):
    folder = write(make_result())
    page = (folder / "report.html").read_bytes()
    assert main(["report", str(folder)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["report", str(folder), "--overwrite"]) == 0
    assert (folder / "report.html").read_bytes() == page
    alone = folder.with_name("alone")
    alone.mkdir()
    shutil.copy(folder / "result.json", alone)
    assert main(["report", str(alone), "--out", str(alone / "words.html"), "--progress", "json"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said == {"type": "result", "out": str(alone / "words.html"), "pictures": False, "lacking": [WITHOUT]}
    assert main(["report", str(alone / "none")]) == 2

"""The list of models and their cards."""

import os
import shutil
from pathlib import Path

import pytest
from PDL1PredictorGUI.setup.models import available_models, card_html, markdown_html

from PDL1PredictorLib.core.errors import BundleError
from PDL1PredictorLib.models.bundle import pack, read_bundle, write_bundle
from PDL1PredictorLib.resources import MODELS_VARIABLE, find_model

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tiny_model, tmp_path, monkeypatch):
    """A user's folder: one model as a folder, the same packed, a damaged one, and things that are no model."""
    monkeypatch.delenv(MODELS_VARIABLE, raising=False)
    own = tmp_path / "Meine Modelle ä"
    shutil.copytree(tiny_model, own / "first")
    pack(tiny_model, own / "second.zip")
    shutil.copytree(tiny_model, own / "damaged")
    weights = own / "damaged" / "network.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    (own / "notes.txt").write_text("no model", encoding="utf-8")
    return own


def test_the_users_models_are_listed_with_what_is_wrong(folder):
    entries = {entry.path.name: entry for entry in available_models(folder) if entry.path.parent == folder}
    assert list(entries) == ["damaged", "first", "second.zip"]
    assert entries["first"].problem == ""
    assert entries["first"].name == entries["second.zip"].name
    assert entries["first"].key == str(folder / "first")
    assert "network.safetensors" in entries["damaged"].problem
    assert entries["damaged"].title == "damaged (cannot be used)"


def test_bundled_models_come_first_and_are_named_without_a_path(tiny_model, tmp_path, monkeypatch):
    bundled = tmp_path / "bundled"
    shutil.copytree(tiny_model, bundled / "tiny")
    monkeypatch.setenv(MODELS_VARIABLE, f"{bundled}{os.pathsep}{bundled}")
    entries = available_models(bundled)  # the same folder again: none is listed twice
    assert [entry.path for entry in entries].count(bundled / "tiny") == 1
    assert entries[0].path == bundled / "tiny"
    assert entries[0].key == "tiny"
    assert find_model(entries[0].key) == entries[0].path
    assert ", version " in entries[0].title


def test_the_same_model_in_two_folders_can_be_told_apart(folder):
    titles = [entry.title for entry in available_models(folder) if entry.path.parent == folder and not entry.problem]
    assert [title.rpartition(" ")[2] for title in titles] == ["(first)", "(second.zip)"]


def test_a_folder_that_is_not_there_is_no_error(tmp_path):
    assert all(entry.path.parent != tmp_path for entry in available_models(tmp_path / "none"))
    assert available_models(None) == available_models(tmp_path)


@pytest.mark.parametrize("error", [RecursionError("too deep"), OverflowError("int too large"), KeyError("x")])
def test_a_bundle_that_fails_in_a_way_that_nobody_expected_hides_no_other(folder, monkeypatch, error):
    from PDL1PredictorLib.models import bundle

    real = bundle.read_bundle

    def read(path):
        if path.name == "damaged":
            raise error
        return real(path)

    monkeypatch.setattr(bundle, "read_bundle", read)
    entries = {entry.path.name: entry.problem for entry in available_models(folder) if entry.path.parent == folder}
    assert entries["first"] == entries["second.zip"] == ""
    assert "by an error that nobody expected" in entries["damaged"]


def test_a_folder_that_cannot_be_read_hides_no_other(folder, monkeypatch):
    from PDL1PredictorLib.models import bundle

    def find(_folders):
        raise PermissionError(13, "Permission denied")

    bundled = available_models(None)
    real = bundle.find_bundles
    monkeypatch.setattr(bundle, "find_bundles", lambda folders: (find if folders == [folder] else real)(folders))
    assert available_models(folder) == bundled


def test_the_card_is_a_page():
    page = card_html(ROOT / "Resources" / "Models" / "phantom-demo")
    assert page.startswith("<h1>")
    assert "<table" in page
    assert "Research use only" in page
    for mark in ("**", "| ---", "## ", "`"):
        assert mark not in page


def test_a_damaged_model_has_no_card(folder):
    with pytest.raises(BundleError):
        card_html(folder / "damaged")


def test_a_card_that_would_hold_up_the_window_is_made_harmless(tiny_model, tmp_path):
    bundle = read_bundle(tiny_model)
    manifest = {name: value for name, value in bundle.manifest.items() if name != "files"}
    for number, card in enumerate((b"[" * 20_000, b"[a](http://" * 20_000, b"x\x1b[2J\x07" * 100_000)):
        write_bundle(tmp_path / str(number), manifest, {**bundle.files, "MODEL_CARD.md": card})
        page = card_html(tmp_path / str(number))
        assert len(page) < 60_000
        assert not set("[\x1b\x07") & set(page)


def test_markdown_becomes_html():
    text = (
        "# Title with `code_*x*`\n\nOne **bold** and *slanted* line\nthat goes on: 2 * 3 * 4, snake_case.\n"
        "- first\n  goes on\n- second [link](https://example.org/a)\n\n1. one\n2. two\n\n"
        "| a | b |\n|---|:-:|\n| 1 < 2 | `|`x |\n\n## End\ntext right below"
    )
    assert markdown_html(text).splitlines() == [
        "<h1>Title with <code>code_*x*</code></h1>",
        "<p>One <b>bold</b> and <i>slanted</i> line that goes on: 2 * 3 * 4, snake_case.</p>",
        '<ul><li>first goes on</li><li>second <a href="https://example.org/a">link</a></li></ul>',
        "<ol><li>one</li><li>two</li></ol>",
        "<table border='1' cellspacing='0' cellpadding='4'><tr><th align='left'>a</th><th align='left'>b</th></tr>"
        "<tr><td>1 &lt; 2</td><td>`</td><td>`x</td></tr></table>",
        "<h2>End</h2>",
        "<p>text right below</p>",
    ]


def test_html_in_a_card_is_shown_and_not_obeyed():
    page = markdown_html(
        "<img src=x onerror=alert(1)> [go](javascript:alert) <script>1</script>\n\n| <b> |\n|---|\n| <i> |"
    )
    assert "<img" not in page
    assert "<script" not in page
    assert "<i>" not in page
    assert "href" not in page

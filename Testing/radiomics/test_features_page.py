"""docs/features.md is what the table says today."""

import sys
from pathlib import Path

import pytest

from PDL1PredictorLib.radiomics import page
from PDL1PredictorLib.radiomics.table import FEATURES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "features.md"


def test_the_page_is_up_to_date():
    written = PAGE.read_text(encoding="utf-8")
    assert written == page.features_page(), "run: python -m PDL1PredictorLib.radiomics.page docs/features.md"


def test_the_page_names_every_feature():
    lines = page.features_page().splitlines()
    assert all(any(line.startswith(f"| {feature.name} |") for line in lines) for feature in FEATURES)


def test_the_command_writes_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(sys, "argv", ["page", str(tmp_path / "features.md")])
    page.main()
    assert (tmp_path / "features.md").read_text(encoding="utf-8") == page.features_page()


def test_the_command_without_a_path_says_what_is_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "argv", ["page"])
    with pytest.raises(SystemExit, match="Say where to write the page"):
        page.main()

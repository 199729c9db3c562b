"""A recalibrated bundle: what it answers is the line of what the old one answers; where it comes from is said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from PDL1PredictorLib.core.errors import BundleError
from PDL1PredictorLib.learning.recalibrated import Recalibrated, Site, write_recalibrated
from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.manifest import read_manifest
from PDL1PredictorLib.prediction import Options, predict_case
from PDL1PredictorLib.statistics.scores import expit
from PDL1PredictorLib.study.evaluation.answers import log_odds_of

SLOPE, INTERCEPT = 0.5, -1.0
LINES = np.array([[0.4, -1.2], [0.6, -0.8]])


def change(**other) -> Recalibrated:
    made = Recalibrated(
        slope=SLOPE,
        intercept=INTERCEPT,
        threshold=0.3,
        conformal=(0.6, np.inf),
        lines=lambda n: np.resize(LINES, (n, 2)),
        base_rate=0.2,
        test=None,
    )
    return replace(made, **other)


SITE = Site(30, {"PDL1": (10, 20)}, ["0123456789abcdef"], "pdl1 evaluate --recalibrate site")


@pytest.fixture
def bundle(tiny_model: Path) -> Bundle:
    return read_bundle(tiny_model)


@pytest.fixture
def made(bundle: Bundle, tmp_path: Path) -> Bundle:
    return write_recalibrated(bundle, {"PDL1": change()}, SITE, tmp_path / "site")


def test_the_new_answer_is_the_line_of_the_old_one_and_other_endpoints_stay(bundle, made, phantom):
    options = Options(device="cpu", stability=False)
    old, new = (predict_case(phantom.case, load_predictor(one), options).lesions[0].endpoints for one in (bundle, made))
    raw = log_odds_of(np.array([old[0].probability]))
    assert new[0].probability == pytest.approx(float(expit(SLOPE * raw + INTERCEPT)[0]), abs=1e-9)
    assert (new[0].threshold, new[0].base_rate) == (0.3, 0.2)
    ends = expit(LINES[:, 0] * raw + LINES[:, 1])
    assert new[0].interval == pytest.approx((ends.min(), ends.max()), abs=0.02)
    assert (new[1].endpoint, new[1].probability) == ("EGFR", old[1].probability)


def test_it_says_what_it_was_made_of(bundle, made, tiny_model):
    manifest = read_manifest(made)
    before = manifest.recalibrated_from
    assert (before.name, before.sha256, before.n) == (bundle.name, bundle.sha256, 30)
    assert before.cases == frozenset(SITE.cases)
    assert manifest.seen_cases >= frozenset(SITE.cases)
    assert manifest.summary.version.endswith("+site")
    assert manifest.summary.sha256 != bundle.sha256
    assert "Recalibrated from tiny on 30 cases" in manifest.summary.limitations[-1]
    card = made.file("MODEL_CARD.md").decode()
    assert "| PDL1 | 10 / 20 | 0.500 | -1.000 | 0.300 | 0.200 |" in card
    assert bundle.file("MODEL_CARD.md").decode().rstrip() in card


def test_network_and_classifiers_are_the_same_bytes(bundle, made):
    same = [name for name in bundle.files if not name.startswith(("tables", "MODEL_CARD"))]
    assert same
    assert all(made.files[name] == bundle.files[name] for name in same)


def test_recalibrated_again_it_knows_the_cases_of_both_sites(made, tmp_path):
    again = replace(SITE, cases=["fedcba9876543210"])
    second = write_recalibrated(made, {"PDL1": change()}, again, tmp_path / "second")
    found = read_manifest(second).recalibrated_from
    assert (found.name, found.cases) == ("site", {"0123456789abcdef", "fedcba9876543210"})
    line = second.manifest["endpoints"]["PDL1"]["calibration"]
    before = made.manifest["endpoints"]["PDL1"]["calibration"]
    assert line["slope"] == pytest.approx(SLOPE * before["slope"])
    assert line["intercept"] == pytest.approx(SLOPE * before["intercept"] + INTERCEPT)


def test_what_no_reader_would_take_is_not_written(bundle, tmp_path):
    with pytest.raises(BundleError, match="threshold"):
        write_recalibrated(bundle, {"PDL1": change(threshold=1.5)}, SITE, tmp_path / "site")
    assert not (tmp_path / "site").exists()

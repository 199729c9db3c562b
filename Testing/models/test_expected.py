"""Time and memory told before a run: laws of the estimate, and the warning."""

from dataclasses import replace
from pathlib import Path

import pytest

from PDL1PredictorLib.models.bundle import read_bundle
from PDL1PredictorLib.models.expected import Expected, expected_run, memory_warning, size_of, usual_size
from PDL1PredictorLib.models.manifest import Manifest, read_manifest

SMALL, LARGE = size_of(1_000_000, 2.0, 15.0), size_of(90_000_000, 200.0, 90.0)


@pytest.fixture
def manifest(tiny_model: Path) -> Manifest:
    return read_manifest(read_bundle(tiny_model))


def test_a_larger_case_takes_more_of_both(manifest):
    small, large = expected_run(SMALL, manifest), expected_run(LARGE, manifest)
    assert small.seconds < large.seconds
    assert small.bytes < large.bytes
    assert expected_run(usual_size(1_000_000), manifest).seconds > small.seconds


def test_what_is_left_out_takes_no_time(manifest):
    whole = expected_run(SMALL, manifest).seconds
    assert expected_run(SMALL, manifest, stability=False).seconds < whole
    assert expected_run(SMALL, replace(manifest, features=None), stability=True).seconds < whole
    assert expected_run(SMALL, replace(manifest, network=None)).seconds < whole
    assert expected_run(SMALL, replace(manifest, voxel_maps=("a", "b"))).seconds > whole
    assert expected_run(SMALL, manifest, "cuda").bytes > expected_run(SMALL, manifest).bytes


def test_a_slower_computer_takes_longer_and_no_more_memory(manifest):
    own, slow = expected_run(SMALL, manifest), expected_run(SMALL, manifest, slowness=3.0)
    assert slow.seconds == pytest.approx(3 * own.seconds)
    assert slow.bytes == own.bytes


def test_memory_is_warned_of_where_it_is_short_alone():
    run = Expected(4.0, 1_000_000_000)
    assert "needs about 1.0 GB, and 0.9 GB are free" in memory_warning(run, 900_000_000)
    assert memory_warning(run, 1_100_000_000)  # too near
    assert memory_warning(run, 1_200_000_000) == ""

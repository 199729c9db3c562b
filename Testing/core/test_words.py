"""Progress, settings and endpoints."""

import pytest

from PDL1PredictorLib.core.endpoints import ENDPOINTS, endpoint
from PDL1PredictorLib.core.errors import CancelledError, InputError, MissingPackageError
from PDL1PredictorLib.core.lazy import require_module
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.phantom.truth import PHANTOM_ENDPOINTS


def test_parts_of_parts_report_their_share_of_the_whole():
    seen = []
    progress = Progress(lambda stage, fraction, message: seen.append((stage, round(fraction, 6))))
    with progress.part("a", 0.0, 0.5) as a:
        a.step("a", 1.0)
        with a.part("b", 0.5, 1.0) as b:
            b.step("b", 0.5)
    assert seen == [("a", 0.0), ("a", 0.5), ("b", 0.25), ("b", 0.375)]


def test_seconds_are_kept_by_stage_and_added_up_outside():
    progress = Progress()
    with progress.part("outer", 0, 1) as outer, outer.part("inner", 0, 1):
        pass
    assert set(progress.seconds) == {"outer", "inner"}
    assert progress.seconds["outer"] >= progress.seconds["inner"] >= 0


def test_a_cancelled_step_raises_at_the_next_step():
    answers = iter([False, True])
    progress = Progress(cancelled=lambda: next(answers))
    progress.step("a", 0.1)
    with pytest.raises(CancelledError, match="Nothing was written"):
        progress.step("a", 0.2)


def test_region_settings_come_back_from_their_values():
    settings = RegionSettings(ring_mm=5, exclude_air=True)
    assert RegionSettings.from_dict(settings.to_dict()) == settings


@pytest.mark.parametrize("ring_mm", [0.4, 20.1, float("nan"), float("inf"), -3])
def test_a_ring_outside_its_bounds_is_refused(ring_mm):
    with pytest.raises(InputError, match="between 0.5 and 20"):
        RegionSettings(ring_mm=ring_mm)


@pytest.mark.parametrize("spacing_mm", [0, 0.2, 6, float("nan")])
def test_a_working_spacing_outside_its_bounds_is_refused(spacing_mm):
    with pytest.raises(InputError, match="between 0.25 and 5"):
        RegionSettings(spacing_mm=spacing_mm)


def test_a_patch_of_a_few_pixels_is_refused():
    with pytest.raises(InputError, match="16 to 512"):
        RegionSettings(patch_pixels=8)


def test_a_mistyped_setting_is_refused():
    with pytest.raises(InputError, match="Unknown region settings: ring. Known: exclude_air"):
        RegionSettings.from_dict({"ring": 3})


def test_the_ten_endpoints_of_the_paper_come_first():
    assert len(PHANTOM_ENDPOINTS) == 10
    assert PHANTOM_ENDPOINTS[0] == "PDL1"
    assert len({e.key for e in ENDPOINTS}) == len(ENDPOINTS)


def test_an_unknown_endpoint_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="'PD1' is not known. Did you mean PDL1\\? Known endpoints: PDL1, LVI"):
        endpoint("PD1")


def test_an_absent_package_is_told_with_the_remedy():
    with pytest.raises(MissingPackageError, match="no_such_package cannot be imported.*Install it"):
        require_module("no_such_package", "Install it.")

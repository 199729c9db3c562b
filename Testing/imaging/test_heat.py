"""Shares of a heat map, on a tumor and a ring that one can count."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.results import HeatMap
from PDL1PredictorLib.imaging.heat import shares_inside, with_shares
from PDL1PredictorLib.imaging.regions import Regions

PIXELS = 20  # of the heat map, 1 mm; tumor and ring lie on a smaller box of the same lattice


def image(values: np.ndarray, origin: tuple[float, float, float]) -> sitk.Image:
    made = sitk.GetImageFromArray(values)
    made.SetOrigin(origin)
    return made


@pytest.fixture
def regions() -> Regions:
    """A tumor of 4 x 4 pixels on slices 2 to 6, a ring of one pixel around it: 36 pixels of 400 together."""
    tumor, ring = np.zeros((9, 10, 10), np.uint8), np.zeros((9, 10, 10), np.uint8)
    ring[2:7, 2:8, 2:8] = 1
    tumor[2:7, 3:7, 3:7] = 1
    ring -= tumor
    origin = (105.0, 205.0, 300.0)  # 5 pixels into the heat map
    return Regions(image(np.zeros((9, 10, 10), np.float32), origin), image(tumor, origin), image(ring, origin), ())


def heat(values: np.ndarray, slab_mm: float = 5.0) -> sitk.Image:
    made = image(values[None].astype(np.float32), (100.0, 200.0, 304.0))
    made.SetSpacing((1.0, 1.0, slab_mm))
    return made


def test_heat_that_is_everywhere_lies_inside_as_far_as_the_area_does(regions: Regions):
    found = shares_inside(heat(np.ones((PIXELS, PIXELS))), regions)
    assert found.area == pytest.approx(36 / 400)
    assert found.heat == pytest.approx(36 / 400)


def test_heat_in_the_ring_counts_and_beside_it_does_not(regions: Regions):
    values = np.zeros((PIXELS, PIXELS))
    values[7, 7], values[9, 9], values[6, 9], values[0, 0] = 1.0, 0.5, 2.0, 0.5  # ring, tumor, one beside, far
    assert shares_inside(heat(values), regions).heat == pytest.approx(1.5 / 4)


def test_rows_and_columns_are_not_mixed_up(regions: Regions):
    moved = replace(regions, tumor=sitk.Image(regions.tumor), ring=sitk.Image(regions.ring))
    for region in (moved.tumor, moved.ring):
        region.SetOrigin((109.0, 205.0, 300.0))  # four columns to the patient's left
    values = np.zeros((PIXELS, PIXELS))
    values[7, 14] = 1.0
    assert shares_inside(heat(values), moved).heat == 1.0
    assert shares_inside(heat(values.T), moved).heat == 0.0


def test_shares_are_of_what_the_network_saw(regions: Regions):
    seen = np.zeros((PIXELS, PIXELS))
    seen[5:15, 6:14] = 1  # 80 pixels, of which tumor and ring fill 36
    found = shares_inside(heat(seen), regions, heat(seen))
    assert found.area == pytest.approx(36 / 80)
    assert found.heat == pytest.approx(36 / 80)
    beside = np.zeros((PIXELS, PIXELS))
    beside[9, 9], beside[5, 6], beside[0, 0] = 1.0, 3.0, 50.0  # tumor, beside it in the rectangle, not seen
    assert shares_inside(heat(beside), regions, heat(seen)).heat == pytest.approx(1 / 4)


def test_a_heat_map_is_measured_where_its_network_saw(regions: Regions):
    seen = np.zeros((PIXELS, PIXELS))
    seen[5:15, 6:14] = 1
    whole = HeatMap("PDL1", heat(seen))
    framed = replace(whole, seen=heat(seen))
    assert with_shares(whole, regions).area_share == pytest.approx(36 / 400)
    assert not with_shares(whole, regions).looks_outside
    measured = with_shares(framed, regions)
    assert (measured.heat_share, measured.area_share) == (pytest.approx(0.45), pytest.approx(0.45))


def test_a_rectangle_may_cut_the_ring(regions: Regions):
    seen = np.zeros((PIXELS, PIXELS))
    seen[8:12, 8:10] = 1  # inside the tumor
    assert shares_inside(heat(np.ones((PIXELS, PIXELS))), regions, heat(seen)) == (1.0, 1.0)


def test_an_empty_map_has_no_share(regions: Regions):
    found = shares_inside(heat(np.zeros((PIXELS, PIXELS))), regions)
    assert found.heat is None
    assert found.area == pytest.approx(0.09)


@pytest.mark.parametrize(
    ("heat_share", "area_share", "outside"),
    [(0.05, 0.1, True), (0.1, 0.1, False), (0.4, 0.1, False), (None, 0.1, False), (0.05, None, False)],
)
def test_a_network_looks_outside_where_the_tumor_holds_less_heat_than_picture(heat_share, area_share, outside):
    found = HeatMap("PDL1", heat(np.zeros((PIXELS, PIXELS))), heat_share=heat_share, area_share=area_share)
    assert found.looks_outside is outside

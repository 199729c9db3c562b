"""Feature maps as numbers within the contour: sums by hand, and what lies outside counts for nothing."""

import numpy as np
import pytest
import torch

from PDL1PredictorLib.networks.backbones import TABLE
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.networks.names import POOLED_WITHIN
from PDL1PredictorLib.networks.pooling import (
    LEAST,
    LEAST_VARIANCE,
    WithinContour,
    WithinRegions,
    _quickly_widened,
    _widened,
)


def numbers(halvings: int, maps: np.ndarray, contour: np.ndarray) -> np.ndarray:
    pooled = WithinContour(halvings)(torch.from_numpy(maps).float(), torch.from_numpy(contour).float())
    return pooled.numpy()[0]


def test_mean_and_spread_within_the_contour_by_hand():
    maps = np.array([[[[1.0, 3.0, 100.0], [5.0, 7.0, 100.0]], [[2.0, 2.0, -9.0], [2.0, 2.0, -9.0]]]])
    contour = np.array([[[[1, 1, 0], [1, 1, 0]]]])
    assert numbers(0, maps, contour) == pytest.approx([4.0, 2.0, 5**0.5, 0.0], abs=1e-5)


def test_what_lies_outside_the_contour_counts_for_nothing_and_what_lies_inside_does():
    rng = np.random.default_rng(0)
    maps, contour = rng.normal(size=(1, 4, 6, 5)), np.zeros((1, 1, 6, 5))
    contour[..., 1:4, 2:4] = 1
    other, inside = maps.copy(), maps.copy()
    other[..., 5, :] += 50
    inside[..., 2, 3] += 50
    np.testing.assert_allclose(numbers(0, other, contour), numbers(0, maps, contour), atol=1e-6)
    assert np.abs(numbers(0, inside, contour) - numbers(0, maps, contour)).min() > 1


def test_every_pixel_of_a_contour_counts_where_the_network_has_its_middle():
    """A pixel at 4 i is seen by the place i alone, in half; one between two places by both."""
    maps = np.arange(5.0).reshape(1, 1, 1, 5).repeat(5, axis=2)
    for pixel, place in ((8, 2.0), (4, 1.0), (10, 2.5), (16, 4.0)):
        contour = np.zeros((1, 1, 18, 18))
        contour[..., 8, pixel] = 1
        assert numbers(2, maps, contour)[0] == pytest.approx(place, rel=1e-3)  # LEAST is a part of so small a share
    far = np.zeros((1, 1, 18, 18))
    far[..., 17, 17] = 1  # the last pixel of all
    assert numbers(2, maps, far)[0] == pytest.approx(4.0, rel=1e-3)


def test_an_empty_contour_makes_zeros():
    assert numbers(1, np.full((1, 2, 4, 4), 7.0), np.zeros((1, 1, 8, 8))).tolist() == [0.0] * 4
    assert float(np.float16(LEAST)) == LEAST  # as a bundle holds it


@pytest.mark.parametrize("name", POOLED_WITHIN)
def test_the_contour_goes_the_way_of_the_maps_for_every_size(name: str):
    network = DeepCT(2, 3, backbone=name, pool="contour").eval()
    for shape in ((64, 45), (33, 70)):
        contour = torch.zeros(1, 1, *shape)
        contour[..., 10:20, 20:30] = 1
        with torch.no_grad():
            output = network(torch.zeros(1, 3, *shape), contour)
            pooled = network.pooled(output.maps, contour)
        assert pooled.shape == (1, 2 * TABLE[name].channels)
        assert torch.allclose(network.classifier(network.reduce(pooled)), output.logits)


def test_a_network_that_pools_within_the_contour_needs_one_and_another_does_not_look_at_it():
    x = torch.zeros(1, 3, 32, 32)
    with pytest.raises(ValueError, match="pooled within the contour, which was not given"):
        DeepCT(1, backbone="resnet50_layer1", pool="contour").eval()(x)
    plain = DeepCT(1, backbone="resnet50_layer1").eval()
    with torch.no_grad():
        assert torch.equal(plain(x, torch.ones(1, 1, 32, 32)).logits, plain(x).logits)


def test_backbones_whose_windows_lie_otherwise_are_refused():
    assert {name for name, one in TABLE.items() if one.halvings is not None} == set(POOLED_WITHIN)
    with pytest.raises(ValueError, match="maps of vgg19 cannot be pooled within the contour; take one of resnet50"):
        DeepCT(1, backbone="vgg19", pool="contour")


def regions(ring: int, maps: np.ndarray, contour: np.ndarray, halvings: int = 0) -> np.ndarray:
    """Numbers of one block of maps that were halved so often."""
    blocks, given = [torch.from_numpy(maps).double()], torch.from_numpy(contour).double()
    return WithinRegions(ring)(blocks, [halvings], given).numpy()[0]


def test_mean_and_spread_in_the_tumor_and_in_the_ring_about_it_by_hand():
    rng = np.random.default_rng(0)
    maps, contour = rng.normal(3, 2, (1, 2, 8, 8, 8)), np.zeros((1, 1, 8, 8, 8))
    contour[..., 3:5, 3:6, 2:5] = 1
    inside, wide = contour[0, 0] > 0, np.zeros((8, 8, 8), bool)
    wide[2:6, 2:7, 1:6] = True
    ring = wide & ~inside
    wanted = [[maps[0, :, own].mean(axis=0), maps[0, :, own].std(axis=0)] for own in (inside, ring)]
    assert LEAST_VARIANCE < 1e-3
    assert regions(1, maps, contour) == pytest.approx(np.ravel(wanted), abs=1e-3)
    assert regions(0, maps, contour) == pytest.approx(np.ravel(wanted[0]), abs=1e-3)
    assert WithinRegions(1).per_map == 2 * WithinRegions(0).per_map == 4


def test_a_place_of_a_coarser_map_counts_by_how_much_of_it_is_tumor():
    maps = np.arange(8.0).reshape(1, 1, 2, 2, 2)
    contour = np.zeros((1, 1, 4, 4, 4))
    contour[..., :2, :2, :2] = 1  # all of place 0
    contour[..., 2:, 2:, 3:] = 1  # half of place 7
    mean, spread = regions(0, maps, contour, halvings=1)
    assert mean == pytest.approx(7 / 3, abs=1e-4)
    assert spread == pytest.approx(7 * (2 / 9) ** 0.5, abs=1e-3)


def test_an_empty_region_of_a_volume_makes_zeros():
    assert regions(2, np.full((1, 2, 4, 4, 4), 7.0), np.zeros((1, 1, 4, 4, 4))).tolist() == [0.0] * 8


@pytest.mark.parametrize("voxels", range(1, 8))
def test_the_quick_way_widens_a_contour_as_the_other_does(voxels: int):
    contour = (torch.rand(2, 1, 9, 12, 17, generator=torch.Generator().manual_seed(voxels)) > 0.98).float()
    assert torch.equal(_quickly_widened(contour, voxels), _widened(contour, voxels))


@pytest.mark.parametrize("voxels", [16, 21])
@pytest.mark.parametrize("ring", [0, 2])
def test_the_means_of_its_maps_are_its_numbers(voxels: int, ring: int):
    torch.manual_seed(0)
    halvings, contour = (0, 2), torch.zeros(2, 1, voxels, voxels, voxels)
    contour[0, :, 4:12, 5:11, 4:voxels] = 1
    contour[1, :, 8] = 1
    blocks = [torch.rand(2, n, *(voxels >> halved,) * 3) for n, halved in zip((3, 5), halvings, strict=True)]
    within = WithinRegions(ring)
    maps = within.maps(blocks, halvings, contour)
    assert maps.shape == (2, within.per_map * 8, *(voxels >> 2,) * 3)
    torch.testing.assert_close(maps.mean(dim=(2, 3, 4)), within(blocks, halvings, contour), rtol=1e-4, atol=1e-5)

"""The network of contours: its size, its shapes, and larger maps by repeated voxels."""

import pytest
import torch

from PDL1PredictorLib.networks.segmenter import LEAST_VOXELS, SegmenterNetwork, doubled, spread_out


def test_it_has_a_million_weights_in_its_convolutions():
    weights = sum(p.numel() for p in SegmenterNetwork().parameters() if p.ndim == 5)
    down = 16 * 16 + 16 * 16 + 16 * 32 + 32 * 32 + 32 * 64 + 64 * 64 + 64 * 96 + 96 * 96
    up = (64 + 96) * 64 + 64 * 64 + (32 + 64) * 32 + 32 * 32 + (16 + 32) * 16 + 16 * 16
    assert weights == 4 * 16 * 8 + 27 * (down + up) + 27 * 16 * 8


def test_a_cube_gives_one_number_a_voxel():
    network = SegmenterNetwork(4, (2, 3, 4, 5)).eval()
    with torch.no_grad():
        made = network(torch.zeros(2, 4, 32, 16, 48))
    assert made.maps.shape == (2, 1, 32, 16, 48)
    assert torch.allclose(made.answers[:, 0], made.maps.mean(dim=(1, 2, 3, 4)))


def test_another_size_is_refused():
    with pytest.raises(ValueError, match=f"divisible by {LEAST_VOXELS}"):
        SegmenterNetwork(4, (2, 3, 4, 5))(torch.zeros(1, 4, 16, 16, 24))


def test_doubling_repeats_every_voxel_along_every_axis():
    x = torch.arange(2 * 3 * 2 * 3 * 4, dtype=torch.float32).reshape(2, 3, 2, 3, 4)
    wanted = x.repeat_interleave(2, 2).repeat_interleave(2, 3).repeat_interleave(2, 4)
    assert torch.equal(doubled(x), wanted)


def test_eight_numbers_become_the_eight_voxels_of_their_place():
    """Number 4 a + 2 b + c of a place is the voxel (a, b, c) beside it."""
    x = torch.arange(2 * 8 * 3 * 2 * 5, dtype=torch.float32).reshape(2, 8, 3, 2, 5)
    made = spread_out(x)
    assert made.shape == (2, 1, 6, 4, 10)
    for number in range(8):
        a, b, c = number // 4, number // 2 % 2, number % 2
        assert torch.equal(made[:, 0, a::2, b::2, c::2], x[:, number])

"""The network of contours: its size, its shapes, and larger maps by repeated voxels."""

import pytest
import torch

from PDL1PredictorLib.networks.segmenter import LEAST_VOXELS, SegmenterNetwork, doubled


def test_it_has_eight_hundred_thousand_weights_in_its_convolutions():
    weights = sum(p.numel() for p in SegmenterNetwork().parameters() if p.ndim == 5)
    down = 4 * 12 + 12 * 12 + 12 * 24 + 24 * 24 + 24 * 48 + 48 * 48 + 48 * 96 + 96 * 96
    up = (48 + 96) * 48 + 48 * 48 + (24 + 48) * 24 + 24 * 24 + (12 + 24) * 12 + 12 * 12
    assert weights == 27 * (down + up) + 12


def test_a_cube_gives_one_number_a_voxel():
    network = SegmenterNetwork(4, (2, 3, 4, 5)).eval()
    with torch.no_grad():
        made = network(torch.zeros(2, 4, 16, 8, 24))
    assert made.maps.shape == (2, 1, 16, 8, 24)
    assert torch.allclose(made.answers[:, 0], made.maps.mean(dim=(1, 2, 3, 4)))


def test_another_size_is_refused():
    with pytest.raises(ValueError, match=f"divisible by {LEAST_VOXELS}"):
        SegmenterNetwork(4, (2, 3, 4, 5))(torch.zeros(1, 4, 16, 16, 12))


def test_doubling_repeats_every_voxel_along_every_axis():
    x = torch.arange(2 * 3 * 2 * 3 * 4, dtype=torch.float32).reshape(2, 3, 2, 3, 4)
    wanted = x.repeat_interleave(2, 2).repeat_interleave(2, 3).repeat_interleave(2, 4)
    assert torch.equal(doubled(x), wanted)

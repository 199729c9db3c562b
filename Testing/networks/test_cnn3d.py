"""The network of volumes: its size, what it is shown, and that its head is what it does."""

import numpy as np
import torch

from PDL1PredictorLib.core.windows import LUNG, SOFT_TISSUE
from PDL1PredictorLib.networks.cnn3d import LEAST_VOXELS, Cnn3d
from PDL1PredictorLib.networks.volume_channels import volume_channels


def network(n_channels: int = 3) -> Cnn3d:
    torch.manual_seed(2)
    made = Cnn3d(n_channels, 2).train()
    for _ in range(3):  # batch norms that are not the identity
        made(torch.randn(4, n_channels, 16, 16, 16), None)
    return made.eval()


def test_it_has_73_thousand_weights_in_its_convolutions():
    weights = sum(p.numel() for p in Cnn3d(3, 1).parameters() if p.ndim == 5)
    assert weights == 27 * (3 * 8 + 8 * 16 + 16 * 32 + 32 * 64)
    assert weights == 73_224


def test_its_maps_have_an_eighth_of_the_voxels_and_it_sees_the_least_cube():
    output = network()(torch.zeros(1, 3, 64, 64, 64), None)
    assert output.maps.shape == (1, 64, 8, 8, 8)
    assert network()(torch.zeros(1, 3, *(LEAST_VOXELS,) * 3), None).answers.shape == (1, 2)


def test_its_head_gives_its_answers():
    own, x = network(), torch.randn(2, 3, 16, 16, 16)
    with torch.no_grad():
        output = own(x, None)
    head = own.head()
    means = output.maps.mean(dim=(2, 3, 4)).numpy()
    np.testing.assert_allclose(means @ head.maps.T + head.bias, output.answers.numpy(), atol=1e-4)
    assert head.table.shape == (2, 0)


def test_channels_are_windows_the_tumor_and_what_a_pet_adds():
    hu = np.full((1, 2, 2, 2), 40.0)
    hu[0, 0, 0, 0] = LUNG.low_hu - 100
    tumor = np.zeros_like(hu)
    tumor[0, 1, 1, 1] = 1
    plain = volume_channels(hu, tumor, None, with_pet=False)
    assert plain.shape == (1, 3, 2, 2, 2)
    middle = (SOFT_TISSUE.low_hu + SOFT_TISSUE.high_hu) / 2
    width = SOFT_TISSUE.high_hu - SOFT_TISSUE.low_hu
    assert plain[0, 1, 1, 1, 1] == np.float32((40 - middle) / width * 2)
    assert plain[0, 0, 0, 0, 0] == -1
    assert plain[0, 2, 1, 1, 1] == plain[0, 1, 1, 1, 1]
    assert plain[0, 2, 0, 1, 1] == 0
    with_pet = volume_channels(hu, tumor, np.full_like(hu, 30.0), with_pet=True)
    assert with_pet[0, 3].max() == 1.0  # SUV 20 and above
    assert (with_pet[0, 4] == 1).all()
    missing = volume_channels(hu, tumor, None, with_pet=True)
    assert not missing[0, 3:].any()

"""The network of volumes: its size, what it is shown, and that its head is what it does."""

import numpy as np
import pytest
import torch

from PDL1PredictorLib.core.windows import LUNG, SOFT_TISSUE
from PDL1PredictorLib.explain.class_activation import class_activation_maps
from PDL1PredictorLib.networks.cnn3d import LEAST_VOXELS, Cnn3d
from PDL1PredictorLib.networks.volume_channels import volume_channels


def network(n_channels: int = 3, **settings: object) -> Cnn3d:
    torch.manual_seed(2)
    made = Cnn3d(n_channels, 2, **settings).train()
    for _ in range(3):  # batch norms that are not the identity
        made(shown(4, n_channels, made.pool), None)
    return made.eval()


def shown(n: int, n_channels: int, pool: str) -> torch.Tensor:
    """Noise, and a contour where one is wanted."""
    noise, contour = torch.randn(n, n_channels, 16, 16, 16), torch.zeros(n, 1, 16, 16, 16)
    contour[:, :, 5:12, 3:10, 4:12] = 1
    return torch.cat([noise, contour], dim=1) if pool == "contour" else noise


WITHIN = [{"ring": 2}, {"widths": (4, 8, 8), "pooled": (0, 2)}]


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


@pytest.mark.parametrize("settings", WITHIN)
def test_within_the_contour_answers_in_training_and_later_are_of_the_same_numbers(settings: dict):
    own, x = network(pool="contour", **settings), shown(3, 3, "contour")
    with torch.no_grad():
        later = own(x, None)
        own.training = True  # itself alone: its batch norms stay as they are
        during = own(x, None)
    assert during.maps is None
    torch.testing.assert_close(during.answers, later.answers, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("settings", WITHIN)
def test_within_the_contour_the_head_gives_the_answers_and_the_map_is_grad_cams(settings: dict):
    own, x = network(pool="contour", **settings), shown(2, 3, "contour").requires_grad_()
    output, head = own(x, None), own.head()
    means = output.maps.mean(dim=(2, 3, 4)).detach().numpy()
    np.testing.assert_allclose(means @ head.maps.T + head.bias, output.answers.detach().numpy(), rtol=1e-3, atol=1e-3)
    (gradient,) = torch.autograd.grad(output.answers[:, 1].sum(), output.maps)
    by_gradient = (gradient.mean(dim=(2, 3, 4), keepdim=True) * output.maps).sum(dim=1).relu().detach().numpy()
    by_head = class_activation_maps(output.maps[0].detach().numpy(), head.maps)[1]
    np.testing.assert_allclose(by_head, by_gradient[0], rtol=1e-3, atol=1e-5)


def test_what_lies_beyond_the_reach_of_the_contour_changes_nothing():
    own, x = (
        network(pool="contour", widths=(4, 8)),
        torch.cat([torch.randn(1, 3, 32, 32, 32), torch.zeros(1, 1, 32, 32, 32)], 1),
    )
    x[:, 3, 4:10, 4:10, 4:10] = 1
    far, near = x.clone(), x.clone()
    far[:, :3, 20:] += 5
    near[:, :3, 6] += 5
    with torch.no_grad():
        before, beyond, within = (own(one, None).answers for one in (x, far, near))
    torch.testing.assert_close(beyond, before)
    assert (within - before).abs().max() > 0.01


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
    contoured = volume_channels(hu, tumor, None, with_pet=True, pool="contour")
    np.testing.assert_array_equal(contoured[0, 5], tumor[0])  # the last one, whatever else there is
    np.testing.assert_array_equal(contoured[:, :5], missing)

"""What the network sees: one number by hand, and the same bits with and without torch."""

import numpy as np
import torch

from PDL1PredictorLib.networks.channels import channels
from PDL1PredictorLib.networks.deep_ct import input_channels


def test_the_channels_are_the_windows_by_hand():
    found = channels(np.array([[[-600.0, 40.0, 3000.0]]], np.float32), np.array([[[1, 0, 1]]], np.float32))
    wanted = [[[[0.0, 64 / 75, 1.0]], [[-1.0, 0.0, 1.0]], [[-1.0, 0.0, 1.0]]]]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_they_are_bit_for_bit_those_that_the_network_was_trained_on():
    rng = np.random.default_rng(0)
    hu = rng.normal(-300, 700, (2, 40, 30)).astype(np.float32)
    tumor = (rng.random((2, 40, 30)) > 0.5).astype(np.float32)
    wanted = input_channels(torch.from_numpy(hu), torch.from_numpy(tumor)).numpy()
    assert np.array_equal(channels(hu, tumor), wanted)

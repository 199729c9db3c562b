"""Training on slices and a table, in 32 and in 16 bits: a signal is found, and weights lie as files have them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.deep.joint.cases import Framed
from PDL1PredictorLib.learning.deep.joint.settings import JointStage, JointTraining
from PDL1PredictorLib.learning.deep.joint.training import answers_of, train_joint

SHORT = JointTraining(stages=(JointStage(3, 1e-3),), batch=8, backbone="resnet50", dropout=0.0)
FIT, WATCH = np.arange(24), np.arange(24, 32)


def framed(n: int = 32) -> Framed:
    """Noise of soft tissue, in which a positive case is brighter, beside columns that tell nothing."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2 * 1.0
    hu = (rng.normal(0, 20, (n, 2, 32, 32)) + 150 * labels[:, None, None, None]).astype(np.float32)
    return Framed(hu, np.ones_like(hu, bool), labels[:, None], rng.normal(0, 1, (n, 3)))


@pytest.fixture(scope="module", params=[False, True], ids=["32 bits", "16 bits"])
def trained(request):
    return train_joint(framed(), FIT, WATCH, replace(SHORT, cpu_bfloat16=request.param), seed=1)


def test_what_slices_tell_is_found_and_only_that(trained):
    cases = framed()
    assert roc_auc_score(cases.labels[WATCH, 0], answers_of(trained.network, cases, WATCH)[:, 0]) > 0.95
    assert trained.history[-1]["train"] < trained.history[0]["train"]
    other = replace(cases, hu=cases.hu[::-1].copy())  # the slices of a case of the other label
    assert roc_auc_score(cases.labels[WATCH, 0], answers_of(trained.network, other, WATCH)[:, 0]) < 0.05


def test_the_trained_weights_lie_in_memory_as_a_file_has_them(trained):
    assert all(value.is_contiguous() for value in trained.network.state_dict().values())
    assert all(value.dtype in (torch.float32, torch.int64) for value in trained.network.state_dict().values())
    assert not any(module.training for module in trained.network.modules())


def test_the_same_seed_repeats_a_training_and_16_bits_change_it_but_little():
    one = replace(SHORT, stages=(JointStage(1, 1e-3),))
    first, again, coarse = (
        train_joint(framed(), FIT, WATCH[:0], replace(one, cpu_bfloat16=bits), seed=1).history[0]["train"]
        for bits in (False, False, True)
    )
    assert first == again
    assert coarse != first
    assert coarse == pytest.approx(first, rel=0.2)


def test_one_case_teaches_nothing():
    with pytest.raises(InputError, match="at least 2 cases"):
        train_joint(framed(), FIT[:1], WATCH, SHORT, seed=1)

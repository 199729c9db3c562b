"""The network's logit and the sum of an L2 model as inputs of a bundle: read, checked, and made of a tumor."""

import numpy as np
import pytest

from PDL1PredictorLib.models.schema.endpoints import EndpointModel, Linear, input_names


def test_a_line_is_the_sum_of_its_terms():
    assert Linear((2.0, -1.0), 0.5).of(np.array([1.0, 3.0])) == pytest.approx(-0.5)


def test_both_are_one_input_each_by_a_name_of_its_own():
    names = input_names(10, ("radscore", "l2", "volume", "deep_logit"))
    assert names == ("radscore_tumor", "radscore_ring", "l2_score", "log_volume", "network_logit")


def test_features_of_the_sum_are_among_those_that_are_used():
    model = EndpointModel("PDL1", ("l2",), {}, (), (0.0,), (1.0,), "", "", None, l2={"tumor_original_a": 0.5})  # type: ignore[arg-type]
    assert model.used_features == {"tumor_original_a"}

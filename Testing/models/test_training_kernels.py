"""The kernels of the training CTs in a bundle, and the warning of a CT that has another."""

from typing import Any

import numpy as np
import pytest
from clinical_model import bundle_with
from number_model import MEAN, RANGE, RING

from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.errors import BundleError
from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.predictor import Given
from PDL1PredictorLib.models.schema.kernels import TrainingKernels, kernels_of, read_training_kernels

ENTRY = {"names": ["B30f", "B60f"], "known": 3, "of": 4}


def test_kernels_are_each_there_once_with_how_many_cases_tell_theirs():
    found = kernels_of(["B60f", "b30f", "", "B30f", None, " B60f  "])
    assert found == TrainingKernels(("B30f", "B60f"), known=4, of=6)
    assert read_training_kernels(found.to_dict()) == found


def test_a_kernel_from_outside_is_one_short_printable_line():
    found = kernels_of(["Br40d\\3", "a\nb\x1b[31m", "k" * 500])
    assert found.names == ("Br40d 3", "a b?[31m", "k" * 40)
    assert found.has("BR40D\\3")
    assert found.has("k" * 90)


def test_no_kernel_or_too_many_are_no_list():
    assert kernels_of([None, " "]) is None
    assert kernels_of([]) is None
    assert kernels_of([f"k{number}" for number in range(65)]) is None
    assert len(kernels_of([f"k{number}" for number in range(64)]).names) == 64


def test_an_older_bundle_says_nothing_of_kernels():
    assert read_training_kernels(None) is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"names": "B30f"}, "must be a list"),
        ({"names": []}, "1 to 64 names"),
        ({"names": ["x" * 41]}, "at most 40 letters"),
        ({"names": ["B30f", "B30f"]}, "twice"),
        ({"names": ["a\nb"]}, "on one line"),
        ({"names": [f"k{number}" for number in range(65)]}, "at most 64"),
        ({"known": 1}, "1 known of 4"),
        ({"of": 2}, "3 known of 2"),
        ({"known": -1}, "training_kernels.known"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(changed: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=words):
        read_training_kernels({**ENTRY, **changed})


def with_kernels(bundle: Bundle, entry: Any) -> Bundle:
    return Bundle(bundle.name, bundle.sha256, {**bundle.manifest, "training_kernels": entry}, bundle.files)


def warned(bundle: Bundle, kernel: str | None) -> dict[str, str]:
    predictor = load_predictor(bundle)
    values = dict.fromkeys(predictor.features.feature_names(), 10.0) | {MEAN: 50.0, RING: 30.0, RANGE: -10.0}
    said = predictor.answer(Given(values, None, np.exp(2.5), Clinical(kernel=kernel)), "cpu")
    return {warning.code: warning.text for warning in said.warnings}


@pytest.fixture(scope="module")
def bundle(tiny_model) -> Bundle:
    return bundle_with(read_bundle(tiny_model))


def test_a_kernel_that_no_training_case_had_is_told(bundle: Bundle):
    text = warned(with_kernels(bundle, ENTRY), "B70f\x1b\nnew")["kernel_unlike"]
    assert text.startswith("The CT was reconstructed with the kernel B70f? new, and no training case")
    assert "B30f, B60f (the kernel is known of 3 of 4 cases)" in text
    assert "is known of" not in warned(with_kernels(bundle, {**ENTRY, "of": 3}), "B70f")["kernel_unlike"]


@pytest.mark.parametrize(("entry", "kernel"), [(ENTRY, "b60F"), (ENTRY, None), (ENTRY, "  "), (None, "B70f")])
def test_a_known_kernel_is_not_told_nor_what_nobody_knows(bundle: Bundle, entry: Any, kernel: str | None):
    assert "kernel_unlike" not in warned(with_kernels(bundle, entry), kernel)


def test_a_bundle_with_a_wrong_entry_is_refused(bundle: Bundle):
    with pytest.raises(BundleError, match="training_kernels"):
        load_predictor(with_kernels(bundle, {**ENTRY, "names": [3]}))

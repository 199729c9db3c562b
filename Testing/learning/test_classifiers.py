"""Seven classifiers, each exported true to its original; the best one is found."""

import numpy as np
import pytest

from PDL1PredictorLib.core.errors import PDL1Error
from PDL1PredictorLib.learning.classifiers import (
    CLASSIFIERS,
    SIMPLEST_FIRST,
    choose_classifier,
    simplest_of,
    to_onnx_bytes,
)
from PDL1PredictorLib.models.onnx.session import require_onnxruntime


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(90, 12))
    return x, (x[:, 0] - x[:, 1] + 0.7 * rng.normal(size=90) > 0.3).astype(int)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_the_exported_classifier_gives_the_probabilities_of_its_original(kind: str, data):
    x, labels = data
    with np.errstate(all="ignore"):
        estimator = fitted(kind, x, labels)
    options = {"providers": ["CPUExecutionProvider"]}
    session = require_onnxruntime().InferenceSession(to_onnx_bytes(estimator, x), **options)
    unseen = np.random.default_rng(5).normal(size=(50, 12)).astype(np.float32)
    given = session.run(["probabilities"], {"inputs": unseen})[0]
    np.testing.assert_allclose(given, estimator.predict_proba(unseen), atol=1e-5)


def fitted(kind: str, x: np.ndarray, labels: np.ndarray):
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return CLASSIFIERS[kind](0, len(labels)).fit(x, labels)


def test_an_export_that_differs_is_refused(data):
    x, labels = data

    class Liar(type(CLASSIFIERS["logistic regression"](0, 40))):
        def predict_proba(self, x):
            return super().predict_proba(x)[:, ::-1]

    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
    from skl2onnx.operator_converters.linear_classifier import convert_sklearn_linear_classifier

    update_registered_converter(
        Liar,
        "Liar",
        calculate_linear_classifier_output_shapes,
        convert_sklearn_linear_classifier,
        options={
            "zipmap": [True, False, "columns"],
            "output_class_labels": [False, True],
            "nocl": [True, False],
            "raw_scores": [True, False],
        },
    )
    with pytest.raises(PDL1Error, match="exported Liar differs from its original by"):
        to_onnx_bytes(Liar().fit(x, labels), x)


def test_the_winner_has_the_best_mean_auc_and_out_of_fold_answers_know_nothing_of_their_case(data):
    x, labels = data
    chosen = choose_classifier(x, labels, seed=0, n_repeats=1)
    assert chosen.mean_auc[chosen.kind] == max(chosen.mean_auc.values()) > 0.8
    assert set(chosen.mean_auc) == set(CLASSIFIERS)
    assert ((chosen.out_of_fold >= 0) & (chosen.out_of_fold <= 1)).all()


def test_every_classifier_has_its_place_in_the_order_of_simplicity():
    assert sorted(SIMPLEST_FIRST) == sorted(CLASSIFIERS)


# Four differences of 0.00, 0.02, 0.00, 0.02: their mean is 0.01, their SD 0.02 / sqrt(3) = 0.0115. Were the folds
# independent the standard error would be 0.0058; as two folds share cases it is 0.0115 * sqrt(1/4 + 1) = 0.0129.
FOREST, LINEAR, LOGISTIC = (0.80, 0.82, 0.80, 0.82), (0.80, 0.80, 0.80, 0.80), (0.79, 0.80, 0.79, 0.80)


def test_the_simplest_within_a_standard_error_of_the_best_is_chosen():
    assert simplest_of({"random forest": FOREST, "linear discriminant": LINEAR}, n_folds=2) == "linear discriminant"


def test_with_more_folds_the_same_loss_is_more_than_a_standard_error():
    # 0.0115 * sqrt(1/4 + 1/9) = 0.0069
    assert simplest_of({"random forest": FOREST, "linear discriminant": LINEAR}, n_folds=10) == "random forest"


def test_a_simpler_one_that_is_clearly_worse_is_passed_over():
    # logistic regression loses 0.01, 0.02, 0.01, 0.02: 0.015 on average, standard error 0.0058 * sqrt(5/4) = 0.0065
    aucs = {"random forest": FOREST, "linear discriminant": LINEAR, "logistic regression": LOGISTIC}
    assert simplest_of(aucs, n_folds=2) == "linear discriminant"


def test_equal_figures_choose_the_simpler_one_whatever_the_order():
    assert simplest_of({"nearest neighbors": LINEAR, "naive Bayes": LINEAR}, n_folds=5) == "naive Bayes"


def test_the_simplest_and_the_best_are_both_to_be_had_from_the_same_folds():
    rng = np.random.default_rng(3)
    labels = np.tile([0, 1], 60)
    x = np.column_stack([labels + rng.normal(size=120), rng.normal(size=120) * (1 + 0.5 * labels)])
    kinds = ("naive Bayes", "logistic regression")
    best, simplest = (choose_classifier(x, labels, 0, 2, kinds, choice) for choice in ("best", "simplest"))
    assert (best.kind, simplest.kind) == kinds
    assert simplest.mean_auc == best.mean_auc
    assert type(simplest.estimator) is type(CLASSIFIERS[simplest.kind](0, 120))
    assert (simplest.out_of_fold != best.out_of_fold).any()


def test_out_of_fold_answers_on_noise_are_no_better_than_chance():
    rng = np.random.default_rng(1)
    x, labels = rng.normal(size=(120, 12)), np.tile([0, 1], 60)
    chosen = choose_classifier(x, labels, seed=0, n_repeats=2)
    assert np.mean(list(chosen.mean_auc.values())) == pytest.approx(0.5, abs=0.12)


def test_inputs_that_never_vary_give_the_share_of_positives(data):
    _, labels = data
    chosen = choose_classifier(np.zeros((90, 2)), labels, seed=0, n_repeats=1)
    assert set(chosen.mean_auc.values()) == {0.5}
    p = chosen.estimator.predict_proba(np.zeros((1, 2)))[0, 1]
    assert p == pytest.approx(labels.mean(), abs=1e-6)
    np.testing.assert_allclose(chosen.out_of_fold, labels.mean())

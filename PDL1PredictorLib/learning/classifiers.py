"""The last layer replaced: one of seven classifiers, chosen by repeated cross-validation, exported without any pickle.

Source: paper 001, step 4 of "Deep learning radiomics architecture": LR, SVM, KNN, RF, NB, MLP, LDA; 5-fold cross-
validation, 10 repetitions, the mean AUC chooses. Their settings are not published; these are ours, chosen for few
cases and standardized inputs. The choice may also be the simplest of those that are no worse than the best beyond
what the folds can tell.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from skl2onnx import to_onnx
from sklearn.base import ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from PDL1PredictorLib.core.errors import PDL1Error
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.penalized import L2LogisticRegression
from PDL1PredictorLib.learning.selection import by_class, columns_to_use
from PDL1PredictorLib.models.onnx.graph import check_classifier
from PDL1PredictorLib.models.onnx.session import Classifier
from PDL1PredictorLib.statistics.resampling import corrected_standard_error

Choice = Literal["simplest", "best"]
CHOSEN: dict[Choice, str] = {
    "simplest": "the simplest classifier whose mean AUC of repeated 5-fold cross-validation is within one standard "
    "error of the best",
    "best": "the classifier with the best mean AUC of repeated 5-fold cross-validation",
}

FOREST = "random forest"
# By name: (seed, number of training cases) to the unfitted classifier.
CLASSIFIERS: dict[str, Callable[[int, int], ClassifierMixin]] = {
    "logistic regression": lambda seed, n_cases: LogisticRegression(C=0.3),
    "support vector machine": lambda seed, n_cases: CalibratedClassifierCV(SVC(C=1.0), ensemble=False, cv=3),
    "nearest neighbors": lambda seed, n_cases: KNeighborsClassifier(min(15, n_cases // 2)),
    FOREST: lambda seed, n_cases: RandomForestClassifier(100, min_samples_leaf=5, random_state=seed),
    "naive Bayes": lambda seed, n_cases: GaussianNB(),
    "multilayer perceptron": lambda seed, n_cases: MLPClassifier(
        (6,), alpha=3.0, solver="lbfgs", max_iter=300, random_state=seed
    ),
    "linear discriminant": lambda seed, n_cases: LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
}
L2 = "L2 logistic regression"  # of many inputs; never among those to choose from
ESTIMATORS: dict[str, Callable[[int, int], ClassifierMixin]] = {
    **CLASSIFIERS,
    L2: lambda seed, n_cases: L2LogisticRegression(seed),
}
LINEAR = ("logistic regression", "linear discriminant")
# Linear ones first, then by how freely their boundary bends.
SIMPLEST_FIRST = (
    "logistic regression",
    "linear discriminant",
    "naive Bayes",
    "support vector machine",
    "nearest neighbors",
    "random forest",
    "multilayer perceptron",
)
HOLDS_ROWS = ("support vector machine", "nearest neighbors")  # a copy of these holds inputs of single cases
N_FOLDS = 5
N_REPEATS = 10
SAME_PROBABILITY = 1e-4  # ONNX computes in 32 bit


@dataclass(frozen=True, eq=False)
class Chosen:
    """The classifier that won.

    Attributes:
        kind: Its name among `ESTIMATORS`.
        estimator: Fitted on all cases.
        columns: Of the inputs that it was fitted on.
        mean_auc: Mean cross-validated AUC of every kind.
        out_of_fold: Probability of positive of each case from models that did not see it, averaged over repetitions,
            (n,).
    """

    kind: str
    estimator: ClassifierMixin
    columns: np.ndarray
    mean_auc: dict[str, float]
    out_of_fold: np.ndarray


def choose_classifier(
    x: np.ndarray,
    labels: np.ndarray,
    seed: int,
    n_repeats: int = N_REPEATS,
    kinds: Sequence[str] = tuple(CLASSIFIERS),
    choice: Choice = "best",
    progress: Progress = SILENT,
    to_select: np.ndarray | None = None,
) -> Chosen:
    """Pick a classifier by the AUC of repeated stratified cross-validation, then fit it on all cases.

    Args:
        x: Standardized inputs, (n, d).
        labels: 0 or 1, (n,); at least 2 of each.
        seed: Of folds and classifiers.
        n_repeats: Repetitions.
        kinds: Names among `ESTIMATORS` to choose from.
        choice: `best`: the one with the highest mean AUC. `simplest`: see `simplest_of`.
        progress: Told after every repetition.
        to_select: (d,) bool: columns of which some are selected, on the training cases of every fold anew.
    """
    columns = columns_to_use(x, labels, to_select, by_class)
    if not np.ptp(x[:, columns], axis=0).any():
        return _share_of_positives(np.take(x, columns, axis=1), columns, labels, seed, kinds)
    n_folds = min(N_FOLDS, int(labels.sum()), int((1 - labels).sum()))
    aucs: dict[str, list[float]] = {kind: [] for kind in kinds}
    held_out = {kind: np.zeros(len(labels)) for kind in kinds}
    for repeat in range(n_repeats):
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed + repeat)
        for train, test in folds.split(x, labels):
            seen = columns if to_select is None else columns_to_use(x[train], labels[train], to_select, by_class)
            own = np.take(x, seen, axis=1)
            for kind in kinds:
                p = _fit(ESTIMATORS[kind](seed, len(train)), own[train], labels[train]).predict_proba(own[test])[:, 1]
                held_out[kind][test] += p / n_repeats
                aucs[kind].append(float(roc_auc_score(labels[test], p)))
        progress.step("fusion", (repeat + 1) / n_repeats)
    mean_auc = {kind: float(np.mean(values)) for kind, values in aucs.items()}
    kind = simplest_of(aucs, n_folds) if choice == "simplest" else max(mean_auc, key=lambda kind: mean_auc[kind])
    estimator = _fit(ESTIMATORS[kind](seed, len(labels)), np.take(x, columns, axis=1), labels)
    return Chosen(kind, estimator, columns, mean_auc, held_out[kind])


def simplest_of(aucs: Mapping[str, Sequence[float]], n_folds: int) -> str:
    """The simplest classifier whose mean AUC is within one standard error of the best one's.

    The best of several means is partly the luckiest. Where the folds cannot tell two classifiers apart, the simpler
    one is expected to do better on new cases. The standard error is that of the paired differences between the two,
    corrected for training sets that share cases.

    Args:
        aucs: By kind, some of `ESTIMATORS`: AUC of every fold of every repetition, in the same order for all, (n,),
            n >= 2.
        n_folds: Folds of a repetition.

    Source: Breiman et al. 1984, Classification and Regression Trees, 3.4.3 (one standard error rule).
    """
    figures = {kind: np.asarray(aucs[kind]) for kind in (*SIMPLEST_FIRST, L2) if kind in aucs}
    best = max(figures, key=lambda kind: float(figures[kind].mean()))
    lost = {kind: figures[best] - values for kind, values in figures.items()}
    return next(kind for kind, less in lost.items() if less.mean() <= corrected_standard_error(less, 1 / (n_folds - 1)))


def _share_of_positives(
    x: np.ndarray, columns: np.ndarray, labels: np.ndarray, seed: int, kinds: Sequence[str]
) -> Chosen:
    """What inputs that never vary allow: logistic regression, which then answers the share of positives."""
    kind = "logistic regression"
    estimator = _fit(CLASSIFIERS[kind](seed, len(labels)), x, labels)
    return Chosen(kind, estimator, columns, dict.fromkeys(kinds, 0.5), np.full(len(labels), labels.mean()))


def _fit(estimator: ClassifierMixin, x: np.ndarray, labels: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the step limit is meant: stopping early regularizes
        return estimator.fit(x, labels)


def to_onnx_bytes(estimator: ClassifierMixin, x: np.ndarray) -> bytes:
    """Export a fitted classifier; the copy must give the same probabilities.

    Args:
        estimator: One of `ESTIMATORS`, fitted.
        x: Inputs on which both are compared, (n, d).

    Returns:
        An ONNX model mapping `inputs` (n, d) float32 to `probabilities` (n, 2).

    Raises:
        PDL1Error: The copy gives other probabilities, or is not what a bundle may hold.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # skl2onnx reads attributes that scikit-learn will drop
        model = to_onnx(
            _exportable(estimator),
            x[:1].astype(np.float32),
            options={"zipmap": False, "output_class_labels": False},
            final_types=None,
        )
    _rename_input(model, "inputs")
    data: bytes = model.SerializeToString()
    try:
        check_classifier(data, x.shape[1])
        copied = Classifier(data).probabilities(x)
    except ValueError as error:
        text = "The exported {} is not what a bundle may hold: {} Use the versions of requirements/."
        raise PDL1Error(text.format(type(estimator).__name__, error)) from error
    original: Any = estimator
    difference = float(np.abs(copied - original.predict_proba(x.astype(np.float32))[:, 1]).max())
    if difference > SAME_PROBABILITY:
        raise PDL1Error(
            f"The exported {type(estimator).__name__} differs from its original by {difference:.2g} in probability; "
            f"at most {SAME_PROBABILITY} is allowed. Use the versions of requirements/."
        )
    return data


def _exportable(estimator: ClassifierMixin) -> ClassifierMixin:
    """The plain logistic regression of a linear classifier: skl2onnx knows no other by its subclass.

    It gives wrong probabilities for two-class LDA, which is the logistic of its decision function.
    """
    if not isinstance(estimator, LinearDiscriminantAnalysis | L2LogisticRegression):
        return estimator
    logistic = LogisticRegression()
    logistic.classes_ = estimator.classes_
    logistic.coef_, logistic.intercept_ = estimator.coef_, estimator.intercept_
    logistic.n_features_in_ = estimator.coef_.shape[1]
    return logistic


def _rename_input(model: Any, name: str) -> None:
    old = model.graph.input[0].name
    model.graph.input[0].name = name
    for node in model.graph.node:
        for i, used in enumerate(node.input):
            if used == old:
                node.input[i] = name

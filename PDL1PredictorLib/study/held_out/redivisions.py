"""Further divisions of a study that was split once: other test sets of the same size, without a network trained anew.

Every case has an answer from models that have not seen it: a test case from those that are kept, a training case from
the fold that held it out. So test sets can be drawn anew from all cases. What that shows is how much a figure depends
on which cases are in the test set; how much it depends on the training is not in it. Answers of training cases are a
little too good: the part that was held out told its network when to stop, and helped to choose the classifier.

Source: paper 004, "Robustness", which divides validation and test cases anew twice and trains again.
"""

import numpy as np

from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.carried import plans_of
from PDL1PredictorLib.learning.fitting import FittedModel
from PDL1PredictorLib.statistics.scores import limited_log_odds
from PDL1PredictorLib.study.folds import Fold
from PDL1PredictorLib.study.outcome import OF_TEST, Redivision
from PDL1PredictorLib.study.setup import Study

N_FURTHER = 2
_STREAM = 11  # of the study's seed


def redivisions_of(study: Study, key: str, fold: Fold) -> tuple[Redivision, ...]:
    """Two further divisions of a yes/no endpoint.

    Args:
        study: Of the split design; of others, whose every case is a test case, there are none.
        key: Of the endpoint.
        fold: Its one training.
    """
    if not study.once or not study.cohort.targets[key].yes_no:
        return ()
    n, n_test = len(study.cohort), len(fold.test)
    scores, models_of = _scores(study, key, fold), np.full(n, -1)
    for number, (_, held) in enumerate(fold.learned.held_out, start=1):
        models_of[held] = number
    models_of[fold.test] = OF_TEST
    labels = study.cohort.targets[key].values
    found = []
    for number in range(N_FURTHER):
        rng = np.random.default_rng([study.recipe.seed, _STREAM, number])
        try:
            _, drawn = stratified_parts(study.patients, study.cohort.strata, (1 - n_test / n, n_test / n), rng)
        except InputError:  # too few patients to draw from
            return ()
        rows = drawn[np.isfinite(labels[drawn])]
        found.append(
            Redivision(
                labels[rows].astype(int),
                tuple(study.patients[row] for row in rows),
                models_of[rows],
                {title: score[rows] for title, score in scores.items()},
            )
        )
    return tuple(found)


def _scores(study: Study, key: str, fold: Fold) -> dict[str, np.ndarray]:
    """Of all cases of the cohort, (n,), by the title of the model; NaN where the value is not known."""
    target, learned = study.cohort.targets[key], fold.learned
    found: dict[str, np.ndarray] = {}
    for plan in plans_of(study.recipe, study.cohort, key):
        score = np.full(len(study.cohort), np.nan)
        score[fold.test[target.known[fold.test]]] = fold.answers(plan, target, key).score
        known = target.known[learned.rows]
        fitted = fold.models[key][plan.name.title]
        if not isinstance(fitted, FittedModel):
            raise TypeError("a yes/no endpoint has classifiers")
        score[learned.rows[known]] = cross_fitted(fitted, learned.honest.of(plan.parts, key)[known])
        found[plan.name.title] = score
    return found


def cross_fitted(fitted: FittedModel, honest: np.ndarray) -> np.ndarray:
    """What the cases that a model was fitted on are ranked by, each by a model that has not seen it, (n,).

    Args:
        fitted: The model.
        honest: Its cross-fitted inputs, (n, d), as it was fitted on.
    """
    if fitted.ranks_input:
        return np.asarray(honest[:, fitted.columns[0]], dtype=float)
    return limited_log_odds(fitted.chosen.out_of_fold)

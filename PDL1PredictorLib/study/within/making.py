"""What is seen inside a training in which one model is an input of another, for the report."""

from collections.abc import Sequence

import numpy as np

from PDL1PredictorLib.core.clinical_columns import ClinicalColumn
from PDL1PredictorLib.learning.fitting import FittedModel
from PDL1PredictorLib.learning.lasso import LassoPath
from PDL1PredictorLib.learning.parts.stacked import StackedAnswers
from PDL1PredictorLib.learning.recipe import ModelPlan
from PDL1PredictorLib.study.folds import Fold
from PDL1PredictorLib.study.within.values import Axis, Nomogram, Path, Tick, Within

SHOWN = (2.5, 97.5)  # percentiles of a number in training between which its axis runs: no patient's value ends it
N_TICKS = 9
PROBABILITIES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


def within_of(kept: Fold, lead: ModelPlan, key: str, columns: Sequence[ClinicalColumn]) -> Within | None:
    """What is seen inside the training that is kept; None where no model is an input of another.

    Args:
        kept: That training.
        lead: The lead model as it is fitted.
        key: Of the endpoint.
        columns: Coding of the clinical inputs.
    """
    part = next((one for one in kept.learned.parts.values() if isinstance(one, StackedAnswers)), None)
    if part is None or key not in part.fitted:
        return None
    one, path, fitted = part.fitted[key], part.paths.get(key), kept.models[key][lead.name.title]
    return Within(
        title=part.title,
        classifier=one.chosen.kind,
        mean_auc=one.chosen.mean_auc,
        path=None if path is None else _named(path, part.backbone.names(path.columns.tolist())),
        nomogram=nomogram_of(fitted, kept.input_names(lead, key), columns)
        if isinstance(fitted, FittedModel) and len(fitted.columns) > 1
        else None,
    )


def _named(path: LassoPath, names: tuple[str, ...]) -> Path:
    return Path(names, path.penalties, path.coefficients, path.loss, path.error, path.best)


def nomogram_of(fitted: FittedModel, names: Sequence[str], columns: Sequence[ClinicalColumn]) -> Nomogram | None:
    """The nomogram of a calibrated logistic regression; None where nothing moves its answer.

    Args:
        fitted: On inputs with these names.
        names: Of the inputs.
        columns: Coding of those that are clinical values.
    """
    coefficients = getattr(fitted.chosen.estimator, "coef_", None)
    if coefficients is None or not fitted.learned:
        return None
    slopes = fitted.slope * coefficients[0] / fitted.sd  # log-odds per unit of the raw input
    words = {column.name: column.words for column in columns}
    raw = fitted.inputs * fitted.sd + fitted.mean
    marks = [_marks(raw[:, i], words.get(name, ())) for i, name in enumerate(names)]
    effects = [slope * values for slope, (values, _) in zip(slopes, marks, strict=True)]
    span = max(float(np.ptp(effect)) for effect in effects)
    if not span > 0:
        return None
    per_point = span / 100
    axes = tuple(
        Axis(
            name,
            tuple(Tick(label, float((e - effect.min()) / per_point)) for label, e in zip(labels, effect, strict=True)),
        )
        for name, effect, (_, labels) in zip(names, effects, marks, strict=True)
    )
    lowest = float(fitted.log_odds(np.zeros((1, len(names))))[0] - slopes @ fitted.mean + sum(e.min() for e in effects))
    most = sum(max(tick.points for tick in axis.ticks) for axis in axes)
    return Nomogram(axes, most, _totals(lowest, per_point, most), per_point, lowest)


def _marks(values: np.ndarray, words: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Values of an input at which its axis has marks, ascending, and what stands there."""
    if words:
        return np.arange(len(words), dtype=float), list(words)
    low, high = np.percentile(values, SHOWN)
    if not high > low:
        low, high = low - 0.5, low + 0.5
    step = _round_step((high - low) / (N_TICKS - 1))
    at = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    return at, [f"{value:g}" for value in np.round(at, 10)]


def _round_step(step: float) -> float:
    """1, 2 or 5 times a power of ten, the nearest above."""
    power = 10.0 ** np.floor(np.log10(step))
    return float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step))


def _totals(lowest: float, per_point: float, most: float) -> tuple[Tick, ...]:
    places = [(p, (np.log(p / (1 - p)) - lowest) / per_point) for p in PROBABILITIES]
    return tuple(Tick(f"{p:g}", float(at)) for p, at in places if 0 <= at <= most)

"""Every answer of a time as rows of a table, how wrong it was, and what the card tells."""

import numpy as np

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.targets import HORIZON_DAYS, LANDMARK_DAYS, came_by
from PDL1PredictorLib.report.html import number
from PDL1PredictorLib.study.outcome import EndpointOutcome
from PDL1PredictorLib.study.report.losses import Losses
from PDL1PredictorLib.study.report.time.measures import MONTHS, headline

TIME_COLUMNS = ("event", *(f"survival_{months}m" for months in MONTHS), "score", "fold")


def time_rows(found: EndpointOutcome, title: str) -> list[tuple[object, ...]]:
    """Time and `TIME_COLUMNS` of every case, of the first repetition."""
    model = found.time_models()[title]
    columns = zip(found.labels, model.survival, model.score[0], found.folds[0].tolist(), strict=True)
    return [
        (
            repr(float(label["time"])),
            int(label["event"]),
            *("" if not np.isfinite(chance) else repr(float(chance)) for chance in chances),
            repr(float(score)),
            fold,
        )
        for label, chances, score, fold in columns
    ]


def losses_of_times(outcome: EndpointOutcome) -> Losses:
    """The squared error of the chance at the time nearest to a year, of cases whose state is known then.

    A case is wrong if its event had come and the chance to be free of it was above one half, or the other way round.
    """
    model = outcome.time_models()[outcome.lead]
    known = np.flatnonzero(np.isfinite(model.survival).all(axis=0))
    if not len(known):
        nothing = np.zeros(len(outcome.labels))
        return Losses(nothing, nothing.astype(bool), nothing)
    place = int(known[np.abs(HORIZON_DAYS[known] - LANDMARK_DAYS).argmin()])
    had, chance = came_by(outcome.labels, float(HORIZON_DAYS[place])), model.survival[:, place]
    loss = np.nan_to_num((1 - had - chance) ** 2)
    return Losses(loss, np.isfinite(had) & ((chance > 0.5) == (had == 1)), chance)


def true_time(outcome: EndpointOutcome, row: int) -> str:
    """How long a case was followed, and how that ended."""
    found, unit = outcome.labels[row], endpoint(outcome.key).unit
    return f"{'event' if found['event'] else 'no event'} after {found['time']:.0f} {unit}"


def time_cells(found: EndpointOutcome) -> tuple[str, str]:
    """The time until what, and how many cases had the event."""
    events = int(found.labels["event"].sum())
    return endpoint(found.key).definition, f"{events} / {len(found.labels) - events}"


def time_figure(found: EndpointOutcome, title: str) -> str:
    """Harrell's C of one model."""
    c = headline(found, title)
    if c is None:
        return "not measured"
    value, low, high = (number(c[name], 3) for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"

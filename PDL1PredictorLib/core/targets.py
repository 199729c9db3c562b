"""What is to be learned of an endpoint: yes or no, a number, or the time until something happens."""

from dataclasses import dataclass, replace

import numpy as np

from PDL1PredictorLib.core.endpoints import Kind

N_QUANTILES = {"number": 4, "time": 3}  # of the strata of a split
FOLLOWED = np.dtype([("time", np.float64), ("event", np.bool_)])
"""How a time is handed on: until when a case was followed, and whether that ended in the event."""
MONTH_DAYS = 365.25 / 12
HORIZON_DAYS = np.array([6, 12, 24]) * MONTH_DAYS
"""Times until which the chance to be free of an event is told: 6, 12 and 24 months."""
LANDMARK_DAYS = 365.25
"""Whether an event came by then is the yes/no question that stands for a time where only such can be learned."""


def followed(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Times and events, each (n,), as one array of `FOLLOWED`, (n,)."""
    found = np.empty(len(time), FOLLOWED)
    found["time"], found["event"] = time, event
    return found


def came_by(found: np.ndarray, days: float) -> np.ndarray:
    """Whether the event came by then, of an array of `FOLLOWED`: 1 or 0, NaN where the follow-up ended before."""
    had, free = found["event"] & (found["time"] <= days), found["time"] > days
    return np.where(had, 1.0, np.where(free, 0.0, np.nan))


@dataclass(frozen=True, eq=False)
class Target:
    """One endpoint of n cases.

    Attributes:
        kind: Of the endpoint.
        values: (n,) float: 0 or 1, the number, or the time; NaN where it is not known.
        event: (n,) bool, of a time only: whether it ended in the event and not in the end of the follow-up.
        low: Least possible value of a number or time; None without a bound.
        high: Greatest possible value; None without a bound.
        cuts: Values of a number at and above which decisions change.

    Raises:
        ValueError: The arrays do not fit each other.
    """

    kind: Kind
    values: np.ndarray
    event: np.ndarray | None = None
    low: float | None = None
    high: float | None = None
    cuts: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.values.ndim != 1 or (self.kind == "time") != (self.event is not None):
            raise ValueError("A target has one value a case, and events exactly where it is a time.")
        if self.event is not None and self.event.shape != self.values.shape:
            raise ValueError(f"{len(self.values)} times need as many events, got {self.event.shape}.")
        if self.kind == "binary" and not np.isin(self.values[np.isfinite(self.values)], (0, 1)).all():
            raise ValueError("The values of a yes/no endpoint are 0, 1 or NaN.")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def known(self) -> np.ndarray:
        """(n,) bool: whose value is known."""
        return np.asarray(np.isfinite(self.values))

    def take(self, rows: np.ndarray) -> "Target":
        """These cases, in this order; `rows` are positions or a mask."""
        event = None if self.event is None else self.event[rows]
        return replace(self, values=self.values[rows], event=event)

    @property
    def yes_no(self) -> bool:
        """Whether it is of a yes/no endpoint, so that each known case is a positive or a negative one."""
        return self.kind == "binary"

    @property
    def truths(self) -> np.ndarray:
        """(n,) what a model is held against: the values, or an array of `FOLLOWED`."""
        return self.values if self.event is None else followed(self.values, self.event)

    @property
    def labels(self) -> np.ndarray:
        """(n,) 0, 1 or NaN of a yes/no endpoint; of a time whether the event came within a year; NaN for a number."""
        if self.event is not None:
            return came_by(followed(self.values, self.event), LANDMARK_DAYS)
        return self.values if self.yes_no else np.full(len(self), np.nan)

    def strata(self) -> np.ndarray:
        """Group of each case for a stratified split, (n, g): each column 1 in one group, 0 in another, NaN if unknown.

        A yes/no endpoint is its own column. A number has a column for each of its quarters, a time for each third of
        the times with and without event: 1 inside, 0 outside.
        """
        if self.kind == "binary":
            return self.values[:, None]
        known, n = self.known, N_QUANTILES[self.kind]
        edges = np.quantile(self.values[known], np.arange(1, n) / n) if known.any() else np.zeros(n - 1)
        group = np.searchsorted(edges, self.values, side="right")
        if self.event is not None:
            group = group + n * self.event
        columns = np.where(known[:, None], group[:, None] == np.unique(group[known])[None, :], np.nan)
        return np.asarray(columns, dtype=np.float64)

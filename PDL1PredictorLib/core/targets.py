"""What is to be learned of an endpoint: yes or no, a number, or the time until something happens."""

from dataclasses import dataclass, replace

import numpy as np

from PDL1PredictorLib.core.endpoints import Kind

N_QUANTILES = {"number": 4, "time": 3}  # of the strata of a split


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
    def labels(self) -> np.ndarray:
        """(n,) 0, 1 or NaN of a yes/no endpoint; NaN throughout for another kind."""
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

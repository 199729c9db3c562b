"""What `pdl1 survival` is asked for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from PDL1PredictorLib.core.errors import InputError

UNITS = {"days": (365.0, 730.0, 1825.0), "weeks": (26.0, 52.0, 104.0), "months": (12.0, 24.0, 60.0)}
UNITS |= {"years": (1.0, 2.0, 5.0)}
LEAST_AT_RISK = 10  # cases followed beyond a horizon, for figures of it


@dataclass(frozen=True)
class SurvivalSettings:
    """The question and its settings.

    Attributes:
        time: Column of follow-up.
        event: Column of events.
        score: Column of the number that is judged, higher: sooner; empty: none.
        covariates: Columns of the Cox models.
        by: Column of groups that are compared, such as the regime; empty: none.
        strata: Column within whose levels groups are compared and models fitted; empty: none.
        features: Columns of the penalized model, or empty.
        unit: Of time.
        horizons: Times of the figures, or empty for those usual in the unit.
        first: So many first rows are fitted to, the rest tested on; 0: no such split.
        folds: Parts held out, one after the other; 0: none.
        smallest_share: Of the cases that either side of a cut must have.
        permutations: Of the search of the cut.
        seed: Of folds and permutations.
        missing: Column to the text that stands for "not known" in it.
    """

    time: str
    event: str
    score: str = ""
    covariates: tuple[str, ...] = ()
    by: str = ""
    strata: str = ""
    features: tuple[str, ...] = ()
    unit: str = "days"
    horizons: tuple[float, ...] = ()
    first: int = 0
    folds: int = 10
    smallest_share: float = 0.1
    permutations: int = 999
    seed: int = 1
    missing: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise InputError(f"--unit must be {', '.join(UNITS)}, got {self.unit}.")
        if any(not t > 0 for t in self.horizons):
            raise InputError(f"--horizons must be above 0, got {list(self.horizons)}.")
        if self.folds != 0 and self.folds < 2:
            raise InputError(f"--folds must be 0 or at least 2, got {self.folds}.")
        if self.first < 0 or self.permutations < 1:
            raise InputError("--first must not be negative, and --permutations at least 1.")
        if not 0 < self.smallest_share < 0.5:
            raise InputError(f"--smallest-share must lie above 0 and below 0.5, got {self.smallest_share}.")

    @property
    def wanted_horizons(self) -> tuple[float, ...]:
        """As asked for, or as usual in the unit."""
        return tuple(sorted(self.horizons)) or UNITS[self.unit]

    def to_dict(self) -> dict[str, Any]:
        """Every setting by name."""
        return asdict(self)

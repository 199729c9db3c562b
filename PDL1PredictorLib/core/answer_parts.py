"""What answers and the figures of their models are made of."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.core.targets import LANDMARK_DAYS, MONTH_DAYS
from PDL1PredictorLib.core.verdicts import NOT_JUDGED, Verdict

Range = tuple[float, float]


class Behind(NamedTuple):
    """One feature of those that an input was made of.

    Attributes:
        name: The feature.
        share: Its term in the input's sum over the sizes of all terms: below 0 it lowers the input, -1 to 1.
    """

    name: str
    share: float


@dataclass(frozen=True)
class Contribution:
    """How far one input moved the answer.

    Attributes:
        name: The input.
        value: Its value for this case, standardized (mean 0, SD 1 in the training cohort).
        effect: Its share of the change from the training cohort's average answer: in log-odds towards positive, or in
            the endpoint's unit.
        behind: Of an input that sums up features, those with the largest terms; none of any other.
    """

    name: str
    value: float
    effect: float
    behind: tuple[Behind, ...] = ()


class Estimate(NamedTuple):
    """A share that was measured, with its 95 % interval."""

    value: float
    low: float
    high: float


class Chance(NamedTuple):
    """How likely a number lies at or above a value.

    Attributes:
        cut: The value, in the endpoint's unit.
        probability: 0 to 1.
    """

    cut: float
    probability: float


class SurvivalAt(NamedTuple):
    """The chance to be free of an event at one time.

    Attributes:
        days: After the image.
        survival: The chance, 0 to 1.
        low: Lower end of its 95 % interval, from models of resampled cohorts.
        high: Upper end.
        moved: Least and greatest chance under contours moved by 1 mm, the given one among them; None if not tried.
    """

    days: float
    survival: float
    low: float
    high: float
    moved: Range | None = None

    @property
    def months(self) -> int:
        """The same time in months."""
        return round(self.days / MONTH_DAYS)


@dataclass(frozen=True)
class TimeAnswer:
    """The answer to a question of how long.

    Attributes:
        endpoint: Key, as in `core.endpoints`.
        at: The chance to be free of the event at some times, rising; at least one.
        log_hazard: Logarithm of the hazard over that of the mean training case.
        contributions: Inputs, the largest effect first; effects are in log hazard, above 0 the event comes sooner.
        verdict: What it comes to.
        model: Title of the model that answers.
        role: What that model is to the others of its study.
    """

    endpoint: str
    at: tuple[SurvivalAt, ...]
    log_hazard: float
    contributions: tuple[Contribution, ...]
    kind: Literal["time"] = "time"
    verdict: Verdict = NOT_JUDGED
    model: str = ""
    role: Role = "lead"

    @property
    def main(self) -> SurvivalAt:
        """The time that is told where there is room for one: a year, or the nearest to it."""
        return min(self.at, key=lambda one: abs(one.days - LANDMARK_DAYS))

    @property
    def value(self) -> float:
        """The chance at that time."""
        return self.main.survival

    @property
    def interval(self) -> Range:
        """Its 95 % interval."""
        return self.main.low, self.main.high

    @property
    def stability(self) -> Range | None:
        """Its range under moved contours."""
        return self.main.moved

    @property
    def uncertainty(self) -> Range | None:
        """None: the interval is of the model already."""
        return None


@dataclass(frozen=True)
class NumberTest:
    """How far the answers for a number lay off on cases that nothing had seen.

    Attributes:
        n: Number of cases.
        mse: Mean squared error, in the square of the endpoint's unit.
        mse_of_mean: The same of a model that always answers with the training cases' mean.
        mae: Mean absolute error, in the endpoint's unit.
        r2: Share of the variance that is explained; below 0 where the mean would have been better.
        r2_low: Lower end of its 95 % interval.
        r2_high: Upper end.
    """

    n: int
    mse: float
    mse_of_mean: float
    mae: float
    r2: float
    r2_low: float
    r2_high: float


@dataclass(frozen=True)
class TimeTest:
    """How well a model's score tells who has the event sooner, on cases that nothing had seen.

    Attributes:
        n: Number of cases.
        events: Of them, that ended in the event.
        c: Harrell's C; 0.5 is chance.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    n: int
    events: int
    c: float
    low: float
    high: float

"""The answer to a question of how long, in words and numbers: the chance to be free of the event at some times."""

import math
from collections.abc import Mapping
from typing import Any

from PDL1PredictorLib.core.answer_parts import SurvivalAt, TimeAnswer
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import ModelSummary
from PDL1PredictorLib.report.entries import contributions, number, range_or_none, role, verdict_of
from PDL1PredictorLib.report.shown import Explained, Heads, Number, Scale, cells, model_words
from PDL1PredictorLib.report.words import Worded, not_answered, percent, percent_range

TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
MOST_TIMES = 16
LONGEST_DAYS = 1e6


class TimeRenderer:
    """See `report.shown.Renderer`."""

    def verdict(self, answer: TimeAnswer) -> Worded:
        """The chances, or why there are none."""
        if not answer.verdict.answered:
            return not_answered(answer.verdict)
        return Worded(
            kind="value",
            short=f"{self.value(answer)} at {_when(answer.main)}",
            headline=f"{endpoint(answer.endpoint).title}: "
            + ", ".join(f"{percent(one.survival)} at {_when(one)}" for one in answer.at),
            detail=f"So many of 100 such cases are free of the event then; {_interval_words(answer)}.",
        )

    def value(self, answer: TimeAnswer) -> str:
        """`62 %`: at a year, or at the time nearest to it."""
        return percent(answer.value)

    def interval(self, answer: TimeAnswer) -> str:
        """`48 to 74 %`."""
        return percent_range(answer.interval)

    def ends(self, answer: TimeAnswer, ends: tuple[float, float]) -> str:
        """Likewise."""
        return percent_range(ends)

    def interval_name(self, answer: TimeAnswer) -> str:
        """`95 % interval at 12 months`."""
        return f"95 % interval at {_when(answer.main)}"

    def facts(self, answer: TimeAnswer) -> tuple[tuple[str, str], ...]:
        """Every time with its interval, how it moves, and the model."""
        found = [(f"Free of it at {_when(one)}", f"{percent(one.survival)} ({_ends(one)})") for one in answer.at]
        if answer.stability is not None:
            found.append((f"Contour moved by 1 mm, {_when(answer.main)}", percent_range(answer.stability)))
        found.append(("Hazard", f"{math.exp(answer.log_hazard):.2g} times that of the mean training case"))
        return tuple(fact for fact in (*found, ("Model", model_words(answer.model, answer.role))) if fact[1])

    def cut(self, answer: TimeAnswer) -> str:
        """None: nothing is called."""
        return ""

    def bar(self, answer: TimeAnswer) -> str:
        """`62 % at 12 months`."""
        return f"{self.value(answer)} at {_when(answer.main)}"

    def brief(self, answer: TimeAnswer) -> str:
        """`62 % at 12 months (48 to 74 %)`; without the number where it is not answered."""
        if not answer.verdict.answered:
            return self.verdict(answer).headline
        return f"{self.bar(answer)} ({self.interval(answer)})"

    def question(self, key: str) -> str:
        """`Overall survival`."""
        return endpoint(key).title

    def sentences(self, answer: TimeAnswer) -> tuple[str, ...]:
        """The chance of what, at every time, with its interval."""
        about = endpoint(answer.endpoint)
        told = ", ".join(f"{percent(one.survival)} ({_ends(one)}) at {_when(one)}" for one in answer.at)
        return (
            f"Chance to be free of the event: {told}; {_interval_words(answer)}.",
            self.verdict(answer).detail,
            f"{about.title} means {about.definition}.",
        )

    def meaning(self, answer: TimeAnswer) -> str:
        """What the chance is of, and when."""
        return f"Chance to be free of the event at {_when(answer.main)}: {endpoint(answer.endpoint).definition}."

    def scale(self, answer: TimeAnswer) -> Scale:
        """From 0 to 100 % at the time nearest to a year."""
        ticks = tuple((place, percent(place)) for place in TICKS)
        return Scale(0.0, 1.0, answer.value, answer.interval, None, "", ticks, answer.stability)

    def explained(self, answer: TimeAnswer) -> Explained:
        """In log hazard."""
        return Explained(
            lowers="later",
            raises="sooner",
            unit="log hazard",
            least=0.25,
            note="Effects are changes in log hazard from the mean training case, and add up to the answer; 0.7 doubles "
            "the hazard.",
        )

    def heads(self, answer: TimeAnswer) -> Heads:
        """With the interval as a band."""
        when = _when(answer.main)
        return Heads(
            value=f"Free of it at {when}",
            interval="95 % interval",
            scale="0 to 100 %",
            test="Test C (95 %)",
            finding=f"Free at {when}",
            short_interval="95 % CI",
            cut="",
            note=f"Chance to be free of the event at {when}; the band is its 95 % interval, from models of resampled "
            "cohorts. It is prognosis under the treatment of the training cases, and says nothing of what another "
            "treatment would do.",
        )

    def test(self, model: ModelSummary, key: str) -> str:
        """`0.68 (0.61 to 0.75)`."""
        test = model.time_tests.get(key)
        return "" if test is None else f"{test.c:.2f} ({test.low:.2f} to {test.high:.2f})"

    def test_sentence(self, model: ModelSummary, key: str) -> str:
        """Harrell's C, number of cases and events."""
        test = model.time_tests.get(key)
        if test is None:
            return ""
        return (
            f"Harrell's C {test.c:.2f} (95 % interval {test.low:.2f} to {test.high:.2f}; 0.5 is chance), {test.n} "
            f"cases, {test.events} of them with the event."
        )

    def fields(self, answer: TimeAnswer) -> dict[str, Any]:
        """Every time, and the hazard."""
        return {
            "at": [
                {
                    "days": one.days,
                    "survival": one.survival,
                    "interval": (one.low, one.high),
                    "stability": one.moved,
                }
                for one in answer.at
            ],
            "log_hazard": answer.log_hazard,
            "unit": endpoint(answer.endpoint).unit,
            "model": answer.model,
            "role": answer.role,
        }

    def numbers(self, answer: TimeAnswer) -> tuple[Number, ...]:
        """The chance to be free of the event at each time, with its interval."""
        found: list[Number] = []
        for one in answer.at:
            name = f"survival_{one.months}m"
            found += [
                Number(name, f"chance at {one.months} months", one.survival, ""),
                Number(f"{name}_low", f"lower end, 95 % interval at {one.months} months", one.low, ""),
                Number(f"{name}_high", f"upper end, 95 % interval at {one.months} months", one.high, ""),
            ]
        return tuple(found)

    def cells(self, answer: TimeAnswer) -> dict[str, Any]:
        """What it comes to, the chance at the time nearest to a year, and that at each time: apart if not answered."""
        given = answer.verdict.answered
        each = {f"survival_{one.months}m": one.survival if given else None for one in answer.at}
        return cells(answer.value, answer, "survival") | each

    def read(self, row: Mapping[str, Any]) -> TimeAnswer:
        """An entry of `result.json`."""
        about = endpoint(row["endpoint"])
        if not about.timed:
            raise ValueError(f"{about.key} is no time")
        rows = row["at"]
        if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_TIMES:
            raise TypeError(f"at is {rows!r}")
        return TimeAnswer(
            endpoint=about.key,
            at=tuple(_read_at(one) for one in rows),
            log_hazard=number(row, "log_hazard"),
            contributions=contributions(row),
            verdict=verdict_of(row),
            model=str(row.get("model", "")),
            role=role(row),
        )


def _read_at(row: Mapping[str, Any]) -> SurvivalAt:
    ends = range_or_none(row, "interval", 0.0, 1.0)
    if ends is None:
        raise TypeError("interval is None")
    days, survival = number(row, "days", 0.0, LONGEST_DAYS), number(row, "survival", 0.0, 1.0)
    return SurvivalAt(days, survival, *ends, range_or_none(row, "stability", 0.0, 1.0))


def _when(one: SurvivalAt) -> str:
    return f"{one.months} months"


def _ends(one: SurvivalAt) -> str:
    return percent_range((one.low, one.high))


def _interval_words(answer: TimeAnswer) -> str:
    return f"{'' if len(answer.at) == 1 else 'each with '}its 95 % interval"

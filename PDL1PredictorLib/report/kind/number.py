"""The answer to a question of how much, in words and numbers."""

import math
from collections.abc import Mapping
from typing import Any

from PDL1PredictorLib.core.answer_parts import Chance
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import ModelSummary, NumberAnswer
from PDL1PredictorLib.report.entries import contributions, interval, number, range_or_none, role, verdict_of
from PDL1PredictorLib.report.shown import Explained, Heads, Number, Scale, cells, model_words
from PDL1PredictorLib.report.words import Worded, feature_title, not_answered, percent

N_TICKS = 5
N_ASKED = 3


class NumberRenderer:
    """See `report.shown.Renderer`."""

    def verdict(self, answer: NumberAnswer) -> Worded:
        """The number with its interval, or why there is none."""
        if not answer.verdict.answered:
            return not_answered(answer.verdict)
        name = self.interval_name(answer)
        return Worded(
            kind="value",
            short=self.value(answer),
            headline=f"{endpoint(answer.endpoint).title} {self.value(answer)} ({name} {self.interval(answer)})",
            detail=f"Of {percent(answer.coverage)} of such cases the true value lies within that interval.",
        )

    def value(self, answer: NumberAnswer) -> str:
        """`35 %`."""
        return _with_unit(_digits(answer.value, answer.endpoint), answer.endpoint)

    def interval(self, answer: NumberAnswer) -> str:
        """`12 to 61 %`."""
        return self.ends(answer, answer.interval)

    def ends(self, answer: NumberAnswer, ends: tuple[float, float]) -> str:
        """Likewise."""
        low, high = (_digits(end, answer.endpoint) for end in ends)
        return f"{low} to {_with_unit(high, answer.endpoint)}"

    def interval_name(self, answer: NumberAnswer) -> str:
        """`90 % prediction interval`."""
        return f"{percent(answer.coverage)} prediction interval"

    def facts(self, answer: NumberAnswer) -> tuple[tuple[str, str], ...]:
        """Intervals and the model."""
        ranges = (
            (self.interval_name(answer), answer.interval),
            ("95 % interval of the expected value", answer.uncertainty),
            ("Contour moved by 1 mm", answer.stability),
        )
        found = (
            *((name, "" if ends is None else self.ends(answer, ends)) for name, ends in ranges),
            *((f"{_with_unit(f'{cut:g}', answer.endpoint)} or more", percent(p)) for cut, p in answer.chances),
            ("Asked most by the network", _asked_most(answer)),
            ("Model", model_words(answer.model, answer.role)),
        )
        return tuple((name, text) for name, text in found if text)

    def cut(self, answer: NumberAnswer) -> str:
        """None: nothing is called."""
        return ""

    def bar(self, answer: NumberAnswer) -> str:
        """`35 %`."""
        return self.value(answer)

    def brief(self, answer: NumberAnswer) -> str:
        """`35 % (12 to 61 %)`; without the number where it is not answered."""
        if not answer.verdict.answered:
            return self.verdict(answer).headline
        return f"{self.value(answer)} ({self.interval(answer)})"

    def question(self, key: str) -> str:
        """`PD-L1 TPS`."""
        return endpoint(key).title

    def sentences(self, answer: NumberAnswer) -> tuple[str, ...]:
        """The number of what, with its interval."""
        about = endpoint(answer.endpoint)
        return (
            f"Expected value {self.value(answer)}, {self.interval_name(answer)} {self.interval(answer)}.",
            self.verdict(answer).detail,
            f"{about.title} means {about.definition}.",
        )

    def meaning(self, answer: NumberAnswer) -> str:
        """What is measured, such as the tumor proportion score."""
        return f"Expected value of the {endpoint(answer.endpoint).definition}."

    def scale(self, answer: NumberAnswer) -> Scale:
        """Between the endpoint's bounds; where it has none, a little beyond the interval."""
        about = endpoint(answer.endpoint)
        low, high = answer.interval
        room = 0.25 * max(high - low, abs(answer.value), 1e-6)
        left = about.low if about.low is not None else min(low, answer.value) - room
        right = about.high if about.high is not None else max(high, answer.value) + room
        places = (left + (right - left) * n / (N_TICKS - 1) for n in range(N_TICKS))
        ticks = tuple((place, _with_unit(f"{place:.4g}", answer.endpoint)) for place in places)
        return Scale(left, right, answer.value, answer.interval, None, "", ticks, answer.stability)

    def explained(self, answer: NumberAnswer) -> Explained:
        """In the endpoint's unit."""
        about = endpoint(answer.endpoint)
        scale = self.scale(answer)
        unit = "percentage points" if about.unit == "%" else about.unit
        return Explained(
            lowers="lower",
            raises="higher",
            unit=unit,
            least=0.02 * (scale.high - scale.low),
            note=f"Effects are changes in {unit} from the training cohort's average answer, and all effects add up "
            "to the answer before it is kept within its bounds.",
        )

    def heads(self, answer: NumberAnswer) -> Heads:
        """With the interval as a band."""
        return Heads(
            value="Value",
            interval=self.interval_name(answer),
            scale="Least to greatest",
            test="Test R² (95 %)",
            finding="Value",
            short_interval=f"{percent(answer.coverage)} PI",
            cut="",
            note=f"The band is the {self.interval_name(answer)}: the true value of such cases lies within it in "
            f"{percent(answer.coverage)} of cases.",
        )

    def test(self, model: ModelSummary, key: str) -> str:
        """`0.31 (0.20 to 0.40)`."""
        test = model.number_tests.get(key)
        return "" if test is None else f"{test.r2:.2f} ({test.r2_low:.2f} to {test.r2_high:.2f})"

    def test_sentence(self, model: ModelSummary, key: str) -> str:
        """Share of the variance, errors beside those of the mean, number of cases."""
        test = model.number_tests.get(key)
        if test is None:
            return ""
        root, of_mean = (_with_unit(f"{math.sqrt(value):.3g}", key) for value in (test.mse, test.mse_of_mean))
        return (
            f"R² {test.r2:.2f} (95 % interval {test.r2_low:.2f} to {test.r2_high:.2f}), mean absolute error "
            f"{_with_unit(f'{test.mae:.3g}', key)}, root mean squared error {root} ({of_mean} if always the mean were "
            f"answered), {test.n} cases."
        )

    def fields(self, answer: NumberAnswer) -> dict[str, Any]:
        """The number, its interval and its unit."""
        return {
            "value": answer.value,
            "unit": endpoint(answer.endpoint).unit,
            "interval": answer.interval,
            "coverage": answer.coverage,
            "uncertainty": answer.uncertainty,
            "stability": answer.stability,
            "model": answer.model,
            "role": answer.role,
            "chances": [one._asdict() for one in answer.chances],
            "attention": dict(answer.attention),
        }

    def numbers(self, answer: NumberAnswer) -> tuple[Number, ...]:
        """The number and its prediction interval."""
        unit, (low, high), share = endpoint(answer.endpoint).unit, answer.interval, percent(answer.coverage)
        return (
            Number("value", "predicted value", answer.value, unit),
            Number("low", f"lower end, {share} prediction interval", low, unit),
            Number("high", f"upper end, {share} prediction interval", high, unit),
        )

    def cells(self, answer: NumberAnswer) -> dict[str, Any]:
        """What it comes to, and the number with its prediction interval: apart where it is not answered."""
        low, high = answer.interval
        ends = {"low": low, "high": high} if answer.verdict.answered else {}
        return cells(answer.value, answer, "value") | ends

    def read(self, row: Mapping[str, Any]) -> NumberAnswer:
        """An entry of `result.json`."""
        about = endpoint(row["endpoint"])
        low = -math.inf if about.low is None else about.low
        high = math.inf if about.high is None else about.high
        return NumberAnswer(
            endpoint=about.key,
            value=number(row, "value", low, high),
            interval=interval(row, low, high),
            coverage=number(row, "coverage", 0.0, 1.0),
            contributions=contributions(row),
            verdict=verdict_of(row),
            uncertainty=range_or_none(row, "uncertainty", low, high),
            stability=range_or_none(row, "stability", low, high),
            model=str(row.get("model", "")),
            role=role(row),
            chances=tuple(
                Chance(number(one, "cut"), number(one, "probability", 0.0, 1.0)) for one in row.get("chances", [])
            ),
            attention=tuple((str(name), number(row["attention"], name)) for name in row.get("attention", {})),
        )


def _asked_most(answer: NumberAnswer) -> str:
    """`Median (first order), tumor 7 %; ...`: where a network looked, not what it made of it."""
    return "; ".join(f"{feature_title(name)} {percent(share)}" for name, share in answer.attention[:N_ASKED])


def _digits(value: float, key: str) -> str:
    """As many digits as can matter on the endpoint's range; three where it has none."""
    about = endpoint(key)
    if about.low is None or about.high is None:
        return f"{value:.3g}"
    span = about.high - about.low
    return f"{value:.{0 if span >= 20 else 1 if span >= 2 else 2}f}"


def _with_unit(number_text: str, key: str) -> str:
    unit = endpoint(key).unit
    return f"{number_text} {unit}" if unit else number_text

"""The answer to a yes/no question, in words and numbers."""

from collections.abc import Mapping
from typing import Any

from PDL1PredictorLib.core.answer_parts import Estimate
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import BinaryAnswer, ModelSummary
from PDL1PredictorLib.report.entries import (
    contributions,
    estimate,
    flag,
    interval,
    number,
    number_or_none,
    range_or_none,
    role,
    texts,
    verdict_of,
)
from PDL1PredictorLib.report.shown import Explained, Heads, Number, Scale, cells, model_words
from PDL1PredictorLib.report.words import Worded, not_answered, percent, percent_range

UNDECIDED, UNLIKE, BORDERLINE = "undecided", "unlike both", "borderline"  # for a table: neither answer ruled out; ...
_CUTS = {"PDL1": ("TPS >= 1 %", "TPS < 1 %"), "PDL1_HIGH": ("TPS >= 50 %", "TPS < 50 %")}


class BinaryRenderer:
    """See `report.shown.Renderer`."""

    def verdict(self, answer: BinaryAnswer) -> Worded:
        """The answer's verdict in the endpoint's words."""
        return _WORDS[answer.verdict.call](answer)

    def value(self, answer: BinaryAnswer) -> str:
        """`62 %`."""
        return percent(answer.probability)

    def interval(self, answer: BinaryAnswer) -> str:
        """`48 to 74 %`."""
        return percent_range(answer.interval)

    def ends(self, answer: BinaryAnswer, ends: tuple[float, float]) -> str:
        """Likewise."""
        return percent_range(ends)

    def interval_name(self, answer: BinaryAnswer) -> str:
        """Of the calibration's uncertainty alone."""
        return "95 % calibration interval"

    def facts(self, answer: BinaryAnswer) -> tuple[tuple[str, str], ...]:
        """Threshold, base rate, sensitivity and specificity, intervals, model."""
        ranges = (
            ("95 % interval of the patient", answer.uncertainty),
            (f"{self.interval_name(answer)}", answer.interval),
            ("Contour moved by 1 mm", answer.stability),
        )
        found = (
            ("Threshold", self.cut(answer)),
            ("Base rate", "" if answer.base_rate is None else percent(answer.base_rate)),
            ("Sensitivity", _share(answer.sensitivity)),
            ("Specificity", _share(answer.specificity)),
            *((name, "" if ends is None else percent_range(ends)) for name, ends in ranges),
            ("Model", model_words(answer.model, answer.role)),
        )
        return tuple((name, text) for name, text in found if text)

    def cut(self, answer: BinaryAnswer) -> str:
        """`48 %`."""
        return percent(answer.threshold)

    def bar(self, answer: BinaryAnswer) -> str:
        """`mutant: 11 %`."""
        return f"{endpoint(answer.endpoint).positive}: {self.value(answer)}"

    def brief(self, answer: BinaryAnswer) -> str:
        """`11 %, called mutant`, or `11 %, undecided`; without the number where it is not answered."""
        said = self.verdict(answer)
        if said.kind == "none":
            return said.headline
        called = said.kind in ("positive", "negative")
        return f"{self.value(answer)}, {f'called {said.short}' if called else said.short}"

    def question(self, key: str) -> str:
        """`EGFR: mutant`."""
        return f"{endpoint(key).title}: {endpoint(key).positive}"

    def sentences(self, answer: BinaryAnswer) -> tuple[str, ...]:
        """Probability of what, from where it is called so; the call; what the word means."""
        about = endpoint(answer.endpoint)
        return (
            f"Probability of “{about.positive}”: {self.value(answer)}, {self.interval_name(answer)} "
            f"{self.interval(answer)}. Called {about.positive} from {self.cut(answer)}.",
            f"At the threshold alone: {_call_word(answer)}."
            if answer.verdict.answered
            else self.verdict(answer).detail,
            f"“{about.positive}” means {about.definition}.",
        )

    def meaning(self, answer: BinaryAnswer) -> str:
        """What is counted as positive, such as a tumor proportion score of 1 % or more."""
        about = endpoint(answer.endpoint)
        return f"Calibrated probability of “{about.positive}”: {about.definition}."

    def scale(self, answer: BinaryAnswer) -> Scale:
        """0 to 100 %, with the threshold."""
        ticks = tuple((share / 100, f"{share} %") for share in (0, 25, 50, 75, 100))
        mark_text = f"positive from {self.cut(answer)}"
        known = answer.uncertainty or answer.interval
        return Scale(0.0, 1.0, answer.probability, known, answer.threshold, mark_text, ticks, answer.stability)

    def explained(self, answer: BinaryAnswer) -> Explained:
        """In log-odds."""
        about = endpoint(answer.endpoint)
        return Explained(
            lowers=about.negative,
            raises=about.positive,
            unit="log-odds",
            least=0.1,
            note="Effects are changes in log-odds, the logarithm of p / (1 - p), from the training cohort's average "
            f"answer: +0.7 doubles the odds of “{about.positive}”, -0.7 halves them, and all effects add up.",
        )

    def heads(self, answer: BinaryAnswer) -> Heads:
        """With the threshold as a line and the interval as a band."""
        return Heads(
            value="Probability",
            interval="95 % calibration interval",
            scale="0 to 100 %",
            test="Test AUC (95 %)",
            finding="Probability of",
            short_interval="95 % calibration",
            cut="Cut-off",
            note="Probability of the positive answer, such as mutant or present; the line marks the threshold, the "
            "band the 95 % interval of the patient, or of the calibration where only that is known, and the thin line "
            "the answers under contours moved by 1 mm. “Undecided”: at "
            f"{percent(answer.coverage)} coverage neither answer can be ruled out, or threshold and coverage disagree. "
            "“Unlike both”: neither answer fits. “Borderline”: an interval reaches across the threshold.",
        )

    def test(self, model: ModelSummary, key: str) -> str:
        """`0.74 (0.63 to 0.83)`."""
        auc = model.auc.get(key)
        return "" if auc is None else f"{auc[0]:.2f} ({auc[1]:.2f} to {auc[2]:.2f})"

    def test_sentence(self, model: ModelSummary, key: str) -> str:
        """AUC with its interval and numbers of cases."""
        auc = model.auc.get(key)
        if auc is None:
            return ""
        value, low, high, positive, negative = auc
        return f"AUC {value:.2f} (95 % interval {low:.2f} to {high:.2f}), {positive} positive and {negative} negative."

    def fields(self, answer: BinaryAnswer) -> dict[str, Any]:
        """Words of both answers, probability, threshold, call, prediction set."""
        about = endpoint(answer.endpoint)
        return {
            "positive_word": about.positive,
            "negative_word": about.negative,
            "probability": answer.probability,
            "interval": answer.interval,
            "threshold": answer.threshold,
            "positive": bool(answer.positive),
            "prediction_set": answer.prediction_set,
            "coverage": answer.coverage,
            "uncertainty": answer.uncertainty,
            "stability": answer.stability,
            "base_rate": answer.base_rate,
            "sensitivity": _plain(answer.sensitivity),
            "specificity": _plain(answer.specificity),
            "model": answer.model,
            "role": answer.role,
        }

    def numbers(self, answer: BinaryAnswer) -> tuple[Number, ...]:
        """Probability, the interval of the patient or else of the calibration, threshold."""
        of = "patient" if answer.uncertainty else "calibration"
        low, high = answer.uncertainty or answer.interval
        return (
            Number("probability", f"probability of {endpoint(answer.endpoint).positive}", answer.probability, ""),
            Number("low", f"lower end, 95 % interval of the {of}", low, ""),
            Number("high", f"upper end, 95 % interval of the {of}", high, ""),
            Number("threshold", "positive from this probability", answer.threshold, ""),
        )

    def cells(self, answer: BinaryAnswer) -> dict[str, Any]:
        """What it comes to, and the probability with its ends: apart from them where it is not answered."""
        return cells(answer.probability, answer, "probability")

    def read(self, row: Mapping[str, Any]) -> BinaryAnswer:
        """An entry of `result.json`."""
        return BinaryAnswer(
            endpoint=endpoint(row["endpoint"]).key,
            probability=number(row, "probability", 0.0, 1.0),
            interval=interval(row, 0.0, 1.0),
            threshold=number(row, "threshold", 0.0, 1.0),
            positive=flag(row, "positive"),
            prediction_set=texts(row, "prediction_set"),
            coverage=number(row, "coverage", 0.0, 1.0),
            contributions=contributions(row),
            verdict=verdict_of(row),
            uncertainty=range_or_none(row, "uncertainty", 0.0, 1.0),
            stability=range_or_none(row, "stability", 0.0, 1.0),
            base_rate=number_or_none(row, "base_rate", 0.0, 1.0),
            sensitivity=estimate(row, "sensitivity"),
            specificity=estimate(row, "specificity"),
            model=str(row.get("model", "")),
            role=role(row),
        )


def _refused(prediction: BinaryAnswer) -> Worded:
    return not_answered(prediction.verdict)


def _decided(prediction: BinaryAnswer) -> Worded:
    called, share = _call_word(prediction), percent(prediction.coverage)
    headline = f"predicted {called}{_cut(prediction)}"
    return Worded(prediction.verdict.call, called, headline, f"The other answer is ruled out at {share} coverage.")


def _borderline(prediction: BinaryAnswer) -> Worded:
    across = next(
        name
        for name, ends in (
            ("the interval of the patient", prediction.uncertainty),
            ("the probability under contours moved by 1 mm", prediction.stability),
            ("the calibration interval", prediction.interval),
        )
        if name.startswith("the calibration") or (ends is not None and ends[0] < prediction.threshold <= ends[1])
    )
    return Worded(
        "borderline", BORDERLINE, f"borderline: {across} reaches across the threshold", _at_threshold(prediction)
    )


def _undecided(prediction: BinaryAnswer) -> Worded:
    """Why neither answer is given, from the prediction set."""
    share, left = percent(prediction.coverage), prediction.prediction_set
    if not left:
        return Worded(
            "undecided",
            UNLIKE,
            "undecided: unlike both groups",
            f"At {share} coverage neither answer fits: the tumor resembles neither group of the calibration cases. "
            f"{_at_threshold(prediction)}",
        )
    if len(left) == 2:
        headline = f"undecided at {share} coverage: neither answer can be ruled out"
        return Worded("undecided", UNDECIDED, headline, _at_threshold(prediction))
    about = endpoint(prediction.endpoint)
    word = about.positive if left == ("positive",) else about.negative
    return Worded(
        "undecided",
        UNDECIDED,
        "undecided: threshold and coverage disagree",
        f"{_at_threshold(prediction)} At {share} coverage only {word} is left.",
    )


_WORDS = {
    "none": _refused,
    "positive": _decided,
    "negative": _decided,
    "borderline": _borderline,
    "undecided": _undecided,
}


def _at_threshold(prediction: BinaryAnswer) -> str:
    threshold = percent(prediction.threshold)
    return f"At the threshold of {threshold} alone it would be called {_call_word(prediction)}."


def _call_word(prediction: BinaryAnswer) -> str:
    """The endpoint's word for the call at the threshold."""
    words = endpoint(prediction.endpoint)
    return words.positive if prediction.positive else words.negative


def _cut(prediction: BinaryAnswer) -> str:
    cut = _CUTS.get(prediction.endpoint)
    if cut is None:
        return ""
    return f" ({cut[0] if prediction.positive else cut[1]})"


def _share(found: Estimate | None) -> str:
    """`78 % (64 to 88 %)`."""
    return "" if found is None else f"{percent(found.value)} ({percent_range((found.low, found.high))})"


def _plain(found: Estimate | None) -> dict[str, float] | None:
    return None if found is None else found._asdict()

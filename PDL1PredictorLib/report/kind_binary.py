"""The answer to a yes/no question, in words and numbers."""

from collections.abc import Mapping
from typing import Any

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import BinaryAnswer, ModelSummary
from PDL1PredictorLib.report.entries import contributions, flag, interval, number, texts
from PDL1PredictorLib.report.shown import Explained, Heads, Scale
from PDL1PredictorLib.report.words import Verdict, percent, percent_range

UNDECIDED, UNLIKE = "undecided", "unlike both"  # for a table: neither answer ruled out; neither fits
_CUTS = {"PDL1": ("TPS >= 1 %", "TPS < 1 %"), "PDL1_HIGH": ("TPS >= 50 %", "TPS < 50 %")}


class BinaryRenderer:
    """See `report.shown.Renderer`."""

    def verdict(self, answer: BinaryAnswer) -> Verdict:
        """The call at the threshold, taken back where the prediction set does not bear it out."""
        return _verdict(answer)

    def value(self, answer: BinaryAnswer) -> str:
        """`62 %`."""
        return percent(answer.probability)

    def interval(self, answer: BinaryAnswer) -> str:
        """`48 to 74 %`."""
        return percent_range(answer.interval)

    def interval_name(self, answer: BinaryAnswer) -> str:
        """Of the calibration's uncertainty."""
        return "95 % interval"

    def cut(self, answer: BinaryAnswer) -> str:
        """`48 %`."""
        return percent(answer.threshold)

    def bar(self, answer: BinaryAnswer) -> str:
        """`mutant: 11 %`."""
        return f"{endpoint(answer.endpoint).positive}: {self.value(answer)}"

    def brief(self, answer: BinaryAnswer) -> str:
        """`11 %, called mutant`, or `11 %, undecided`."""
        short = self.verdict(answer).short
        return f"{self.value(answer)}, {short if short in (UNDECIDED, UNLIKE) else f'called {short}'}"

    def question(self, key: str) -> str:
        """`EGFR: mutant`."""
        return f"{endpoint(key).title}: {endpoint(key).positive}"

    def sentences(self, answer: BinaryAnswer) -> tuple[str, ...]:
        """Probability of what, from where it is called so; the call; what the word means."""
        about = endpoint(answer.endpoint)
        return (
            f"Probability of “{about.positive}”: {self.value(answer)}, 95 % interval {self.interval(answer)}. "
            f"Called {about.positive} from {self.cut(answer)}.",
            f"At the threshold alone: {_call_word(answer)}.",
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
        return Scale(0.0, 1.0, answer.probability, answer.interval, answer.threshold, mark_text, ticks)

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
            interval="95 % interval",
            scale="0 to 100 %",
            test="Test AUC (95 %)",
            finding="Probability of",
            short_interval="95 % CI",
            cut="Cut-off",
            note="Probability of the positive answer, such as mutant or present; the line marks the threshold, the "
            f"band the 95 % interval. “Undecided”: at {percent(answer.coverage)} coverage neither answer can be ruled "
            "out, or threshold and coverage disagree. “Unlike both”: neither answer fits.",
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
        }

    def cells(self, answer: BinaryAnswer) -> dict[str, Any]:
        """Probability, its interval, and what it comes to."""
        low, high = answer.interval
        return {"probability": answer.probability, "low": low, "high": high, "verdict": self.verdict(answer).kind}

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
        )


def _verdict(prediction: BinaryAnswer) -> Verdict:
    """The call at the threshold, taken back where the prediction set does not bear it out."""
    called = _call_word(prediction)
    share = percent(prediction.coverage)
    at_threshold = f"At the threshold of {percent(prediction.threshold)} alone it would be called {called}."
    if len(prediction.prediction_set) == 0:
        return Verdict(
            "unlike",
            UNLIKE,
            "unlike both groups",
            f"At {share} coverage neither answer fits: the tumor resembles neither group of the calibration cases. "
            f"{at_threshold}",
        )
    if set(prediction.prediction_set) == {"negative", "positive"}:
        return Verdict(
            "undecided",
            UNDECIDED,
            f"undecided at {share} coverage: neither answer can be ruled out",
            at_threshold,
        )
    if ("positive" in prediction.prediction_set) != prediction.positive:
        words = endpoint(prediction.endpoint)
        left = words.negative if prediction.positive else words.positive
        return Verdict(
            "undecided",
            UNDECIDED,
            "undecided: threshold and coverage disagree",
            f"{at_threshold} At {share} coverage only {left} is left.",
        )
    return Verdict(
        "positive" if prediction.positive else "negative",
        called,
        f"predicted {called}{_cut(prediction)}",
        f"The other answer is ruled out at {share} coverage.",
    )


def _call_word(prediction: BinaryAnswer) -> str:
    """The endpoint's word for the call at the threshold."""
    words = endpoint(prediction.endpoint)
    return words.positive if prediction.positive else words.negative


def _cut(prediction: BinaryAnswer) -> str:
    cut = _CUTS.get(prediction.endpoint)
    if cut is None:
        return ""
    return f" ({cut[0] if prediction.positive else cut[1]})"

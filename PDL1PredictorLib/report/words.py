"""A result in words: one place, read by the HTML report, the terminal summary and the JSON file."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import BinaryAnswer, CaseResult, LesionResult

Kind = Literal["positive", "negative", "undecided", "unlike"]

PRIMARY = "PDL1"
UNDECIDED, UNLIKE = "undecided", "unlike both"  # for a table: neither answer ruled out; neither fits
_CUTS = {"PDL1": ("TPS >= 1 %", "TPS < 1 %"), "PDL1_HIGH": ("TPS >= 50 %", "TPS < 50 %")}
_FAMILIES = {"firstorder": "first order", "shape": "shape"}


@dataclass(frozen=True)
class Verdict:
    """What the answer comes to.

    Attributes:
        kind: Which of the four it is.
        short: For a table, such as `mutant` or `undecided`.
        headline: For a title, such as `predicted positive (TPS >= 1 %)`.
        detail: One sentence that says how far to trust it.
    """

    kind: Kind
    short: str
    headline: str
    detail: str


def verdict(prediction: BinaryAnswer) -> Verdict:
    """The call at the threshold, taken back where the prediction set does not bear it out."""
    called = call_word(prediction)
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


def call_word(prediction: BinaryAnswer) -> str:
    """The endpoint's word for the call at the threshold."""
    words = endpoint(prediction.endpoint)
    return words.positive if prediction.positive else words.negative


def _cut(prediction: BinaryAnswer) -> str:
    cut = _CUTS.get(prediction.endpoint)
    if cut is None:
        return ""
    return f" ({cut[0] if prediction.positive else cut[1]})"


def lead(lesion: LesionResult) -> BinaryAnswer | None:
    """The answer that stands first: PD-L1 if the model gives it, else the model's first endpoint, None without any."""
    key = lead_key([p.endpoint for p in lesion.endpoints])
    return next((p for p in lesion.endpoints if p.endpoint == key), None)


def lead_key(keys: Sequence[str]) -> str | None:
    """Which of a model's endpoints stands first: PD-L1, else the first; None of none."""
    return PRIMARY if PRIMARY in keys else next(iter(keys), None)


def short_word(kind: str, called: str) -> str:
    """An answer for a table.

    Args:
        kind: As in `Verdict`.
        called: The endpoint's word for the call at the threshold.
    """
    return {"undecided": UNDECIDED, "unlike": UNLIKE}.get(kind, called)


def lesion_title(lesion: LesionResult, result: CaseResult) -> str:
    """`Tumor`, or `Tumor 2 of 3` where the mask holds several."""
    return f"Tumor {lesion.index} of {result.lesions_found}" if result.lesions_found > 1 else "Tumor"


def atypical(lesion: LesionResult) -> str:
    """A sentence for a case that the model cannot know; empty if it is like the training cohort."""
    if not math.isfinite(lesion.atypicality):
        return "How like the training cases this tumor is could not be computed. Do not rely on the answers below."
    if lesion.atypicality > 1:
        return (
            f"This tumor is unlike those that the model learned from: its distance is {lesion.atypicality:.1f} times "
            "the limit within which 99 % of the training cases lie. Do not rely on the answers below."
        )
    return ""


def percent(share: float) -> str:
    """A share as whole percent; what rounding would make certain is given as a bound."""
    if not math.isfinite(share):
        return "n/a"
    if 0 < share < 0.005:
        return "< 1 %"
    if 0.995 <= share < 1:
        return "> 99 %"
    return f"{share * 100:.0f} %"


def p_value(p: float | None) -> str:
    """A p as journals print it: three digits, small ones as a bound; a dash where there is none."""
    if p is None or not math.isfinite(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def percent_range(interval: tuple[float, float]) -> str:
    """`48 to 74 %`."""
    low, high = (percent(share) for share in interval)
    return f"{low.removesuffix(' %')} to {high}"


def feature_title(name: str) -> str:
    """A feature's or input's name for people.

    `deep_3` becomes `deep feature 3`, `radscore_ring` becomes `RadScore, peritumoral ring`, and
    `tumor_wavelet-LLH_glcm_Contrast` becomes `Contrast (GLCM, wavelet LLH), tumor`.
    """
    if match := re.fullmatch(r"deep_(\d+)", name):
        return f"deep feature {match[1]}"
    regions = {"tumor": "tumor", "ring": "peritumoral ring"}
    if (match := re.fullmatch(r"radscore_(\w+)", name)) and match[1] in regions:
        return f"RadScore, {regions[match[1]]}"
    if match := re.fullmatch(r"(tumor|ring)_([^_]+)_([^_]+)_(.+)", name):
        region, filtered, family, feature = match.groups()
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", feature)
        kind = _FAMILIES.get(family, family.upper())
        image = "" if filtered == "original" else f", {filtered.replace('-', ' ', 1)}"
        return f"{words} ({kind}{image}), {regions[region]}"
    return name.replace("_", " ")

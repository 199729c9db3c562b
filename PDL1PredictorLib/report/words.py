"""A result in words: one place, read by the HTML report, the terminal summary and the JSON file."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from PDL1PredictorLib.core.provenance import Outline
from PDL1PredictorLib.core.results import Answer, CaseResult, HeatMap, LesionResult, ModelSummary
from PDL1PredictorLib.core.settings import REGIONS
from PDL1PredictorLib.core.verdicts import Call, Verdict

PRIMARY = "PDL1"
UNUSUAL = 0.05  # p of a view that is worth a word
_INPUTS = {
    "deep_features": "deep features together",
    "selected_features": "radiomic features together",
    "log_volume": "volume of the tumor (logarithm)",
    "l2_score": "radiomic features together (L2 model)",
    "network_logit": "the network's own log-odds",
    "stacked_logit": "log-odds of the model of the image",
    "age_years": "age in years",
}
_FAMILIES = {"firstorder": "first order", "shape": "shape"}


NOT_ANSWERED = "not answered"


@dataclass(frozen=True)
class Worded:
    """A verdict in words: what the answer comes to.

    Attributes:
        kind: The verdict's call, `none` where it is not answered; names the color.
        short: For a table, such as `mutant`, `undecided`, `not answered` or `35 %`.
        headline: For a title, such as `predicted positive (TPS >= 1 %)`.
        detail: One sentence that says how far to trust it.
    """

    kind: Call
    short: str
    headline: str
    detail: str


def not_answered(verdict: Verdict) -> Worded:
    """The words of an answer that is not given: its reasons, short and long."""
    shorts = ", ".join(dict.fromkeys(reason.short for reason in verdict.reasons))
    return Worded("none", NOT_ANSWERED, f"{NOT_ANSWERED}: {shorts}", " ".join(r.text for r in verdict.reasons))


def lead(lesion: LesionResult) -> Answer | None:
    """The answer that stands first: PD-L1 if the model gives it, else the model's first endpoint, None without any."""
    key = lead_key([p.endpoint for p in lesion.endpoints])
    return next((p for p in lesion.endpoints if p.endpoint == key), None)


def lead_key(keys: Sequence[str]) -> str | None:
    """Which of a model's endpoints stands first: PD-L1, else the first; None of none."""
    return PRIMARY if PRIMARY in keys else next(iter(keys), None)


def lesion_title(lesion: LesionResult, result: CaseResult) -> str:
    """`Tumor`, or `Tumor 2 of 3` where the mask holds several."""
    return f"Tumor {lesion.index} of {result.lesions_found}" if result.lesions_found > 1 else "Tumor"


def slice_words(slice_number: tuple[int, int] | None) -> str:
    """`64 of 128`; a dash where it is not known."""
    return "–" if slice_number is None else f"{slice_number[0]} of {slice_number[1]}"


def place_words(center_lps_mm: Sequence[float]) -> str:
    """`R 41, P 12, S 230 mm`: the patient's sides, as 3D Slicer and the pictures of the report name them."""
    sides = zip(center_lps_mm, ("LR", "PA", "SI"), strict=True)
    return ", ".join(f"{side[0] if mm >= 0 else side[1]} {abs(mm):.0f}" for mm, side in sides) + " mm"


def atypical(lesion: LesionResult) -> str:
    """A sentence for a case that the model cannot know; empty if it is like the training cohort, or not known."""
    if not (lesion.unlike.flagged or lesion.atypicality > 1):
        return ""
    p = lesion.unlike.p
    far = [part.text for part in lesion.unlike.parts if part.p is None or part.p <= UNUSUAL]
    what = f": {'; '.join(dict.fromkeys(far))}" if far else ""
    share = "" if p is None else f" At most {100 * p:.1f} % of cases like the training cohort are as far."
    return f"This tumor is unlike those that the model learned from{what}.{share} No answer is given for it."


def synthetic(model: ModelSummary) -> str:
    """The first thing to say of a model that learned from synthetic patients; empty of any other."""
    if model.trained_on != "synthetic":
        return ""
    return (
        "A model of synthetic patients: it learned from computed pictures, says nothing about a patient, and answers "
        "for synthetic patients alone."
    )


def heat_sentence(heat_map: HeatMap) -> str:
    """How much of the heat lies where the tumor is; empty where that was not measured."""
    if heat_map.heat_share is None or heat_map.area_share is None:
        return ""
    shares = (
        f"{percent(heat_map.heat_share)} of the heat lies inside tumor and ring, which fill "
        f"{percent(heat_map.area_share)} of what the network saw"
    )
    return f"{shares}: the network looks outside the tumor." if heat_map.looks_outside else f"{shares}."


def likeness(atypicality: float) -> str:
    """How like the training cases a tumor is, for a table: its distance over the limit, or that it is not known."""
    return f"{atypicality:.2f}" if math.isfinite(atypicality) else "not known for this model"


def ran(result: CaseResult) -> str:
    """What ran the network, and where: `run by onnxruntime on cpu`."""
    made_by = result.provenance
    if made_by.network == "none":
        return "none, this model sees no picture"
    return f"run by {made_by.network} on {made_by.device}"


def outline(found: Outline) -> str:
    """How a contour was drawn by a program, in whole: what, by which version, where, with which doubts."""
    points = " to ".join(f"({', '.join(f'{x:.1f}' for x in point)})" for point in found.points_lps_mm)
    parts = (
        found.text,
        f"PDL1Predictor {found.version}" if found.version else "",
        found.created_utc,
        f"clicked at {points} mm, LPS" if points else "",
        f"doubts: {', '.join(found.warnings)}" if found.warnings else "",
    )
    return "; ".join(part for part in parts if part)


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
    if name in _INPUTS:
        return _INPUTS[name]
    if (match := re.fullmatch(r"radscore_(\w+)", name)) and match[1] in REGIONS:
        return f"RadScore, {REGIONS[match[1]]}"
    if match := re.fullmatch(r"(tumor|ring)_([^_]+)_([^_]+)_(.+)", name):
        region, filtered, family, feature = match.groups()
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", feature)
        kind = _FAMILIES.get(family, family.upper())
        image = "" if filtered == "original" else f", {filtered.replace('-', ' ', 1)}"
        return f"{words} ({kind}{image}), {REGIONS[region]}"
    return name.replace("_", " ")

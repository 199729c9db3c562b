"""Two studies of a tumor held against each other: sizes, doubling time, and answers against their contour noise."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from PDL1PredictorLib.core.answer_parts import Range
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import Answer, CaseResult, CaseWarning
from PDL1PredictorLib.followup.examined import Examined
from PDL1PredictorLib.followup.growth import apart, doubling_time_days, sphere_range_ml
from PDL1PredictorLib.imaging.moved import CONTOUR_MM
from PDL1PredictorLib.report.kinds import renderer

Noise = Literal["within", "beyond", "not_known"]
YEAR_DAYS = 365.25
AGE_SLACK_YEARS = 1.5  # ages are told in whole years
THICKNESS_RATIO = 1.5


@dataclass(frozen=True)
class SizeChange:
    """One measure of a tumor in both studies.

    Attributes:
        earlier: At first.
        later: Then.
        earlier_range: Under contours moved by 1 mm.
        later_range: Likewise.
    """

    earlier: float
    later: float
    earlier_range: Range
    later_range: Range

    @property
    def percent(self) -> float:
        """The change, in percent of the earlier value."""
        return 100 * (self.later - self.earlier) / self.earlier

    @property
    def noise(self) -> Noise:
        """Whether the change is more than a contour drawn otherwise makes of it."""
        return "beyond" if apart(self.earlier_range, self.later_range) else "within"


@dataclass(frozen=True)
class AnswerChange:
    """One endpoint in both studies.

    Attributes:
        endpoint: Key.
        earlier: The answer at first; None where the model did not give it.
        later: Then.
        change: Of the number, in its unit; None where the two are not compared.
        noise: Whether it is more than the contour's noise; `not_known` where they are not compared.
        why_not: Why they are not compared, or the noise is not known; empty else.
    """

    endpoint: str
    earlier: Answer | None
    later: Answer | None
    change: float | None
    noise: Noise
    why_not: str = ""


@dataclass(frozen=True, eq=False)
class Comparison:
    """What has become of a tumor between two studies.

    Attributes:
        earlier: The tumor at first.
        later: The tumor then.
        days: Between them; None where that is not known.
        volume: In mL.
        diameter: Longest axial one, in mm.
        doubling_days: Of the volume; below 0 where it shrinks, infinite where it does not change, None where the days
            are not known or none have gone by.
        answers: Every endpoint of either study, the later one's order first.
        notes: What the reader must know.
    """

    earlier: Examined
    later: Examined
    days: int | None
    volume: SizeChange
    diameter: SizeChange
    doubling_days: float | None
    answers: tuple[AnswerChange, ...]
    notes: tuple[CaseWarning, ...]


def compare(earlier: Examined, later: Examined, days: int | None = None) -> Comparison:
    """Hold two studies of a tumor against each other.

    Args:
        earlier: The tumor at first.
        later: The tumor then.
        days: Between them, where the results do not tell their dates.

    Raises:
        InputError: The results are of two patients or of one CT, stand in the wrong order, or `days` contradicts their
            dates.
    """
    _require_one_patient(earlier, later)
    between = _days(earlier, later, days)
    why_not = _why_answers_cannot(earlier.result, later.result)
    sizes, estimated = _sizes(earlier, later)
    volume, diameter = sizes
    notes = [*_of_the_patient(earlier, later, between), *_of_the_days(earlier, later, between)]
    notes += [CaseWarning("answers_not_compared", why_not)] if why_not else []
    notes += _of_the_measures(earlier.result, later.result, estimated)
    return Comparison(
        earlier=earlier,
        later=later,
        days=between,
        volume=volume,
        diameter=diameter,
        doubling_days=doubling_time_days(volume.earlier, volume.later, between) if between else None,
        answers=_answers(earlier, later, why_not),
        notes=tuple(notes),
    )


def _require_one_patient(earlier: Examined, later: Examined) -> None:
    keys = {one.study.patient for one in (earlier, later)} - {""}
    sexes = {one.result.clinical.sex for one in (earlier, later)} - {None}
    if len(keys) > 1 or len(sexes) > 1:
        how = "the numbers of the patients differ" if len(keys) > 1 else f"one is {' and one '.join(sorted(sexes))}"  # type: ignore[arg-type]
        raise InputError(
            f"{earlier.name} and {later.name} are of two patients: {how}. Choose two studies of one patient."
        )
    if earlier.result.provenance.ct_sha256 == later.result.provenance.ct_sha256:
        raise InputError(
            f"{earlier.name} and {later.name} are results of one and the same CT. Choose an earlier study."
        )


def _days(earlier: Examined, later: Examined, given: int | None) -> int | None:
    """Between the studies; 0 where both are of one day.

    Raises:
        InputError: The order is wrong, or what was given is impossible.
    """
    if given is not None and given < 1:
        raise InputError(f"The days between the studies must be at least 1, got {given}.")
    first, then = earlier.study.day, later.study.day
    if first is None or then is None:
        return given
    told = (then - first).days
    if told < 0:
        raise InputError(
            f"The order is wrong: {earlier.name}, given as the earlier study, is of {first}, and {later.name} of "
            f"{then}. Exchange the two."
        )
    if given is not None and given != told:
        raise InputError(
            f"The studies are of {first} and {then}, {told} days apart, and {given} days were given. Leave them out, "
            "or check the dates."
        )
    return told


def _why_answers_cannot(earlier: CaseResult, later: CaseResult) -> str:
    """Why no answer of the two can be compared; empty if they can."""
    one, other = earlier.model, later.model
    if one.sha256 != other.sha256:
        return (
            f"Two models: {one.title} {one.version} answered at first, {other.title} {other.version} then. Their "
            "answers are not compared, the sizes are. Predict both studies by one model."
        )
    names = ("regions", "features", "prevalence")
    changed = [name for name in names if earlier.provenance.settings.get(name) != later.provenance.settings.get(name)]
    if changed:
        return (
            f"The two predictions were made with other settings ({', '.join(changed)}). Their answers are not "
            "compared, the sizes are. Predict both studies alike."
        )
    return ""


def _sizes(earlier: Examined, later: Examined) -> tuple[tuple[SizeChange, SizeChange], bool]:
    """Volume and diameter; and whether a range of the volume is that of a ball."""
    one, other = earlier.lesion, later.lesion
    ranges = [each.volume_range_ml or sphere_range_ml(each.tumor.volume_ml) for each in (one, other)]
    volume = SizeChange(one.tumor.volume_ml, other.tumor.volume_ml, ranges[0], ranges[1])
    long = [each.tumor.longest_axial_diameter_mm for each in (one, other)]
    both_ends = 2 * CONTOUR_MM
    wide = [(max(mm - both_ends, 0.0), mm + both_ends) for mm in long]
    return (
        volume,
        SizeChange(long[0], long[1], wide[0], wide[1]),
    ), one.volume_range_ml is None or other.volume_range_ml is None


def _answers(earlier: Examined, later: Examined, why_not: str) -> tuple[AnswerChange, ...]:
    before = {answer.endpoint: answer for answer in earlier.lesion.endpoints}
    then = {answer.endpoint: answer for answer in later.lesion.endpoints}
    return tuple(_answer(key, before.get(key), then.get(key), why_not) for key in {**then, **before})


def _answer(key: str, earlier: Answer | None, later: Answer | None, why_not: str) -> AnswerChange:
    if earlier is None or later is None:
        when = "later" if later is None else "earlier"
        return AnswerChange(key, earlier, later, None, "not_known", f"the model of the {when} study does not tell it")
    if why_not:
        return AnswerChange(key, earlier, later, None, "not_known", "two models, or other settings")
    given = (earlier.verdict.answered, later.verdict.answered)
    if not all(given):
        when = "either" if not any(given) else "the later" if given[0] else "the earlier"
        return AnswerChange(key, earlier, later, None, "not_known", f"not answered in {when} study")
    one, other = (renderer(answer).scale(answer) for answer in (earlier, later))
    if one.moved is None or other.moved is None:
        return AnswerChange(key, earlier, later, None, "not_known", "predicted without moved contours")
    return AnswerChange(
        key, earlier, later, other.value - one.value, "beyond" if apart(one.moved, other.moved) else "within"
    )


def _of_the_patient(earlier: Examined, later: Examined, days: int | None) -> list[CaseWarning]:
    notes = []
    if not (earlier.study.patient and later.study.patient):
        text = "The results do not tell whose they are: that both are of one patient rests on whoever chose them."
        notes.append(CaseWarning("patient_not_known", text))
    ages: list[Any] = [one.result.clinical.age_years for one in (earlier, later)]
    if days is not None and None not in ages:
        off = ages[1] - ages[0] - days / YEAR_DAYS
        if abs(off) > AGE_SLACK_YEARS:
            text = (
                f"The ages ({ages[0]:.0f} and {ages[1]:.0f} years) do not go with the {days} days between the studies: "
                "check that both are of one patient."
            )
            notes.append(CaseWarning("ages_disagree", text))
    return notes


def _of_the_days(earlier: Examined, later: Examined, days: int | None) -> list[CaseWarning]:
    if days is None:
        which = [when for when, one in (("earlier", earlier), ("later", later)) if one.study.day is None]
        whose = " and ".join(f"the {when}" for when in which)
        text = (
            f"The date of {whose} study is not known, so there is no doubling time, and nobody has checked the order. "
            "Give the days between the two."
        )
        return [CaseWarning("date_not_known", text)]
    if days == 0:
        return [CaseWarning("same_day", "Both studies are of one day, so there is no doubling time.")]
    return []


def _of_the_measures(earlier: CaseResult, later: CaseResult, estimated: bool) -> list[CaseWarning]:
    """What makes the sizes less sure."""
    notes = []
    if estimated:
        text = (
            "A result does not tell its volume under moved contours; that of a ball of the same volume stands in, "
            "which is the least. Predict again to have it measured."
        )
        notes.append(CaseWarning("range_of_a_ball", text))
    thick: list[Any] = [result.clinical.slice_thickness_mm for result in (earlier, later)]
    if None not in thick and max(thick) > THICKNESS_RATIO * min(thick):
        text = (
            f"The slices are {thick[0]:g} and {thick[1]:g} mm thick: sizes and textures of the two differ for that "
            "alone."
        )
        notes.append(CaseWarning("slices_differ", text))
    return notes


def grows(comparison: Comparison) -> bool | None:
    """Whether the volume has grown (True) or shrunk (False) by more than the contour's noise; None if neither."""
    if comparison.volume.noise == "within" or math.isclose(comparison.volume.earlier, comparison.volume.later):
        return None
    return comparison.volume.later > comparison.volume.earlier

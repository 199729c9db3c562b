"""The report: one HTML file without scripts or outside addresses, made to be read in a minute and filed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import SimpleITK as sitk
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.answer_parts import Contribution
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.outside_text import visible
from PDL1PredictorLib.core.results import Answer, CaseResult, HeatMap, LesionResult, ModelSummary, VoxelMap
from PDL1PredictorLib.report import svg, words
from PDL1PredictorLib.report.colors import ANSWERS, NOTICES
from PDL1PredictorLib.report.heat_files import heat_map_name
from PDL1PredictorLib.report.json_result import FREE_NAME, finite
from PDL1PredictorLib.report.kinds import by_kind, renderer
from PDL1PredictorLib.report.map_files import map_name
from PDL1PredictorLib.report.pictures import Picture, heat_pictures, map_picture, slice_pictures, tilt_degrees
from PDL1PredictorLib.report.reading.first_words import unproven_words
from PDL1PredictorLib.report.remade.kept import KeptPicture, KeptPictures

SHOWN_CONTRIBUTIONS = 8
TUMORS_ABREAST = 4  # columns of the overview
TILT_WORTH_A_WORD = 3.0  # degrees
_TYPOGRAPHY = (
    *((">=", "≥"), ("<=", "≤"), (" %", "\u00a0%"), (" mm", "\u00a0mm"), (" mL", "\u00a0mL")),
    *(("p / (1 - p)", "p\u00a0/\u00a0(1\u00a0−\u00a0p)"), (" -0.", " −0.")),
)


class MapView(NamedTuple):
    """A map of a feature over the tumor, its picture, and its file beside the report."""

    found: VoxelMap
    picture: Picture | KeptPicture
    file: str


@dataclass(frozen=True)
class LesionView:
    """What the template shows of one lesion.

    Attributes:
        lesion: The result.
        title: `Tumor`, or `Tumor 2 of 3`.
        lead: The answer that stands first, None if the model gives none.
        others: The other answers, in the model's order, those of one kind together.
        withheld: Of the other answers, those that are not given.
        notes: Warnings of this lesion in words.
        atypical: Sentence for an unlike case, or empty.
        unproven: For which findings the model has no proven skill, or empty.
        slices: Pictures of the tumor.
        heat: Pictures of the heat map: of its slice, or of three planes of a volume; none if there is no map.
        heat_method: How it was made.
        heat_title: Title of the endpoint that the heat map belongs to.
        heat_file: The map's file beside the report.
        heat_shares: A sentence about how much of the heat lies where the tumor is; empty where that was not measured.
        heat_empty: Whether the map is zero everywhere.
        maps: Maps of features over the tumor, with their pictures and files.
        tilt_degrees: How far the scan's axes are tilted against the patient's, 0 where it is not worth a word.
    """

    lesion: LesionResult
    title: str
    lead: Answer | None
    others: tuple[list[Answer], ...]
    withheld: tuple[Answer, ...]
    notes: tuple[str, ...]
    atypical: str
    unproven: str
    slices: tuple[Picture | KeptPicture, ...]
    heat: tuple[Picture | KeptPicture, ...]
    heat_method: str
    heat_title: str
    heat_file: str
    heat_shares: str
    heat_empty: bool
    maps: tuple[MapView, ...]
    tilt_degrees: float


@dataclass(frozen=True)
class ContributionRow:
    """One line of the chart of contributions: a name for people, the effect, and the input's value if it has one."""

    title: str
    effect: float
    value: float | None


def to_html(result: CaseResult, with_patient: bool, kept: Sequence[KeptPictures] | None = None) -> str:
    """The report as one HTML page.

    Args:
        result: What to show.
        with_patient: Show the case's name and the clinical values.
        kept: Pictures of each tumor that are drawn already; None draws them.

    Raises:
        GridMismatchError: The pictures and the regions do not share one lattice.
    """
    environment = templates("PDL1PredictorLib.report")
    environment.globals |= {
        "renderer": renderer,
        "tests_of": tests_of,
        "svg": svg,
        "words": words,
        "answer_colors": ANSWERS,
        "notice_colors": NOTICES,
        "endpoint": endpoint,
        "contribution_rows": contribution_rows,
        "limit_of": limit_of,
        "number": number,
        "tumors_abreast": TUMORS_ABREAST,
    }
    return environment.get_template("template.html").render(
        result=result,
        case=result.case if with_patient else FREE_NAME,
        clinical=clinical_values(result) if with_patient else {},
        lesions=[
            lesion_view(lesion, result, None if kept is None else kept[place])
            for place, lesion in enumerate(result.lesions)
        ],
        model=result.model,
        provenance=result.provenance,
        settings=flat(result.provenance.settings),
        research=RESEARCH_USE_ONLY,
    )


def templates(*packages: str) -> Environment:
    """The templates of packages: everything that is filled in is escaped, and a name that is not known is an error.

    Args:
        packages: Where they lie, the first that has one counts; such as `PDL1PredictorLib.report`.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, ".") for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["pretty"] = pretty
    return environment


def shown(value: Any) -> Any:
    """What a template puts into the page: text without the characters that a browser would obey; the rest as it is."""
    return type(value)(visible(value)) if isinstance(value, str) else value


def contribution_rows(contributions: Sequence[Contribution]) -> list[ContributionRow]:
    """The largest effects, and the sum of the rest as one row so that nothing is hidden."""
    shown = contributions[:SHOWN_CONTRIBUTIONS]
    rows = [ContributionRow(words.feature_title(c.name), c.effect, c.value) for c in shown]
    rest = contributions[SHOWN_CONTRIBUTIONS:]
    if rest:
        title = "1 other" if len(rest) == 1 else f"{len(rest)} others together"
        rows.append(ContributionRow(title, sum(c.effect for c in rest), None))
    return rows


def limit_of(rows: Sequence[ContributionRow], least: float) -> float:
    """The effect that fills the chart's half: the largest one, or `least`, so that noise does not look like much."""
    return max([least, *(abs(row.effect) for row in rows if math.isfinite(row.effect))])


def tests_of(model: ModelSummary, lesions: Sequence[LesionResult]) -> list[tuple[str, str, str]]:
    """How well each endpoint did on the test cases: title, what it is, the figures; those alone that were measured."""
    answers = lesions[0].endpoints if lesions else ()
    rows = [(endpoint(a.endpoint), renderer(a).test_sentence(model, a.endpoint)) for a in answers]
    return [(about.title, about.definition, figures) for about, figures in rows if figures]


def pretty(text: str) -> str:
    """Typography that a page can show and a terminal may not: real signs, and numbers kept beside their units."""
    for plain, nice in _TYPOGRAPHY:
        text = text.replace(plain, nice)
    return text


def number(value: float | None, digits: int = 1, signed: bool = False) -> str:
    """A number with a real minus sign; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:{'+' if signed else ''}.{digits}f}".replace("-", "−")


def significant(value: float | None, zeros: bool = True) -> str:
    """A number with three digits that count, all of a whole number's; a dash where there is none.

    Args:
        value: The number.
        zeros: Keep zeros at the end, as of a measure; what was observed reads better without.
    """
    if value is None or not math.isfinite(value):
        return "–"
    size = math.floor(math.log10(abs(value))) if value else 0
    text = number(value, max(0, 2 - size))
    return text.rstrip("0").rstrip(".") if "." in text and not (zeros and value) else text


def lesion_view(lesion: LesionResult, result: CaseResult, kept: KeptPictures | None = None) -> LesionView:
    """What a page shows of one lesion; pictures that were kept are taken where there are some.

    Raises:
        GridMismatchError: The pictures and the regions do not share one lattice.
    """
    first = words.lead(lesion)
    heat_map = _shown_heat_map(lesion, first)
    tilt = tilt_degrees(lesion) if kept is None else kept.tilt_degrees
    return LesionView(
        lesion=lesion,
        title=words.lesion_title(lesion, result),
        lead=first,
        others=tuple(by_kind(p for p in lesion.endpoints if p is not first)),
        withheld=tuple(p for p in lesion.endpoints if p is not first and not p.verdict.answered),
        notes=tuple(warning.text for warning in lesion.warnings),
        atypical=words.atypical(lesion),
        unproven=unproven_words(lesion.endpoints),
        slices=slice_pictures(lesion) if kept is None else kept.slices,
        heat=kept.heat if kept is not None else heat_pictures(lesion, heat_map) if heat_map else (),
        heat_method=kept.heat_method if kept is not None else heat_map.method if heat_map else "",
        heat_title=endpoint(heat_map.endpoint).title if heat_map else "",
        heat_file=heat_map_name(lesion, heat_map.endpoint) if heat_map else "",
        heat_shares=words.heat_sentence(heat_map) if heat_map else "",
        heat_empty=kept.heat_empty if kept is not None else heat_map is not None and not _has_heat(heat_map),
        maps=_maps(lesion, kept),
        tilt_degrees=tilt if tilt >= TILT_WORTH_A_WORD else 0.0,
    )


def _shown_heat_map(lesion: LesionResult, first: Answer | None) -> HeatMap | None:
    wanted = first.endpoint if first else ""
    return next((m for m in lesion.heat_maps if m.endpoint == wanted), next(iter(lesion.heat_maps), None))


def _maps(lesion: LesionResult, kept: KeptPictures | None) -> tuple[MapView, ...]:
    """None where the pictures of a page are to be taken, and are not those of these maps."""
    pictures: Sequence[Picture | KeptPicture] = (
        kept.maps if kept is not None else [map_picture(lesion, one) for one in lesion.voxel_maps]
    )
    if len(pictures) != len(lesion.voxel_maps):
        return ()
    return tuple(
        MapView(one, picture, map_name(lesion, one)) for one, picture in zip(lesion.voxel_maps, pictures, strict=True)
    )


def _has_heat(heat_map: HeatMap) -> bool:
    return bool((sitk.GetArrayViewFromImage(heat_map.image) > 0).any())


def clinical_values(result: CaseResult) -> dict[str, str]:
    """What is known of the patient and the scan, with names for people."""
    names = {"age_years": "age", "family_history": "cancer in the family", "slice_thickness_mm": "slice thickness"}
    names |= {"tube_current_ma": "tube current"}
    units = {"age_years": " years", "slice_thickness_mm": " mm", "tube_current_ma": " mA"}
    yes_no = {True: "yes", False: "no"}
    values = result.clinical.to_dict()
    values |= values.pop("other", {})
    shown = {
        names.get(key, key): yes_no[value] if isinstance(value, bool) else f"{value}{units.get(key, '')}"
        for key, value in values.items()
        if value is not None
    }
    day = result.study.day
    return shown if day is None else {**shown, "CT of": day.isoformat()}


def flat(settings: object, prefix: str = "") -> dict[str, str]:
    """Nested settings as `outer.inner: value` lines."""
    plain = finite(settings)
    if not isinstance(plain, dict):
        return {prefix: "" if plain is None else str(plain)}
    lines: dict[str, str] = {}
    for key, value in plain.items():
        lines |= flat(value, f"{prefix}.{key}" if prefix else key)
    return lines

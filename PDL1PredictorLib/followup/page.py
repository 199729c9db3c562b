"""A comparison as one HTML page in the looks of the report: to be read in a minute, printed and filed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from PDL1PredictorLib import RESEARCH_USE_ONLY, __version__
from PDL1PredictorLib.followup.comparison import Comparison
from PDL1PredictorLib.followup.wording import BEYOND, days_words, growth_words, lines, notes
from PDL1PredictorLib.report.colors import ANSWERS, NOTICES
from PDL1PredictorLib.report.words import synthetic

if TYPE_CHECKING:  # their pages load jinja2, which 3D Slicer does not bring
    from PDL1PredictorLib.report.remade.kept import KeptPicture, KeptPictures

Pictures: TypeAlias = "tuple[KeptPicture | None, KeptPicture | None]"
NO_PICTURES: Pictures = (None, None)


def to_html(comparisons: Sequence[Comparison], pictures: Sequence[Pictures] = ()) -> str:
    """The page.

    Args:
        comparisons: One a tumor, all of the same two studies.
        pictures: Of each tumor, at first and then; none leaves them out.
    """
    from PDL1PredictorLib.report import svg
    from PDL1PredictorLib.report.html import templates

    environment = templates("PDL1PredictorLib.followup", "PDL1PredictorLib.report")
    environment.globals |= {
        "svg": svg,
        "answer_colors": ANSWERS,
        "notice_colors": NOTICES,
        "days_words": days_words,
        "growth_words": growth_words,
        "lines": lines,
        "notes": notes,
        "beyond": BEYOND,
    }
    first = comparisons[0]
    models = {model.sha256: model for model in (first.earlier.result.model, first.later.result.model)}
    return environment.get_template("comparison.html").render(
        comparisons=comparisons,
        pictures=list(pictures) or [NO_PICTURES] * len(comparisons),
        first=first,
        models=list(models.values()),
        made_of=next((words for model in models.values() if (words := synthetic(model))), ""),
        version=__version__,
        research=RESEARCH_USE_ONLY,
    )


def axial(kept: "Sequence[KeptPictures]", place: int) -> "KeptPicture | None":
    """The axial picture of a tumor among those of a report; None where the report has none."""
    return kept[place].slices[0] if place < len(kept) and kept[place].slices else None

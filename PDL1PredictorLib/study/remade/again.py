"""A report made again from its folder, without training, cases or models: of a study, an evaluation, of survival."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import TemplateError

from PDL1PredictorLib.core.errors import InputError, PDL1Error
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.strict_json import strict_json
from PDL1PredictorLib.study.evaluation.document import SCHEMA_VERSION as EVALUATION_VERSION
from PDL1PredictorLib.study.remade.pictures import kept_gallery, kept_pictures, kept_planes
from PDL1PredictorLib.study.report import dots
from PDL1PredictorLib.study.report.document import SCHEMA_VERSION as STUDY_VERSION
from PDL1PredictorLib.study.report.page import Beside, to_html
from PDL1PredictorLib.study.survival import page as survival_page
from PDL1PredictorLib.study.survival.conduct import SCHEMA_VERSION as SURVIVAL_VERSION

REPORT = "report.html"
MAX_BYTES = 512 * 2**20
NO_PICTURES = "The heat maps and example cases are not in it: they are taken from the report.html of the folder."
NO_DOTS = (
    f"The dots of the contributions are not in it: the folder has no {dots.FILE}, which newer studies keep. Only a new "
    "training brings them."
)
Document = Mapping[str, Any]


class Remade(NamedTuple):
    """A page that was made again.

    Attributes:
        page: HTML.
        lacking: What could not be made anew, a sentence each.
    """

    page: str
    lacking: tuple[str, ...] = ()


class Form(NamedTuple):
    """A folder whose report can be made again.

    Attributes:
        version: Of its JSON file.
        report: Name of its page.
        make: From the document and the folder.
        remedy: The command that makes the folder itself.
    """

    version: str
    report: str
    make: Callable[[Document, Path, Progress], Remade]
    remedy: str


def form_of(folder: Path) -> str:
    """The JSON file by which a folder is known, one of `FORMS`; empty where it is none of them."""
    return next((name for name in FORMS if (folder / name).is_file()), "")


def again(folder: Path, progress: Progress = SILENT) -> Remade:
    """The page of a folder that `pdl1 train`, `pdl1 evaluate` or `pdl1 survival` made.

    Every number and figure is made anew from the JSON file; pictures of tumors are taken from the page that lies there.

    Args:
        folder: One that `form_of` knows.
        progress: Told endpoint by endpoint.

    Raises:
        InputError: A file is damaged, of another version, or cannot be read.
    """
    name = form_of(folder)
    form, path = FORMS[name], folder / name
    document = _document(path, form)
    try:
        return form.make(document, folder, progress)
    except PDL1Error:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, TemplateError) as error:
        raise InputError(f"{path} is damaged: {type(error).__name__}, {error}. {form.remedy}") from error


def _document(path: Path, form: Form) -> Document:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than any report. {form.remedy}")
        content = strict_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is damaged: {error}. {form.remedy}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} is damaged: it holds no object. {form.remedy}")
    if content.get("schema_version") != form.version:
        raise InputError(
            f"{path} is of version {content.get('schema_version')!r}; reports are made again of version "
            f"{form.version}. {form.remedy}"
        )
    return content


def _study(document: Document, folder: Path, progress: Progress) -> Remade:
    kept = kept_pictures(_earlier(folder / REPORT))
    gallery, overlays = kept_gallery(document["gallery"], kept), kept_planes(document["overlays"], kept)
    found = dots.read_dots(folder)
    asked = {key: names for key, one in document["endpoints"].items() if (names := one["contributions"])}
    if torn := [key for key, one in found.items() if one.effects.shape[1] != len(dots.strongest(asked.get(key, {})))]:
        raise InputError(f"{folder / dots.FILE} is not of this study: {', '.join(torn)}. Remove it, and the dots go.")
    shown = sum(map(len, (*gallery.values(), *overlays.values())))
    lacking = (
        *([NO_PICTURES] if shown < len(document["gallery"]) + len(document["overlays"]) else []),
        *([NO_DOTS] if set(asked) - set(found) else []),
    )
    return Remade(to_html(document, Beside(found, gallery, overlays), progress=progress), lacking)


def _evaluation(document: Document, folder: Path, progress: Progress) -> Remade:
    return Remade(to_html(document, Beside({}, {}, {}), "evaluation.html", progress))


def _survival(document: Document, folder: Path, progress: Progress) -> Remade:
    return Remade(survival_page.to_html(document))


def _earlier(report: Path) -> str:
    try:
        return report.read_text(encoding="utf-8") if report.stat().st_size <= MAX_BYTES else ""
    except (OSError, UnicodeDecodeError):
        return ""


FORMS: Mapping[str, Form] = {
    "study.json": Form(STUDY_VERSION, REPORT, _study, "Train again: pdl1 train."),
    "evaluation.json": Form(EVALUATION_VERSION, REPORT, _evaluation, "Evaluate again: pdl1 evaluate."),
    "survival.json": Form(SURVIVAL_VERSION, "survival.html", _survival, "Compute again: pdl1 survival."),
}
"""By the JSON file that a folder holds."""

"""The models that can be chosen, and their cards as pages."""

import html
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from PDL1PredictorGUI.setup.library import make_importable


@dataclass(frozen=True)
class ModelEntry:
    """One model that was found.

    Attributes:
        name: From its manifest; the file's name where that cannot be read.
        title: For people.
        path: Folder or .zip.
        problem: Why it cannot be used; empty when it can.
        key: What a request names it by: the name for a bundled model, so that a saved scene opens on another
            computer; the path for any other.
        synthetic: It was trained on synthetic patients only.
        clinical: Clinical values that it asks for (`core.clinical_columns.ClinicalColumn`).
        declared: Those of them that its cohort declares.
        pet: Whether it looks at a PET: `no`, `optional` or `required`.
    """

    name: str
    title: str
    path: Path
    problem: str
    key: str
    synthetic: bool = False
    clinical: tuple[Any, ...] = ()
    declared: tuple[Any, ...] = ()
    pet: str = "no"


def available_models(user_folder: Path | None = None) -> list[ModelEntry]:
    """The bundled models, then those of the user's folder; each is checked whole, damaged ones say why."""
    make_importable()
    from PDL1PredictorLib.resources import model_folders

    found: dict[Path, tuple[Path, bool]] = {}
    folders = [*((folder, True) for folder in model_folders()), *([(user_folder, False)] if user_folder else [])]
    for folder, by_name in folders:
        for path in _bundles_of(folder):
            found.setdefault(path.resolve(), (path, by_name))
    return [_entry(path, by_name) for path, by_name in found.values()]


def _bundles_of(folder: Path) -> list[Path]:
    """Bundles of one folder; none of one that cannot be read, such as the beginning of a path that is being typed."""
    from PDL1PredictorLib.models.bundle import find_bundles

    try:
        return find_bundles([folder])
    except OSError as error:
        logging.warning("No model is taken from %s: %s", folder, error)
        return []


def chosen_model(model: str) -> ModelEntry:
    """A model that a scene or the user names, whether it can be used or not.

    Args:
        model: Name of a bundled model, or path of a bundle; it becomes the entry's key.
    """
    make_importable()
    from PDL1PredictorLib.core.errors import PDL1Error
    from PDL1PredictorLib.resources import find_model

    try:
        return replace(_entry(find_model(model), by_name=False), key=model)
    except PDL1Error as error:
        path = Path(model)
        return _unusable(path, str(error), model)


def _unusable(path: Path, problem: str, key: str) -> ModelEntry:
    return ModelEntry(path.name, _("{name} (cannot be used)").format(name=path.name), path, problem, key)


def _entry(path: Path, by_name: bool) -> ModelEntry:
    from PDL1PredictorLib.core.errors import PDL1Error
    from PDL1PredictorLib.models.bundle import read_bundle
    from PDL1PredictorLib.models.manifest import read_manifest

    key = path.name.removesuffix(".zip") if by_name else str(path)
    try:
        manifest = read_manifest(read_bundle(path))
        model, needs = manifest.summary, manifest.needs
    except PDL1Error as error:
        return _unusable(path, str(error), key)
    except Exception as error:  # one bundle that nobody thought of must not keep the window from opening
        logging.exception("The model %s cannot be read", path)
        problem = _("{name} cannot be read, by an error that nobody expected: {error}. Get the model again.")
        return _unusable(path, problem.format(name=path.name, error=error or type(error).__name__), key)
    title = _("{title}, version {version}").format(title=model.title, version=model.version)
    if not by_name:
        title += f" ({path.name})"  # two folders may hold the same model
    synthetic = model.trained_on == "synthetic"
    if synthetic:  # first: a narrow list cuts the end off
        title = _("Synthetic patients only: {title}").format(title=title)
    return ModelEntry(model.name, title, path, "", key, synthetic, needs.columns, needs.declared, needs.pet)


def default_model(synthetic: bool) -> str:
    """The model of a case for which none was chosen; empty for a real CT, for which one has to be chosen.

    Args:
        synthetic: Whether the case is a synthetic patient.
    """
    make_importable()
    from PDL1PredictorLib import resources

    return resources.default_model(synthetic) if synthetic else ""


def card_html(path: Path) -> str:
    """The card of a model as a page.

    Raises:
        BundleError: The bundle is damaged, or has no card.
    """
    make_importable()
    from PDL1PredictorLib.core.outside_text import card_text
    from PDL1PredictorLib.models.bundle import read_bundle

    return markdown_html(card_text(read_bundle(path).file("MODEL_CARD.md")))


def markdown_html(text: str) -> str:
    """The Markdown of a card as HTML: headings, paragraphs, lists, tables, emphasis, code, links.

    Nothing of the text gets through as HTML of its own, and nothing is loaded from elsewhere.
    """
    return "\n".join(_block_html(block) for block in _blocks(text))


def _blocks(text: str) -> Iterator[list[str]]:
    """Lines that belong together: up to an empty line, a heading, or the start or end of a list."""
    block: list[str] = []
    for line in text.splitlines():
        ends = not line.strip() or line.startswith("#")
        if block and (ends or (_is_item(line) and not _is_item(block[0]))):
            yield block
            block = []
        if line.startswith("#"):
            yield [line]
        elif line.strip():
            block.append(line)
    if block:
        yield block


def _is_item(line: str) -> bool:
    return re.match(r"\s*([-*+]|\d+[.)])\s", line) is not None


def _block_html(lines: list[str]) -> str:
    heading = re.match(r"(#{1,6})\s*(.*)", lines[0])
    if heading:
        level = len(heading[1])
        return f"<h{level}>{_inline_html(heading[2])}</h{level}>"
    if _is_item(lines[0]):
        return _list_html(lines)
    if len(lines) > 1 and lines[0].lstrip().startswith("|") and re.fullmatch(r"[\s|:-]+", lines[1]):
        return _table_html(lines)
    return f"<p>{_inline_html(' '.join(line.strip() for line in lines))}</p>"


def _list_html(lines: list[str]) -> str:
    items: list[str] = []
    for line in lines:
        if _is_item(line):
            items.append(re.sub(r"^\s*([-*+]|\d+[.)])\s+", "", line))
        else:
            items[-1] += " " + line.strip()  # the item goes on
    kind = "ol" if lines[0].strip()[0].isdigit() else "ul"
    return f"<{kind}>{''.join(f'<li>{_inline_html(item)}</li>' for item in items)}</{kind}>"


def _table_html(lines: list[str]) -> str:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    head = "".join(f"<th align='left'>{_inline_html(cell)}</th>" for cell in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{_inline_html(cell)}</td>" for cell in row) + "</tr>" for row in rows[2:])
    return f"<table border='1' cellspacing='0' cellpadding='4'><tr>{head}</tr>{body}</table>"


def _inline_html(text: str) -> str:
    """Code first: nothing inside it is changed."""
    parts = re.split(r"`([^`]+)`", text)
    return "".join(
        f"<code>{html.escape(part)}</code>" if position % 2 else _emphasis_html(part)
        for position, part in enumerate(parts)
    )


def _emphasis_html(text: str) -> str:
    escaped = html.escape(text)
    escaped = re.sub(r"\[([^\]]+)\]\((https?://[^\s)&]+)\)", r'<a href="\2">\1</a>', escaped)
    escaped = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escaped)
    return re.sub(r"(?<![\w*])\*(?=\S)([^*]+)(?<=\S)\*(?![\w*])", r"<i>\1</i>", escaped)

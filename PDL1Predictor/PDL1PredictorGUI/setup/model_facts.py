"""What must be known of a model before it is used, as a page: whom it is for, how good it is, what it needs."""

import html
from collections.abc import Sequence
from typing import Any

from slicer.i18n import tr as _

from PDL1PredictorGUI.setup.library import make_importable
from PDL1PredictorGUI.setup.models import ModelEntry


def facts_html(entry: ModelEntry) -> str:
    """The facts of a model as HTML; of one that cannot be used, why."""
    if entry.problem:
        return f"<p><b>{_line(_('This model cannot be used.'))}</b></p><p>{_line(entry.problem)}</p>"
    make_importable()
    from PDL1PredictorLib.core.errors import PDL1Error
    from PDL1PredictorLib.models.bundle import read_bundle
    from PDL1PredictorLib.models.install import bytes_of
    from PDL1PredictorLib.models.manifest import read_manifest

    try:
        manifest = read_manifest(read_bundle(entry.path))
        size = bytes_of(entry.path) / 1e6
    except (PDL1Error, OSError) as error:  # it was changed since the list was made
        return f"<p>{_line(str(error))}</p>"
    model = manifest.summary
    first = ""
    if entry.synthetic:
        first = _("Trained on synthetic patients only: what it says of a real CT is not shown as an answer.")
    rows = [
        (_("Trained on"), model.cohort),
        (_("Needs"), needs_text(manifest.needs)),
        (
            _("Version"),
            _("{version}, {size} MB, SHA-256 {hash} …").format(
                version=model.version, size=f"{size:.1f}", hash=model.sha256[:16]
            ),
        ),
        (_("License"), model.licence),
        (_("Where"), str(entry.path)),
    ]
    table = "".join(f"<tr><td><b>{_line(name)}</b>&nbsp;</td><td>{_line(text)}</td></tr>" for name, text in rows)
    warning = f"<p><b>{_line(first)}</b></p>" if first else ""
    purpose = f"<p><b>{_line(_('For'))}</b> {_line(model.intended_use)}</p>"
    return f"{warning}{purpose}{_endpoints_html(manifest)}<table cellpadding='2'>{table}</table>"


def needs_text(needs: Any) -> str:
    """What must be given of a patient beside CT and contour."""
    found = [_("a CT and the tumor's contour")]
    if needs.pet == "required":
        found.append(_("a PET of the same patient"))
    elif needs.pet == "optional":
        found.append(_("a PET, where there is one"))
    if needs.clinical:
        names = ", ".join(needs.clinical)
        found.append(_("clinical values, estimated where not known: {names}").format(names=names))
    return "; ".join(found)


def _endpoints_html(manifest: Any) -> str:
    from PDL1PredictorLib.core.endpoints import endpoint
    from PDL1PredictorLib.models.verdicts import doubts_of_skill
    from PDL1PredictorLib.report.kinds import test_sentence

    rows = []
    for one in manifest.endpoints:
        said = test_sentence(manifest.summary, one.key) or _("not measured")
        doubts = list(doubts_of_skill(one))
        verdict = _("makes no call: no proven skill") if doubts else _("may make a call")
        rows.append((endpoint(one.key).title, said, verdict))
    return _table((_("Finding"), _("On test cases"), _("So it")), rows)


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th align='left'>{_line(title)}</th>" for title in titles)
    body = "".join("<tr>" + "".join(f"<td>{_line(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table border='1' cellspacing='0' cellpadding='3'><tr>{head}</tr>{body}</table>"


def _line(text: str) -> str:
    """Nothing of a bundle's words gets through as HTML."""
    return html.escape(" ".join(text.split()))

"""What a bundle says of itself, whatever its recipe, and its model card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.endpoints import Kind, endpoint
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.roles import lead_of, with_role
from PDL1PredictorLib.core.strict_json import brief, strict_json
from PDL1PredictorLib.learning.classifiers import HOLDS_ROWS
from PDL1PredictorLib.learning.export import About
from PDL1PredictorLib.learning.imputation import LEAST_PATIENTS
from PDL1PredictorLib.models.manifest import MAX_LETTERS
from PDL1PredictorLib.study.outcome import EndpointOutcome, StudyOutcome
from PDL1PredictorLib.study.report.kinds import kind_report


@dataclass(frozen=True)
class Words:
    """What only the people who train a model can say of it; a JSON file with these names.

    Attributes:
        title: One line; the lead model's title where it is empty.
        cohort: Who the patients are and where they come from.
        intended_use: What the model is for, and what it is not for.
        limitations: Sentences.
        attribution: Sources that must be named, with their licences.
        licence: Of the weights.
        version: Of the bundle.
    """

    title: str = ""
    cohort: str = "A cohort of the user's own."
    intended_use: str = "Research on the cohort that it was trained on. It must not guide care."
    limitations: tuple[str, ...] = ("It has not been tested on patients of another hospital.",)
    attribution: tuple[str, ...] = ()
    licence: str = "Apache-2.0"
    version: str = "1.0.0"


MAX_SENTENCES, MAX_SENTENCE = 50, 4000  # what a bundle may hold, less what is added to it
MOST_LETTERS = {name: most for name, most in MAX_LETTERS.items() if most < MAX_SENTENCE}


def read_words(file: Path) -> Words:
    """Read a JSON file with the names of `Words`.

    Raises:
        InputError: It is not such a file.
    """
    try:
        values = strict_json(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"{file} is not JSON: {error}.") from error
    known = {field.name: field for field in fields(Words)}
    if not isinstance(values, dict) or not set(values) <= set(known):
        raise InputError(f"{file} must hold an object with some of the names {', '.join(known)}, and no others.")
    lists = ("limitations", "attribution")
    for name, value in values.items():
        sentences = value if name in lists and isinstance(value, list) else [value]
        if (name in lists and not isinstance(value, list)) or not all(isinstance(one, str) for one in sentences):
            wanted = "a list of sentences" if name in lists else "text"
            raise InputError(f"{file}: {name} must be {wanted}, got {brief(value)}.")
        most = MOST_LETTERS.get(name, MAX_SENTENCE)
        if len(sentences) > MAX_SENTENCES or any(len(one) > most for one in sentences):
            raise InputError(f"{file}: {name} may have {most} letters each, {MAX_SENTENCES} sentences at most.")
    checked: dict[str, Any] = {name: tuple(value) if name in lists else value for name, value in values.items()}
    return Words(**checked)


def about_study(
    words: Words,
    outcome: StudyOutcome,
    counts: str,
    bayes_auc: Mapping[str, float] | None = None,
    synthetic: bool = False,
) -> About:
    """What the bundle says.

    Args:
        words: Of the people who train.
        outcome: Of the study; its figures go into the card.
        counts: How many cases did what, a sentence.
        bayes_auc: See `About`.
        synthetic: See `About`.
    """
    return About(
        title=words.title or lead_of(outcome.roles),
        intended_use=words.intended_use,
        cohort=f"{words.cohort} {counts}",
        limitations=(*words.limitations, *_always(outcome)),
        card=partial(study_card, words=words, outcome=outcome),
        licence=words.licence,
        bayes_auc=bayes_auc or {},
        version=words.version,
        synthetic=synthetic,
    )


def _always(outcome: StudyOutcome) -> tuple[str, ...]:
    sentences = [kind_report(kind).words.limitation for kind in _kinds(outcome)]
    if outcome.design != Design.SPLIT:
        sentences.append(
            "The figures are those of nested cross-validation; the model in the bundle was trained on all cases in the "
            "same way and has no test cases of its own."
        )
    return tuple(sentences)


def study_card(manifest: dict[str, Any], words: Words, outcome: StudyOutcome) -> str:
    """Markdown of the card: what the model is, what it was trained on, how it did, what it cannot do."""
    how = (
        "On cases that nothing had seen."
        if outcome.design == Design.SPLIT
        else f"By {outcome.design.words}: every case was answered by a model that had not seen it."
    )
    parts = [
        f"# {manifest['title']} (`{manifest['name']}`)",
        f"**{RESEARCH_USE_ONLY}**",
        words.intended_use,
        "## Trained on",
        manifest["cohort"],
        "\n".join(f"- {source}" for source in words.attribution),
        "## How",
        outcome.method,
        "## Figures",
        f"{how}{_beaten(outcome)}",
        *(_figures(outcome, kind) for kind in _kinds(outcome)),
        _chosen(manifest),
        _left_out(outcome.left_out),
        f"Made by `{outcome.command}` with version {manifest['library_version']}.",
        "## Limitations",
        "\n".join(f"- {sentence}" for sentence in manifest["limitations"]),
        "## Licence",
        f"{manifest['licence']}. The bundle holds weights and numbers only: no voxel and "
        f"{_rows(manifest)}; nothing in it is executed.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _rows(manifest: Mapping[str, Any]) -> str:
    """Whose values the bundle holds as they are, and what stands in for them where it was to hold none."""
    rows = {found["model"]["kind"] for found in manifest["endpoints"].values()} & set(HOLDS_ROWS)
    imputer = manifest["imputer"] or {"donors": ""}
    held = ["the standardized inputs that its classifiers keep"] if rows else []
    held += ["the clinical values of the training cases, from which missing ones are estimated"] * (
        imputer["donors"] == "rows"
    )
    centroids = (
        f" (missing clinical values are estimated from {imputer['n']} means of at least {LEAST_PATIENTS} patients each)"
        if imputer["donors"] == "centroids"
        else ""
    )
    but = f"but for {' and '.join(held)} " if held else ""
    return f"{but}no patient's row{centroids}"


def _kinds(outcome: StudyOutcome) -> tuple[Kind, ...]:
    return tuple(dict.fromkeys(found.kind for found in outcome.endpoints.values()))


def _beaten(outcome: StudyOutcome) -> str:
    baselines = with_role(outcome.roles, "baseline")
    return f" What any model has to beat: {', '.join(baselines)}." if baselines else ""


def _figures(outcome: StudyOutcome, kind: Kind) -> str:
    """How to read the figures of one kind, and their table: endpoints down, models across."""
    words = kind_report(kind).words
    endpoints = {key: found for key, found in outcome.endpoints.items() if found.kind == kind}
    titles = [title for title in outcome.roles if any(title in found.models for found in endpoints.values())]
    lines = [
        f"| endpoint | {' | '.join((*words.card_columns, *titles))} |",
        f"|---|---|---|{'---|' * len(titles)}",
        *(_row(found, titles) for found in endpoints.values()),
    ]
    return f"{words.card_measure}\n\n" + "\n".join(lines)


def _row(found: EndpointOutcome, titles: Sequence[str]) -> str:
    report = kind_report(found.kind)
    figures = [report.card_figure(found, title) if title in found.models else "not measured" for title in titles]
    return f"| {found.key} | {' | '.join((*report.card_cells(found), *figures))} |"


def _chosen(manifest: Mapping[str, Any]) -> str:
    """Which model answers for each endpoint, where there was a choice."""
    asked = [
        f"{key}: the model in the bundle is {found['title']}, because it was asked for. {found['simpler']} is simpler "
        "and was as good on held-out cases."
        for key, found in manifest["endpoints"].items()
        if found.get("simpler")
    ]
    entries = {
        key: found
        for key, found in manifest["endpoints"].items()
        if (found.get("candidates") or endpoint(key).timed) and not found.get("simpler")
    }
    return "\n\n".join([*asked, *([_of_candidates(entries)] if entries else [])])


def _of_candidates(entries: Mapping[str, Any]) -> str:
    others = {key: ", ".join(one["title"] for one in found.get("candidates", ())) for key, found in entries.items()}
    lines = [
        f"- {key}: {found['title']}{f', of {others[key]}' if others[key] else ''}" for key, found in entries.items()
    ]
    return (
        "The model in the bundle is, for each endpoint, the simplest whose AUC (of a time, C) on held-out cases is "
        "within one standard error of the best, among those whose interval lies above 0.5 where there is one:\n\n"
        + "\n".join(lines)
    )


def _left_out(reasons: Mapping[str, str]) -> str:
    if not reasons:
        return ""
    return "Without a model: " + "; ".join(f"{key} ({reason})" for key, reason in reasons.items()) + "."

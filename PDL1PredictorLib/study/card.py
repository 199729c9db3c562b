"""What a bundle of the recipe `deepradscore` says of itself, and its model card."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.strict_json import brief, strict_json
from PDL1PredictorLib.learning.classifiers import CHOSEN, HOLDS_ROWS
from PDL1PredictorLib.learning.export import About
from PDL1PredictorLib.learning.model_names import MODELS
from PDL1PredictorLib.models.manifest import MAX_LETTERS
from PDL1PredictorLib.statistics.discrimination import auc
from PDL1PredictorLib.study.outcome import EndpointOutcome, StudyOutcome


@dataclass(frozen=True)
class Words:
    """What only the people who train a model can say of it; a JSON file with these names.

    Attributes:
        title: One line.
        cohort: Who the patients are and where they come from.
        intended_use: What the model is for, and what it is not for.
        limitations: Sentences.
        attribution: Sources that must be named, with their licences.
        licence: Of the weights.
        version: Of the bundle.
    """

    title: str = "Deep-RadScore"
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
    words: Words, outcome: StudyOutcome, counts: str, bayes_auc: Mapping[str, float] | None = None
) -> About:
    """What the bundle says.

    Args:
        words: Of the people who train.
        outcome: Of the study; its figures go into the card.
        counts: How many cases did what, a sentence.
        bayes_auc: See `About`.
    """
    return About(
        title=words.title,
        intended_use=words.intended_use,
        cohort=f"{words.cohort} {counts}",
        limitations=(*words.limitations, *_always(outcome)),
        recipe_name="deepradscore",
        card=partial(study_card, words=words, outcome=outcome),
        licence=words.licence,
        bayes_auc=bayes_auc or {},
        version=words.version,
    )


def _always(outcome: StudyOutcome) -> tuple[str, ...]:
    sentences = ["The interval speaks of the calibration's uncertainty only, not of the image's or the contour's."]
    if outcome.design != "split":
        sentences.append(
            "The figures are those of nested cross-validation; the model in the bundle was trained on all cases in the "
            "same way and has no test cases of its own."
        )
    return tuple(sentences)


def study_card(manifest: dict[str, Any], words: Words, outcome: StudyOutcome) -> str:
    """Markdown of the card: what the model is, what it was trained on, how it did, what it cannot do."""
    how = (
        "On cases that nothing had seen."
        if outcome.design == "split"
        else f"By {outcome.design}: every case was answered by a model that had not seen it."
    )
    parts = [
        f"# {manifest['title']} (`{manifest['name']}`)",
        f"**{RESEARCH_USE_ONLY}**",
        words.intended_use,
        "## Trained on",
        manifest["cohort"],
        "\n".join(f"- {source}" for source in words.attribution),
        "## How",
        _method(outcome),
        "## Figures",
        f"{how} AUC with DeLong's 95 % interval; “volume” is a logistic regression on the tumor's volume alone, which "
        "any model has to beat. An interval that holds 0.5 shows no signal.",
        _table(outcome),
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
    rows = {found["model"]["kind"] for found in manifest["endpoints"].values()} & set(HOLDS_ROWS)
    return (
        "no patient's row" if not rows else "but for the standardized inputs that its classifiers keep no patient's row"
    )


def _method(outcome: StudyOutcome) -> str:
    recipe = outcome.settings
    network = {
        "trained": "all layers trained, on all training cases but a part "
        f"({recipe['validation_share']:.0%}) that stops the training; once for every part, and in the end on "
        "all for as many epochs as were best on average.",
        "frozen": "the convolutional part left as its start weights have it, the two new layers trained.",
    }[recipe["network"]]
    ring, spacing = recipe["regions"]["ring_mm"], recipe["regions"]["spacing_mm"]
    return f"""\
Deep-RadScore (Deep-CT, RadScore of tumor and {ring:g} mm ring, fused), with the choices where the paper is silent:

- Radiomics: preset `{recipe["features"]["name"]}` on {spacing:g} mm voxels; z-score, near-zero variance, Mann-Whitney U
  (p < 0.05), correlation pruning (|rho| > 0.9), LASSO by 5-fold cross-validation, on training cases only.
- Deep-CT: {recipe["deep"]["backbone"]}, {recipe["deep"]["n_deep"]} deep features; {network}
- Fusion: {CHOSEN[recipe["choice"]]}, on cross-fitted inputs: each training case's come from a selection and a network
  without it.
- Calibration: Platt on out-of-fold predictions; the interval resamples it. Prediction sets: class-conditional
  conformal, {outcome.coverage:.0%} coverage by design.
- Unlike-the-cohort warning: Mahalanobis distance of the selected features against the 99th percentile."""


def _table(outcome: StudyOutcome) -> str:
    names = [name for name in MODELS if any(name in found.models for found in outcome.endpoints.values())]
    lines = [
        f"| endpoint | positive means | positive / negative | {' | '.join(names)} |",
        f"|---|---|---|{'---|' * len(names)}",
    ]
    for key, found in outcome.endpoints.items():
        positive = int(found.labels.sum())
        figures = " | ".join(_auc(found, name) for name in names)
        definition = endpoint(key).definition
        lines.append(f"| {key} | {definition} | {positive} / {len(found.labels) - positive} | {figures} |")
    return "\n".join(lines)


def _auc(found: EndpointOutcome, name: str) -> str:
    if name not in found.models or not 0 < found.labels.sum() < len(found.labels):
        return "not measured"
    value = auc(found.labels, found.models[name].probability)
    return f"{value.value:.3f} ({value.interval[0]:.3f} to {value.interval[1]:.3f})"


def _left_out(reasons: Mapping[str, str]) -> str:
    if not reasons:
        return ""
    return "Without a model: " + "; ".join(f"{key} ({reason})" for key, reason in reasons.items()) + "."

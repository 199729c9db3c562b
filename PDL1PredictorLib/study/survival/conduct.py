"""The question answered: every analysis that the settings ask for, as one plain document."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from PDL1PredictorLib import RESEARCH_USE_ONLY, __version__
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.provenance import versions
from PDL1PredictorLib.report.json_result import finite
from PDL1PredictorLib.statistics.survival.checks import NotEstimableError
from PDL1PredictorLib.study.survival.columns import SurvivalTable
from PDL1PredictorLib.study.survival.curves import groups_compared, overall
from PDL1PredictorLib.study.survival.held_out import Fit, by_folds, judged, lasso_fit, parts, plain_fit, told
from PDL1PredictorLib.study.survival.models import cox_tables, what_is_added
from PDL1PredictorLib.study.survival.score import effect_in_groups, score_numbers
from PDL1PredictorLib.study.survival.settings import SurvivalSettings

Plain = dict[str, Any]
SCHEMA_VERSION = "1.0"
PACKAGES = ("numpy", "scipy")
FEWEST_EVENTS = 10  # per covariate, below which a model's figures deserve a warning


def analyze(table: SurvivalTable, settings: SurvivalSettings, command: str = "", progress: Progress = SILENT) -> Plain:
    """Every figure that the settings ask for.

    Returns:
        What `survival.json` holds: a dictionary without numbers that are not finite.

    Raises:
        InputError: A column is not there or of the wrong kind, or the table has no event.
    """
    if not table.event.any():
        raise InputError(f"None of the {table.time.size} cases had the event: there is nothing to analyze.")
    found, horizons = overall(table.time, table.event, settings.wanted_horizons)
    strata = table.texts(settings.strata) if settings.strata else None
    content: Plain = {
        "schema_version": SCHEMA_VERSION,
        "research_use_only": RESEARCH_USE_ONLY,
        "command": command,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "table": {"file": table.file_name, "sha256": table.sha256, "n_unknown": table.n_unknown},
        "settings": settings.to_dict(),
        "horizons": list(horizons),
        "overall": found,
        "groups": None,
        "score": None,
        "models": None,
        "held_out": [],
        "notes": [],
        "versions": {"PDL1Predictor": __version__, **versions(PACKAGES)},
    }
    if settings.by:
        progress.step("survival", 0.0, f"the groups of {settings.by}")
        group = table.texts(settings.by)
        content["groups"] = groups_compared(table.time, table.event, group, strata, horizons)
    if settings.score:
        progress.step("survival", 0.05, f"the score {settings.score}")
        with progress.part("survival", 0.05, 0.25) as part:
            content["score"] = _score(table, settings, horizons, part)
    if settings.covariates:
        progress.step("survival", 0.25, "Cox models")
        content["models"] = cox_tables(table, settings.covariates, settings.strata)
    with progress.part("survival", 0.3, 1.0, "held-out cases") as part:
        content["held_out"] = _held_out(table, settings, horizons, part)
    content["notes"] = [*table.notes, *_notes(content, settings)]
    cleaned: Plain = finite(content)
    return cleaned


def _score(table: SurvivalTable, settings: SurvivalSettings, horizons: tuple[float, ...], progress: Progress) -> Plain:
    values = table.numbers(settings.score)
    known = np.isfinite(values)
    score, time, event = values[known], table.time[known], table.event[known]
    try:
        found = score_numbers(score, time, event, horizons, settings)
    except NotEstimableError as error:
        raise InputError(f"The score {settings.score}: {error}") from error
    found["n_left_out"] = int((~known).sum())
    found["in_groups"] = None
    if settings.by:
        group = table.texts(settings.by)[known]
        named = group != ""
        found["in_groups"] = effect_in_groups(score[named], time[named], event[named], group[named])
    others = [name for name in settings.covariates if name != settings.score]
    told = progress.each("survival", others, f"what {settings.score} adds to {{}}".format, 0.5, 1.0)
    found["added"] = {name: what_is_added(table, [name], settings.score) for name in told}
    if len(others) > 1:
        found["added"]["all of them"] = what_is_added(table, others, settings.score)
    return found


def _held_out(
    table: SurvivalTable, settings: SurvivalSettings, horizons: tuple[float, ...], progress: Progress
) -> list[Plain]:
    wanted: list[tuple[str, tuple[str, ...], Fit]] = []
    if settings.score:
        wanted.append((f"score: {settings.score}", (settings.score,), plain_fit))
    if settings.covariates:
        wanted.append(("covariates", settings.covariates, plain_fit))
        if settings.score and settings.score not in settings.covariates:
            wanted.append(("score and covariates", (settings.score, *settings.covariates), plain_fit))
    if settings.features:
        wanted.append(("LASSO of the features", settings.features, lasso_fit))
    found = []
    for place, (title, columns, fit) in enumerate(wanted):
        with progress.part("survival", place / len(wanted), (place + 1) / len(wanted), title) as part:
            found += _one_held_out(table, settings, horizons, (title, columns, fit), part)
    return found


def _one_held_out(
    table: SurvivalTable,
    settings: SurvivalSettings,
    horizons: tuple[float, ...],
    model: tuple[str, tuple[str, ...], Fit],
    progress: Progress,
) -> list[Plain]:
    title, columns, fit = model
    terms, x = table.covariates(columns)
    rows = np.flatnonzero(np.isfinite(x).all(axis=1))
    x, time, event = x[rows], table.time[rows], table.event[rows]
    about: Plain = {"model": title, "covariates": len(terms), "n_left_out": int(table.time.size - rows.size)}
    found = []
    try:
        if settings.folds:
            fold = parts(event, settings.folds, np.random.default_rng(settings.seed))
            answers = by_folds(x, time, event, fold, horizons, fit, settings.seed, progress)
            used = [(int(k), term.name) for k, term in zip(answers.kept, terms, strict=True) if k]
            design = f"{settings.folds} folds"
            own = {
                **judged(answers, time, event, horizons),
                "kept": [{"name": n, "folds": k} for k, n in sorted(used, key=lambda one: -one[0])],
            }
            found.append({**about, "design": design, "note": "", **own})
        if settings.first:
            train, test = np.split(np.arange(rows.size), [settings.first])
            if not (test.size and event[train].any() and event[test].any()):
                raise InputError(
                    f"--first {settings.first}: both parts of the {rows.size} rows need cases with events."
                )
            rng = np.random.default_rng(settings.seed)
            answers = told(x, time, event, train, test, horizons, fit, rng)
            design = f"first {settings.first} to the rest"
            found.append({**about, "design": design, "note": "", **judged(answers, time, event, horizons), "kept": []})
    except NotEstimableError as error:
        found.append({**about, "design": "", "note": str(error)})
    return found


def _notes(content: Plain, settings: SurvivalSettings) -> list[str]:
    notes = []
    if content["table"]["n_unknown"]:
        notes.append(f"{content['table']['n_unknown']} rows without time or event were left out.")
    if left_out := content["overall"]["horizons_left_out"]:
        words = ", ".join(f"{t:g}" for t in left_out)
        notes.append(f"At {words} {settings.unit} fewer than 10 cases are followed: nothing is said of then.")
    together = (content["models"] or {}).get("together")
    if together and together["terms"] and together["events"] < FEWEST_EVENTS * len(together["terms"]):
        notes.append(
            f"{together['events']} events for {len(together['terms'])} covariates: fewer than {FEWEST_EVENTS} each, so "
            "the hazard ratios of the common model are unsteady."
        )
    score = content["score"]
    if score and score["direction"] == "later":
        notes.append(
            f"Higher values of {settings.score} go with later events, not sooner ones: its C is below 0.5. Nothing was "
            "turned."
        )
    return notes

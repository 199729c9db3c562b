"""What a run can say on the items of the checklists; the rest is for the authors."""

from typing import Any

from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.roles import lead_of, with_role
from PDL1PredictorLib.learning.classifiers import CHOSEN
from PDL1PredictorLib.study.outcome import StudyOutcome
from PDL1PredictorLib.study.report.checklist_items import CHECKLISTS
from PDL1PredictorLib.study.report.flow_chart import cases_used
from PDL1PredictorLib.study.report.kinds import kind_report


def filled_checklists(outcome: StudyOutcome) -> list[dict[str, Any]]:
    """The checklists with the run's answers.

    Returns:
        Per checklist `name`, `title`, `source` and `items`: `item`, `section`, `words`, and `answer`, which is None
        where only the authors can fill it.
    """
    answers = run_answers(outcome)
    return [
        {
            "name": checklist.name,
            "title": checklist.title,
            "source": checklist.source,
            "items": [
                {"item": i.number, "section": i.section, "words": i.words, "answer": answers.get(i.answer)}
                for i in checklist.items
            ],
        }
        for checklist in CHECKLISTS
    ]


def run_answers(outcome: StudyOutcome) -> dict[str, str]:
    """Sentences by the key of `checklist_items`; one that this run cannot say is left out."""
    parts = (_of_design, _of_choice, _of_data, _of_kinds, _of_models, _of_results)
    return {key: answer for part in parts for key, answer in part(outcome).items()} | _ALWAYS


_ALWAYS = {  # what every recipe does
    "checklists": "The items of CLEAR, METRICS and TRIPOD+AI are listed here.",
    "segmentation": "Tumor masks are taken as given; a ring around them, where the recipe has one, is drawn in mm, in "
    "three dimensions. Size: Settings.",
    "images": "CT and mask are resampled to one grid; spacing and interpolation: Settings.",
    "features": "Radiomic features with the definitions of pyradiomics; classes, filters, bin width, numbers, and what "
    "else goes into the models: Settings.",
    "settings": "Every setting and seed is listed under Settings.",
    "scaling": "By the training cases alone; how: Method.",
    "selection": "On training cases alone; steps: Method.",
    "training": "Optimizer, epochs, stopping, augmentation: Settings; learning curves: Network.",
    "imaging": "One kind of imaging: CT.",
}


def _of_kinds(outcome: StudyOutcome) -> dict[str, str]:
    """What the kinds of its endpoints say, each sentence once."""
    found: dict[str, list[str]] = {}
    for kind in dict.fromkeys(one.kind for one in outcome.endpoints.values()):
        for key, answer in kind_report(kind).words.answers.items():
            sentence = answer.format(lead=lead_of(outcome.roles))
            found.setdefault(key, []).append(sentence)
    return {key: " ".join(dict.fromkeys(sentences)) for key, sentences in found.items()}


def _of_models(outcome: StudyOutcome) -> dict[str, str]:
    parts, baselines = with_role(outcome.roles, "part"), with_role(outcome.roles, "baseline")
    groups = [lead_of(outcome.roles), *parts]
    beaten = f"; {', '.join(baselines)}: what any model has to beat" if baselines else ""
    found = {"algorithms": f"{', '.join(groups)}{beaten}. Steps: Method; kinds per endpoint."}
    used = [title for title in baselines if any(title in one.models for one in outcome.endpoints.values())]
    if used:
        own = "is a model of its own" if len(used) == 1 else "are models of their own"
        found["volume"] = f"{' and '.join(used)} {own}, compared with the others."
    return found


def _of_choice(outcome: StudyOutcome) -> dict[str, str]:
    if (choice := outcome.settings.get("choice")) is None:
        return {}
    words = CHOSEN[choice]
    answer = f"{words[0].upper()}{words[1:]}, on training cases; all kinds are listed per endpoint."
    return {"model_choice": answer}


def _of_design(outcome: StudyOutcome) -> dict[str, str]:
    if outcome.design == Design.SPLIT:
        return {
            "split": "By patient, stratified by the endpoints, before anything was learned; the test cases were used "
            "once. Sizes: Cases.",
            "testing": "Internal: on test cases that nothing had seen. No external test.",
            "development": "Both come from one cohort table and were divided by lot.",
        }
    return {
        "split": f"{outcome.design.words.capitalize()} by patient; every step that learns ran inside the training "
        "folds. Sizes: Cases.",
        "testing": f"Internal: {outcome.design.words}; cases are ranked within their fold. No external test.",
        "development": "Every case served both, in different folds of one cohort table.",
    }


def _of_data(outcome: StudyOutcome) -> dict[str, str]:
    definitions = "; ".join(f"{endpoint(key).title}: {endpoint(key).definition}" for key in outcome.endpoints)
    failed = len(outcome.failed)
    found = {
        "outcome": f"{definitions}. How it was assessed is for the authors.",
        "missing": "A case without a label is not used for that endpoint; a feature without a value gets the training "
        f"mean. {failed} {'case was' if failed == 1 else 'cases were'} not used, reasons: Cases.",
    }
    if outcome.notes:
        found["sources"] = "As far as the run knows, in the notes at the top."
    if outcome.table_1:
        found["table_1"] = "Table 1."
    if outcome.flow:
        found["flow"] = "Chart under Cases."
        words = dict.fromkeys(kind_report(one.kind).words.carried for one in outcome.endpoints.values())
        used = f"All usable cases: {cases_used(outcome.flow, False)}."
        found["sample_size"] = " ".join([used, *filter(None, words)])
    if version := outcome.provenance.get("library_version"):
        found["software"] = f"PDL1Predictor {version}; values agree with pyradiomics 3.0.1. Versions: Settings."
        found["code"] = f"PDL1Predictor {version}, Apache-2.0; the command that makes this study again: Settings."
    return found


def _of_results(outcome: StudyOutcome) -> dict[str, str]:
    endpoints = outcome.endpoints.values()
    numbers = [
        f"{endpoint(key).title} " + " + ".join(f"{len(rows)} ({region})" for region, rows in e.coefficients.items())
        for key, e in outcome.endpoints.items()
        if e.coefficients
    ]
    means = {
        "Shapley values of the lead model's inputs": any(e.contributions is not None for e in endpoints),
        "coefficients of the selected features": bool(numbers),
        "heat maps": bool(outcome.gallery),
    }
    found = {"model": f"{'Coefficients: per endpoint and in study.json; the rest' if numbers else 'All'}: the bundle."}
    if any(means.values()):
        sentence = ", ".join(words for words, there in means.items() if there)
        found["interpretation"] = f"{sentence[0].upper()}{sentence[1:]}."
    if numbers:
        found["selected"] = f"Selected features: {'; '.join(numbers)}."
    return found

"""What a run can say on the items of the checklists; the rest is for the authors."""

from typing import Any

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.learning.classifiers import CHOSEN
from PDL1PredictorLib.learning.model_names import VOLUME
from PDL1PredictorLib.study.outcome import StudyOutcome
from PDL1PredictorLib.study.report.checklist_items import CHECKLISTS
from PDL1PredictorLib.study.report.flow_chart import SPLIT, cases_used


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
    return _of_design(outcome) | _of_choice(outcome) | _of_data(outcome) | _of_results(outcome) | _ALWAYS


_ALWAYS = {  # what the recipe does in every run
    "checklists": "The items of CLEAR, METRICS and TRIPOD+AI are listed here.",
    "segmentation": "Tumor masks are taken as given; the ring around them is drawn in mm, in three dimensions. "
    "Size: Settings.",
    "images": "CT and mask are resampled to one grid; spacing and interpolation: Settings.",
    "features": "Radiomic features with the definitions of pyradiomics, and deep features; classes, filters, bin width "
    "and numbers: Settings.",
    "settings": "Every setting and seed is listed under Settings.",
    "scaling": "Z-score by mean and SD of the training cases alone.",
    "selection": "Near-zero variance, Mann-Whitney U, correlation pruning and LASSO by cross-validation, on training "
    "cases alone.",
    "imbalance": "Positive and negative cases of every part: Cases. Weights in training: Settings.",
    "algorithms": "RadScores (LASSO) of tumor and ring, a convolutional network (Deep-CT), and a classifier on both "
    "(Deep-RadScore); kinds per endpoint.",
    "training": "Optimizer, epochs, stopping, augmentation: Settings; learning curves: Network.",
    "measures": "AUC; accuracy, recall, precision, specificity, PPV, NPV, F1; confusion matrix; Brier score, "
    "calibration slope and intercept; net benefit.",
    "uncertainty": "95 % intervals: DeLong (AUC), Wilson (shares), bootstrap (F1, ROC band).",
    "comparison": "DeLong's paired test of every model against Deep-RadScore; p also adjusted for all tests "
    "(Benjamini-Hochberg).",
    "calibration": "Calibration curves, slope, intercept and Brier score per endpoint and model.",
    "interpretation": "Shapley values of the fused inputs, RadScore coefficients, Grad-CAM.",
    "imaging": "One kind of imaging: CT.",
    "performance": "AUC with intervals: Results; all other measures: per endpoint.",
    "updating": "None: probabilities were calibrated within the training cases, before evaluation.",
    "predictions": "By the command under Settings; predictions.csv holds every case's probability by every model.",
    "output": "Calibrated probability; called positive at a threshold that was set on training cases (per endpoint).",
    "counts": "Positive and negative cases of every part and endpoint: Cases.",
    "model": "RadScore coefficients: per endpoint and in study.json; network and classifiers: the exported bundle.",
}


def _of_choice(outcome: StudyOutcome) -> dict[str, str]:
    if (choice := outcome.settings.get("choice")) is None:
        return {}
    words = CHOSEN[choice]
    answer = f"{words[0].upper()}{words[1:]}, on training cases; all kinds are listed per endpoint."
    return {"model_choice": answer}


def _of_design(outcome: StudyOutcome) -> dict[str, str]:
    if outcome.design == SPLIT:
        return {
            "split": "By patient, stratified by the endpoints, before anything was learned; the test cases were used "
            "once. Sizes: Cases.",
            "testing": "Internal: on test cases that nothing had seen. No external test.",
            "development": "Both come from one cohort table and were divided by lot.",
        }
    return {
        "split": f"{outcome.design.capitalize()} by patient; every step that learns ran inside the training folds. "
        "Sizes: Cases.",
        "testing": f"Internal: {outcome.design}, predictions of held-out folds pooled. No external test.",
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
        found["sample_size"] = f"All usable cases: {cases_used(outcome)}. No calculation was made by the run."
    if version := outcome.provenance.get("library_version"):
        found["software"] = f"PDL1Predictor {version}; values agree with pyradiomics 3.0.1. Versions: Settings."
        found["code"] = f"PDL1Predictor {version}, Apache-2.0; the command that makes this study again: Settings."
    return found


def _of_results(outcome: StudyOutcome) -> dict[str, str]:
    found = {}
    numbers = [
        f"{endpoint(key).title} " + " + ".join(f"{len(rows)} ({region})" for region, rows in e.coefficients.items())
        for key, e in outcome.endpoints.items()
        if e.coefficients
    ]
    if numbers:
        found["selected"] = f"Selected features: {'; '.join(numbers)}."
    if any(VOLUME in e.models for e in outcome.endpoints.values()):
        found["volume"] = f"{VOLUME} alone is a model of its own, tested against Deep-RadScore (DeLong)."
    return found

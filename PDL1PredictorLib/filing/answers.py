"""Answers as groups of a structured report: what is answered with its numbers, what is withheld with its reasons."""

from typing import Any

import highdicom

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import Answer, ModelSummary
from PDL1PredictorLib.filing import codes
from PDL1PredictorLib.report.kinds import renderer, verdict

sr = highdicom.sr


def answer_group(answer: Answer, lesion_index: int, tracking_uid: str, model: ModelSummary) -> Any:
    """One answer: verdict, call, reasons, and its numbers where it is answered; never where it is withheld.

    Args:
        answer: With its verdict.
        lesion_index: Which tumor it is of.
        tracking_uid: Of that tumor, so that answer and region are found together.
        model: Which model answers.
    """
    about, said = endpoint(answer.endpoint), verdict(answer)
    group = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(
            uid=tracking_uid, identifier=f"Tumor {lesion_index}: {about.title}"[:64]
        ),
        finding_type=codes.own(about.key, about.title),
        finding_category=codes.CATEGORY_ALTERED,
        algorithm_id=algorithm(model),
        measurements=_numbers(answer) if answer.verdict.answered else None,
        qualitative_evaluations=[
            sr.QualitativeEvaluation(codes.VERDICT, codes.STATUS[answer.verdict.status]),
            *(
                [sr.QualitativeEvaluation(codes.CALL, codes.call(about.key, answer.verdict.call, said.short))]
                if answer.verdict.answered
                else []
            ),
            *(sr.QualitativeEvaluation(codes.REASON, codes.reason(r.code)) for r in answer.verdict.reasons),
        ],
    )
    text = f"{about.title}: {said.headline}. {said.detail} {about.title} means {about.definition}."
    remark(group, " ".join(text.split()))
    return group


def algorithm(model: ModelSummary) -> Any:
    """Name, version and hash of the model that answers."""
    return sr.AlgorithmIdentification(
        name=model.title,
        version=model.version,
        parameters=[f"bundle {model.name}", f"SHA-256 {model.sha256}", f"trained on {model.trained_on}"],
    )


def remark(group: Any, text: str) -> None:
    """Put a text into a group, as every reader of reports shows it."""
    group[0].ContentSequence.append(
        sr.TextContentItem(name=codes.COMMENT, value=text, relationship_type=sr.RelationshipTypeValues.CONTAINS)
    )


def _numbers(answer: Answer) -> list[Any]:
    return [
        sr.Measurement(
            name=codes.measured(answer.endpoint, one.what, one.words), value=float(one.value), unit=codes.unit(one.unit)
        )
        for one in renderer(answer).numbers(answer)
    ]

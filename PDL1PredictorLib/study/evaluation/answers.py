"""What models answered for the cases of a cohort, read back from the folders of a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from PDL1PredictorLib.batch.run import CaseDone
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.results import Answer, CaseWarning
from PDL1PredictorLib.models.manifest import Manifest
from PDL1PredictorLib.report.kinds import read_answer

VOLUME = "Volume of the tumor"
RECALIBRATED = "Recalibrated"
OTHERS = (VOLUME, RECALIBRATED)  # what stands beside the models in tables: no model may bear such a name


@dataclass(frozen=True, eq=False)
class CaseAnswers:
    """What one model answered for one case.

    Attributes:
        answers: By endpoint.
        volume_ml: Of the tumor.
        unlike: Whether the case is unlike the training cohort.
        clinical: What is known of patient and scan, from the table and the files.
        warnings: What must be known of the case.
        ct_sha256: Of the CT's voxels and grid.
    """

    answers: Mapping[str, Answer]
    volume_ml: float
    unlike: bool
    clinical: Clinical
    warnings: tuple[CaseWarning, ...]
    ct_sha256: str


@dataclass(frozen=True, eq=False)
class ModelAnswers:
    """What one model answered for all cases.

    Attributes:
        title: For tables; no other model of the evaluation has it.
        manifest: Of its bundle.
        cases: By the name of the case, those that have an answer.
        failed: Case to the reason why it has none.
    """

    title: str
    manifest: Manifest
    cases: Mapping[str, CaseAnswers]
    failed: Mapping[str, str]

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Keys, in the model's order."""
        return tuple(model.key for model in self.manifest.endpoints)


def answers_of(title: str, manifest: Manifest, done: Sequence[CaseDone]) -> ModelAnswers:
    """The answers of a batch; the tumor is the largest of each mask, as in training.

    Raises:
        InputError: A result cannot be read back.
    """
    cases = {case.name: _read(case.content()) for case in done if case.folder is not None}
    return ModelAnswers(title, manifest, cases, {case.name: case.reason for case in done if case.reason})


def titles_of(manifests: Sequence[Manifest]) -> list[str]:
    """What each model is called in tables and figures: its bundle's name, with a number where two have the same."""
    names = [manifest.summary.name for manifest in manifests]
    plain = [names.count(name) == 1 and name not in OTHERS for name in names]
    return [name if alone else f"{name} ({i})" for i, (name, alone) in enumerate(zip(names, plain, strict=True), 1)]


def log_odds_of(probability: np.ndarray) -> np.ndarray:
    """Log-odds of probabilities; of 0 and 1, which are rounded, the farthest that a float can tell from them."""
    p = np.clip(probability, 1e-16, 1 - 1e-16)
    return np.asarray(np.log(p) - np.log1p(-p))


def _read(content: Mapping[str, Any]) -> CaseAnswers:
    lesion = content["lesions"][0]
    answers = [read_answer(entry) for entry in lesion["endpoints"]]
    known = {name: value for name, value in (content["clinical"] or {}).items() if value is not None}
    return CaseAnswers(
        answers={answer.endpoint: answer for answer in answers},
        volume_ml=float(lesion["tumor"]["volume_ml"]),
        unlike=bool(lesion["unlike"]["flagged"]),
        clinical=Clinical.from_dict(known),
        warnings=tuple(CaseWarning(**told) for told in (*content["warnings"], *lesion["warnings"])),
        ct_sha256=str(content["provenance"]["ct_sha256"]),
    )

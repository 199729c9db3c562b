"""One tumor of one study, as a result tells it: what two of are compared."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PDL1PredictorLib.core.case import Study
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import CaseResult, LesionResult
from PDL1PredictorLib.report.remade.result import RESULT, read_result


@dataclass(frozen=True, eq=False)
class Examined:
    """A tumor of a study.

    Attributes:
        name: What the result is called, such as its folder.
        result: The whole result.
        lesion: The tumor's part of it.
        study: Day and patient, from the result or from whoever knows them.

    Raises:
        InputError: The result does not tell the tumor's size.
    """

    name: str
    result: CaseResult
    lesion: LesionResult
    study: Study

    def __post_init__(self) -> None:
        size = self.lesion.tumor
        for value in (size.volume_ml, size.longest_axial_diameter_mm):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                raise InputError(f"{self.name} does not tell the size of tumor {self.lesion.index}. Predict again.")

    def on(self, study: Study) -> "Examined":
        """The same, with day and patient from elsewhere where they are known there."""
        known = Study(study.day or self.study.day, study.patient or self.study.patient)
        return replace(self, study=known)


def examined(result: CaseResult, name: str, number: int | None = None) -> Examined:
    """One tumor of a result.

    Args:
        result: The result.
        name: What it is called in messages.
        number: Of the tumor, as in its report; None where the result has one alone.

    Raises:
        InputError: There is no such tumor, or it is not clear which one is meant.
    """
    numbers = [lesion.index for lesion in result.lesions]
    if number is None and len(numbers) == 1:
        number = numbers[0]
    if number not in numbers:
        listed = ", ".join(map(str, numbers)) or "none"
        what = "Which tumor is meant is not clear" if number is None else f"There is no tumor {number}"
        raise InputError(f"{what} in {name}: it has {listed}.")
    lesion = next(lesion for lesion in result.lesions if lesion.index == number)
    return Examined(name, result, lesion, result.study)


def read_pairs(earlier: Path, later: Path, pairs: Sequence[tuple[int, int]] = ()) -> list[tuple[Examined, Examined]]:
    """The tumors of two result folders that belong together.

    Args:
        earlier: Folder that `pdl1 predict` made, or one of a batch.
        later: Likewise.
        pairs: Numbers of a tumor in both; needed where a folder has several, which nobody may match by guessing.

    Raises:
        InputError: A folder is no result, or it is not clear which tumors belong together.
    """
    found = [(folder, read_result(folder / RESULT)) for folder in (earlier, later)]
    if not pairs and any(len(result.lesions) != 1 for _folder, result in found):
        counts = " and ".join(f"{folder} has {len(result.lesions)}" for folder, result in found)
        raise InputError(
            f"Which tumors belong together is not clear: {counts}. Say it by their numbers in the reports, such as "
            "--pair 1=1 --pair 2=3 (earlier=later)."
        )
    chosen: Sequence[tuple[int | None, int | None]] = pairs or [(None, None)]
    (first, before), (second, then) = found
    return [(examined(before, str(first), one), examined(then, str(second), other)) for one, other in chosen]

"""Two made-up studies of one tumor."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import SimpleITK as sitk
from filed_result import made_result

from PDL1PredictorLib.core.case import Clinical, Study, patient_key
from PDL1PredictorLib.core.results import BinaryAnswer, CaseResult
from PDL1PredictorLib.core.verdicts import Verdict

PATIENT = patient_key("1234")


@pytest.fixture
def study() -> Callable[..., CaseResult]:
    """A function that makes the result of one study: volume, its range, answer, its range, day, ..."""

    def make(
        volume_ml: float = 1.0,
        range_ml: tuple[float, float] | None = (0.8, 1.25),
        probability: float = 0.6,
        moved: tuple[float, float] | None = (0.55, 0.65),
        day: date | None = date(2026, 1, 1),
        patient: str = PATIENT,
        ct: str = "a",
        lesions: int = 1,
        **clinical: Any,
    ) -> CaseResult:
        image = sitk.Image(2, 2, 2, sitk.sitkUInt8)
        result = made_result(image, image)
        lesion = result.lesions[0]
        first = lesion.endpoints[0]
        assert isinstance(first, BinaryAnswer)
        first = replace(first, probability=probability, stability=moved, verdict=Verdict("answered", "positive"))
        lesion = replace(
            lesion,
            endpoints=(first, *lesion.endpoints[1:]),
            tumor=replace(lesion.tumor, volume_ml=volume_ml),
            volume_range_ml=range_ml,
            features={},
        )
        return replace(
            result,
            lesions=tuple(replace(lesion, index=n + 1) for n in range(lesions)),
            lesions_found=lesions,
            study=Study(day, patient),
            clinical=Clinical(**clinical),
            provenance=replace(result.provenance, ct_sha256=ct * 64),
        )

    return make

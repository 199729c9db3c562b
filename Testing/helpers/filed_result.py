"""A made-up result for one mask, with numbers that tests can name."""

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.results import (
    BinaryAnswer,
    CaseResult,
    HeatMap,
    LesionResult,
    ModelSummary,
    NumberAnswer,
    Provenance,
    RegionMeasures,
)
from PDL1PredictorLib.core.verdicts import Reason, Verdict, refused

TOO_WIDE = Reason("interval_too_wide", "The interval reaches from 10 to 80 %.")
FEATURES = {
    "tumor_original_shape_Maximum3DDiameter": 21.5,
    "tumor_original_firstorder_Kurtosis": 3.25,  # IBSI's is 0.25
    "tumor_original_firstorder_Mean": -12.125,
    "tumor_wavelet-LLH_firstorder_Mean": 7.0,
    "ring_original_firstorder_Mean": -612.5,
    "ring_original_firstorder_Skewness": float("nan"),
}


def made_result(tumor: sitk.Image, ring: sitk.Image, heat: sitk.Image | None = None) -> CaseResult:
    """PD-L1 answered, EGFR withheld with 0.4321, TPS answered."""
    answered = Verdict("answered", "positive")
    answers = (
        BinaryAnswer("PDL1", 0.625, (0.5, 0.75), 0.48, True, ("positive",), 0.9, (), verdict=answered, model="Tiny"),
        BinaryAnswer("EGFR", 0.4321, (0.1, 0.8), 0.3, True, (), 0.9, (), verdict=refused([TOO_WIDE]), model="Tiny"),
        NumberAnswer("TPS", 34.5, (11.25, 61.0), 0.9, (), verdict=Verdict("answered", "value"), model="Tiny"),
    )
    lesion = LesionResult(
        index=1,
        center_lps_mm=(0.0, 0.0, 0.0),
        tumor=RegionMeasures(1000, 1.0625, 17.5, -12.125, 80.25),
        ring=RegionMeasures(800, 0.8125, 25.0, -612.5, 150.0),
        endpoints=answers,
        features=FEATURES,
        scores={},
        atypicality=0.5,
        warnings=(),
        heat_maps=() if heat is None else (HeatMap("PDL1", heat),),
        tumor_image=tumor,
        ring_image=ring,
        views_ct=sitk.Cast(tumor, sitk.sitkFloat32),
    )
    model = ModelSummary(
        "tiny", "Tiny model", "1.2", "ab" * 32, "Tests.", "Nobody.", (), "CC0", ("PDL1", "EGFR", "TPS"), {}, {}
    )
    made = Provenance("0.1.0", "2026-08-01T09:30:00+00:00", "cpu", "none", "pdl1 0.1", {}, {}, "c", "t", {"read": 1.0})
    return CaseResult("case", (lesion,), 1, Clinical(), model, made, ())


def ball(like: sitk.Image, radius_mm: float, hole_mm: float = 0.0) -> sitk.Image:
    """A ball about the middle of a volume, or the shell around one of `hole_mm`."""
    k, j, i = np.indices(like.GetSize()[::-1])
    steps = np.reshape(like.GetDirection(), (3, 3)) * np.asarray(like.GetSpacing())
    middle = (np.asarray(like.GetSize()) - 1) / 2 - (1, 2, 0.6)  # off the center, so that a mirrored one is seen
    far = np.linalg.norm((np.stack([i, j, k], axis=-1) - middle) @ steps.T, axis=-1)
    image = sitk.GetImageFromArray(((far <= radius_mm) & (far >= hole_mm)).astype(np.uint8))
    image.CopyInformation(like)
    return image

"""What the reader of a prediction must know of the case as a whole, and of its heat maps."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import CaseWarning, HeatMap
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.models.predictor import Predictor

TRAINING_CASE = (
    "The model has learned from this CT. It may know its answer rather than tell it, so nothing about how good the "
    "model is follows from this case."
)


def heat_warnings(heat_maps: Iterable[HeatMap]) -> Iterator[CaseWarning]:
    """That a network looks elsewhere than at the tumor."""
    outside = [heat_map for heat_map in heat_maps if heat_map.looks_outside]
    if outside:
        names = ", ".join(endpoint(heat_map.endpoint).title for heat_map in outside)
        text = f"The network looks outside the tumor: its heat is less in tumor and ring than elsewhere ({names})."
        yield CaseWarning("heat_outside", text)


def prevalence_warning(prevalence: Mapping[str, float]) -> CaseWarning:
    """That probabilities are for another prevalence than the training's."""
    said = ", ".join(f"{endpoint(key).title} {share:.3g}" for key, share in prevalence.items())
    text = f"Probabilities and thresholds were shifted from the training cohort's prevalence to: {said}."
    return CaseWarning("prevalence", text)


def settings_warning(used: RegionSettings, trained: RegionSettings) -> CaseWarning:
    """That regions were made otherwise than in training, setting by setting."""
    own = trained.to_dict()
    changed = [f"{name} {own.get(name)} -> {value}" for name, value in used.to_dict().items() if value != own.get(name)]
    text = "The regions were made with other settings than the model was trained with: " + ", ".join(changed) + "."
    return CaseWarning("other_settings", text)


def pet_as_needed(case: Case, predictor: Predictor) -> tuple[Case, tuple[CaseWarning, ...]]:
    """The case without a PET that nobody looks at; and what is told where one would be.

    Raises:
        InputError: The model needs a PET, and there is none.
    """
    pet = predictor.needs.pet
    if pet == "no" and case.pet is not None:
        text = "A PET was given, but this model does not look at one; the answer rests on the CT alone."
        return replace(case, pet=None), (CaseWarning("pet_unused", text),)
    if case.pet is not None or pet == "no":
        return case, ()
    if pet == "required":
        raise InputError(
            f"The model {predictor.summary.name} needs a PET in SUV beside the CT. Give one (--pet), or take a model "
            "of the CT alone."
        )
    text = "No PET was given; the model answers from the CT alone, which it was trained to do, too."
    return case, (CaseWarning("pet_missing", text),)

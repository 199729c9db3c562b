"""What the window keeps in the scene: every choice about the case, so that a saved scene opens as it was left."""

import enum
import json
from collections.abc import Sequence
from typing import Annotated, Any

import slicer
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

UNKNOWN_AGE = -1
UNKNOWN_THICKNESS = 0.0


class Sex(enum.Enum):
    """As the library's `Clinical.sex`; None is not known."""

    UNKNOWN = None
    FEMALE = "female"
    MALE = "male"

    def label(self) -> str:
        """For the window."""
        return {Sex.UNKNOWN: _("unknown"), Sex.FEMALE: _("female"), Sex.MALE: _("male")}[self]


class Smoking(enum.Enum):
    """As the library's `Clinical.smoking`; None is not known."""

    UNKNOWN = None
    NEVER = "never"
    FORMER = "former"
    CURRENT = "current"

    def label(self) -> str:
        """For the window."""
        words = {Smoking.NEVER: _("never"), Smoking.FORMER: _("former"), Smoking.CURRENT: _("current")}
        return words.get(self, _("unknown"))


class FamilyHistory(enum.Enum):
    """As the library's `Clinical.family_history`; None is not known."""

    UNKNOWN = None
    NO = False
    YES = True

    def label(self) -> str:
        """For the window."""
        words = {FamilyHistory.NO: _("no"), FamilyHistory.YES: _("cancer")}
        return words.get(self, _("unknown"))


@parameterNodeWrapper
class PDL1PredictorParameters:
    """One object per scene; the widgets are tied to it by their property SlicerParameterName.

    Decimals and steps stand in the window's file: Slicer takes no such annotation beside a default written with `=`.

    Attributes:
        volume: The CT.
        clinical_volume: The CT from which the clinical values were filled in: another CT, other values.
        declared_values: Values that the chosen model's cohort declares, by name, as JSON.
        clinical_in_report: Whether the report names them; without it nothing written can be tied to the patient.
        pet: A PET of the same patient, for models that look at one.
        pet_ct_id: ID of the CT beside which it was chosen: another patient's CT starts without one.
        base_rates: Shares of positives that the user asked about, by endpoint, as JSON.
        segmentation: Where the contours lie.
        segment_id: The tumor that is predicted.
        ring_mm: Thickness of the ring.
        show_ring: Whether the ring is drawn as a segment.
        model: Name or path of the model bundle; empty until one is chosen.
        model_ct_id: ID of the CT for which it was chosen: another patient's CT, another choice.
        earlier_result: Text node of an earlier study that the shown result is held against.
        earlier_days: Days between the two, where their dates are not known; 0 for not known.
        shown_result: The main node of the result that is shown.
        endpoint: The finding whose heat map and contributions are shown.
    """

    volume: slicer.vtkMRMLScalarVolumeNode
    clinical_volume: slicer.vtkMRMLScalarVolumeNode
    age: Annotated[int, WithinRange(UNKNOWN_AGE, 120)] = UNKNOWN_AGE
    sex: Sex = Sex.UNKNOWN
    smoking: Smoking = Smoking.UNKNOWN
    family_history: FamilyHistory = FamilyHistory.UNKNOWN
    slice_thickness_mm: Annotated[float, WithinRange(UNKNOWN_THICKNESS, 50.0)] = UNKNOWN_THICKNESS
    kernel: str = ""
    manufacturer: str = ""
    declared_values: str = ""
    clinical_in_report: bool = False
    pet: slicer.vtkMRMLScalarVolumeNode
    pet_ct_id: str = ""
    base_rates: str = ""
    segmentation: slicer.vtkMRMLSegmentationNode
    segment_id: str = ""
    ring_mm: Annotated[float, WithinRange(0.5, 20.0)] = 3.0
    exclude_air: bool = False
    exclude_bone: bool = False
    show_ring: bool = False
    model: str = ""
    model_ct_id: str = ""
    earlier_result: slicer.vtkMRMLTextNode
    earlier_days: Annotated[int, WithinRange(0, 36500)] = 0
    shown_result: slicer.vtkMRMLTextNode
    endpoint: str = "PDL1"
    show_heat_map: bool = False
    heat_map_opacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.5
    heat_map_threshold: Annotated[float, WithinRange(0.0, 1.0)] = 0.15


def declared_values(parameters: Any) -> dict[str, float | str]:
    """Values of columns that a cohort declared, by name; what cannot be read is not known."""
    found = _json_object(parameters.declared_values)
    return {name: value for name, value in found.items() if isinstance(value, (int, float, str))}


def set_declared(parameters: Any, name: str, value: float | str | None) -> None:
    """Keeps a value, or forgets it: None."""
    known = {**declared_values(parameters), name: value}
    kept = {name: value for name, value in known.items() if value is not None}
    parameters.declared_values = json.dumps(kept, sort_keys=True) if kept else ""


def base_rate(parameters: Any, endpoint: str) -> float | None:
    """The share of positives that was asked about; None where none was, or it cannot be read."""
    share = _json_object(parameters.base_rates).get(endpoint)
    return share if isinstance(share, float) and 0 < share < 1 else None


def set_base_rate(parameters: Any, endpoint: str, share: float | None) -> None:
    """Keeps a share, or forgets it: None."""
    known = {**_json_object(parameters.base_rates), endpoint: share}
    kept = {key: value for key, value in known.items() if value is not None}
    parameters.base_rates = json.dumps(kept, sort_keys=True) if kept else ""


def _json_object(text: str) -> dict[str, Any]:
    """What a parameter keeps as JSON; empty where it cannot be read."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def asked_values(parameters: Any, clinical: Sequence[Any]) -> dict[str, Any]:
    """The values that a model asks for, as far as they are known.

    Args:
        parameters: Of the scene.
        clinical: What the model asks for, `core.clinical_columns.ClinicalColumn`.
    """
    known = {**declared_values(parameters), **clinical_values(parameters)}
    return {column.name: known[column.name] for column in clinical if column.name in known}


def clinical_values(parameters: Any) -> dict[str, Any]:
    """The clinical values that are known, by the names of the library's `Clinical`; without declared ones."""
    values = {
        "age_years": None if parameters.age == UNKNOWN_AGE else float(parameters.age),
        "sex": parameters.sex.value,
        "smoking": parameters.smoking.value,
        "family_history": parameters.family_history.value,
        "slice_thickness_mm": parameters.slice_thickness_mm or None,
        "kernel": parameters.kernel.strip() or None,
        "manufacturer": parameters.manufacturer.strip() or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def fill_clinical(parameters: Any, values: dict[str, Any]) -> None:
    """Takes over clinical values by the library's names; what is not among them becomes unknown."""
    with slicer.util.NodeModify(parameters.parameterNode):
        age = values.get("age_years")
        parameters.age = UNKNOWN_AGE if age is None else round(age)
        parameters.sex = Sex(values.get("sex"))
        parameters.smoking = Smoking(values.get("smoking"))
        parameters.family_history = FamilyHistory(values.get("family_history"))
        parameters.slice_thickness_mm = min(values.get("slice_thickness_mm") or UNKNOWN_THICKNESS, 50.0)
        parameters.kernel = values.get("kernel") or ""
        parameters.manufacturer = values.get("manufacturer") or ""
        parameters.declared_values = ""


def region_settings(parameters: Any) -> Any:
    """The library's `RegionSettings` for the choices of the window."""
    from PDL1PredictorLib.core.settings import RegionSettings

    return RegionSettings(
        ring_mm=parameters.ring_mm, exclude_air=parameters.exclude_air, exclude_bone=parameters.exclude_bone
    )

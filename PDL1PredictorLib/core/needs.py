"""What a recipe, and the model that it trains, must be given of a case."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.settings import VolumeSettings

Picture = Literal["none", "slice", "volume"]
Pet = Literal["no", "optional", "required"]
BLOCKS = ("features", "slices", "volume", "clinical")
"""Names of the arrays of a prepared cohort."""
CLINICAL_INPUTS = ("age_years", "sex", "smoking", "family_history")
"""Clinical values that a model may ask for, of `core.case.Clinical`."""
_CODES = {"sex": ("male", "female"), "smoking": ("never", "former", "current")}  # words to 0, 1, 2: in their order


@dataclass(frozen=True)
class Needs:
    """Which parts of a case are made, measured and kept.

    Attributes:
        features: Radiomic features of tumor and ring.
        picture: What a network sees: nothing, the axial slice with its neighbors, or the volume about the tumor.
        clinical: Names among `CLINICAL_INPUTS`, in the order of the columns.
        pet: Whether a PET in SUV is used.
        volume: How the volume about the tumor is cut; None of any other picture.

    Raises:
        InputError: A name is not known.
    """

    features: bool = True
    picture: Picture = "none"
    clinical: tuple[str, ...] = ()
    pet: Pet = "no"
    volume: VolumeSettings | None = None

    def __post_init__(self) -> None:
        strange = [name for name in self.clinical if name not in CLINICAL_INPUTS]
        if strange or len(set(self.clinical)) < len(self.clinical):
            raise InputError(
                f"Clinical inputs are some of {', '.join(CLINICAL_INPUTS)}, each once; got {self.clinical}."
            )
        for name, value, allowed in (
            ("picture", self.picture, ("none", "slice", "volume")),
            ("pet", self.pet, ("no", "optional", "required")),
        ):
            if value not in allowed:
                raise InputError(f"{name} must be one of {', '.join(allowed)}, got {value!r}.")
        if (self.picture == "volume") != (self.volume is not None):
            raise InputError("The settings of a volume are given exactly where the picture is one.")

    @property
    def n_channels(self) -> int:
        """Of the picture: two windows and the tumor, and with PET the SUV and whether there is one."""
        return 0 if self.picture == "none" else 3 if self.pet == "no" else 5

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a volume that is not needed is left out, as in files from before there was one."""
        values = {**asdict(self), "clinical": list(self.clinical)}
        if self.volume is None:
            del values["volume"]
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read back what `to_dict` wrote.

        Raises:
            InputError: A name or value is not known.
        """
        unknown = sorted(set(values) - set(cls.__dataclass_fields__))
        if unknown:
            raise InputError(f"Unknown needs: {', '.join(unknown)}. Known: {', '.join(cls.__dataclass_fields__)}.")
        volume = values.get("volume")
        return cls(
            **{
                **values,
                "clinical": tuple(values.get("clinical", ())),
                "volume": None if volume is None else VolumeSettings.from_dict(volume),
            }
        )


def clinical_row(clinical: Clinical, names: tuple[str, ...]) -> tuple[float, ...]:
    """Clinical values as numbers, in the order of the names; NaN where one is not known.

    Years as they are; male 0, female 1; never 0, former 1, current 2; no family history 0, one 1.
    """
    return tuple(_code(name, getattr(clinical, name)) for name in names)


def _code(name: str, value: Any) -> float:
    if value is None:
        return math.nan
    return float(_CODES[name].index(value) if name in _CODES else value)

"""What a recipe, and the model that it trains, must be given of a case."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from PDL1PredictorLib.core.clinical_columns import CLINICAL_INPUTS, STANDARD, ClinicalColumn
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.settings import VolumeSettings

Picture = Literal["none", "slice", "volume"]
Pet = Literal["no", "optional", "required"]
BLOCKS = ("features", "slices", "volume", "clinical")
"""Names of the arrays of a prepared cohort."""


@dataclass(frozen=True)
class Needs:
    """Which parts of a case are made, measured and kept.

    Attributes:
        features: Radiomic features of tumor and ring.
        picture: What a network sees: nothing, the axial slice with its neighbors, or the volume about the tumor.
        clinical: Names among `CLINICAL_INPUTS` and the declared ones, in the order of the columns.
        pet: Whether a PET in SUV is used.
        volume: How the volume about the tumor is cut; None of any other picture.
        declared: What those names mean that are not among `CLINICAL_INPUTS`.

    Raises:
        InputError: A name is not known.
    """

    features: bool = True
    picture: Picture = "none"
    clinical: tuple[str, ...] = ()
    pet: Pet = "no"
    volume: VolumeSettings | None = None
    declared: tuple[ClinicalColumn, ...] = ()

    def __post_init__(self) -> None:
        known = [*CLINICAL_INPUTS, *(column.name for column in self.declared)]
        if not set(self.clinical) <= set(known) or len(set(self.clinical)) < len(self.clinical):
            raise InputError(f"Clinical inputs are some of {', '.join(known)}, each once; got {self.clinical}.")
        if len(set(known)) < len(known) or not {column.name for column in self.declared} <= set(self.clinical):
            raise InputError(f"Declared clinical inputs must be used and new, each once; got {known}.")
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

    @property
    def columns(self) -> tuple[ClinicalColumn, ...]:
        """The clinical inputs with their coding, in their order."""
        return columns_of(self.clinical, self.declared)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `declared` and `volume` are left out where there is none, as in files from before."""
        values = {**asdict(self), "clinical": list(self.clinical)}
        del values["declared"]
        if self.volume is None:
            del values["volume"]
        if self.declared:
            values["declared"] = [column.to_dict() for column in self.declared]
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
                "declared": tuple(ClinicalColumn.from_dict(one) for one in values.get("declared", ())),
            }
        )


def columns_of(names: Sequence[str], declared: Sequence[ClinicalColumn]) -> tuple[ClinicalColumn, ...]:
    """The clinical values of these names, with their coding."""
    columns = {column.name: column for column in (*STANDARD, *declared)}
    return tuple(columns[name] for name in names)


def declared_by(needs: Sequence[Needs]) -> tuple[ClinicalColumn, ...]:
    """All clinical columns that several models declare.

    Raises:
        InputError: Two of them mean something else by one name.
    """
    found: dict[str, ClinicalColumn] = {}
    for column in (one for each in needs for one in each.declared):
        if found.setdefault(column.name, column) != column:
            raise InputError(f"Two models code {column.name} in different ways. Evaluate them one by one.")
    return tuple(found.values())

"""What a recipe, and the model that it trains, must be given of a case."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from PDL1PredictorLib.core.clinical_columns import CLINICAL_INPUTS, STANDARD, ClinicalColumn
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.settings import VolumeSettings

Picture = Literal["none", "slice", "volume"]
Pet = Literal["no", "optional", "required"]
BLOCKS = ("features", "slices", "volume", "clinical", "slabs")
"""Names of the arrays of a prepared cohort."""
SLABS = (2, 16)
"""Axial slabs that a tumor can be cut into, fewest and most."""


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
        slabs: Axial slabs of the tumor that are measured one by one, see `SLABS`; 0 for none. Never of a model in a
            bundle: what reads slabs is compared with.

    Raises:
        InputError: A name is not known, or a value out of its bounds.
    """

    features: bool = True
    picture: Picture = "none"
    clinical: tuple[str, ...] = ()
    pet: Pet = "no"
    volume: VolumeSettings | None = None
    declared: tuple[ClinicalColumn, ...] = ()
    slabs: int = 0

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
        if self.slabs != 0:
            require_slabs(self.slabs)
            if not self.features:
                raise InputError("Slabs are measured as the features are: ask for features, too.")

    @property
    def n_channels(self) -> int:
        """Of the picture: two windows and the tumor, and with PET the SUV and whether there is one."""
        return 0 if self.picture == "none" else 3 if self.pet == "no" else 5

    @property
    def columns(self) -> tuple[ClinicalColumn, ...]:
        """The clinical inputs with their coding, in their order."""
        return columns_of(self.clinical, self.declared)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is not asked for is left out, as in files from before it could be."""
        values = {**asdict(self), "clinical": list(self.clinical)}
        del values["declared"]
        if self.volume is None:
            del values["volume"]
        if not self.slabs:
            del values["slabs"]
        if self.declared:
            values["declared"] = [column.to_dict() for column in self.declared]
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read back what `to_dict` wrote of a model in a bundle, which has no slabs.

        Raises:
            InputError: A name or value is not known.
        """
        known = [name for name in cls.__dataclass_fields__ if name != "slabs"]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise InputError(f"Unknown needs: {', '.join(unknown)}. Known: {', '.join(known)}.")
        volume = values.get("volume")
        return cls(
            **{
                **values,
                "clinical": tuple(values.get("clinical", ())),
                "volume": None if volume is None else VolumeSettings.from_dict(volume),
                "declared": tuple(ClinicalColumn.from_dict(one) for one in values.get("declared", ())),
            }
        )


def require_slabs(n_slabs: int) -> None:
    """Refuse a number of slabs that no tumor is cut into.

    Raises:
        InputError: It is no whole number, or not within `SLABS`.
    """
    fewest, most = SLABS
    if type(n_slabs) is not int or not fewest <= n_slabs <= most:
        raise InputError(f"A tumor is cut into {fewest} to {most} axial slabs, or 0: into none; got {n_slabs!r}.")


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

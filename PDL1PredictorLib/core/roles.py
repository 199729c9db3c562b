"""What the models of a study are to each other, so that reports need not know their names."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["lead", "part", "baseline"]
"""The model that a recipe is for; a model of some of its inputs; what any model has to beat."""


@dataclass(frozen=True)
class ModelName:
    """A model of a recipe.

    Attributes:
        title: For people, such as `Deep-RadScore`; also its key in tables.
        role: What it is to the others.
    """

    title: str
    role: Role

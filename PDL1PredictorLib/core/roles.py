"""What the models of a study are to each other, so that reports need not know their names."""

from collections.abc import Mapping
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


def with_role(roles: Mapping[str, Role], role: Role) -> tuple[str, ...]:
    """Titles of the models that have the role, in their order."""
    return tuple(title for title, own in roles.items() if own == role)


def lead_of(roles: Mapping[str, Role]) -> str:
    """Title of the lead model.

    Raises:
        ValueError: There is none, or more than one.
    """
    leads = with_role(roles, "lead")
    if len(leads) != 1:
        raise ValueError(f"One model has the role lead, got {len(leads)} of the models {', '.join(roles)}.")
    return leads[0]

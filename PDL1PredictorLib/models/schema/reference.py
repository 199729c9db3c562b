"""What a manifest says of the training cohort's look, for the out-of-distribution check."""

from dataclasses import dataclass
from typing import Any

from PDL1PredictorLib.core.sanity import SANITY_NAMES
from PDL1PredictorLib.core.strict_json import brief
from PDL1PredictorLib.models.schema.values import SMALLEST_SD, count, mapping, number, texts

SCORES = ("sanity", "sanity_z", "deep", "selected", "selected_z")
"""Views in which a case is held against the training cohort, the order of the columns of `reference/held_out`."""
MAX_REFERENCE = 2000
MAX_HELD_OUT = 100_000


@dataclass(frozen=True)
class ReferenceEntry:
    """The out-of-distribution check of a bundle.

    Attributes:
        features: Names of the radiomic features that it looks at.
        limits: By view, what its score is divided by: the 99th percentile of held-out cases.
        n_held_out: Held-out cases whose scores the tables hold; 0 of older bundles.
    """

    features: tuple[str, ...]
    limits: dict[str, float]
    n_held_out: int

    @property
    def views(self) -> tuple[str, ...]:
        """Those that there are, in the order of `SCORES`."""
        return tuple(name for name in SCORES if name in self.limits)

    def shapes(self, n_deep: int) -> dict[str, tuple[int, ...]]:
        """Shapes of the tables that belong to it, by name."""
        n, found = len(self.features), dict[str, tuple[int, ...]]()
        if "selected" in self.limits:
            found |= {"reference/mean": (n,), "reference/precision": (n, n)}
        if "deep" in self.limits:
            found |= {"reference/deep/mean": (n_deep,), "reference/deep/precision": (n_deep, n_deep)}
        if {"sanity", "sanity_z"} & set(self.limits):
            n_measures = len(SANITY_NAMES)
            found |= {f"reference/sanity/{name}": (n_measures,) for name in ("middle", "below", "above", "mean")}
            found["reference/sanity/precision"] = (n_measures, n_measures)
        if self.n_held_out:
            found["reference/held_out"] = (self.n_held_out, len(self.views))
        return found


def read_reference(values: Any) -> ReferenceEntry | None:
    """The entry `reference`.

    Raises:
        KeyError: Something is missing.
        ValueError: Something is of another type, or out of its bounds.
    """
    if values is None:
        return None
    given = mapping(values, "reference")
    limits = mapping(given["limits"], "reference.limits")
    strange = sorted(set(limits) - set(SCORES))
    if strange or not limits:
        raise ValueError(f"reference.limits must be of some of {', '.join(SCORES)}, got {brief(dict(limits))}.")
    found = {name: number(limits[name], f"reference.limits.{name}", 0.0) for name in limits}
    for name, limit in found.items():
        if limit < SMALLEST_SD:
            raise ValueError(f"reference.limits.{name} must be positive, got {limit:g}.")
    return ReferenceEntry(
        features=texts(given["features"], "reference.features", MAX_REFERENCE),
        limits=found,
        n_held_out=count(given["held_out"], "reference.held_out", 0, MAX_HELD_OUT),
    )

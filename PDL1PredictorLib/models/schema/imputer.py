"""What a manifest says of the estimates of clinical values that are not known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from PDL1PredictorLib.models.imputer import TABLES, Donors, Imputer
from PDL1PredictorLib.models.schema.values import SMALLEST_SD, count, mapping, one_of, series, texts

MOST_NEIGHBORS, MOST_DONORS, MOST_VALUES = 100, 1_000_000, 32


@dataclass(frozen=True)
class ImputerEntry:
    """The imputer of a bundle; its donors lie in the tables.

    Attributes:
        k: Neighbors that an estimate is made of.
        donors: What they are: patients' rows, or centroids of several patients.
        n: How many donors there are.
        mean: Training mean of each clinical value.
        sd: Training SD of each.
    """

    k: int
    donors: Donors
    n: int
    mean: tuple[float, ...]
    sd: tuple[float, ...]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of its tables, by name."""
        return dict.fromkeys(TABLES, (self.n, len(self.mean)))

    def of(self, tables: Mapping[str, np.ndarray]) -> Imputer:
        """The imputer with the donors of a bundle's tables."""
        values, known = (tables[name] for name in TABLES)
        donors = np.where(known > 0, values, np.nan)
        return Imputer(np.array(self.mean), np.array(self.sd), donors, self.k, self.donors)


def imputer_entry(imputer: Imputer, names: Sequence[str]) -> dict[str, Any]:
    """What the manifest says of an imputer of values with these names."""
    return {
        "names": list(names),
        "k": imputer.k,
        "donors": imputer.kind,
        "n": len(imputer.donors),
        "mean": imputer.mean.tolist(),
        "sd": imputer.sd.tolist(),
    }


def read_imputer(values: Any, names: tuple[str, ...]) -> ImputerEntry | None:
    """The entry `imputer`; None where there is none, as in bundles of before.

    Raises:
        KeyError: An entry is missing.
        ValueError: An entry is of another type, out of its bounds, or not of the values that the model needs.
    """
    if values is None:
        return None
    given = mapping(values, "imputer")
    named = texts(given["names"], "imputer.names", MOST_VALUES)
    if named != names:
        raise ValueError(f"imputer.names must be those of needs.clinical, {', '.join(names)}; got {', '.join(named)}.")
    mean, sd = (series(given[name], f"imputer.{name}") for name in ("mean", "sd"))
    if not len(mean) == len(sd) == len(names) or min(sd, default=1.0) < SMALLEST_SD:
        raise ValueError(f"imputer needs {len(names)} means and positive SDs.")
    return ImputerEntry(
        k=count(given["k"], "imputer.k", 1, MOST_NEIGHBORS),
        donors=one_of(given["donors"], "imputer.donors", ("rows", "centroids")),
        n=count(given["n"], "imputer.n", 0, MOST_DONORS),
        mean=mean,
        sd=sd,
    )

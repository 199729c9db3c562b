"""What a manifest says of where a model comes from: the cases it learned from, and what it was recalibrated from."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PDL1PredictorLib.core.outside_text import one_line
from PDL1PredictorLib.core.strict_json import brief
from PDL1PredictorLib.models.schema.values import count, mapping, text

LETTERS = 16  # of a case's SHA-256: enough to tell it again, and no more
MAX_CASES = 1_000_000
_HASH = re.compile(rf"[0-9a-f]{{{LETTERS}}}")


@dataclass(frozen=True)
class Recalibration:
    """What a model was before it was recalibrated at a site, and on how many cases that was done.

    Attributes:
        name: Of the bundle.
        version: Of it.
        sha256: Of its manifest.
        n: Cases with a known label, of the endpoint with most of them.
        date: ISO 8601.
        cases: Hashes of the CTs of all recalibrations, see `case_hashes`.
    """

    name: str
    version: str
    sha256: str
    n: int
    date: str
    cases: frozenset[str] = frozenset()


def case_hashes(sha256s: Iterable[str]) -> list[str]:
    """What a bundle keeps of the cases it learned from, sorted so that their order tells nothing.

    Args:
        sha256s: Of each CT's voxels and grid, see `imaging.file_hashes.image_sha256`; an empty one is left out.
    """
    return sorted({sha256[:LETTERS] for sha256 in sha256s if sha256})


def learned_from(known: frozenset[str], sha256: str) -> bool | None:
    """Whether a model has learned from a CT; None where it does not say from which.

    Args:
        known: What it says, see `case_hashes`.
        sha256: Of the CT's voxels and grid.
    """
    return sha256[:LETTERS] in known if known else None


def read_training_cases(values: Any) -> frozenset[str]:
    """The entry `training_cases`; empty where the bundle does not say, as older ones.

    Raises:
        ValueError: It is no list of such hashes.
    """
    return frozenset() if values is None else _hashes(values, "training_cases")


def read_recalibration(values: Any) -> Recalibration | None:
    """The entry `recalibrated_from`; None of a model as it was trained.

    Raises:
        KeyError: A value is missing.
        ValueError: One is of another type.
    """
    if values is None:
        return None
    given = mapping(values, "recalibrated_from")
    words = {
        name: one_line(text(given[name], f"recalibrated_from.{name}")) for name in ("name", "version", "sha256", "date")
    }
    cases = _hashes(given["cases"], "recalibrated_from.cases")
    return Recalibration(n=count(given["n"], "recalibrated_from.n"), cases=cases, **words)


def _hashes(values: Any, what: str) -> frozenset[str]:
    if not isinstance(values, list) or len(values) > MAX_CASES:
        raise ValueError(f"{what} must be a list of at most {MAX_CASES} hashes, got {brief(values)}.")
    for value in values:
        if not isinstance(value, str) or not _HASH.fullmatch(value):
            raise ValueError(f"{what} must hold {LETTERS} hexadecimal digits each, got {brief(value)}.")
    return frozenset(values)

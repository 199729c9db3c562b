"""How unlike the training cohort a case is: distances in several views, told as one conformal p-value.

A view's score is a Mahalanobis distance or the largest z. Each is divided by its 99th percentile over held-out cases of
the training; the largest of them is the case's score, and p the share of held-out cases, and the case itself, that are
as far. Cases like the training cohort have p <= 0.05 in at most 5 % (see `docs/methods.md`, "Unlike the training
cohort"). Source: Laxhammar and Falkman 2010, doi 10.1145/1833280.1833287; Vovk et al. 2005 (conformal p-values).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from PDL1PredictorLib.core.results import Unlike, UnlikePart
from PDL1PredictorLib.core.sanity import SANITY
from PDL1PredictorLib.models.schema.reference import SCORES, ReferenceEntry
from PDL1PredictorLib.statistics.conformal import conformal_p

MOST_ASPECT = 1.05  # of a pixel: a scanner's are square, whatever the cohort
LEVEL = 0.05  # share of cases like the training cohort that are flagged all the same
Tables = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Seen:
    """What of a case is held against the training cohort.

    Attributes:
        sanity: Its plain measures, (m,), see `core.sanity`; None where they were not taken.
        deep: Deep features, (n_deep,); none, (0,), without a network.
        z: Standardized radiomic features that the check looks at, by name.
        pixel_aspect: How much longer a pixel of a slice is than wide, 1 or more.
    """

    sanity: np.ndarray | None
    deep: np.ndarray
    z: Mapping[str, float]
    pixel_aspect: float = 1.0


@dataclass(frozen=True, eq=False)
class Likeness:
    """What came out.

    Attributes:
        unlike: For the reader.
        atypicality: The score over its limit: above 1 the case is unlike.
    """

    unlike: Unlike
    atypicality: float


NOT_KNOWN = Likeness(Unlike(), math.nan)


def mahalanobis(rows: np.ndarray, mean: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Distances of rows (n, d) from a mean (d,), by the inverse covariance (d, d): (n,)."""
    offset = rows - mean
    squared = np.einsum("ni,ij,nj->n", offset, precision, offset)
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))  # a rounding may bring it below 0


def largest_z(rows: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """The largest |z| of each row (n, d) by means and SDs (d,): (n,)."""
    return np.asarray(np.abs((rows - mean) / sd).max(axis=1, initial=0.0))


def lopsided_z(rows: np.ndarray, middle: np.ndarray, below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Distances of rows (n, d) from medians (d,), in SDs of the side on which they lie: (n, d).

    What a tumor can be has an end that is nearer on one side: density above soft tissue, air in an outline.
    """
    offset = rows - middle
    return np.asarray(offset / np.where(offset < 0, below, above))


def likeness(entry: ReferenceEntry | None, tables: Tables, seen: Seen) -> Likeness:
    """Hold a case against the training cohort in every view for which it has been measured.

    Pixels that are not square are unlike any cohort: axes or spacings of the file were mixed up.

    Args:
        entry: Of the manifest.
        tables: Of the bundle.
        seen: Of the case.
    """
    found = _views(entry, tables, seen)
    if seen.pixel_aspect <= MOST_ASPECT:
        return found
    text = f"pixels {seen.pixel_aspect:.2f} times as long as wide, where a scanner's are square"
    parts = (UnlikePart("pixels", None, text), *found.unlike.parts)
    return Likeness(Unlike(found.unlike.p, parts, True), found.atypicality)


def _views(entry: ReferenceEntry | None, tables: Tables, seen: Seen) -> Likeness:
    if entry is None:
        return NOT_KNOWN
    scores = {name: score for name in entry.views if (score := _SCORES[name](entry, tables, seen)) is not None}
    if not scores:
        return NOT_KNOWN
    ratios = {name: score / entry.limits[name] for name, score in scores.items()}
    farthest = max(ratios.values())
    if not entry.n_held_out:
        text = f"radiomic features {farthest:.1f} times the limit of the training cohort"
        return Likeness(Unlike(None, (UnlikePart("selected", None, text),), farthest > 1), farthest)
    held_out = tables["reference/held_out"][:, [entry.views.index(name) for name in ratios]]
    held_out = held_out / np.array([entry.limits[name] for name in ratios])
    combined = held_out.max(axis=1)
    p = conformal_p(farthest, combined)
    parts = [
        UnlikePart(name, conformal_p(ratio, held_out[:, column]), _WORDS[name](tables, seen, ratio))
        for column, (name, ratio) in enumerate(ratios.items())
    ]
    ordered = tuple(sorted(parts, key=lambda part: -ratios[part.name]))
    return Likeness(Unlike(p, ordered, p <= LEVEL), farthest / _limit(combined))


def _limit(combined: np.ndarray) -> float:
    """The score above which p is at most `LEVEL`; infinite where there are too few cases for that."""
    rank = math.floor(LEVEL * (len(combined) + 1) + 1e-9)
    return float(np.sort(combined)[-rank]) if rank else math.inf


def _sanity(entry: ReferenceEntry, tables: Tables, seen: Seen) -> float | None:
    if seen.sanity is None:
        return None
    z = _sanity_z(tables, seen.sanity)
    mean, precision = tables["reference/sanity/mean"], tables["reference/sanity/precision"]
    return float(mahalanobis(z[None], mean, precision)[0])


def _sanity_largest(entry: ReferenceEntry, tables: Tables, seen: Seen) -> float | None:
    return None if seen.sanity is None else float(np.abs(_sanity_z(tables, seen.sanity)).max())


def _sanity_z(tables: Tables, sanity: np.ndarray) -> np.ndarray:
    middle, below, above = (tables[f"reference/sanity/{name}"] for name in ("middle", "below", "above"))
    return np.asarray(lopsided_z(sanity[None], middle, below, above)[0])


def _deep(entry: ReferenceEntry, tables: Tables, seen: Seen) -> float | None:
    mean, precision = tables["reference/deep/mean"], tables["reference/deep/precision"]
    return float(mahalanobis(seen.deep[None], mean, precision)[0]) if len(seen.deep) else None


def _selected(entry: ReferenceEntry, tables: Tables, seen: Seen) -> float | None:
    row = np.array([seen.z[name] for name in entry.features])
    return float(mahalanobis(row[None], tables["reference/mean"], tables["reference/precision"])[0])


def _selected_z(entry: ReferenceEntry, tables: Tables, seen: Seen) -> float | None:
    return max((abs(seen.z[name]) for name in entry.features), default=None)


def _sanity_words(tables: Tables, seen: Seen, ratio: float) -> str:
    if seen.sanity is None:
        return ""
    z = _sanity_z(tables, seen.sanity)
    worst = int(np.argmax(np.abs(z)))
    return f"{SANITY[worst].words} {_apart(float(z[worst]))}"


def _selected_z_words(tables: Tables, seen: Seen, ratio: float) -> str:
    name, z = max(seen.z.items(), key=lambda item: abs(item[1]))
    return f"the radiomic feature {name} {_apart(z)}"


def _apart(z: float) -> str:
    return f"{abs(z):.2g} SD {'above' if z > 0 else 'below'} the training cohort"


def _farther(what: str, ratio: float) -> str:
    return f"{what} {ratio:.1f} times as far from the training cohort as 99 % of cases like it"


_SCORES = dict(zip(SCORES, (_sanity, _sanity_largest, _deep, _selected, _selected_z), strict=True))
_WORDS: dict[str, Callable[..., str]] = dict(
    zip(
        SCORES,
        (
            _sanity_words,
            _sanity_words,
            lambda tables, seen, ratio: _farther("the picture, as the network sees it,", ratio),
            lambda tables, seen, ratio: _farther("the radiomic features together", ratio),
            _selected_z_words,
        ),
        strict=True,
    )
)

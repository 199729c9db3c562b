"""A bundle with other calibrations: the same network, classifiers and features, fitted to the cases of a site."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from PDL1PredictorLib import __version__
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.models.bundle import SCHEMA_VERSION, Bundle, write_bundle
from PDL1PredictorLib.models.manifest import current, read_manifest
from PDL1PredictorLib.models.tensors import read_tensors

CARD = "MODEL_CARD.md"
MARK = "+site"  # of the version


@dataclass(frozen=True, eq=False)
class Recalibrated:
    """What changes of one yes/no endpoint.

    Attributes:
        slope: Of the line on the model's calibrated log-odds, > 0.
        intercept: Of it.
        threshold: Probability at and above which the call is positive.
        conformal: Limits of "negative" and "positive", see `statistics.conformal`.
        lines: Number of resamples to slope and intercept of each, (n, 2).
        base_rate: Share of positives at the site.
        test: Figures at the site, as the manifest has them; None where they cannot be had.
    """

    slope: float
    intercept: float
    threshold: float
    conformal: tuple[float, float]
    lines: Callable[[int], np.ndarray]
    base_rate: float
    test: dict[str, Any] | None


@dataclass(frozen=True)
class Site:
    """What is said of the cases that a bundle is recalibrated on.

    Attributes:
        n: Cases with a known label, of the endpoint with most of them.
        positives: Endpoint to the number of its positive and of its negative cases.
        cases: Hashes of their CTs, see `models.schema.origin`: they are no test of the new bundle.
        command: What was typed.
    """

    n: int
    positives: Mapping[str, tuple[int, int]]
    cases: Sequence[str]
    command: str = ""


def write_recalibrated(
    bundle: Bundle, changes: Mapping[str, Recalibrated], site: Site, folder: Path, overwrite: bool = False
) -> Bundle:
    """Write a bundle in which some endpoints have the calibration of a site.

    Args:
        bundle: As it was trained, or recalibrated before.
        changes: By endpoint, at least one.
        site: Of the cases.
        folder: To make; its name becomes the model's name.
        overwrite: Replace an existing bundle.

    Raises:
        BundleError: The bundle cannot hold the numbers; nothing was written.
        OutputError: The folder exists already or cannot be written.
    """
    data = json.loads(json.dumps({**current(bundle.manifest)}))
    date = datetime.now(UTC).isoformat(timespec="seconds")
    before = {key: data["endpoints"][key]["calibration"] for key in changes}
    tables = _tables(bundle.file(data["tables"]), changes, before)
    for key, change in changes.items():
        data["endpoints"][key] |= _entry(data["endpoints"][key], change)
    words = _words(bundle.name, changes, site, date)
    data |= {
        "schema_version": SCHEMA_VERSION,
        "name": folder.name,
        "version": f"{data['version']}{MARK}",
        "library_version": __version__,
        "created_utc": date,
        "limitations": [*data["limitations"], words],
        "recalibrated_from": {
            "name": bundle.name,
            "version": data["version"],
            "sha256": bundle.sha256,
            "n": site.n,
            "positives": {key: list(counts) for key, counts in site.positives.items()},
            "date": date,
            "cases": sorted({*site.cases, *(data.get("recalibrated_from") or {}).get("cases", ())}),
        },
    }
    files = {**bundle.files, data["tables"]: tables}
    files[CARD] = _card(bundle, folder.name, words, changes, site).encode()
    del data["files"]
    read_manifest(Bundle(folder.name, "", data, files))  # what no reader would take is not written
    return write_bundle(folder, data, files, overwrite)


def _entry(old: Mapping[str, Any], change: Recalibrated) -> dict[str, Any]:
    """Line after line is a line: the new one takes the classifier's own log-odds."""
    before = old["calibration"]
    return {
        "calibration": {
            **before,
            "slope": change.slope * before["slope"],
            "intercept": change.slope * before["intercept"] + change.intercept,
        },
        "threshold": change.threshold,
        "conformal": [limit if np.isfinite(limit) else None for limit in change.conformal],
        "base_rate": change.base_rate,
        "test": change.test,
    }


def _tables(data: bytes, changes: Mapping[str, Recalibrated], before: Mapping[str, Mapping[str, float]]) -> bytes:
    """Resampled calibrations become those of the site; resampled models keep theirs and take the site's besides."""
    tables = dict(read_tensors(data))
    for key, change in changes.items():
        name = f"calibration/{key}"
        slope, intercept = before[key]["slope"], before[key]["intercept"]
        lines = change.lines(len(tables[name]))
        tables[name] = np.column_stack([lines[:, 0] * slope, lines[:, 0] * intercept + lines[:, 1]])
        whole = tables.get(f"fusion/{key}")
        if whole is not None:
            lines = change.lines(len(whole))
            moved = lines[:, :1] * np.asarray(whole, dtype=float)
            moved[:, -1] += lines[:, 1]
            tables[f"fusion/{key}"] = moved.astype(whole.dtype)
    saved: bytes = safetensors.numpy.save({name: np.ascontiguousarray(table) for name, table in tables.items()})
    return saved


def _words(name: str, changes: Mapping[str, Recalibrated], site: Site, date: str) -> str:
    titles = ", ".join(endpoint(key).title for key in changes)
    return (
        f"Recalibrated from {name} on {site.n} cases of a site ({date[:10]}): {titles}. Its probabilities, thresholds "
        "and figures are of such cases; the figures are cross-validated within them, and no further hospital has "
        "tested it."
    )


def _card(bundle: Bundle, name: str, words: str, changes: Mapping[str, Recalibrated], site: Site) -> str:
    """The card of the model before, below what has changed."""
    before = bundle.files.get(CARD, b"").decode("utf-8", errors="replace").rstrip()
    lines = [
        "| endpoint | positive / negative | slope | intercept | threshold | share of positives |",
        "|---|---|---|---|---|---|",
        *(
            f"| {key} | {' / '.join(map(str, site.positives[key]))} | {change.slope:.3f} | {change.intercept:.3f} | "
            f"{change.threshold:.3f} | {change.base_rate:.3f} |"
            for key, change in changes.items()
        ),
    ]
    parts = [
        f"# {name}: recalibrated from {bundle.name}",
        words,
        "## What was fitted",
        "A line on the log-odds of each endpoint below; what it was before stands in the rest of this card. Slope 1: "
        "the intercept alone was fitted.",
        "\n".join(lines),
        f"Made by `{site.command}`." if site.command else "",
        f"## The model before, {bundle.name} (SHA-256 `{bundle.sha256}`)",
        before,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"

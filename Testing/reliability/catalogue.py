"""All faulty inputs, and the judgement of what became of them."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from campaign import Job, Outcome
from entry import ACCEPTED, REPAIRED, Entry
from inputs_masks import CONTOURS, SEGMENTATIONS
from inputs_series import SERIES
from inputs_volumes import FILES, HEADERS, LABELS, UNITS

IMAGES: tuple[Entry, ...] = (*SERIES, *HEADERS, *FILES, *UNITS, *CONTOURS, *SEGMENTATIONS, *LABELS)
TOLERANCE = 0.04  # of a volume: contours are polygons, slices are filled in between


def prepared(folder: Path, entries: Iterable[Entry], model: Path | None = None) -> Iterator[Job]:
    """Write the inputs one after the other, each into a folder of its own."""
    for number, entry in enumerate(entries):
        place = folder / str(number)
        place.mkdir()
        build: Any = entry.build
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom warns of what is written here on purpose
            job: Job = build(place) if model is None else build(place, model)
        yield replace(job, name=entry.name)


def became(outcome: Outcome) -> str:
    """Accepted, repaired or refused, or what must not be."""
    if outcome.outcome == "read":
        return REPAIRED if outcome.warnings else ACCEPTED
    return outcome.outcome


def judged(entry: Entry, outcome: Outcome) -> str:
    """Why an input did not become what it should, empty if it did."""
    if outcome.fault:
        return outcome.fault
    found = became(outcome)
    if found != entry.expected:
        told = f" ({', '.join(outcome.warnings)})" if outcome.warnings else ""
        return f"{entry.name} was {found}{told}, should be {entry.expected}. {outcome.text}"
    said = " ".join(outcome.warnings) or outcome.text
    if entry.word.lower() not in said.lower():
        return f"{entry.name}: {said!r} says nothing of {entry.word!r}"
    if entry.volume_ml is not None and abs(outcome.volume_ml - entry.volume_ml) > TOLERANCE * entry.volume_ml:
        return f"{entry.name}: {outcome.volume_ml:.2f} mL instead of {entry.volume_ml:.2f}"
    return ""

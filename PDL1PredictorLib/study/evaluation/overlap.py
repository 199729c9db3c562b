"""Cases that a model has learned from are no test of it: they are told by their voxels, not by their names."""

from collections.abc import Mapping, Sequence

from PDL1PredictorLib.core.errors import CohortError, PDL1Error
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.running.processes import run_each
from PDL1PredictorLib.imaging.case_files import Files
from PDL1PredictorLib.imaging.file_hashes import image_sha256
from PDL1PredictorLib.imaging.read import read_ct
from PDL1PredictorLib.models.manifest import Manifest
from PDL1PredictorLib.models.schema.origin import LETTERS

UNKNOWN = (
    "{title} does not say which cases it learned from, so that a case of its training among these could not be found "
    "out. Make sure that there is none: figures on training cases are too good."
)


def refuse_overlap(
    cases: Sequence[Files], models: Mapping[str, Manifest], source: object, workers: int | None, progress: Progress
) -> tuple[str, ...]:
    """Refuse cases whose CT some model has learned from.

    Args:
        cases: Of the cohort.
        models: By title.
        source: Of the cohort, for the message.
        workers: Processes that read the CTs.
        progress: Told after every case.

    Returns:
        What the reader must know of models that do not say what they learned from.

    Raises:
        CohortError: There are such cases; all are listed.
    """
    notes = tuple(UNKNOWN.format(title=title) for title, manifest in models.items() if not manifest.training_cases)
    known = {title: manifest.seen_cases for title, manifest in models.items() if manifest.seen_cases}
    if not known:
        return notes
    hashes = run_each(_hash, [(files,) for files in cases], workers, progress, "overlap")
    problems = [
        f"{files.name}: {title} has learned from this CT, so it is no test of it; take it out"
        for files, found in zip(cases, hashes, strict=True)
        for title, learned in known.items()
        if found in learned
    ]
    if problems:
        raise CohortError(source, problems)
    return notes


def _hash(files: Files) -> str:
    """Of a case's CT; empty where it cannot be read, which the prediction tells."""
    try:
        return image_sha256(read_ct(files.ct, series=files.series).image)[:LETTERS]
    except PDL1Error:
        return ""

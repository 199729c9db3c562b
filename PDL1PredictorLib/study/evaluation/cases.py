"""A case of a cohort as a model takes it."""

from dataclasses import replace

from PDL1PredictorLib.cohort.sources import case_files
from PDL1PredictorLib.cohort.table import CohortCase
from PDL1PredictorLib.imaging.case_files import Files
from PDL1PredictorLib.models.manifest import Manifest


def files_for_model(case: CohortCase, manifest: Manifest) -> Files:
    """A case with the declared clinical values that a model knows, and its PET where the model looks at one."""
    files = case_files(case, manifest.needs.pet)
    names = {column.name for column in manifest.needs.declared}
    other = {name: value for name, value in files.clinical.other.items() if name in names}
    return replace(files, clinical=replace(files.clinical, other=other))

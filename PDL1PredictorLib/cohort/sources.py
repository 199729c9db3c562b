"""Where training cases come from: the synthetic cohort, or the files that a cohort's table names."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from PDL1PredictorLib.cohort.table import Cohort, CohortCase
from PDL1PredictorLib.core.case import Case, Clinical
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.needs import Pet
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.case_files import Files, read_one_tumor
from PDL1PredictorLib.imaging.file_hashes import content_sha256
from PDL1PredictorLib.phantom.outcomes import Outcomes, draw_outcomes
from PDL1PredictorLib.phantom.patient import draw_truth, make_patient
from PDL1PredictorLib.phantom.people import PEOPLE

Labels = dict[str, float | int | None]


@dataclass(frozen=True, eq=False)
class SourceCase:
    """What a source brings.

    Attributes:
        case: CT and the one tumor.
        labels: None where one is missing.
        warnings: What reading and the choice of the tumor had to repair, leave out or assume.
    """

    case: Case
    labels: Labels
    warnings: tuple[CaseWarning, ...] = ()


class Source(Protocol):
    """One case to come; small, since it is sent to other processes."""

    @property
    def name(self) -> str:
        """What the case is called in tables and messages."""
        ...

    @property
    def key(self) -> str:
        """Names the case's content, equal for equal content: it becomes part of the cache's file names.

        Raises:
            InputError: The content cannot be read.
        """
        ...

    @property
    def labels(self) -> Labels | None:
        """The labels where they are known without loading; they then may change and the cache stays good."""
        ...

    @property
    def events(self) -> Mapping[str, bool]:
        """Of the times among these labels: whether each that is known ended in the event."""
        ...

    def people(self, found: Clinical) -> Clinical:
        """What is known of patient and scan, where `found` is what the files say; it may change likewise."""
        ...

    def load(self) -> SourceCase:
        """The case, its labels and its warnings.

        Raises:
            PDL1Error: The case cannot be used.
        """
        ...


@dataclass(frozen=True)
class PhantomSource:
    """Patient `index` of the synthetic cohort of `seed`, with the field of view restricted to the tumor.

    Attributes:
        seed: Of the cohort.
        index: Of the patient.
        pet: Whether the case has a PET.
        told: Whether age, sex, smoking and family history are those that a table of the cohort has, which depend on
            PD-L1; else they know nothing of the tumor, and there is no family history.
    """

    seed: int
    index: int
    pet: bool = False
    told: bool = False

    @property
    def name(self) -> str:
        """The cohort has no other names; a patient has one name with and without a PET."""
        return f"phantom-{self.seed}-{self.index}"

    @property
    def key(self) -> str:
        """Seed and index say all, but for the PET."""
        return f"{self.name}-pet" if self.pet else self.name

    @property
    def labels(self) -> Labels | None:
        """The ten labels and the later ones: no picture is needed to draw them."""
        return {**self._truth[0], **self._truth[1].labels}

    @property
    def events(self) -> Mapping[str, bool]:
        """Of the progression."""
        return self._truth[1].events

    def people(self, found: Clinical) -> Clinical:
        """As told, with the scan's values of the picture."""
        own = self._truth[1].people
        return replace(found, **{name: getattr(own, name) for name in PEOPLE}) if self.told else found

    @cached_property
    def _truth(self) -> tuple[Labels, Outcomes]:
        traits, _, labels = draw_truth(self.seed, self.index)
        return dict(labels), draw_outcomes(self.seed, self.index, traits)

    def load(self) -> SourceCase:
        """Make the patient."""
        patient = make_patient(self.seed, self.index, extent="tumor", pet=self.pet)
        return SourceCase(patient.case, dict(patient.labels))


@dataclass(frozen=True)
class FileSource:
    """A case of a cohort's table. Of a mask with several parts the largest is the tumor, as in a prediction.

    Attributes:
        case: The row.
        pet: Whether a PET is read: `no`, `optional` (where the row has one) or `required`.
    """

    case: CohortCase
    pet: Pet = "no"

    @property
    def name(self) -> str:
        """As in the table."""
        return self.case.name

    @cached_property
    def key(self) -> str:
        """SHA-256 of what the files that are read hold, whatever they are called, and of the segment."""
        try:
            parts = [content_sha256(self.case.image), content_sha256(self.case.mask), self.case.segment or ""]
            if self._pet is not None:
                parts.append(content_sha256(self._pet))
        except OSError as error:
            raise InputError(f"{error.filename} cannot be read: {error.strerror}.") from error
        return hashlib.sha256("\n".join(parts).encode(errors="surrogatepass")).hexdigest()[:32]

    @property
    def labels(self) -> Labels | None:
        """As in the table."""
        return self.case.labels

    @property
    def events(self) -> Mapping[str, bool]:
        """As in the table."""
        return self.case.events

    def people(self, found: Clinical) -> Clinical:
        """As in the table; what is empty there comes from the files."""
        return self.case.clinical.with_defaults(found)

    @property
    def _pet(self) -> Path | None:
        return None if self.pet == "no" else self.case.pet

    def load(self) -> SourceCase:
        """Read the files."""
        one = self.case
        if self.pet == "required" and one.pet is None:
            raise InputError("The case has no PET, which is needed: fill in the column pet.")
        read = read_one_tumor(case_files(one, self.pet))
        return SourceCase(read.case, one.labels, read.warnings)


def case_files(case: CohortCase, pet: Pet = "no") -> Files:
    """Where a case of a table lies, as predictions take it; its PET too, unless `pet` is `no`."""
    own = None if pet == "no" else case.pet
    return Files(case.image, case.mask, case.segment, clinical=case.clinical, name=case.name, pet=own)


def file_sources(cohort: Cohort, pet: Pet = "no") -> list[FileSource]:
    """The cases of a table, ready to be prepared, in its order; `pet` as in `FileSource`."""
    return [FileSource(case, pet) for case in cohort.cases]


def source_keys(sources: Sequence[Source]) -> tuple[dict[int, str], dict[str, str]]:
    """Key by position, and the reason by name of those whose content cannot be read.

    Raises:
        InputError: Two cases hold the same.
    """
    keys: dict[int, str] = {}
    first: dict[str, str] = {}
    failed: dict[str, str] = {}
    for position, source in enumerate(sources):
        try:
            key = source.key
        except InputError as error:
            failed[source.name] = str(error)
            continue
        if key in first:
            raise InputError(
                f"Two cases of the cohort are the same: {first[key]} and {source.name} hold the same image and tumor. "
                "Every case may occur once."
            )
        first[key] = source.name
        keys[position] = key
    return keys, failed

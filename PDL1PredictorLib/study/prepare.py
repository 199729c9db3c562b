"""A cohort's cases turned into the arrays that training needs, cached one file a case, on several processes."""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.processes import run_each
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.patch import neighbor_patches
from PDL1PredictorLib.imaging.regions import make_regions
from PDL1PredictorLib.phantom.patient import make_patient
from PDL1PredictorLib.radiomics.extract import extract_features
from PDL1PredictorLib.radiomics.settings import FeatureSettings

Labels = dict[str, int | None]
NEIGHBORS = (-4, -2, 2, 4)  # slices of the lattice that also serve as training samples, as in paper 004


class Source(Protocol):
    """Where a training case comes from; small, and equal text means equal case."""

    @property
    def key(self) -> str:
        """Names the case's content: it becomes part of the cache's file name."""
        ...

    def load(self) -> tuple[Case, Labels]:
        """The case and its labels, None where one is missing."""
        ...


@dataclass(frozen=True)
class PhantomSource:
    """Patient `index` of the synthetic cohort of `seed`, with the field of view restricted to the tumor."""

    seed: int
    index: int

    @property
    def key(self) -> str:
        """Seed and index say all."""
        return f"phantom-{self.seed}-{self.index}"

    def load(self) -> tuple[Case, Labels]:
        """Make the patient."""
        patient = make_patient(self.seed, self.index, extent="tumor")
        return patient.case, dict(patient.labels)


@dataclass(frozen=True, eq=False)
class PreparedCohort:
    """What training sees of n cases.

    Attributes:
        names: Case names.
        endpoints: Endpoint keys, the order of the columns of `labels`.
        feature_names: Order of the columns of `features`.
        features: (n, f), NaN where undefined.
        patches_hu: (n, s, rows, columns) int16, HU: the deep patch first, then the same square on its neighbor slices.
        patches_tumor: (n, s, rows, columns) bool.
        labels: (n, e), 0 or 1, NaN where missing.
    """

    names: tuple[str, ...]
    endpoints: tuple[str, ...]
    feature_names: tuple[str, ...]
    features: np.ndarray
    patches_hu: np.ndarray
    patches_tumor: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: np.ndarray) -> "PreparedCohort":
        """These rows, in this order."""
        return PreparedCohort(
            tuple(self.names[row] for row in rows),
            self.endpoints,
            self.feature_names,
            self.features[rows],
            self.patches_hu[rows],
            self.patches_tumor[rows],
            self.labels[rows],
        )


def prepare(
    sources: Sequence[Source],
    endpoints: Sequence[str],
    regions: RegionSettings,
    features: FeatureSettings,
    cache: Path,
    workers: int | None = None,
    progress: Progress = SILENT,
) -> PreparedCohort:
    """Prepare every case, on several processes, keeping each in `cache` so that a run that was stopped goes on.

    Args:
        sources: The cases; each must have a key of its own.
        endpoints: Columns of the labels.
        regions: How the regions are made.
        features: How they are measured.
        cache: Folder of one file a case; safe to delete.
        workers: Processes; None takes one a core.
        progress: Told after every case.

    Raises:
        InputError: Two cases have the same key.
    """
    keys = [source.key for source in sources]
    if len(set(keys)) < len(keys):
        raise InputError("Two cases of the cohort are the same; every case may occur once.")
    cache.mkdir(parents=True, exist_ok=True)
    settings = hashlib.sha256(json.dumps([regions.to_dict(), features.to_dict()], sort_keys=True).encode()).hexdigest()
    files = [cache / f"{key}-{settings[:12]}.npz" for key in keys]
    todo = [
        (source, file, tuple(endpoints), regions, features)
        for source, file in zip(sources, files, strict=True)
        if not file.exists()
    ]
    run_each(_prepare_one, todo, workers, progress, "prepare", done_before=len(sources) - len(todo))
    return _gather(keys, files, tuple(endpoints), features)


def _prepare_one(
    source: Source, file: Path, endpoints: tuple[str, ...], regions: RegionSettings, features: FeatureSettings
) -> None:
    case, labels = source.load()
    made = make_regions(case, regions, features.margin_at(regions.spacing_mm))
    patches = neighbor_patches(case, made, regions, NEIGHBORS)
    patches += (patches[0],) * (len(NEIGHBORS) + 1 - len(patches))  # slices without tumor teach nothing
    values = extract_features(made, features)
    names = features.feature_names()
    content = {
        "features": np.array([values[name] for name in names]),
        "patch_hu": np.concatenate([sitk.GetArrayFromImage(p.image) for p in patches]).astype(np.int16),
        "patch_tumor": np.concatenate([sitk.GetArrayFromImage(p.tumor) for p in patches]).astype(bool),
        "labels": np.array([np.nan if labels.get(key) is None else labels[key] for key in endpoints], dtype=np.float64),
    }
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".case-", suffix=".part", delete=False) as draft:
        np.savez_compressed(draft, **content)  # type: ignore[arg-type]
    Path(draft.name).replace(file)


def _gather(
    keys: list[str], files: list[Path], endpoints: tuple[str, ...], features: FeatureSettings
) -> PreparedCohort:
    rows = []
    for file in files:
        with np.load(file, allow_pickle=False) as stored:
            rows.append({name: stored[name] for name in stored.files})
    column = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return PreparedCohort(
        tuple(keys),
        endpoints,
        features.feature_names(),
        column["features"],
        column["patch_hu"],
        column["patch_tumor"],
        column["labels"],
    )

"""A cohort's cases turned into the arrays that training needs, each kept in a cache, on many processes or a cluster."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.cohort.cache import CaseCache, PreparedCase
from PDL1PredictorLib.cohort.cluster import results_from_cluster
from PDL1PredictorLib.cohort.feature_table import write_feature_table
from PDL1PredictorLib.cohort.locking import only_run_in
from PDL1PredictorLib.cohort.preparation import Preparation
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.sources import FileSource, PhantomSource, Source, file_sources, source_keys
from PDL1PredictorLib.core.case import Case, Clinical
from PDL1PredictorLib.core.clinical_columns import clinical_row
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.errors import EmptyRegionError, InputError, OutputError, PDL1Error
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.running.processes import run_each
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.imaging.file_hashes import image_sha256
from PDL1PredictorLib.imaging.moved import MOVES
from PDL1PredictorLib.imaging.patch import deep_patches
from PDL1PredictorLib.imaging.regions import Regions, make_regions
from PDL1PredictorLib.imaging.sanity import sanity_row
from PDL1PredictorLib.imaging.volume import tumor_volume, volume_arrays
from PDL1PredictorLib.radiomics.extract import extract_features
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.radiomics.slabs import measure_slabs

__all__ = ["FileSource", "PhantomSource", "PreparedCohort", "Source", "file_sources", "prepare"]

MOST_MOVED = 40  # cases that are measured again under every move: an ICC of 0.75 is then known to about 0.13
FEATURES_AND_SLICES = Needs(features=True, picture="slice")


def prepare(
    sources: Sequence[Source],
    endpoints: Sequence[str],
    regions: RegionSettings,
    features: FeatureSettings | None,
    cache: Path,
    workers: int | None = None,
    progress: Progress = SILENT,
    scheduler: str | None = None,
    needs: Needs = FEATURES_AND_SLICES,
    moved: int = MOST_MOVED,
) -> PreparedCohort:
    """Prepare every case and keep each in `cache`, so that a run that was stopped goes on where it was.

    A case that cannot be used is left out and its reason told; the others go on.

    Args:
        sources: The cases; no two may hold the same.
        endpoints: Keys of the targets.
        regions: How the regions are made.
        features: How they are measured; None where no features are needed.
        cache: Folder of the prepared cases; safe to delete. At the end it holds `features.parquet`, the whole table.
        workers: Processes on this machine; None takes one a core.
        progress: Told after every case.
        scheduler: Address of a Dask cluster that does the work instead; its workers must see the files under the same
            paths. Only this process writes the cache.
        needs: Which blocks are made.
        moved: Of how many cases the features are measured as other readers and scanners would have given them; which
            ones follows from the cases alone.

    Raises:
        InputError: Two cases are the same, none can be used, another run works in the cache, or the cluster is not
            there.
        OutputError: The cache cannot be written, for example because the disk is full.
        CancelledError: The user cancelled; the cases that are ready stay in the cache.
    """
    how = Preparation(needs, regions, features)
    with only_run_in(cache):
        CaseCache(cache, how).sweep()
        keys, failed = source_keys(sources)
        shelf = _Shelf(cache, how, _to_move(keys, moved if needs.features else 0))
        found, warnings = _found(sources, keys, shelf)
        _keep_hashes(sources, keys, found, shelf, workers)
        todo = [position for position in keys if position not in found]
        jobs = [(sources[position], shelf.how_of(keys[position])) for position in todo]
        kept = [keys[position] for position in todo]
        run = _Run(jobs, kept, shelf, progress, done_before=len(sources) - len(todo))
        reasons = run.on_cluster(scheduler) if scheduler and jobs else run.here(workers)
        failed |= {sources[position].name: why for position, why in zip(todo, reasons, strict=True) if why}
        if all(source.name in failed for source in sources):
            told = "".join(f"\n  {name}: {reason}" for name, reason in list(failed.items())[:10])
            raise InputError(f"None of the {len(sources)} cases of the cohort can be used:{told}")
        cases = [
            (sources[position], found[position] if position in found else _read_back(sources[position], key, shelf))
            for position, key in keys.items()
            if sources[position].name not in failed
        ]
        cohort = _gather(cases, tuple(endpoints), how)
        write_feature_table(cohort, cache / "features.parquet", overwrite=True)
        return replace(cohort, failed=failed, warnings=tuple(warnings))


@dataclass(frozen=True, eq=False)
class _Shelf:
    """The cache of a cohort, some of whose cases are measured more often than the others."""

    cache: Path
    how: Preparation
    to_move: frozenset[str]

    def how_of(self, key: str) -> Preparation:
        return replace(self.how, moved=key in self.to_move)

    def store_of(self, key: str) -> CaseCache:
        return CaseCache(self.cache, self.how_of(key))


def _to_move(keys: Mapping[int, str], most: int) -> frozenset[str]:
    """Keys in an order that has nothing to do with the cases, and that other cases beside them do not change."""
    return frozenset(sorted(keys.values(), key=lambda key: hashlib.sha256(key.encode()).digest())[:most])


def _found(sources: Sequence[Source], keys: dict[int, str], shelf: _Shelf) -> tuple[dict[int, PreparedCase], list[str]]:
    """Cases that are in the cache, by position, and what to tell of damaged files."""
    found, warnings = {}, []
    for position, key in keys.items():
        store = shelf.store_of(key)
        if not store.has(key):
            continue
        case = store.read(key)
        if case is None:
            warnings.append(f"The cached files of {sources[position].name} were damaged; the case was prepared again.")
        else:
            found[position] = case
    return found, warnings


def _keep_hashes(
    sources: Sequence[Source],
    keys: Mapping[int, str],
    found: dict[int, PreparedCase],
    shelf: _Shelf,
    workers: int | None,
) -> None:
    """Complete cases that were prepared before their CT's hash was kept: reading them is quick, measuring is not."""
    lacking = [position for position, case in found.items() if not case.ct_sha256]
    hashes = run_each(_ct_hash, [(sources[position],) for position in lacking], workers, SILENT, "prepare")
    for position, ct_sha256 in zip(lacking, hashes, strict=True):
        found[position] = replace(found[position], ct_sha256=ct_sha256)
        shelf.store_of(keys[position]).write(keys[position], found[position])


def _ct_hash(source: Source) -> str:
    return image_sha256(source.load().case.ct)


def _read_back(source: Source, key: str, shelf: _Shelf) -> PreparedCase:
    case = shelf.store_of(key).read(key)
    if case is None:
        raise OutputError(f"What was written for {source.name} cannot be read back. Check the disk.")
    return case


Job = tuple[Source, Preparation]


@dataclass(frozen=True, eq=False)
class _Run:
    """The cases that are not in the cache yet, each job with its key, prepared here or on a cluster."""

    jobs: list[Job]
    keys: list[str]
    shelf: _Shelf
    progress: Progress
    done_before: int

    def here(self, workers: int | None) -> list[str]:
        """Reason of each case that failed, "" where it worked; each process writes its own cases."""
        jobs = [(*job, key, self.shelf.store_of(key)) for job, key in zip(self.jobs, self.keys, strict=True)]
        try:
            return run_each(_measure_and_keep, jobs, workers, self.progress, "prepare", done_before=self.done_before)
        except BrokenProcessPool as error:
            raise InputError(
                "A process that prepared cases was ended from outside, perhaps because the memory was full. What is "
                "ready was kept: run the command again, with fewer processes (--workers)."
            ) from error

    def on_cluster(self, scheduler: str) -> list[str]:
        """The same, where the workers only compute and this process writes as results come in."""
        reasons = [""] * len(self.jobs)
        self._tell(0)
        with closing(results_from_cluster(scheduler, _measure, self.jobs)) as results:
            for number, (position, result) in enumerate(results, start=1):
                if isinstance(result, PreparedCase):
                    self.shelf.store_of(self.keys[position]).write(self.keys[position], result)
                else:
                    reasons[position] = str(result)
                self._tell(number)
        return reasons

    def _tell(self, done: int) -> None:
        total, ready = self.done_before + len(self.jobs), self.done_before + done
        self.progress.step("prepare", ready / max(total, 1), f"{ready} of {total} cases are ready")


def _measure_and_keep(source: Source, how: Preparation, key: str, store: CaseCache) -> str:
    result = _measure(source, how)
    if isinstance(result, str):
        return result
    store.write(key, result)
    return ""


def _measure(source: Source, how: Preparation) -> PreparedCase | str:
    """A prepared case, or the reason why it cannot be prepared: one bad case must not end a night's work."""
    try:
        return _prepare_one(source, how)
    except OutputError:
        raise
    except PDL1Error as error:
        return str(error)
    except Exception as error:
        return f"Unexpected {type(error).__name__}: {error}"


def _prepare_one(source: Source, how: Preparation) -> PreparedCase:
    loaded = source.load()
    case = loaded.case
    made = make_regions(case, how.regions, how.margin_mm)
    features = np.zeros(0)
    if how.needs.features and how.features is not None:
        values = extract_features(made, how.features)
        features = np.array([values[name] for name in how.feature_names])
    arrays = {**_pictures(case, made, how), **_slabs(made, how)}
    if len(features):
        arrays["sanity"] = sanity_row(case, made)
    if how.moved:
        arrays["moved"] = np.stack([_features_moved(case, move, how) for move in MOVES.values()])
    return PreparedCase(
        features=features,
        pictures=arrays,
        labels=loaded.labels,
        clinical=case.clinical,
        warnings=(*loaded.warnings, *made.warnings),
        ct_sha256=image_sha256(case.ct),
    )


def _features_moved(case: Case, move: Callable[[Case], Case], how: Preparation) -> np.ndarray:
    """Features of the moved case, (f,); NaN where too little of the tumor is left."""
    if how.features is None:
        return np.zeros(0)
    try:
        made = make_regions(move(case), how.regions, how.margin_mm)
        values = extract_features(made, how.features)
    except EmptyRegionError:
        return np.full(len(how.feature_names), np.nan)
    return np.array([values[name] for name in how.feature_names])


def _pictures(case: Case, made: Regions, how: Preparation) -> dict[str, np.ndarray]:
    """What a network will see of the case, as far as one is needed."""
    if how.needs.volume is not None:
        return volume_arrays(tumor_volume(case, how.needs.volume), how.needs.pet != "no")
    return _slices(case, made, how.regions) if how.needs.picture == "slice" else {}


def _slabs(made: Regions, how: Preparation) -> dict[str, np.ndarray]:
    """The tumor's slabs, where they are asked for."""
    if not how.needs.slabs or how.features is None:
        return {}
    slabs = measure_slabs(made, how.needs.slabs, how.features)
    return {"slabs": slabs.features, "slabs_measured": slabs.measured}


def _slices(case: Case, made: Regions, regions: RegionSettings) -> dict[str, np.ndarray]:
    patches = deep_patches(case, made, regions)
    return {
        "slices": np.concatenate([sitk.GetArrayFromImage(p.image) for p in patches]).astype(np.int16),
        "slices_tumor": np.concatenate([sitk.GetArrayFromImage(p.tumor) for p in patches]).astype(bool),
    }


def _gather(
    cases: Sequence[tuple[Source, PreparedCase]], endpoints: tuple[str, ...], how: Preparation
) -> PreparedCohort:
    blocks: dict[str, np.ndarray] = {}
    if how.needs.features:
        blocks["features"] = np.stack([case.features for _, case in cases])
    for name in cases[0][1].pictures:
        if name != "moved":
            blocks[name] = np.stack([case.pictures[name] for _, case in cases])
    if how.needs.features:
        unknown = np.full((len(MOVES), len(how.feature_names)), np.nan)
        blocks["moved"] = np.stack([case.pictures.get("moved", unknown) for _, case in cases])
    if how.needs.clinical:
        names, declared = how.needs.clinical, how.needs.declared
        blocks["clinical"] = np.array([clinical_row(_clinical(*one), names, declared) for one in cases])
    return PreparedCohort(
        names=tuple(source.name for source, _ in cases),
        targets={key: _target(key, cases) for key in endpoints},
        blocks=blocks,
        feature_names=how.feature_names,
        case_warnings={source.name: case.warnings for source, case in cases if case.warnings},
        ct_sha256=tuple(case.ct_sha256 for _, case in cases),
        people={source.name: _clinical(source, case) for source, case in cases},
    )


def _clinical(source: Source, case: PreparedCase) -> Clinical:
    """What is known of the patient now, before what was known when the case was prepared."""
    return source.people(case.clinical)


def _target(key: str, cases: Sequence[tuple[Source, PreparedCase]]) -> Target:
    rows = [case.labels if source.labels is None else source.labels for source, case in cases]
    values = [np.nan if (value := row.get(key)) is None else value for row in rows]
    one = endpoint(key)
    events = np.array([source.events.get(key, False) for source, _ in cases]) if one.timed else None
    return Target(one.kind, np.array(values, dtype=np.float64), events, one.low, one.high, one.cuts)

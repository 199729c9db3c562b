"""Preparing a cohort: kept case by case, gone on with, told what failed; damaged caches, full disks, two runs."""

import errno
import multiprocessing
import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pyarrow import parquet

from PDL1PredictorLib.cohort.cache import CaseCache
from PDL1PredictorLib.cohort.locking import only_run_in
from PDL1PredictorLib.cohort.prepare import prepare
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.sources import FileSource, PhantomSource, file_sources
from PDL1PredictorLib.cohort.table import CohortCase, read_cohort
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.errors import CancelledError, InputError, OutputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.results import codes
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.radiomics.settings import FeatureSettings

FEATURES = FeatureSettings(name="tiny", classes=("firstorder", "shape"), wavelet=None)
PHANTOMS = tuple(PhantomSource(5, index) for index in range(3))


def run(sources, cache: Path, workers: int = 1, features: FeatureSettings = FEATURES, **more) -> PreparedCohort:
    return prepare(sources, ("PDL1", "EGFR"), RegionSettings(), features, cache, workers, **more)


def same(one: PreparedCohort, other: PreparedCohort) -> bool:
    arrays = ("features", "patches_hu", "patches_tumor", "labels")
    equal = all(np.array_equal(getattr(one, a), getattr(other, a), equal_nan=a != "patches_tumor") for a in arrays)
    return equal and one.names == other.names


def case_files(cache: Path) -> dict[Path, int]:
    """Files of single cases, with the time when they were written."""
    return {file: file.stat().st_mtime_ns for file in cache.glob("*/*") if not file.name.startswith(".")}


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory) -> tuple[Path, PreparedCohort]:
    cache = tmp_path_factory.mktemp("cache")
    return cache, run(PHANTOMS, cache)


@pytest.fixture
def table(tmp_path, phantom) -> Path:
    """Three cases of one patient, each a little brighter, so that no two are the same."""
    folder = tmp_path / "Zürich 7"
    folder.mkdir()
    rows = ["case,image,mask,PDL1,EGFR"]
    values = sitk.GetArrayFromImage(phantom.case.ct)
    for n in range(3):
        ct = sitk.GetImageFromArray(values + n)
        ct.CopyInformation(phantom.case.ct)
        sitk.WriteImage(ct, str(folder / f"{n}_ct.nii.gz"))
        sitk.WriteImage(phantom.case.tumor, str(folder / f"{n}_tumor.nii.gz"))
        rows.append(f"case {n},{n}_ct.nii.gz,{n}_tumor.nii.gz,{n % 2},")
    path = folder / "cases.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def spoil_mask(table: Path, n: int) -> None:
    """Move the mask of case n by half a voxel."""
    path = str(table.parent / f"{n}_tumor.nii.gz")
    mask = sitk.ReadImage(path)
    mask.SetOrigin([x + 0.5 * s for x, s in zip(mask.GetOrigin(), mask.GetSpacing(), strict=True)])
    sitk.WriteImage(mask, path)


def test_a_case_is_prepared_once_for_its_settings(phantoms):
    cache, first = phantoms
    before = case_files(cache)
    assert same(run(PHANTOMS, cache), first)
    assert case_files(cache) == before
    assert len(before) == 2 * len(PHANTOMS)


def test_a_case_that_is_ready_is_read_once(phantoms, monkeypatch):
    cache, _ = phantoms
    reads: list[str] = []
    read = CaseCache.read
    monkeypatch.setattr(CaseCache, "read", lambda self, key: reads.append(key) or read(self, key))
    run(PHANTOMS, cache)
    assert len(reads) == len(set(reads)) == 3


def test_other_settings_have_files_of_their_own(phantoms):
    cache, _ = phantoms
    before = case_files(cache)
    other = run(PHANTOMS[:1], cache, features=replace(FEATURES, classes=("firstorder",)))
    assert len(other.feature_names) == 36
    assert len(set(case_files(cache)) - set(before)) == 2


def test_the_cohort_tells_volumes_and_keeps_them_with_the_rows(phantoms):
    _, cohort = phantoms
    column = cohort.feature_names.index("tumor_original_shape_VoxelVolume")
    np.testing.assert_allclose(cohort.volumes_ml, cohort.features[:, column] / 1000)
    assert cohort.take(np.array([2, 0])).volumes_ml.tolist() == cohort.volumes_ml[[2, 0]].tolist()
    case = PHANTOMS[0].load().case
    voxels = np.count_nonzero(sitk.GetArrayViewFromImage(case.tumor))
    assert cohort.volumes_ml[0] == pytest.approx(voxels * np.prod(case.tumor.GetSpacing()) / 1000, rel=0.05)


def test_without_a_feature_of_the_volume_it_is_refused(phantoms):
    _, cohort = phantoms
    with pytest.raises(InputError, match="Measure the class 'shape' too"):
        _ = replace(cohort, feature_names=("a",) * len(cohort.feature_names)).volumes_ml


def test_the_whole_table_is_written_for_researchers(phantoms):
    cache, _ = phantoms
    cohort = run(PHANTOMS, cache)
    table = parquet.read_table(cache / "features.parquet")
    assert table.column_names == ["case", "warnings", "PDL1", "EGFR", *cohort.feature_names]
    assert table["case"].to_pylist() == list(cohort.names)
    assert table["PDL1"].to_pylist() == [None if np.isnan(v) else int(v) for v in cohort.labels[:, 0]]
    np.testing.assert_array_equal(table[cohort.feature_names[3]].to_numpy(), cohort.features[:, 3])


def test_a_mask_on_another_grid_in_the_middle_of_a_cohort_fails_alone(table, tmp_path):
    spoil_mask(table, 1)
    cohort = run(file_sources(read_cohort(table)), tmp_path / "cache")
    assert cohort.names == ("case 0", "case 2")
    assert list(cohort.failed) == ["case 1"]
    assert cohort.failed["case 1"].startswith("The CT lies on")
    np.testing.assert_array_equal(cohort.labels, [[0, np.nan], [0, np.nan]])
    assert cohort.take(np.array([0])).failed == cohort.failed


def test_a_case_that_was_repaired_is_prepared_at_the_next_run_and_no_other(table, tmp_path):
    whole = (table.parent / "1_tumor.nii.gz").read_bytes()
    spoil_mask(table, 1)
    run(file_sources(read_cohort(table)), tmp_path / "cache")
    before = case_files(tmp_path / "cache")
    (table.parent / "1_tumor.nii.gz").write_bytes(whole)
    cohort = run(file_sources(read_cohort(table)), tmp_path / "cache")
    assert len(cohort) == 3
    after = case_files(tmp_path / "cache")
    assert {file: after[file] for file in before} == before


def test_an_image_that_vanished_since_the_check_fails_alone(table, tmp_path):
    sources = file_sources(read_cohort(table))
    (table.parent / "0_ct.nii.gz").unlink()
    cohort = run(sources, tmp_path / "cache")
    assert cohort.names == ("case 1", "case 2")
    assert "0_ct.nii.gz cannot be read: No such file" in cohort.failed["case 0"]


def test_labels_come_from_the_table_as_it_is_now(table, tmp_path):
    run(file_sources(read_cohort(table)), tmp_path / "cache")
    before = case_files(tmp_path / "cache")
    table.write_text(table.read_text(encoding="utf-8").replace("tumor.nii.gz,0,", "tumor.nii.gz,1,"), encoding="utf-8")
    cohort = run(file_sources(read_cohort(table)), tmp_path / "cache")
    assert cohort.labels[:, 0].tolist() == [1, 1, 1]
    assert case_files(tmp_path / "cache") == before


def test_the_content_decides_which_case_it_is_not_the_name(table):
    cases = read_cohort(table).cases
    copy = table.parent / "copy.nii.gz"
    copy.write_bytes(cases[0].image.read_bytes())
    key = FileSource(cases[0]).key
    assert FileSource(replace(cases[0], name="other", image=copy)).key == key
    assert FileSource(cases[1]).key != key
    assert FileSource(replace(cases[0], segment="2")).key != key


def test_a_copied_case_under_another_name_is_refused(table, tmp_path):
    for kind in ("ct", "tumor"):
        (table.parent / f"2_{kind}.nii.gz").write_bytes((table.parent / f"0_{kind}.nii.gz").read_bytes())
    with pytest.raises(InputError, match="Two cases of the cohort are the same: case 0 and case 2"):
        run(file_sources(read_cohort(table)), tmp_path / "cache")


def test_of_a_mask_with_several_parts_the_largest_is_the_tumor(tmp_path, phantom):
    values = sitk.GetArrayFromImage(phantom.case.tumor)
    with_speck = values.copy()
    with_speck[0, 0, :2] = 1
    for name, voxels in (("one", values), ("two", with_speck)):
        mask = sitk.GetImageFromArray(voxels)
        mask.CopyInformation(phantom.case.ct)
        sitk.WriteImage(mask, str(tmp_path / f"{name}.nrrd"))
    sitk.WriteImage(phantom.case.ct, str(tmp_path / "ct.nrrd"))
    case = CohortCase("a", "a", tmp_path / "ct.nrrd", tmp_path / "two.nrrd", None, None, Clinical(), {})
    loaded = FileSource(case).load()
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(loaded.case.tumor), values)
    assert codes(loaded.warnings) == "specks_left_out"
    assert FileSource(replace(case, mask=tmp_path / "one.nrrd")).load().warnings == ()


def test_warnings_of_a_case_are_kept_with_it_and_stand_in_the_table(table, tmp_path):
    mask = sitk.ReadImage(str(table.parent / "1_tumor.nii.gz"))
    values = sitk.GetArrayFromImage(mask)
    values[:5, :5, :5] = 1  # a second part
    other = sitk.GetImageFromArray(values)
    other.CopyInformation(mask)
    sitk.WriteImage(other, str(table.parent / "1_tumor.nii.gz"))
    sources = file_sources(read_cohort(table))
    first, again = (run(sources, tmp_path / "cache") for _ in range(2))  # the second from the cache
    assert {name: codes(told) for name, told in first.case_warnings.items()} == {"case 1": "parts_left_out"}
    assert again.case_warnings == first.case_warnings
    written = parquet.read_table(tmp_path / "cache" / "features.parquet")
    assert written["warnings"].to_pylist() == ["", "parts_left_out", ""]


def test_a_cohort_of_which_nothing_can_be_used_is_refused_with_the_reasons(table, tmp_path):
    for n in range(3):
        spoil_mask(table, n)
    with pytest.raises(InputError, match=r"(?s)None of the 3 cases.*case 0: The CT lies on.*case 2: The CT lies on"):
        run(file_sources(read_cohort(table)), tmp_path / "cache")


@pytest.mark.parametrize("kind", ["features", "patches"])
@pytest.mark.parametrize("damage", ["cut off", "one byte", "gone"])
def test_damaged_files_of_the_cache_are_made_again_with_a_warning(phantoms, kind, damage):
    cache, first = phantoms
    before = case_files(cache)
    file = next(file for file in before if file.parent.name == kind and file.name.startswith("phantom-5-1"))
    content = bytearray(file.read_bytes())
    if damage == "one byte":
        content[len(content) // 3] ^= 0xFF
    file.write_bytes(content[: len(content) // 2] if damage == "cut off" else content)
    if damage == "gone":
        file.unlink()
    again = run(PHANTOMS, cache)
    assert same(again, first)
    expected = ("The cached files of phantom-5-1 were damaged; the case was prepared again.",)
    assert again.warnings == (() if (damage, kind) == ("gone", "features") else expected)
    assert case_files(cache).keys() == before.keys()


def test_a_full_disk_ends_the_run_and_leaves_nothing_half_written(tmp_path, monkeypatch):
    whole_write = Path.write_bytes
    written = []

    def full_after_three(path: Path, content: bytes) -> int:
        written.append(path)
        if len(written) > 3:
            whole_write(path, content[:100])
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole_write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full_after_three)
    with pytest.raises(OutputError, match="could not be written: No space left on device. Nothing was kept"):
        run(PHANTOMS, tmp_path / "cache")
    monkeypatch.undo()
    files = case_files(tmp_path / "cache")
    assert len([file for file in files if file.suffix == ".parquet"]) == 1
    assert not list(tmp_path.rglob("*.part"))
    cohort = run(PHANTOMS, tmp_path / "cache")  # space was made
    assert len(cohort) == 3
    assert cohort.warnings == ()


def test_a_second_run_in_the_folder_is_refused_and_the_folder_is_free_afterwards(tmp_path):
    with only_run_in(tmp_path), pytest.raises(InputError, match="Another run is working in"):
        run(PHANTOMS[:1], tmp_path)
    assert len(run(PHANTOMS[:1], tmp_path)) == 1


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Choose a folder you may write to"), only_run_in(tmp_path / "file" / "cache"):
        pass


def _killed_on_the_way(cache: Path) -> None:
    def kill_after_the_first(stage: str, fraction: float, message: str) -> None:
        if message.startswith("1 of"):
            draft = cache / "features" / ".half.parquet.x.part"
            draft.mkdir()
            os.kill(os.getpid(), signal.SIGKILL)

    run(PHANTOMS, cache, progress=Progress(kill_after_the_first))


@pytest.mark.skipif(os.name != "posix", reason="a process of Windows cannot kill itself with a signal")
def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path, phantoms):
    process = multiprocessing.get_context("spawn").Process(target=_killed_on_the_way, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    before = case_files(tmp_path)
    assert len(before) == 2
    assert same(run(PHANTOMS, tmp_path), phantoms[1])
    assert before.items() <= case_files(tmp_path).items()
    assert not list(tmp_path.rglob("*.part"))


def test_a_cancelled_run_keeps_what_was_ready(tmp_path):
    asked = iter([False, False, True])
    with pytest.raises(CancelledError):
        run(PHANTOMS, tmp_path, progress=Progress(cancelled=lambda: next(asked)))
    assert len(case_files(tmp_path)) == 4


@dataclass(frozen=True)
class BrokenSource:
    """A case that shows a mistake of the library's own."""

    name: str = "broken"
    key: str = "broken"
    labels: None = None

    def load(self):
        raise ZeroDivisionError("division by zero")


def test_a_mistake_in_the_library_costs_one_case_and_is_named(tmp_path):
    cohort = run([BrokenSource(), PHANTOMS[0]], tmp_path)
    assert cohort.failed == {"broken": "Unexpected ZeroDivisionError: division by zero"}
    assert cohort.names == ("phantom-5-0",)


def test_several_processes_give_the_same_as_one(tmp_path, phantoms):
    assert same(run(PHANTOMS, tmp_path, workers=2), phantoms[1])

"""Named blocks and targets of a cohort: what is not needed is not made, numbers and PET of the table."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pyarrow import parquet

from PDL1PredictorLib.cohort.describe import dividing, table_1
from PDL1PredictorLib.cohort.preparation import Preparation
from PDL1PredictorLib.cohort.prepare import prepare
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.sources import FileSource, file_sources
from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.cohort.table import read_cohort
from PDL1PredictorLib.core.case import Case, Clinical
from PDL1PredictorLib.core.clinical_columns import clinical_row
from PDL1PredictorLib.core.errors import CohortError, InputError
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.settings import RegionSettings, VolumeSettings
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.radiomics.settings import FeatureSettings, preset
from PDL1PredictorLib.radiomics.slabs import SLAB_FEATURES

FEATURES = FeatureSettings(name="tiny", classes=("firstorder",), wavelet=None)
CLINICAL = ("age_years", "smoking")
HEAD = "case,image,mask,age_years,smoking,TPS,pet"


def write_images(folder: Path, phantom) -> None:
    values = sitk.GetArrayFromImage(phantom.case.ct)
    for n in range(2):
        ct = sitk.GetImageFromArray(values + n)
        ct.CopyInformation(phantom.case.ct)
        sitk.WriteImage(ct, str(folder / f"{n}_ct.nii.gz"))
        sitk.WriteImage(phantom.case.tumor, str(folder / f"{n}_tumor.nii.gz"))
    pet = sitk.GetImageFromArray(np.ones((4, 5, 6), np.float32))
    sitk.WriteImage(pet, str(folder / "pet.nii.gz"))


@pytest.fixture
def table(tmp_path, phantom) -> Path:
    """Two cases, one with a PET and a TPS."""
    write_images(tmp_path, phantom)
    rows = [HEAD, "a,0_ct.nii.gz,0_tumor.nii.gz,63,former,40%,pet.nii.gz", "b,1_ct.nii.gz,1_tumor.nii.gz,,,,"]
    path = tmp_path / "cases.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def run(table: Path, cache: Path, needs: Needs, features: FeatureSettings | None = FEATURES) -> PreparedCohort:
    sources = file_sources(read_cohort(table), needs.pet)
    return prepare(sources, ("TPS",), RegionSettings(), features, cache, 1, needs=needs)


def test_only_what_is_needed_is_made(table, tmp_path):
    found = run(table, tmp_path / "cache", Needs(features=True, clinical=CLINICAL))
    assert set(found.blocks) == {"features", "clinical", "sanity", "moved"}
    np.testing.assert_array_equal(found.clinical, [[63, 1], [np.nan, np.nan]])
    np.testing.assert_array_equal(found.targets["TPS"].values, [40, np.nan])
    assert (found.targets["TPS"].kind, found.targets["TPS"].high) == ("number", 100)
    with pytest.raises(InputError, match="prepared without slices; they have features, sanity, "):
        _ = found.patches_hu
    pictures = run(table, tmp_path / "cache", Needs(features=False, picture="slice"), None)
    assert set(pictures.blocks) == {"slices", "slices_tumor"}
    assert pictures.feature_names == ()
    assert len(pictures.take(np.array([1]))) == len(pictures.take(np.array([1])).patches_hu) == 1


def test_other_needs_have_files_of_their_own_and_the_same_none(table, tmp_path):
    def files() -> set[Path]:
        return set((tmp_path / "cache").glob("*/*"))

    run(table, tmp_path / "cache", Needs(features=True))
    first = files()
    run(table, tmp_path / "cache", Needs(features=True))
    assert files() == first
    run(table, tmp_path / "cache", Needs(features=True, clinical=CLINICAL))
    assert files() == first  # clinical values are read from the table, not from the cache
    run(table, tmp_path / "cache", Needs(features=True, picture="slice"))
    assert len(files()) == 2 * len(first)


def test_clinical_values_are_those_of_the_table_as_it_is_now(table, tmp_path):
    needs = Needs(features=True, clinical=CLINICAL)
    run(table, tmp_path / "cache", needs)
    table.write_text(table.read_text(encoding="utf-8").replace("63,former", "64,current"), encoding="utf-8")
    np.testing.assert_array_equal(run(table, tmp_path / "cache", needs).clinical[0], [64, 2])


def test_a_pet_is_read_where_it_is_asked_for_and_left_alone_elsewhere(table, tmp_path):
    cohort = read_cohort(table)
    assert FileSource(cohort.cases[0]).load().case.pet is None
    assert FileSource(cohort.cases[0], "optional").load().case.pet.GetSize() == (6, 5, 4)
    assert FileSource(cohort.cases[1], "optional").load().case.pet is None
    keys = {FileSource(cohort.cases[0], pet).key for pet in ("no", "optional")}
    assert len(keys) == 2
    found = run(table, tmp_path / "cache", Needs(pet="required"))
    assert found.failed == {"b": "The case has no PET, which is needed: fill in the column pet."}


def test_a_pet_that_is_not_there_or_not_finite_is_told(table, phantom):
    (table.parent / "pet.nii.gz").unlink()
    with pytest.raises(CohortError, match=r"row 2 \(a\): the pet pet.nii.gz does not exist"):
        read_cohort(table)
    pet = sitk.GetImageFromArray(np.full((4, 5, 6), np.nan, np.float32))
    with pytest.raises(InputError, match="The PET has 120 voxels that are NaN"):
        Case(phantom.case.ct, phantom.case.tumor, pet=pet)


@pytest.mark.parametrize("cell", ["101", "-1", "much", "nan"])
def test_an_impossible_number_is_told_with_its_bounds(table, cell):
    table.write_text(table.read_text(encoding="utf-8").replace("40%", cell), encoding="utf-8")
    with pytest.raises(CohortError, match=r"TPS is .*write a number from 0 to 100 \(%\)"):
        read_cohort(table)


def test_numbers_stand_in_the_tables_as_numbers(table, tmp_path):
    run(table, tmp_path / "cache", Needs(features=True))
    written = parquet.read_table(tmp_path / "cache" / "features.parquet")
    assert written["TPS"].to_pylist() == [40.0, None]
    rows = {row["variable"]: row["all"] for row in table_1(read_cohort(table))}
    assert rows["PD-L1 TPS (%)"] in ("40 (40 to 40)", "1")
    assert dividing(("TPS", "EGFR")) == "EGFR"
    assert dividing(("TPS",)) is None
    with pytest.raises(InputError, match="TPS is a number and makes no two groups"):
        table_1(read_cohort(table), "TPS")


def test_labels_are_a_view_of_yes_and_no_and_strata_divide_numbers_in_quarters():
    yes, number = Target("binary", np.array([0, 1, np.nan, 1])), Target("number", np.array([5.0, 10, 60, np.nan]))
    cohort = PreparedCohort(tuple("abcd"), {"A": yes, "B": number}, {})
    np.testing.assert_array_equal(cohort.labels, [[0, np.nan], [1, np.nan], [np.nan] * 2, [1, np.nan]])
    assert cohort.endpoints == ("A", "B")
    np.testing.assert_array_equal(cohort.with_targets({"A": yes}).strata, yes.values[:, None])
    quarters = cohort.with_targets({"B": number}).strata
    assert np.nansum(quarters, axis=1).tolist() == [1, 1, 1, 0]


def test_the_parts_of_a_split_hold_the_same_quarters_of_a_number():
    values = np.random.default_rng(0).permutation(np.arange(80.0))
    cohort = PreparedCohort(tuple(map(str, range(80))), {"B": Target("number", values)}, {})
    parts = stratified_parts(cohort.names, cohort.strata, (0.5, 0.5), np.random.default_rng(1))
    for part in parts:
        assert np.histogram(values[part], 4, (0, 80))[0].tolist() == [10, 10, 10, 10]


def test_features_that_are_not_described_are_refused():
    with pytest.raises(InputError, match="say how they are measured"):
        prepare([], ("TPS",), RegionSettings(), None, Path("x"), needs=Needs())


CUBE = VolumeSettings(16, 4.0)


def test_volumes_are_kept_in_few_bytes_with_the_pet_where_there_is_one(table, phantom, tmp_path):
    ct = phantom.case.ct
    pet = sitk.GetImageFromArray(np.full(ct.GetSize()[::-1], 3.254, np.float32))
    pet.CopyInformation(ct)
    sitk.WriteImage(pet, str(tmp_path / "pet.nii.gz"))
    needs = Needs(features=False, picture="volume", pet="optional", volume=CUBE)
    sources = file_sources(read_cohort(table), "optional")
    made = prepare(sources, ("TPS",), RegionSettings(), None, tmp_path / "cache", workers=1, needs=needs)
    assert {name: (block.shape, block.dtype.name) for name, block in made.blocks.items()} == {
        "volume": ((2, 16, 16, 16), "int16"),
        "volume_tumor": ((2, 16, 16, 16), "bool"),
        "volume_suv": ((2, 16, 16, 16), "int16"),
        "pet": ((2,), "bool"),
    }
    assert made.blocks["pet"].tolist() == [True, False]
    assert set(np.unique(made.blocks["volume_suv"][0])) <= {0, 325}  # hundredths, 0 beyond the PET
    assert not made.blocks["volume_suv"][1].any()
    again = prepare(sources, ("TPS",), RegionSettings(), None, tmp_path / "cache", workers=1, needs=needs)
    np.testing.assert_array_equal(made.blocks["volume"], again.blocks["volume"])


def test_a_volume_of_the_ct_alone_has_no_pet(table, tmp_path):
    needs = Needs(features=False, picture="volume", volume=CUBE)
    sources = file_sources(read_cohort(table))
    made = prepare(sources, ("TPS",), RegionSettings(), None, tmp_path / "cache", workers=1, needs=needs)
    assert set(made.blocks) == {"volume", "volume_tumor"}
    assert made.blocks["volume_tumor"].any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize("changes", [{"picture": "volume"}, {"picture": "slice", "volume": CUBE}])
def test_settings_of_a_volume_belong_to_a_volume(changes):
    with pytest.raises(InputError, match="given exactly where the picture is one"):
        Needs(**changes)


def test_needs_of_a_volume_go_through_json():
    needs = Needs(picture="volume", pet="required", volume=CUBE)
    assert Needs.from_dict(needs.to_dict()) == needs
    assert "volume" not in Needs(picture="slice").to_dict()
    for wrong in ({"voxels": 16}, {"voxels": 16.0, "spacing_mm": 2}, {"voxels": 8, "spacing_mm": 2.0}, [16, 2.0]):
        with pytest.raises(InputError):
            Needs.from_dict({**needs.to_dict(), "volume": wrong})


def test_slabs_are_made_where_they_are_asked_for_and_kept(table, tmp_path):
    needs = Needs(slabs=4)
    plain, found = (run(table, tmp_path / "cache", one) for one in (Needs(), needs))
    assert set(found.blocks) - set(plain.blocks) == {"slabs", "slabs_measured"}
    assert found.block("slabs").shape == (2, 4, len(SLAB_FEATURES))
    assert found.block("slabs_measured").all()
    np.testing.assert_array_equal(found.features, plain.features)
    means = found.block("slabs")[:, :, SLAB_FEATURES.index("firstorder_Mean")]
    np.testing.assert_allclose(means[1] - means[0], 1)  # the second CT is brighter by 1 HU
    again = run(table, tmp_path / "cache", needs)
    np.testing.assert_array_equal(again.block("slabs"), found.block("slabs"))
    other = run(table, tmp_path / "cache", Needs(slabs=5))
    assert other.block("slabs").shape[1] == 5
    assert found.take(np.array([1])).block("slabs_measured").shape == (1, 4)


def test_without_slabs_the_key_of_the_cache_is_what_it_was_before_there_were_any():
    """The digest was taken of the commit before: cached cases of months stay good."""

    def digest(needs: Needs) -> str:
        settings = Preparation(needs, RegionSettings(), preset("karim")).to_dict()
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    assert digest(Needs()) == "6d089c3372e35b5f9e3af2d20feb0574ac61160ae771e0b52522eb6a5db9c314"
    assert len({digest(Needs(slabs=n)) for n in (0, 2, 16)}) == 3


@pytest.mark.parametrize("n_slabs", [1, 17, -2, 4.0, True])
def test_a_number_of_slabs_out_of_bounds_is_refused(n_slabs):
    with pytest.raises(InputError, match="cut into 2 to 16 axial slabs"):
        Needs(slabs=n_slabs)


def test_slabs_without_features_are_refused():
    with pytest.raises(InputError, match="ask for features, too"):
        Needs(features=False, slabs=4)


def test_no_model_of_a_bundle_asks_for_slabs():
    with pytest.raises(InputError, match=r"Unknown needs: slabs\. Known: features, picture, clinical, pet, volume"):
        Needs.from_dict(Needs(slabs=4).to_dict())


def test_clinical_words_are_numbered():
    known = Clinical(age_years=70, sex="male", smoking="never", family_history=True)
    names = ("sex", "age_years", "family_history", "smoking")
    np.testing.assert_array_equal(clinical_row(known, names), [0, 70, 1, 0])
    assert np.isnan(clinical_row(replace(known, sex=None), names)[0])

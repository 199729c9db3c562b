"""From regions or a case to a named vector, on a phantom and on real patients."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.errors import CancelledError, InputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.results import CaseWarning, codes
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.case_files import ReadCase
from PDL1PredictorLib.imaging.regions import Regions, make_regions
from PDL1PredictorLib.radiomics.extract import extract_features, measure_tumors
from PDL1PredictorLib.radiomics.settings import FeatureSettings, preset

Plain = Callable[[sitk.Image, sitk.Image, FeatureSettings], dict[str, float]]
SMALL = FeatureSettings("small", classes=("shape", "firstorder"))


@pytest.fixture(scope="module")
def case() -> Case:
    """A ball of 8 mm radius in lung, on thick slices."""
    spacing_mm = np.array([3.0, 0.9, 0.8])  # k, j, i
    grid = np.indices((14, 50, 56)) * spacing_mm[:, None, None, None]
    center = np.array([19.5, 22.0, 22.0])[:, None, None, None]
    tumor = ((grid - center) ** 2).sum(axis=0) < 8.0**2
    ct = np.where(tumor, 30, -850) + np.random.default_rng(1).integers(-60, 60, tumor.shape)
    image, mask = sitk.GetImageFromArray(ct.astype(np.int16)), sitk.GetImageFromArray(tumor.astype(np.uint8))
    for volume in (image, mask):
        volume.SetSpacing([float(s) for s in spacing_mm[::-1]])
    return Case(image, mask)


def test_a_case_becomes_a_named_vector_of_both_regions(case: Case):
    found = measure_tumors(ReadCase(case, None, ()), RegionSettings(), SMALL).features[1]
    assert tuple(found) == SMALL.feature_names()
    assert all(type(value) is float and np.isfinite(value) for value in found.values())
    assert found["tumor_original_shape_VoxelVolume"] == pytest.approx(4 / 3 * np.pi * 8**3, rel=0.1)
    assert found["tumor_original_firstorder_Mean"] > found["ring_original_firstorder_Mean"] + 300


def test_a_case_has_the_features_of_its_regions_with_the_margin_of_the_filters(case: Case):
    region_settings = RegionSettings(spacing_mm=1.5)
    regions = make_regions(case, region_settings, SMALL.margin_at(1.5))
    assert measure_tumors(ReadCase(case, None, ()), region_settings, SMALL).features[1] == extract_features(
        regions, SMALL
    )


def test_every_tumor_is_measured_with_the_warnings_of_reading_choosing_and_its_regions(case: Case):
    values = sitk.GetArrayFromImage(case.tumor)
    values[0:2, 0:8, 0:8] = 1  # a second part, at the border
    mask = sitk.GetImageFromArray(values)
    mask.CopyInformation(case.tumor)
    of_reading = CaseWarning("of_reading", "Something was assumed.")
    read = ReadCase(replace(case, tumor=mask), None, (of_reading,))
    alone = measure_tumors(ReadCase(case, None, ()), RegionSettings(), SMALL)
    first, every = (measure_tumors(read, RegionSettings(), SMALL, lesion=lesion) for lesion in ("largest", "all"))
    assert first.features == alone.features
    assert codes(first.warnings[1]) == "of_reading parts_left_out"
    assert list(every.features) == [1, 2]
    assert every.features[1] == alone.features[1]
    assert codes(every.warnings[2]) == "of_reading tumor_touches_border ring_cut"
    assert every.told.count(of_reading) == 1
    with pytest.raises(InputError, match="An edited ring belongs to one tumor"):
        measure_tumors(replace(read, ring=mask), RegionSettings(), SMALL, lesion="all")


@pytest.mark.parametrize(
    "settings",
    [SMALL, FeatureSettings("log", classes=("firstorder",), wavelet=None, log_sigma_mm=(0.5,))],
    ids=["wavelet", "laplacian"],
)
def test_more_margin_than_asked_for_changes_no_feature(settings: FeatureSettings, case: Case):
    region_settings = RegionSettings(spacing_mm=0.8)
    tight = make_regions(case, region_settings, settings.margin_at(0.8))
    wide = make_regions(case, region_settings, settings.margin_at(0.8) + 2.4)
    assert wide.ct.GetSize() != tight.ct.GetSize()
    expected = extract_features(tight, settings)
    assert extract_features(wide, settings) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_too_little_margin_does_change_the_features(case: Case):
    bare, enough = make_regions(case, RegionSettings()), make_regions(case, RegionSettings(), SMALL.margin_mm)
    assert extract_features(bare, SMALL) != pytest.approx(extract_features(enough, SMALL), rel=1e-3)


def test_an_unknown_engine_is_refused(case: Case):
    with pytest.raises(InputError, match="Radiomics engine 'abacus' is not known"):
        extract_features(make_regions(case, RegionSettings()), SMALL, engine_name="abacus")


def test_progress_covers_regions_and_features_and_keeps_their_seconds(case: Case):
    told: list[float] = []
    progress = Progress(report=lambda stage, fraction, message: told.append(fraction))
    measure_tumors(ReadCase(case, None, ()), RegionSettings(), SMALL, progress=progress)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert set(progress.seconds) == {"regions", "features"}


def test_a_case_can_be_cancelled_in_the_middle(case: Case):
    told: list[str] = []
    progress = Progress(
        report=lambda stage, fraction, message: told.append(message), cancelled=lambda: "wavelet-LLH" in told
    )
    with pytest.raises(CancelledError, match="Cancelled"):
        measure_tumors(ReadCase(case, None, ()), RegionSettings(), SMALL, progress=progress)
    assert told[-1] == "wavelet-LLH"


# real patients


def assert_plain_values(regions: Regions, settings: FeatureSettings, plain: Plain) -> None:
    found = extract_features(regions, settings)
    expected = {
        f"{which}_{name}": value
        for which, mask in (("tumor", regions.tumor), ("ring", regions.ring))
        for name, value in plain(regions.ct, mask, settings).items()
    }
    assert set(found) == set(expected)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.real_data
def test_a_whole_chest_ct_has_the_values_of_plain_pyradiomics(shared: Path, plain_pyradiomics: Plain):
    folder = shared / "data" / "chest_ct_nrrd"
    tumor = sitk.Cast(sitk.ReadImage(folder / "lung1_label.nrrd") != 0, sitk.sitkUInt8)
    case = Case(sitk.ReadImage(folder / "lung1_image.nrrd"), tumor)
    settings = preset("deepradscore")
    assert_plain_values(make_regions(case, RegionSettings(), settings.margin_mm), settings, plain_pyradiomics)


@pytest.mark.real_data
@pytest.mark.parametrize(("number", "name"), [(2, "deepradscore"), (40, "pdl1es")])
def test_a_tumor_of_the_radiogenomics_cohort_has_the_values_of_plain_pyradiomics(
    number: int, name: str, shared: Path, plain_pyradiomics: Plain
):
    stem = shared / "data" / "nsclc_radiogenomics_voi" / "voi" / f"case_{number:03d}"
    tumor = sitk.Cast(sitk.ReadImage(f"{stem}_mask.nii.gz") != 0, sitk.sitkUInt8)
    case = Case(sitk.ReadImage(f"{stem}_image.nii.gz"), tumor)
    settings = preset(name)
    assert_plain_values(make_regions(case, RegionSettings(), settings.margin_mm), settings, plain_pyradiomics)

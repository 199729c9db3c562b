"""Maps of features in the report: a picture with a legend each, files that are told apart, colors that are no heat."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.results import CaseResult, LesionResult, VoxelMap
from PDL1PredictorLib.report.colors import HEAT_COLORS, MAP_COLORS
from PDL1PredictorLib.report.html import to_html
from PDL1PredictorLib.report.map_files import map_entries, map_name
from PDL1PredictorLib.report.pictures import map_picture, map_rgba, map_share
from PDL1PredictorLib.report.svg import map_legend

NAMES = "tumor_wavelet-HLL_glcm_SumEntropy", "tumor_wavelet-LLL_glrlm_GrayLevelNonUniformityNormalized"


def mapped(lesion: LesionResult, feature: str, unit: str = "", slices: int = 3) -> VoxelMap:
    """0.5 to 2.5 from the patient's right to left over the tumor, nothing outside."""
    tumor = sitk.GetArrayFromImage(lesion.tumor_image) > 0
    values = np.broadcast_to(np.linspace(0.5, 2.5, tumor.shape[2]), tumor.shape)
    image = sitk.GetImageFromArray(np.where(tumor, values, -1.5).astype(np.float32))
    image.CopyInformation(lesion.tumor_image)
    return VoxelMap(feature, unit, image, 0.5, 2.5, -1.5, slices, int(tumor.any(axis=(1, 2)).sum()))


@pytest.fixture
def result(make_result) -> CaseResult:
    found = make_result(lesions=2)
    first, second = found.lesions
    maps = mapped(first, NAMES[0], "bit"), mapped(first, NAMES[1])
    lesions = (replace(first, voxel_maps=maps), replace(second, voxel_maps=(mapped(second, NAMES[0]),)))
    return replace(found, lesions=lesions)


def test_a_map_lies_on_the_tumor_and_nowhere_else(result: CaseResult):
    lesion = result.lesions[0]
    share = map_share(sitk.GetArrayFromImage(lesion.voxel_maps[0].image), lesion.voxel_maps[0])
    tumor = sitk.GetArrayFromImage(lesion.tumor_image) > 0
    np.testing.assert_array_equal(np.isfinite(share), tumor)
    columns = np.flatnonzero(tumor.any(axis=(0, 1)))
    assert share[:, :, columns[0]][tumor[:, :, columns[0]]] == pytest.approx(columns[0] / (tumor.shape[2] - 1))


def test_colors_run_from_the_least_to_the_greatest_and_are_clear_without_a_value():
    colors = map_rgba(np.array([[0.0, 1.0, np.nan]]))[0]
    assert tuple(colors[0]) == (*MAP_COLORS[0], 255)
    assert tuple(colors[1]) == (*MAP_COLORS[-1], 255)
    assert colors[2][3] == 0
    assert not set(MAP_COLORS) & set(HEAT_COLORS)


def test_a_map_of_one_value_has_a_color(result: CaseResult):
    lesion = result.lesions[0]
    flat = replace(lesion.voxel_maps[0], low=1.0, high=1.0, outside=0.0)
    assert map_share(np.array([1.0, 0.0]), flat)[0] == 0.0
    assert np.isnan(map_share(np.array([1.0, 0.0]), flat)[1])


def test_the_picture_is_the_slice_through_the_tumor_or_the_measured_one_nearest_to_it(result: CaseResult):
    lesion = result.lesions[0]
    whole = map_picture(lesion, lesion.voxel_maps[0])
    assert (whole.title, whole.letters) == ("Sum Entropy (GLCM, wavelet HLL), tumor", ("R", "L", "A", "P"))
    assert whole.tumor_path
    values = sitk.GetArrayFromImage(lesion.voxel_maps[0].image)
    occupied = np.flatnonzero((values > 0).any(axis=(1, 2)))
    values[: occupied[-1]] = -1.5  # the topmost slice alone was measured
    top = sitk.GetImageFromArray(values)
    top.CopyInformation(lesion.voxel_maps[0].image)
    moved = map_picture(lesion, replace(lesion.voxel_maps[0], image=top))
    assert moved.note != whole.note
    assert moved.overlay_png != whole.overlay_png


def test_the_page_shows_every_map_with_its_legend_and_file(result: CaseResult):
    page = to_html(result, with_patient=False)
    for lesion in result.lesions:
        for one in lesion.voxel_maps:
            assert map_name(lesion, one) in page
    assert page.count(">0.5 bit<") == page.count(">2.5 bit<") == 1
    assert page.count("color scale of the map") == 3
    assert all(page.count(f'id="map-colors-{number}"') == 1 for number in (101, 102, 201))
    assert "The maps show, at every voxel of the tumor" in page
    assert "the 3 middle slices of" in page


def test_a_page_without_maps_does_not_speak_of_them(make_result):
    page = to_html(make_result(), with_patient=False)
    assert "color scale of the map" not in page
    assert "middle slices" not in page


def test_files_of_several_tumors_are_told_apart(result: CaseResult):
    names = [entry["file"] for lesion in result.lesions for entry in map_entries(lesion)]
    assert names == [f"map_{NAMES[0]}.nrrd", f"map_{NAMES[1]}.nrrd", f"map_lesion2_{NAMES[0]}.nrrd"]
    assert [entry["unit"] for entry in map_entries(result.lesions[0])] == ["bit", ""]


def test_a_legend_is_escaped(result: CaseResult):
    legend = map_legend(replace(result.lesions[0].voxel_maps[0], unit="<b>"), 1)
    assert "<b>" not in legend
    assert "&lt;b&gt;" in legend

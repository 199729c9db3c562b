"""A heat map of a volume in the report: three planes through the tumor, each with the patient's sides."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.results import CaseResult, HeatMap
from PDL1PredictorLib.report.html import to_html
from PDL1PredictorLib.report.pictures import heat_pictures


@pytest.fixture
def result(make_result) -> CaseResult:
    return make_result()


@pytest.fixture
def lesion(result: CaseResult):
    return result.lesions[0]


def volume_map(lesion, hot: tuple[int, int, int]) -> HeatMap:
    """16 voxels of 3 mm along each edge about the tumor's center, of which one is hot: (k, j, i)."""
    values = np.zeros((16, 16, 16), np.float32)
    values[hot] = 1.0
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((3.0, 3.0, 3.0))
    image.SetOrigin([center - 7 * 3.0 for center in lesion.center_lps_mm])
    return HeatMap(lesion.heat_maps[0].endpoint, image, "class activation map")


def test_three_planes_show_the_sides_of_the_patient(lesion):
    pictures = heat_pictures(lesion, volume_map(lesion, (7, 7, 7)))
    assert [picture.title for picture in pictures] == ["Heat map, axial", "Heat map, coronal", "Heat map, sagittal"]
    assert [picture.letters for picture in pictures] == [
        ("R", "L", "A", "P"),
        ("R", "L", "S", "I"),
        ("A", "P", "S", "I"),
    ]
    assert {(p.width, p.height, p.mm_per_pixel) for p in pictures} == {(16, 16, 3.0)}
    assert all(picture.tumor_path for picture in pictures)


def test_a_hot_spot_lies_in_the_planes_that_cut_it_alone(lesion):
    cold, _, hot = (picture.overlay_png for picture in heat_pictures(lesion, volume_map(lesion, (12, 12, 7))))
    assert len(hot) > len(cold)  # the sagittal plane, i = 7, holds it; the axial one, k = 7, does not


def test_the_page_shows_all_three_and_says_that_it_is_a_volume(result: CaseResult, lesion):
    three = replace(lesion, heat_maps=(volume_map(lesion, (7, 7, 7)),))
    page = to_html(replace(result, lesions=(three,)), with_patient=False)
    assert page.count("<b>Heat map, ") == 3
    assert "where in the volume about the tumor" in page
    assert "to be seen in all views of 3D Slicer" in page

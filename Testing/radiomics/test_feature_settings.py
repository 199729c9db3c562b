"""Feature settings: valid once built, carried through JSON, and able to name every feature without an image."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.radiomics.settings import PRESETS, WAVELETS, FeatureSettings, preset
from PDL1PredictorLib.radiomics.table import FAMILIES


@st.composite
def feature_settings(draw: st.DrawFn) -> FeatureSettings:
    by_width = draw(st.booleans())
    return FeatureSettings(
        name=draw(st.sampled_from(["a", "my-choice_2"])),
        bin_width=draw(st.floats(0.1, 1000)) if by_width else None,
        bin_count=None if by_width else draw(st.integers(2, 512)),
        classes=tuple(draw(st.lists(st.sampled_from(list(FAMILIES)), min_size=1, unique=True))),
        wavelet=draw(st.sampled_from([None, "coif1", "haar", "dmey"])),
        log_sigma_mm=tuple(sorted(draw(st.lists(st.floats(0.5, 10), max_size=3, unique=True)))),
    )


@pytest.mark.parametrize(("name", "count"), [("deepradscore", 851), ("pdl1es", 1316), ("karim", 88)])
def test_the_presets_have_the_published_number_of_features(name: str, count: int):
    settings = preset(name)
    assert settings.feature_count() == count
    assert len(set(settings.feature_names())) == 2 * count


def test_the_tumor_comes_first_and_shape_before_the_rest():
    names = preset("deepradscore").feature_names()
    assert names[0] == "tumor_original_shape_Elongation"
    assert names[14] == "tumor_original_firstorder_10Percentile"
    assert names[851] == "ring_original_shape_Elongation"
    assert "tumor_wavelet-LLH_glcm_Contrast" in names


def test_the_laplacian_images_carry_the_name_that_pyradiomics_gives_them():
    settings = FeatureSettings("log", wavelet=None, log_sigma_mm=(1, 2.5))
    assert settings.image_names() == ("original", "log-sigma-1-0-mm-3D", "log-sigma-2-5-mm-3D")


def test_an_unknown_region_is_refused():
    with pytest.raises(InputError, match=r"Region 'liver' is not known. Known regions: tumor, ring"):
        preset("karim").feature_names("liver")


def test_an_unknown_preset_is_refused_with_the_names_that_exist():
    with pytest.raises(InputError, match="Known presets: deepradscore, pdl1es, karim"):
        preset("deepradscor")


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_survives_json(name: str):
    text = json.dumps(preset(name).to_dict())
    assert FeatureSettings.from_dict(json.loads(text)) == preset(name)


@given(feature_settings())
def test_any_settings_survive_json_and_name_each_feature_once(settings: FeatureSettings):
    back = FeatureSettings.from_dict(json.loads(json.dumps(settings.to_dict())))
    assert back == settings
    assert hash(back) == hash(settings)
    assert len(set(settings.feature_names())) == 2 * settings.feature_count()


def test_the_order_in_which_classes_are_asked_for_does_not_matter():
    assert FeatureSettings("a", classes=("glcm", "shape")) == FeatureSettings("a", classes=("shape", "glcm"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": ""}, "name must be made of letters"),
        ({"name": "../up"}, "name must be made of letters"),
        ({"bin_width": 0.0}, "bin_width must be a number from 0.1 to 1000"),
        ({"bin_width": float("nan")}, "bin_width must be a number from 0.1 to 1000"),
        ({"bin_width": "25"}, "bin_width must be a number from 0.1 to 1000"),
        ({"bin_width": True}, "bin_width must be a number from 0.1 to 1000"),
        ({"bin_count": 32}, "either bin_width or bin_count"),
        ({"bin_width": None}, "either bin_width or bin_count"),
        ({"bin_width": None, "bin_count": 1}, "bin_count must be a whole number from 2 to 512"),
        ({"bin_width": None, "bin_count": 32.0}, "bin_count must be a whole number"),
        ({"classes": ("glcm", "glmc")}, "classes must be some of shape, firstorder"),
        ({"classes": ("glcm", "glcm")}, "each once"),
        ({"classes": "glcm"}, "classes must be a list"),
        ({"classes": ()}, "measure nothing"),
        ({"classes": ("glcm",), "original": False, "wavelet": None}, "measure nothing"),
        ({"original": 1}, "original must be true or false"),
        ({"wavelet": "coif99"}, "Wavelet 'coif99' is not known"),
        ({"wavelet": "morl"}, "Wavelet 'morl' is not known"),
        ({"log_sigma_mm": (0.1,)}, "log_sigma_mm must be a number from 0.5 to 10"),
        ({"log_sigma_mm": (2.0, 1.0)}, "log_sigma_mm must rise"),
        ({"log_sigma_mm": (1.0, 1.0)}, "log_sigma_mm must rise"),
        ({"log_sigma_mm": 1.0}, "log_sigma_mm must be a list"),
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        FeatureSettings(**{"name": "a", **wrong})


def test_an_unknown_setting_is_refused_by_name():
    with pytest.raises(InputError, match="Unknown feature settings: binWidth"):
        FeatureSettings.from_dict({"name": "a", "binWidth": 25})


@pytest.mark.parametrize("values", [{"bin_width": 25.0}, ["name"], None])
def test_settings_without_a_name_are_refused(values: Any):
    with pytest.raises(InputError, match="must be an object with a name"):
        FeatureSettings.from_dict(values)


def test_the_margin_follows_the_filter_that_reaches_farthest():
    assert preset("karim").margin_mm == 1.0  # no filter
    assert preset("deepradscore").margin_mm == 10.0
    assert preset("pdl1es").margin_mm == 60.0  # 12 x 5 mm


def test_the_wavelets_that_are_taken_are_those_that_pywavelets_has():
    import pywt

    assert set(pywt.wavelist(kind="discrete")) == WAVELETS


def test_a_wavelet_reaches_voxels_and_a_laplacian_millimeters():
    assert preset("deepradscore").margin_at(2.0) == 20.0
    assert preset("pdl1es").margin_at(2.0) == 60.0


def test_a_long_wavelet_gets_a_wider_margin():
    assert FeatureSettings("long", wavelet="dmey").margin_mm == 66.0  # 62 taps


@pytest.mark.parametrize(
    ("names", "classes", "original", "wavelet", "sigmas"),
    [
        (("tumor_original_shape_MeshVolume",), ("shape",), False, None, ()),
        (("ring_original_firstorder_Mean",), ("firstorder",), True, None, ()),
        (
            ("tumor_original_shape_MeshVolume", "ring_wavelet-LLH_glcm_Contrast"),
            ("shape", "glcm"),
            False,
            "coif1",
            (),
        ),
        (("tumor_log-sigma-2-0-mm-3D_ngtdm_Busyness",), ("ngtdm",), False, None, (2.0,)),
    ],
)
def test_settings_can_be_limited_to_what_some_features_need(names, classes, original, wavelet, sigmas):
    whole = FeatureSettings("whole", log_sigma_mm=(1.0, 2.0))
    few = whole.limited_to(names)
    assert (few.classes, few.original, few.wavelet, few.log_sigma_mm) == (classes, original, wavelet, sigmas)
    assert (few.bin_width, few.bin_count) == (whole.bin_width, whole.bin_count)
    assert set(names) <= set(few.feature_names()) < set(whole.feature_names())


def test_no_features_need_no_settings():
    assert FeatureSettings("whole").limited_to(()) is None

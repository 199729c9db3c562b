"""The table of features: complete, coded as IBSI codes them, and readable."""

import csv
from pathlib import Path

import pytest
from reference import need_pyradiomics

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.radiomics.settings import preset
from PDL1PredictorLib.radiomics.table import FAMILIES, FEATURES, Feature, describe, features_of, lookup


def test_the_table_has_the_107_original_features_of_pyradiomics():
    counts = {family: len(features_of(family)) for family in FAMILIES}
    assert counts == {"shape": 14, "firstorder": 18, "glcm": 24, "glrlm": 16, "glszm": 16, "gldm": 14, "ngtdm": 5}
    assert len(FEATURES) == 107


def test_the_table_names_the_features_that_pyradiomics_computes_by_default():
    radiomics = need_pyradiomics()
    classes = radiomics.getFeatureClasses()
    theirs = {
        (family, name) for family in FAMILIES for name, old in classes[family].getFeatureNames().items() if not old
    }
    assert {(feature.family, feature.name) for feature in FEATURES} == theirs


@pytest.mark.real_data
def test_the_ibsi_codes_are_those_of_the_reference_manual(shared: Path):
    with (shared / "ibsi" / "pyradiomics_to_ibsi.csv").open(encoding="utf-8", newline="") as file:
        expected = {
            row["pyradiomics"]: row["ibsi_code"] for row in csv.DictReader(file) if row["pyradiomics_default"] == "yes"
        }
    ours = {f"{feature.family}_{feature.name}": feature.ibsi for feature in FEATURES if feature.ibsi}
    assert ours == expected


def test_no_ibsi_code_is_given_twice():
    codes = [feature.ibsi for feature in FEATURES if feature.ibsi]
    assert len(codes) == 102
    assert len(set(codes)) == len(codes)
    assert all(len(code) == 4 for code in codes)


def test_every_feature_has_one_line_of_meaning_that_stands_alone():
    for feature in FEATURES:
        assert 10 < len(feature.meaning) < 100, feature
        assert not feature.meaning.startswith("the same"), feature


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ring_wavelet-LLH_glcm_Contrast", "Contrast (GLCM) of the wavelet LLH image, peritumoral ring"),
        ("tumor_original_firstorder_Mean", "Mean (first order) of the original image, tumor"),
        ("tumor_original_shape_Sphericity", "Sphericity (shape), tumor"),
        (
            "ring_log-sigma-2-5-mm-3D_ngtdm_Strength",
            "Strength (NGTDM) of the Laplacian of Gaussian image (sigma 2.5 mm), peritumoral ring",
        ),
    ],
)
def test_a_name_is_told_in_words(name: str, words: str):
    assert describe(name) == words


def test_all_names_of_the_largest_preset_are_told_in_different_words():
    names = preset("pdl1es").feature_names()
    assert len({describe(name) for name in names}) == len(names)


def test_a_row_is_found_by_the_full_name():
    assert lookup("ring_original_shape_MeshVolume") == Feature(
        "shape", "MeshVolume", "RNU0", "mm^3", "volume inside the surface mesh"
    )


@pytest.mark.parametrize(
    "name", ["tumor_original_glcm_Kontrast", "liver_original_glcm_Contrast", "age", "tumor_glcm_MCC"]
)
def test_an_unknown_name_is_refused(name: str):
    with pytest.raises(InputError, match="is no radiomic feature"):
        describe(name)

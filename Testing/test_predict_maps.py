"""Maps of features in a prediction: those that the model asks for, written beside the heat map and told."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.results import CaseResult
from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.prediction import Options, predict_case
from PDL1PredictorLib.radiomics import voxel_maps
from PDL1PredictorLib.report.json_result import schema, to_json
from PDL1PredictorLib.report.write import write_all

NAMES = ("tumor_original_glcm_SumEntropy", "tumor_original_glcm_Contrast")


def asking(tiny_model: Path, names: tuple[str, ...]):
    """The tiny model, measuring textures, too."""
    bundle = read_bundle(tiny_model)
    features = {**bundle.manifest["features"], "classes": ["firstorder", "glcm"]}
    manifest = {**bundle.manifest, "features": features, "voxel_maps": list(names)}
    return load_predictor(Bundle(bundle.name, bundle.sha256, manifest, bundle.files))


@pytest.fixture(scope="module")
def result(phantom, tiny_model: Path) -> CaseResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voxel_maps, "MOST_VOXELS", 500)  # what is not measured costs no time
        return predict_case(phantom.case, asking(tiny_model, NAMES), Options(device="cpu", stability=False))


def test_the_features_that_the_model_asks_for_are_mapped_on_the_tumor(phantom, result: CaseResult):
    found = result.lesions[0].voxel_maps
    assert [one.feature for one in found] == list(NAMES)
    for one in found:
        assert one.slices < one.tumor_slices
        tumor = sitk.Resample(
            result.lesions[0].tumor_image, one.image, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8
        )
        measured = sitk.GetArrayFromImage(one.image) > one.low - 0.25
        np.testing.assert_array_equal(measured, sitk.GetArrayFromImage(tumor) > 0)


def test_they_are_written_as_volumes_and_listed_with_name_and_unit(result: CaseResult, tmp_path: Path):
    write_all(result, tmp_path)
    content = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    jsonschema.validate(content, schema())
    rows = content["lesions"][0]["voxel_maps"]
    assert [row["file"] for row in rows] == [f"map_{name}.nrrd" for name in NAMES]
    assert rows[1]["title"] == "Contrast (GLCM), tumor"
    assert rows[1]["unit"] == result.lesions[0].voxel_maps[1].unit
    for row, one in zip(rows, result.lesions[0].voxel_maps, strict=True):
        written = sitk.ReadImage(str(tmp_path / row["file"]))
        assert written.GetOrigin() == pytest.approx(one.image.GetOrigin())
        values = sitk.GetArrayFromImage(written)
        np.testing.assert_array_equal(values, sitk.GetArrayFromImage(one.image))
        assert values.min() == np.float32(row["outside"])
        assert values.max() == np.float32(row["high"])


def test_a_map_can_be_left_out_and_most_models_ask_for_none(phantom, tiny_model: Path):
    without = Options(device="cpu", stability=False, voxel_maps=False)
    assert predict_case(phantom.case, asking(tiny_model, NAMES[:1]), without).lesions[0].voxel_maps == ()
    plain = predict_case(phantom.case, load_predictor(tiny_model), Options(device="cpu", stability=False))
    assert plain.lesions[0].voxel_maps == ()
    assert to_json(plain, False)["lesions"][0]["voxel_maps"] == []

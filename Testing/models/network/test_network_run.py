"""A bundle's network: both ways agree, each is taken where it belongs, what is missing is said."""

import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import SimpleITK as sitk
import torch

from PDL1PredictorLib.core.errors import BundleError, InputError, MissingPackageError
from PDL1PredictorLib.imaging.case_files import Files, read_case
from PDL1PredictorLib.imaging.patch import Patch, deep_patch
from PDL1PredictorLib.imaging.regions import make_regions
from PDL1PredictorLib.learning.network_files import graph_bytes
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.network import run as page
from PDL1PredictorLib.models.network.by_torch import full_precision
from PDL1PredictorLib.models.network.run import Network
from PDL1PredictorLib.models.predictor import Given
from PDL1PredictorLib.models.stack import Stack
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.prediction import Options, predict_case
from PDL1PredictorLib.resources import find_model

BUNDLED = ("phantom-demo", "nsclc-radiogenomics")


@pytest.fixture
def predictor(tiny_model: Path) -> Stack:
    return load_predictor(tiny_model)


@pytest.fixture(scope="module")
def patch(phantom) -> Patch:
    settings = load_predictor(find_model(BUNDLED[0])).manifest.regions
    return deep_patch(phantom.case, make_regions(phantom.case, settings), settings)


def weights_of(network: DeepCT) -> bytes:
    return safetensors.numpy.save({name: value.numpy() for name, value in network.state_dict().items()})


def made(backbone: str = "densenet121", **changes: object) -> Network:
    torch.manual_seed(0)
    network = DeepCT(2, 10, backbone=backbone, pool=changes.get("pool", "picture"))
    return Network("toy", weights_of(network), backbone, 10, 2, **changes)


@pytest.mark.parametrize("name", BUNDLED)
def test_the_bundled_models_answer_a_phantom_the_same_both_ways(name: str, phantom):
    predictor = load_predictor(find_model(name))
    ways = {
        runtime: predict_case(phantom.case, predictor, Options("largest", "cpu", runtime=runtime))
        for runtime in ("auto", "torch")
    }
    assert [way.provenance.network for way in ways.values()] == ["onnxruntime", "torch"]
    same(*(way.lesions[0] for way in ways.values()))


def same(first, second) -> None:
    for one, other in zip(first.endpoints, second.endpoints, strict=True):
        assert one.probability == pytest.approx(other.probability, abs=1e-4)
    methods = [{heat.method for heat in lesion.heat_maps} for lesion in (first, second)]
    assert methods == [{"class activation map"}, {"Grad-CAM"}]


def real_files(shared: Path, case: str, folder: Path) -> Files:
    """A whole CT with its RTSTRUCT, a chest, or a tumor's volume of interest."""
    if case == "whole":
        with tarfile.open(shared / "data" / "whole_ct" / "lung1_001.tar.xz") as archive:
            archive.extractall(folder, filter="data")
        (structures,) = (path for path in (folder / "lung1_001").rglob("*.dcm") if path.parent.name != "ct")
        return Files(folder / "lung1_001" / "ct", structures, segment="GTV-1")
    if case == "chest":
        chest = shared / "data" / "chest_ct_nrrd"
        return Files(chest / "lung1_image.nrrd", chest / "lung1_label.nrrd")
    voi = shared / "data" / "nsclc_radiogenomics_voi" / "voi"
    return Files(voi / f"{case}_image.nii.gz", voi / f"{case}_mask.nii.gz")


@pytest.mark.real_data
@pytest.mark.parametrize("name", BUNDLED)
@pytest.mark.parametrize("case", ["whole", "chest", "case_000", "case_002", "case_005"])
def test_the_bundled_models_answer_real_cases_the_same_both_ways(name: str, case: str, shared: Path, tmp_path: Path):
    read = read_case(real_files(shared, case, tmp_path))
    predictor = load_predictor(find_model(name))
    settings = predictor.manifest.regions
    regions = make_regions(read.case, settings)
    seen = deep_patch(read.case, regions, settings)
    by_graph, by_torch = (predictor.network.run([seen], "cpu", runtime) for runtime in ("onnxruntime", "torch"))
    assert (by_graph.runtime, by_torch.runtime) == ("onnxruntime", "torch")
    np.testing.assert_allclose(by_graph.maps, by_torch.maps, atol=1e-3)
    np.testing.assert_allclose(by_graph.deep, by_torch.deep, atol=1e-4 * max(1.0, np.abs(by_torch.deep).max()))
    zeros = dict.fromkeys(predictor.manifest.feature_mean, 0.0)
    for model in predictor.manifest.endpoints:
        first, second = (
            predictor.answer_for(model, predictor.inputs(Given(zeros, None, 1.0), output.deep))
            for output in (by_graph, by_torch)
        )
        assert first.probability == pytest.approx(second.probability, abs=1e-4)


def test_a_gpu_is_run_by_torch_and_its_lack_of_memory_ends_on_onnxruntime(predictor: Stack, patch, monkeypatch):
    asked = []

    def no_memory(self: object, device: str) -> DeepCT:
        asked.append(device)
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("PDL1PredictorLib.models.network.by_torch.TorchNetwork.module", no_memory)
    output = predictor.network.run([patch], "cuda")
    assert asked == ["cuda"]
    assert (output.device, output.runtime) == ("cpu", "onnxruntime")
    assert [warning.code for warning in output.warnings] == ["gpu_out_of_memory"]


def test_a_runtime_that_is_not_there_or_not_for_the_device_is_refused(predictor: Stack, patch):
    with pytest.raises(InputError, match="one of auto, onnxruntime, torch, got 'tensorrt'"):
        Options(runtime="tensorrt")
    with pytest.raises(InputError, match="onnxruntime runs the network on the CPU, not on cuda"):
        predictor.network.run([patch], "cuda", "onnxruntime")


def test_a_backbone_without_a_graph_is_run_by_torch_and_needs_it(patch, monkeypatch):
    network = made("resnet50")
    output = network.run([patch], "cpu")
    assert (output.runtime, output.method) == ("torch", "Grad-CAM")

    def absent(name: str, remedy: str) -> None:
        raise MissingPackageError(f"The package {name} cannot be imported. {remedy}")

    monkeypatch.setattr(page, "require_module", absent)
    with pytest.raises(MissingPackageError, match=r"pdl1predictor\[gpu\].*toy was written without a graph"):
        made("resnet50").run([patch], "cpu")
    output = made(head="other").run([patch], "cpu")
    assert output.maps.shape[0] == 0
    assert [w.code for w in output.warnings] == ["no_heat_maps"]
    assert np.isfinite(output.deep).all()


def test_a_head_that_is_not_linear_has_its_maps_from_torch(patch):
    output = made(head="other").run([patch], "cpu")
    edge = patch.image.GetSize()[0] // 32  # densenet121 halves five times
    assert (output.runtime, output.method, output.maps.shape) == ("onnxruntime", "Grad-CAM", (2, edge, edge))


def test_maps_pooled_within_the_contour_give_the_same_both_ways_and_no_heat_map(patch, monkeypatch):
    torch.manual_seed(0)
    network = DeepCT(2, 10, backbone="resnet50_layer1", pool="contour").eval()
    graph = graph_bytes(network)
    within = made("resnet50_layer1", pool="contour", head="none", graph=graph)
    by_torch = within.run([patch], "cpu", "torch")
    monkeypatch.setattr(page, "require_module", lambda name, remedy: pytest.fail(f"{name} was asked for"))
    by_graph = made("resnet50_layer1", pool="contour", head="none", graph=graph).run([patch], "cpu")
    assert (by_graph.runtime, by_torch.runtime) == ("onnxruntime", "torch")
    np.testing.assert_allclose(by_graph.deep, by_torch.deep, atol=1e-4 * max(1.0, np.abs(by_torch.deep).max()))
    for output in (by_graph, by_torch):
        assert (len(output.maps), output.method, output.warnings) == (0, "", ())
    larger = replace(patch, tumor=sitk.BinaryDilate(patch.tumor, (4, 4, 0)))
    assert np.abs(within.run([larger], "cpu", "onnxruntime").deep - by_graph.deep).max() > 1e-2


def test_a_head_that_does_not_explain_the_answers_is_refused(patch, monkeypatch):
    network = made()
    activations, deep, logits = network._session.run(page.patch_channels(patch))
    monkeypatch.setattr(network._session, "run", lambda *given: (activations, deep, logits + 0.5))
    with pytest.raises(BundleError, match="answers do not follow from its last two layers"):
        network.run([patch], "cpu")


@pytest.mark.parametrize("runtime", ["onnxruntime", "torch"])
def test_weights_that_do_not_fit_are_told_by_both_ways(runtime: str, patch):
    other = Network("toy", weights_of(DeepCT(2, 10)), "densenet121", 4, 2)
    with pytest.raises(BundleError, match="The weights of toy do not fit its network"):
        other.run([patch], "cpu", runtime)
    damaged = Network("toy", b"12345678", "densenet121", 10, 2)
    with pytest.raises(BundleError, match="The weights of toy do not fit its network: its header"):
        damaged.run([patch], "cpu", runtime)


def test_prediction_computes_in_whole_32_bits_and_leaves_the_setting_as_it_was():
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = True
    try:
        with full_precision():
            assert not torch.backends.cudnn.allow_tf32
            assert not torch.backends.cuda.matmul.allow_tf32
        assert torch.backends.cudnn.allow_tf32
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


WITHOUT_TORCH = """
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path
class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "safetensors", "sklearn", "onnx"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from PDL1PredictorLib.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize("name", BUNDLED)
def test_the_sample_patient_is_predicted_where_torch_cannot_be_imported(name: str, tmp_path: Path):
    sample = Path(__file__).resolve().parents[3] / "Resources" / "SampleData"
    script = tmp_path / "run.py"
    script.write_text(WITHOUT_TORCH, encoding="utf-8")
    arguments = ["--ct", str(sample / "PDL1Sample-ct.nrrd"), "--tumor", str(sample / "PDL1Sample-tumor.seg.nrrd")]
    command = [sys.executable, str(script), "predict", *arguments, "--model", name, "--out", str(tmp_path / "out")]
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert run.returncode == 0, run.stderr
    assert '"network": "onnxruntime"' in (tmp_path / "out" / "result.json").read_text(encoding="utf-8")
    asked = subprocess.run([*command[:-1], str(tmp_path / "gpu"), "--device", "cuda"], capture_output=True, text=True)
    assert asked.returncode != 0
    assert "A GPU needs PyTorch. Install it with: pip install pdl1predictor[gpu]" in asked.stderr


def test_the_page_of_predictions_loads_neither_torch_nor_scikit_learn():
    heavy = ("torch", "sklearn", "safetensors", "onnx", "matplotlib", "pydicom")
    text = f"import PDL1PredictorLib.prediction, sys; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"

"""The sample patient: bundled, made by the library's phantom, loaded by the window and by Sample Data."""

import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
from PDL1PredictorGUI.scene import bridge, ring, sample
from PDL1PredictorGUI.window import tumor

ROOT = Path(__file__).resolve().parents[3]


def _maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_sample", ROOT / "Testing" / "extension" / "make_sample.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_same_image(made: Path, bundled: Path) -> None:
    """The same voxels, place and fields on every processor; only how the file is packed may differ.

    ITK packs with zlib-ng, whose search for repetitions uses what instructions the processor has.
    """
    one, other = sitk.ReadImage(str(made)), sitk.ReadImage(str(bundled))
    fields = [{key: image.GetMetaData(key) for key in image.GetMetaDataKeys()} for image in (one, other)]
    places = [(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection()) for image in (one, other)]
    same = fields[0] == fields[1] and places[0] == places[1] and one.GetPixelID() == other.GetPixelID()
    same = same and np.array_equal(sitk.GetArrayViewFromImage(one), sitk.GetArrayViewFromImage(other))
    assert same, f"{bundled.name} is not what the phantom makes: run make sample, and its checksums into sample.py"


def test_one_command_makes_the_bundled_files_again(tmp_path: Path) -> None:
    _maker().write_sample(tmp_path)
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == sorted((sample.CT.name, sample.TUMOR.name))
    for name in made:
        assert_same_image(tmp_path / name, sample.sample_folder() / name)


def test_a_voxel_of_another_value_is_told(tmp_path: Path) -> None:
    image = sitk.ReadImage(str(sample.sample_folder() / sample.CT.name))
    image[7, 8, 9] += 1
    sitk.WriteImage(image, str(tmp_path / "ct.nrrd"), True)
    with pytest.raises(AssertionError, match="run make sample"):
        assert_same_image(tmp_path / "ct.nrrd", sample.sample_folder() / sample.CT.name)


@pytest.mark.parametrize("file", [sample.CT, sample.TUMOR], ids=lambda file: file.name)
def test_the_checksums_are_those_of_the_files(file: sample.SampleFile) -> None:
    data = (sample.sample_folder() / file.name).read_bytes()
    assert file.checksum == f"SHA256:{hashlib.sha256(data).hexdigest()}"
    assert len(data) < 12e6  # the repository with its history must stay under 100 MB


def test_the_button_loads_a_ct_with_one_coded_tumor(loaded: Callable[[Path], Any]) -> None:
    window = loaded(ROOT / "PDL1Predictor" / "PDL1Predictor.py")
    slicer.app.moduleManager().select("PDL1Predictor")
    window.ui.sampleButton.click()
    parameters = window.shared.parameters
    assert bridge.why_not_ct(parameters.volume) == ""
    ((segment_id, segment),) = ring.tumors(parameters.segmentation)
    assert parameters.segment_id == segment_id
    assert segment.GetName() == "Tumor 1"
    assert ring.tag(segment, segment.GetTerminologyEntryTagName()) == tumor.TERMINOLOGY
    assert segment.GetColor() == pytest.approx(tumor.COLORS[0])
    window.shared.live.settle()
    assert window.shared.live.problem == ""
    assert window.ui.tumorVolumeLabel.text == "18.19 mL"  # 15107 voxels are 18.15 mL; it is measured on 1 mm voxels


def test_the_mask_lies_on_the_tumor_voxel_by_voxel(slicer_scene: Any) -> None:
    volume, segmentation = sample.load_sample()
    mask = bridge.mask_of_segment(segmentation, ring.tumors(segmentation)[0][0], volume)
    stored = sitk.ReadImage(str(sample.sample_folder() / sample.TUMOR.name))
    assert np.array_equal(sitk.GetArrayFromImage(mask), sitk.GetArrayFromImage(stored))
    assert mask.GetOrigin() == pytest.approx(stored.GetOrigin())


def test_sample_data_has_the_patient_for_scripts_and_for_its_button(slicer_scene: Any) -> None:
    import SampleData

    slicer.modules.sampleDataSources = {}
    sample.register()
    for nodes in (
        SampleData.downloadSamples(sample.NAME),
        SampleData.SampleDataLogic.sourceForSampleName(sample.NAME).customDownloader(None),
    ):
        assert [node.GetClassName() for node in nodes] == ["vtkMRMLScalarVolumeNode", "vtkMRMLSegmentationNode"]
        assert len(ring.tumors(nodes[1])) == 1
    source = SampleData.SampleDataLogic.sourceForSampleName(sample.NAME)
    assert Path(source.thumbnailFileName).is_file()


def test_missing_files_are_told(slicer_scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PDL1PredictorLib.core.errors import InputError

    monkeypatch.setattr(sample, "sample_folder", lambda: tmp_path)
    with pytest.raises(InputError, match=r"PDL1Sample-ct.nrrd, PDL1Sample-tumor.seg.nrrd missing. Install"):
        sample.load_sample()

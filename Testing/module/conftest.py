"""The module's tests run it in the headless host (packages/slicerhost), in pytest's process, each in an empty scene."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from host_here import HOST

ROOT = Path(__file__).resolve().parents[2]
for folder in (HOST, ROOT / "Testing" / "module", ROOT / "PDL1Predictor"):
    sys.path.insert(0, str(folder))

from slicerhost.fixtures import SkippedModule  # noqa: E402 - the path first
from slicerhost.here import WHY_NOT  # noqa: E402

if WHY_NOT:

    def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
        return SkippedModule.from_parent(parent, path=module_path)

else:
    import slicerhost

    slicerhost.start()  # before any page of the module is imported: they import slicer, qt and vtk

    from slicerhost.fixtures import loaded, qt5_facts, slicer_app, slicer_scene  # noqa: F401


@pytest.fixture(scope="session")
def refused_folder(tiny_model: Path, phantom: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pdl1 predict` writes for the phantom, with the tiny model: it is unlike all that the model knows."""
    from PDL1PredictorLib.imaging.case_files import Files
    from PDL1PredictorLib.prediction import predict_files

    folder = tmp_path_factory.mktemp("predicted") / "result für 1"
    ct, tumor = folder.parent / "ct.nrrd", folder.parent / "tumor.nrrd"
    sitk.WriteImage(phantom.case.ct, str(ct))
    sitk.WriteImage(phantom.case.tumor, str(tumor))
    predict_files(Files(ct, tumor), tiny_model, folder)
    return folder


@pytest.fixture(scope="session")
def result_folder(refused_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as if the model knew such cases: two endpoints, both called negative, one heat map of them empty."""
    from window_steps import judged

    from PDL1PredictorLib.report.reading.plain_lines import plain_text

    folder = tmp_path_factory.mktemp("answered") / "result für 1"
    shutil.copytree(refused_folder, folder)
    content = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    lesion = content["lesions"][0]
    lesion["unlike"] = {"p": 0.5, "parts": [], "flagged": False}
    lesion["atypicality"] = 0.5
    lesion["endpoints"] = [judged(row, "negative", uncertainty=[0.001, 0.02]) for row in lesion["endpoints"]]
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"  # as the library writes it
    (folder / "result.json").write_text(text, encoding="utf-8")
    (folder / "summary.txt").write_text(plain_text(content), encoding="utf-8")
    return folder


@pytest.fixture
def case_in_scene(slicer_scene: Any, phantom: Any) -> Callable[..., SimpleNamespace]:
    """A function that puts the phantom into the scene; what it gives has the names of a `PredictRequest`."""

    def put() -> SimpleNamespace:
        import slicer
        from PDL1PredictorGUI.scene import bridge

        from PDL1PredictorLib.core.settings import RegionSettings

        volume = bridge.volume_of_image(phantom.case.ct, "CT")
        segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
        segmentation.CreateDefaultDisplayNodes()
        segment_id = bridge.put_segment(segmentation, "Segment_1", phantom.case.tumor, volume, name="Tumor")
        return SimpleNamespace(
            volume=volume,
            segmentation=segmentation,
            segment_id=segment_id,
            ring_segment_id=None,
            model="tiny",
            regions=RegionSettings(),
            clinical=None,
            clinical_inputs=(),
            device="cpu",
        )

    return put


@pytest.fixture
def small_images() -> tuple[sitk.Image, sitk.Image]:
    """A small CT in which no two lines or slices are alike, and the mask of a box in it; three different spacings."""
    k, j, i = np.indices((12, 20, 30))
    pattern = (37 * k + 11 * j + 3 * i + k * j * i) % 151  # 0 to 150 HU
    values = (pattern - np.where(i < 10, 950, 0)).astype(np.int16)  # lung on one side
    mask = np.zeros(values.shape, np.uint8)
    mask[3:8, 5:12, 7:21] = 1
    ct, tumor = sitk.GetImageFromArray(values), sitk.GetImageFromArray(mask)
    for image in (ct, tumor):
        image.SetSpacing((1.0, 1.5, 2.5))
        image.SetOrigin((11.0, -22.0, 33.0))
    return ct, tumor


@pytest.fixture
def put_case(slicer_scene: Any) -> Callable[..., SimpleNamespace]:
    """A function that puts any CT and mask into the scene."""

    def put(ct: sitk.Image, mask: sitk.Image, name: str = "CT") -> SimpleNamespace:
        import slicer
        from PDL1PredictorGUI.scene import bridge

        volume = bridge.volume_of_image(ct, name)
        segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"{name} segmentation")
        segmentation.CreateDefaultDisplayNodes()
        segment_id = bridge.put_segment(segmentation, "Tumor", mask, volume, "Tumor")
        return SimpleNamespace(volume=volume, segmentation=segmentation, segment_id=segment_id)

    return put


@pytest.fixture
def window(loaded: Callable[..., Any], tiny_model: Path) -> Any:
    """The module's window, shown, with the tiny model chosen."""
    import slicer

    widget = loaded(ROOT / "PDL1Predictor" / "PDL1Predictor.py")
    slicer.app.moduleManager().select("PDL1Predictor")
    widget.shared.parameters.model = str(tiny_model)
    return widget


@pytest.fixture
def window_with_case(window: Any, case_in_scene: Callable[..., SimpleNamespace]) -> Any:
    """The window, and the phantom chosen and measured in it."""
    case = case_in_scene()
    parameters = window.shared.parameters
    parameters.volume, parameters.segmentation = case.volume, case.segmentation
    parameters.segment_id = case.segment_id
    window.shared.live.settle()
    return window


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, result_folder: Path, tmp_path: Path) -> SimpleNamespace:
    """Stands for `pdl1 predict`, also in a batch; `let_go` lets all runs end, `let_one_go` the present or next one."""
    from PDL1PredictorGUI.background import batch, predictor
    from window_steps import BATCH_WORKER, WORKER

    flag = tmp_path / "let go"
    commands: list[list[str]] = []

    def command_of(*_arguments: Any) -> list[str]:
        commands.append([sys.executable, "-c", WORKER, str(flag), str(result_folder)])
        return commands[-1]

    def batch_command(run: Any) -> list[str]:
        commands.append([sys.executable, "-c", BATCH_WORKER, str(flag), str(result_folder), str(run._request.out)])
        return commands[-1]

    monkeypatch.setattr(predictor, "command_of", command_of)
    monkeypatch.setattr(batch.Batch, "_command", batch_command)
    return SimpleNamespace(
        let_go=lambda: flag.write_text("all"),
        let_one_go=lambda: flag.write_text("one"),
        hold=lambda: flag.unlink(missing_ok=True),
        commands=commands,
    )


@pytest.fixture
def shown(window: Any) -> Iterator[Any]:
    """The window in a main window, as a user sees it."""
    main = slicerhost.MainWindow("PDL1Predictor")
    yield window
    main.dismiss()


@pytest.fixture
def ready(shown: Any, case_in_scene: Callable[..., SimpleNamespace]) -> Any:
    """The window with the phantom chosen and measured."""
    case = case_in_scene()
    parameters = shown.shared.parameters
    parameters.volume, parameters.segmentation = case.volume, case.segmentation
    parameters.segment_id = case.segment_id
    shown.shared.live.settle()
    return shown


@pytest.fixture
def answered(ready: Any, result_folder: Path) -> Any:
    """The window with a result."""
    from PDL1PredictorGUI.scene import results

    ready.results.show(results.store(result_folder, ready.shared.request()))
    ready.shared.live.settle()
    return ready

"""Three small cases on disk, and a request for them."""

from pathlib import Path

import pytest
import SimpleITK as sitk

from PDL1PredictorLib.batch.request import BatchRequest
from PDL1PredictorLib.imaging.case_files import Files
from PDL1PredictorLib.prediction import Options


@pytest.fixture
def cases(tmp_path: Path, phantom) -> list[Files]:
    """Cases a, b and c: one patient, each with another offset of the CT."""
    folder = tmp_path / "files"
    folder.mkdir()
    for offset, name in enumerate("abc"):
        sitk.WriteImage(phantom.case.ct + offset, folder / f"{name}.nrrd")
        sitk.WriteImage(phantom.case.tumor, folder / f"{name}_tumor.nrrd")
    return [Files(folder / f"{name}.nrrd", folder / f"{name}_tumor.nrrd", name=name) for name in "abc"]


@pytest.fixture
def request_for(tmp_path: Path, tiny_model: Path) -> BatchRequest:
    return BatchRequest(tiny_model, tmp_path / "out", Options(device="cpu"))

"""CT series on the disk, in several orientations, and one prediction that was filed."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import SimpleITK as sitk
from dicom_writing import write_series

pytest.importorskip("highdicom")
pytest.importorskip("reportlab")

from filed_case import AXES, made_case, named

from PDL1PredictorLib.filing.request import Filing
from PDL1PredictorLib.imaging.case_files import Files
from PDL1PredictorLib.prediction import Options, predict_files


@pytest.fixture(scope="module", params=AXES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Each orientation in turn."""
    return made_case(tmp_path_factory.mktemp(request.param), AXES[request.param])


@pytest.fixture(scope="module")
def oblique(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    return made_case(tmp_path_factory.mktemp("oblique"), AXES["oblique"])


@pytest.fixture(scope="session")
def filed(phantom, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a prediction with everything that can be filed; the patient's name has other letters."""
    root = tmp_path_factory.mktemp("Patiënt mit Leerzeichen")
    series = write_series(root / "CT ü", phantom.case.ct, named())
    sitk.WriteImage(phantom.case.tumor, root / "tumor.nrrd", True)
    out = root / "Ergebnis"
    options = Options(device="cpu", stability=False)
    files = Files(series.folder, root / "tumor.nrrd")
    predict_files(files, tiny_model, out, options, filing=Filing(dicom=True, paper="Letter"))
    return out

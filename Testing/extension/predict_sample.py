"""Runs inside Slicer, as one of its tests: the extension, as it was built or installed, predicts the sample patient.

    Slicer --testing --no-main-window --additional-module-paths FOLDER --python-script predict_sample.py [FOLDER]

With FOLDER, module and library must have been taken from there, and nothing from a source tree. Prints the answers as
one line of JSON. Without the packages of a prediction it only loads the patient, and says so.
"""

import json
import sys
from pathlib import Path
from types import ModuleType

import slicer


def assert_taken_from(folder: Path, *modules: ModuleType) -> None:
    """Every module lies in the folder."""
    for module in modules:
        place = Path(str(module.__file__)).resolve()
        assert place.is_relative_to(folder.resolve()), f"{module.__name__} was taken from {place}, not from {folder}"


def main() -> None:
    """Loads and predicts the sample patient."""
    from PDL1PredictorGUI.scene import ring, sample
    from PDL1PredictorGUI.setup import library, packages

    import PDL1Predictor

    library.make_importable()
    import PDL1PredictorLib

    if len(sys.argv) > 1:
        assert_taken_from(Path(sys.argv[1]), PDL1Predictor, library, sample, PDL1PredictorLib)
    volume, segmentation = sample.load_sample()
    missing = packages.missing()
    if missing:
        print("Skipped, packages are missing:", ", ".join(package.requirement for package in missing))
        return
    segment_id = ring.tumors(segmentation)[0][0]
    result = PDL1Predictor.PDL1PredictorLogic().predict(volume, segmentation, segment_id, device="cpu")
    answers = {key: result.endpoint(key)["probability"] for key in result.endpoints}
    for key, probability in answers.items():
        assert 0 <= probability <= 1, f"{key}: {probability}"
    print(json.dumps({"answers": answers, "provenance": result.content["provenance"]}))
    slicer.mrmlScene.Clear()


main()

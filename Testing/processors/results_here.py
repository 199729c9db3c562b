"""What this processor makes of the phantom, as JSON: to be compared with another's.

    python Testing/processors/results_here.py [--phantom-only] > here.json
    python Testing/processors/results_here.py --against there.json

The phantom's hashes must be equal everywhere; features and answers may differ by what docs/reproducibility.md states.
The bundled sample patient is the input of both, so that they do not depend on the phantom.
"""

import argparse
import hashlib
import json
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.phantom.patient import PhantomPatient, make_patient
from PDL1PredictorLib.phantom.record import truth_record
from PDL1PredictorLib.prediction import Options, predict_case

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Testing" / "helpers"))
from processors import differences  # noqa: E402

SAMPLE = ROOT / "Resources" / "SampleData"
MODEL = ROOT / "Resources" / "Models" / "phantom-demo"
PATIENTS = ((11, 0), (11, 1), (2028, 1))


def digest(*parts: bytes) -> str:
    """The first half of the SHA-256 of the parts."""
    return hashlib.sha256(b"".join(parts)).hexdigest()[:32]


def of_patient(patient: PhantomPatient) -> str:
    """Of voxels, places, truth and clinical values."""
    case = patient.case
    images = [sitk.GetArrayViewFromImage(image).tobytes() for image in (case.ct, case.tumor)]
    rest = (case.ct.GetOrigin(), case.ct.GetSpacing(), patient.traits, patient.labels, case.clinical, patient.scan)
    return digest(*images, repr((*rest, patient.probabilities)).encode())


def phantom() -> dict[str, str]:
    """Hashes that are equal on every processor."""
    found = {f"{seed}/{index}": of_patient(make_patient(seed, index, "tumor")) for seed, index in PATIENTS}
    record = truth_record(1, 1, "chest") | {"library_version": ""}
    return found | {"truth": digest(json.dumps(record, sort_keys=True).encode())}


def sample_answers() -> dict[str, Any]:
    """The sample patient as the demo model sees it: regions, features, answers."""
    case = Case(
        sitk.ReadImage(str(SAMPLE / "PDL1Sample-ct.nrrd")), sitk.ReadImage(str(SAMPLE / "PDL1Sample-tumor.seg.nrrd"))
    )
    lesion = predict_case(case, load_predictor(MODEL), Options(device="cpu")).lesions[0]
    voxels = {
        name: digest(sitk.GetArrayViewFromImage(image).tobytes())
        for name, image in (("tumor", lesion.tumor_image), ("ring", lesion.ring_image), ("views", lesion.views_ct))
    }
    maps = np.concatenate([sitk.GetArrayViewFromImage(found.image).ravel() for found in lesion.heat_maps])
    return {
        "voxels": voxels,
        "features": lesion.features,
        "answers": {found.endpoint: found.probability for found in lesion.endpoints},
        "effects": [
            part.effect for found in lesion.endpoints for part in sorted(found.contributions, key=lambda p: p.name)
        ],
        "heat": maps[::17].tolist(),
    }


def main() -> int:
    """Prints the results, or what another processor's file says otherwise."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--phantom-only", action="store_true")
    parser.add_argument("--against", type=Path, help="results of another processor, as this script printed them")
    options = parser.parse_args()
    found: dict[str, Any] = {"machine": platform.machine(), "phantom": phantom()}
    if not options.phantom_only:
        found |= sample_answers()
    if options.against is None:
        print(json.dumps(found))
        return 0
    told = differences(found, json.loads(options.against.read_text(encoding="utf-8")))
    print("\n".join(told) or "equal, within the bounds")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())

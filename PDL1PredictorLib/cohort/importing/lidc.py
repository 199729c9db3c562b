"""The table of a cohort from the folder of cropped lung nodules that `pdl1 pretrain` learns from.

Nodules that a pretraining of the same seed has learned from, or stopped by, are training cases; those that it was
tested on are test cases. So a study may start from its weights, and is tested on patients that nothing had seen.
"""

from pathlib import Path

import numpy as np

from PDL1PredictorLib.cohort.lidc import PARTS, divided, read_table
from PDL1PredictorLib.cohort.writing import Imported

NOTE = (
    "MALIGNANT and MALIGNANCY_SCORE are what radiologists said who saw the CT, not pathology. The column split is that "
    "of `pdl1 pretrain --seed {seed}`: what it learned from is train, what it was tested on is test."
)


def import_lidc(folder: Path, seed: int = 1) -> Imported:
    """Read `labels.csv` and divide its nodules by patient.

    Args:
        folder: With `labels.csv`, `image/` and `mask/`.
        seed: Of the pretraining.

    Raises:
        InputError: The table cannot be used.
    """
    nodules = read_table(folder)
    malignant = np.array([[nodule.malignant] for nodule in nodules], dtype=np.float64)
    parts = divided([nodule.patient for nodule in nodules], malignant, seed)
    tested = set(parts[PARTS.index("test")].tolist())
    rows = [
        {
            "case": nodule.name,
            "image": str(folder / "image" / nodule.file),
            "mask": str(folder / "mask" / nodule.file),
            "patient": nodule.patient,
            "split": "test" if row in tested else "train",
            "MALIGNANT": str(nodule.malignant),
            "MALIGNANCY_SCORE": nodule.score,
        }
        for row, nodule in enumerate(nodules)
    ]
    return Imported(rows, (NOTE.format(seed=seed),))

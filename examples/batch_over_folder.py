"""Predict every case of a folder: one table of all answers; a case that fails is told and the others go on."""

import csv
from pathlib import Path

from patients import synthetic_patients

import PDL1PredictorLib as pdl1
from PDL1PredictorLib.core.errors import PDL1Error

images = synthetic_patients(2) / "images"
(images / "damaged_ct.nii.gz").write_bytes(b"not a volume")  # so that one of them fails
model = pdl1.load_model("phantom-demo")  # once for all cases

rows = []
for ct in sorted(images.glob("*_ct.nii.gz")):
    name = ct.name.removesuffix("_ct.nii.gz")
    try:
        case = pdl1.read_case(ct, images / f"{name}_tumor.nii.gz", name=name)
        result = pdl1.predict(case, model, lesion="all")
    except PDL1Error as error:
        print(f"Failed, {name}: {error}")
        continue
    print(result)
    rows += result.table()

path = Path("demo") / "answers.csv"
with path.open("w", encoding="utf-8", newline="") as file:
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
print(f"{len(rows)} answers: {path}")

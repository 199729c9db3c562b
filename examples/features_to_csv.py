"""Radiomic features of a tumor and of the ring around it, as a table: no model is needed."""

import csv
from pathlib import Path

from patients import synthetic_patients

import PDL1PredictorLib as pdl1
from PDL1PredictorLib.core.results import codes

images = synthetic_patients(2) / "images"
case = pdl1.read_case(images / "case_0001_ct.nii.gz", images / "case_0001_tumor.nii.gz")

features = pdl1.features(case, preset="deepradscore")  # or pdl1es, karim, or FeatureSettings of your own
print(f"{len(features)} features, volume {features['tumor_original_shape_MeshVolume'] / 1000:.1f} mL")

# Warnings stay with the values: a field of view that cuts the ring, for example, changes them.
told = codes(features.warnings)
path = Path("demo") / "features.csv"
with path.open("w", encoding="utf-8", newline="") as file:
    table = csv.writer(file)
    table.writerow(["feature", "value", "warnings"])
    table.writerows([name, value, told] for name, value in features.items())
print(f"Written: {path}")

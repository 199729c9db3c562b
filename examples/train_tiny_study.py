"""A study from table to model in about a minute: far too small to find anything, but every step is there.

It runs the command that a real study runs, with the smallest settings. The packages of training are needed
(`pip install pdl1predictor[train]`).
"""

import subprocess
import sys

from patients import synthetic_patients

import PDL1PredictorLib as pdl1

patients = synthetic_patients(40)
settings = [
    *("--recipe", "deepradscore"),
    *("--cohort", str(patients / "cases.csv")),
    *("--endpoints", "PI"),  # pleural invasion; several are separated by commas
    # From here on: what makes it quick. Leave all of it out for a study that may find something.
    *("--backbone", "resnet50"),
    *("--epochs", "1", "1", "--pixels", "32", "32"),  # a network that has hardly learned
    *("--patch-pixels", "32"),
    *("--preset", "karim", "--repeats", "1"),  # few features
]
places = ["--out", "demo/tiny", "--overwrite", "--device", "cpu", "--workers", "1"]
subprocess.run([sys.executable, "-m", "PDL1PredictorLib", "train", *settings, *places], check=True)

# The model and the study's report (demo/tiny.study/report.html) are ready; the model predicts like any other.
model = pdl1.load_model("demo/tiny")
images = patients / "images"
print(pdl1.predict((images / "case_0001_ct.nii.gz", images / "case_0001_tumor.nii.gz"), model))

"""Predict one case in three lines, look at the answers, keep the report."""

from patients import synthetic_patients

import PDL1PredictorLib as pdl1

# Your own: NIfTI, NRRD, MetaImage, or the folder of a DICOM series; masks also as RTSTRUCT or SEG.
images = synthetic_patients(2) / "images"
ct, tumor = images / "case_0001_ct.nii.gz", images / "case_0001_tumor.nii.gz"

case = pdl1.read_case(ct, tumor)
model = pdl1.load_model("phantom-demo")  # learned from synthetic patients, as this is one
result = pdl1.predict(case, model)

print(result)  # a notebook shows the table of all answers
for warning in result.warnings:
    print(f"Warning ({warning.code}): {warning.text}")

# A probability is read with its verdict: the call at the threshold, where the prediction set bears it out.
for row in result.table():
    print(f"{row['title']:<24} {row['probability']:.2f} ({row['low']:.2f} to {row['high']:.2f})  {row['verdict_text']}")

folder = result.save("demo/result", overwrite=True)  # what `pdl1 predict` writes
print(f"Report: {folder / 'report.html'}")

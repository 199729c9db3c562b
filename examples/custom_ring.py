"""Another ring around the tumor: by its thickness, or drawn by yourself."""

from pathlib import Path

import SimpleITK as sitk
from patients import synthetic_patients

import PDL1PredictorLib as pdl1
from PDL1PredictorLib.radiomics.settings import FeatureSettings

images = synthetic_patients(2) / "images"
ct, tumor = images / "case_0001_ct.nii.gz", images / "case_0001_tumor.nii.gz"
simple = FeatureSettings(name="simple", classes=("firstorder",), wavelet=None)
MEAN = "ring_original_firstorder_Mean"

case = pdl1.read_case(ct, tumor)
for thickness_mm in (3, 5, 10):
    features = pdl1.features(case, simple, ring_mm=thickness_mm)
    print(f"Ring of {thickness_mm:>2} mm: mean {features[MEAN]:.0f} HU")

# A ring of your own is a mask on the CT's grid: here 2 to 8 mm from the tumor, aerated lung alone.
mask = sitk.ReadImage(str(tumor)) != 0
distance_mm = sitk.SignedMaurerDistanceMap(mask, squaredDistance=False, useImageSpacing=True)
shell = (distance_mm >= 2) & (distance_mm <= 8)  # the map is negative inside the tumor
lung = sitk.ReadImage(str(ct)) < -500
path = Path("demo") / "ring.nrrd"
sitk.WriteImage(shell & lung, str(path))

edited = pdl1.read_case(ct, tumor, ring=path)
features = pdl1.features(edited, simple)
print(f"Lung at 2 to 8 mm: mean {features[MEAN]:.0f} HU")
for warning in features.warnings:  # a model was trained with another ring, so it is told
    print(f"Warning ({warning.code}): {warning.text}")

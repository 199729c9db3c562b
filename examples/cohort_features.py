"""A cohort's table: checked whole, then the features of every case as one table, a row a case."""

import csv
from pathlib import Path

from patients import synthetic_patients

import PDL1PredictorLib as pdl1
from PDL1PredictorLib.core.errors import CohortError, PDL1Error
from PDL1PredictorLib.core.results import codes
from PDL1PredictorLib.radiomics.settings import FeatureSettings

table = synthetic_patients(2) / "cases.csv"  # columns: case, image, mask, clinical values, labels; see docs/cohort.md

# Every problem of every row is named at once, before anything starts.
broken = table.with_name("broken.csv")
broken.write_text("case,image,mask,PDL1\na,images/no_such_ct.nii.gz,images/case_0001_tumor.nii.gz,maybe\n")
try:
    pdl1.read_cohort(broken)
except CohortError as error:
    print(error)

cohort = pdl1.read_cohort(table, endpoints=["PDL1", "EGFR"])
print(f"{len(cohort)} tumors of {len(set(cohort.patients))} patients")

# First-order and shape features of the unfiltered image alone: quick, and easy to understand.
settings = FeatureSettings(name="simple", classes=("firstorder", "shape"), wavelet=None)
rows = []
for case in cohort.cases:
    try:
        read = pdl1.read_case(case.image, case.mask, segment=case.segment, clinical=case.clinical, name=case.name)
        features = pdl1.features(read, settings)
    except PDL1Error as error:  # says what to do; the other cases go on
        print(f"Failed, {case.name}: {error}")
        continue
    rows.append({"case": case.name, **case.labels, "warnings": codes(features.warnings), **features})

path = Path("demo") / "cohort_features.csv"
with path.open("w", encoding="utf-8", newline="") as file:
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
print(f"{len(rows)} cases: {path}")
# For hundreds of cases: `pdl1 cohort features`, which works on all cores or a cluster and goes on where it was stopped.

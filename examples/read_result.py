"""Read a `result.json` back: plain JSON, which any language reads; its schema lies in the library."""

import json
from pathlib import Path

from patients import synthetic_patients

import PDL1PredictorLib as pdl1

folder = Path("demo") / "result"
if not folder.exists():
    images = synthetic_patients(2) / "images"
    pdl1.predict((images / "case_0001_ct.nii.gz", images / "case_0001_tumor.nii.gz")).save(folder)

result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
print(result["research_use_only"])
print(f"Model {result['model']['name']} {result['model']['version']}: {result['model']['intended_use']}")

for lesion in result["lesions"]:
    print(f"Tumor {lesion['index']}: {lesion['tumor']['volume_ml']:.1f} mL")
    for warning in (*result["warnings"], *lesion["warnings"]):
        print(f"  Warning ({warning['code']}): {warning['text']}")
    for answer in lesion["endpoints"]:
        if answer["kind"] == "binary":  # every answer says what kind it is
            print(f"  {answer['title']}: {answer['probability']:.0%}, {answer['verdict_text']}")
            strongest = max(answer["contributions"], key=lambda one: abs(one["effect"]))
            print(f"    moved most by {strongest['name']}: {strongest['effect']:+.2f} log-odds")

# How to get the same answer again: versions, settings, hashes of what went in.
print(json.dumps(result["provenance"]["versions"], indent=1))

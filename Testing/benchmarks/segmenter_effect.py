"""What a contour from one click does to a prediction: the same tumor, by its reader's contour and by the click's.

    python Testing/benchmarks/segmenter_effect.py [--nsclc FOLDER] [--phantoms N] [--tumors N] [--classical]
        [--out FILE.json]

Synthetic chests are answered by `phantom-demo`, tumors of NSCLC Radiogenomics (part `test`) by `nsclc-radiogenomics`.
The click is the deepest point of the tumor. Probabilities are those that are calibrated, withheld ones too. Beside each
difference stands how far the same answer moves when the reader's contour is moved by 1 mm (`stability`).
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from segmenter import MARGIN_MM, SEED, clicks, spread_evenly

from PDL1PredictorLib.cohort.crops import Scene, continued, nsclc_parts, read_crop
from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.errors import PDL1Error
from PDL1PredictorLib.face import Prediction, load_model, predict
from PDL1PredictorLib.phantom.patient import make_patient
from PDL1PredictorLib.resources import segmenter_folder
from PDL1PredictorLib.segmentation.network import Segmenter, read_segmenter
from PDL1PredictorLib.segmentation.prompt import Prompt
from PDL1PredictorLib.segmentation.segment import segment
from PDL1PredictorLib.statistics.contours.overlap import dice

TEST = 2  # the part
LARGEST_DIFFERENCE_PERCENTILE = 90


def cases(options: argparse.Namespace) -> Iterator[tuple[str, str, Case]]:
    """Data set, model and case."""
    for index in range(options.phantoms):
        yield "phantom", "phantom-demo", make_patient(2030, index).case
    if options.nsclc is not None:
        rng = np.random.default_rng(SEED)
        for crop in spread_evenly(nsclc_parts(options.nsclc, SEED)[TEST], options.tumors):
            ct, mask = read_crop(crop)
            scene = continued(ct, mask, MARGIN_MM, crop.whole, rng)
            yield "NSCLC", "nsclc-radiogenomics", Case(scene.ct, scene.tumor, name=crop.name)


def probabilities(found: Prediction) -> dict[str, tuple[float, float, str]]:
    """Of each endpoint: probability, answered or withheld; how far 1 mm moves it; the call."""
    rows = {}
    for row in found.table():
        chance = row["withheld"] if row["probability"] is None else row["probability"]
        if chance is not None:
            rows[row["endpoint"]] = (chance, row["stability"] or 0.0, row["call"])
    return rows


def compared(case: Case, model: Any, segmenter: Segmenter | None) -> dict[str, Any]:
    """Both contours' answers; `refused` where one of them gave none."""
    point = clicks(Scene(case.ct, case.tumor, case.tumor), 0, np.random.default_rng(SEED))[0]
    try:
        drawn = segment(case.ct, Prompt((point,)), segmenter, with_spread=False)
        own, other = predict(case, model, maps=False), predict(replace(case, tumor=drawn.mask), model, maps=False)
    except PDL1Error as error:
        return {"refused": str(error)}
    truth, made = (sitk.GetArrayViewFromImage(image) > 0 for image in (case.tumor, drawn.mask))
    first, second = probabilities(own), probabilities(other)
    return {
        "dice": dice(made, truth),
        "method": drawn.method,
        "endpoints": {
            name: {
                "reader": first[name][0],
                "click": second[name][0],
                "moved_1_mm": first[name][1],
                "same_call": first[name][2] == second[name][2],
            }
            for name in first.keys() & second.keys()
        },
    }


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Rows of Markdown, an endpoint each."""
    answered = [row for row in rows if "refused" not in row]
    lines = [
        "| endpoint | n | difference, median | 90th percentile | moved by 1 mm, median | same call |",
        "|---|---|---|---|---|---|",
    ]
    for name in sorted({name for row in answered for name in row["endpoints"]}):
        found = [row["endpoints"][name] for row in answered if name in row["endpoints"]]
        apart = [abs(one["reader"] - one["click"]) for one in found]
        lines.append(
            f"| {name} | {len(found)} | {np.median(apart):.3f} | "
            f"{np.percentile(apart, LARGEST_DIFFERENCE_PERCENTILE):.3f} | "
            f"{np.median([one['moved_1_mm'] for one in found]):.3f} | "
            f"{np.mean([one['same_call'] for one in found]):.0%} |"
        )
    return lines


def main() -> None:
    """Measure, print the tables, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--nsclc", type=Path)
    parser.add_argument("--tumors", type=int, help="at most so many of NSCLC Radiogenomics")
    parser.add_argument("--phantoms", type=int, default=0)
    parser.add_argument("--classical", action="store_true", help="by the classical method alone")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    folder = None if options.classical else segmenter_folder()
    segmenter = None if folder is None else read_segmenter(folder)
    models: dict[str, Any] = {}
    rows: dict[str, list[dict[str, Any]]] = {}
    for source, name, case in cases(options):
        models.setdefault(name, None)
        models[name] = models[name] or load_model(name)
        made = compared(case, models[name], segmenter)
        rows.setdefault(source, []).append({"name": case.name, **made})
        print(f"{source:8} {case.name:24} {made.get('refused') or made['dice']}", flush=True)
    for source, found in rows.items():
        refused = sum("refused" in row for row in found)
        print(f"\n{source}: {len(found)} tumors, {refused} without an answer\n\n" + "\n".join(table(found)))
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

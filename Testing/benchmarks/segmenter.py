"""Contours from a click, held against readers' contours: the classical method, and the network beside it.

    python Testing/benchmarks/segmenter.py --lidc FOLDER --nsclc FOLDER [--model FOLDER] [--nodules N] [--tumors N]
        [--part test] [--ct NAME CT MASK] [--phantoms N] [--clicks 10] [--out FILE.json]

Crops are continued as in a mirror first (see `cohort.crops`). Patients are divided as pretraining and studies divide
them; settings are tuned on the part `fit`, figures to be told are of the part `test`.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.cohort.crops import CropFiles, Scene, continued, lidc_parts, nsclc_parts, read_crop
from PDL1PredictorLib.cohort.lidc import PARTS
from PDL1PredictorLib.core.errors import PDL1Error
from PDL1PredictorLib.imaging.read import read_ct, read_mask
from PDL1PredictorLib.phantom.patient import make_patient
from PDL1PredictorLib.segmentation.network import Segmenter, read_segmenter
from PDL1PredictorLib.segmentation.prompt import Prompt
from PDL1PredictorLib.segmentation.segment import segment
from PDL1PredictorLib.statistics.contours.overlap import dice, overlap

TOLERANCE_MM = 1.0
MARGIN_MM = 40.0
SEED = 1  # of the division, as everywhere
DENSE_HU, BESIDE_MM, THICK_MM, AROUND_MM = -300.0, 2.0, 4.0, 12.0
WALL_SHARE, VESSEL_SHARE = 0.15, 0.03
DEEP = 0.4  # clicks lie at least this share of the greatest depth inside


@dataclass(frozen=True, eq=False)
class Case:
    """A tumor to be found.

    Attributes:
        name: Of the case.
        source: Data set.
        scene: CT, tumor, and where the truth is known.
    """

    name: str
    source: str
    scene: Scene


def cases(options: argparse.Namespace) -> Iterator[Case]:
    """All that were asked for."""
    part = PARTS.index(options.part)
    rng = np.random.default_rng(SEED)
    for source, folder, parts, most in (
        ("LIDC", options.lidc, lidc_parts, options.nodules),
        ("NSCLC", options.nsclc, nsclc_parts, options.tumors),
    ):
        if folder is None:
            continue
        for crop in spread_evenly(parts(folder, SEED)[part], most):
            ct, mask = read_crop(crop)
            yield Case(crop.name, source, continued(ct, mask, MARGIN_MM, crop.whole, rng))
    for name, ct_path, mask_path, *segment_name in options.ct:
        ct = read_ct(Path(ct_path)).image
        mask = read_mask(Path(mask_path), ct, *segment_name[:1]).image
        yield Case(name, "whole CT", Scene(ct, mask, sitk.Image(mask) * 0 + 1))
    for index in range(options.phantoms):
        made = make_patient(2030, index).case
        yield Case(made.name, "phantom", Scene(made.ct, made.tumor, made.tumor * 0 + 1))


def spread_evenly(crops: list[CropFiles], most: int | None) -> list[CropFiles]:
    """At most so many, evenly over the list."""
    if most is None or most >= len(crops):
        return crops
    return [crops[int(place)] for place in np.linspace(0, len(crops) - 1, most)]


def surroundings(scene: Scene) -> str:
    """`wall`, `vessel` or `free`: what is beside the tumor.

    Of the voxels within 2 mm beside the mask, those above -300 HU: if 15 % of all or more belong to what is thicker
    than 8 mm (an opening with a ball of 4 mm leaves it), the tumor is at a wall; else if 3 % or more are dense, at a
    vessel.
    """
    hu, tumor = sitk.GetArrayFromImage(scene.ct), sitk.GetArrayFromImage(scene.tumor) > 0
    step = scene.ct.GetSpacing()[::-1]
    where = ndimage.find_objects(tumor.astype(np.uint8))[0]
    grown = tuple(
        slice(max(s.start - round(12 / mm), 0), s.stop + round(12 / mm)) for s, mm in zip(where, step, strict=True)
    )
    hu, tumor = hu[grown], tumor[grown]
    beside = ~tumor & (ndimage.distance_transform_edt(~tumor, sampling=step) <= BESIDE_MM)
    dense = (hu > DENSE_HU) & ~tumor
    core = ndimage.distance_transform_edt(dense, sampling=step) > THICK_MM
    thick = dense & (ndimage.distance_transform_edt(~core, sampling=step) <= THICK_MM) if core.any() else core
    if thick[beside].mean() >= WALL_SHARE:
        return "wall"
    return "vessel" if dense[beside].mean() >= VESSEL_SHARE else "free"


def clicks(scene: Scene, n: int, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """The deepest point of the tumor first, then points drawn inside it."""
    tumor = sitk.GetArrayFromImage(scene.tumor) > 0
    depth = ndimage.distance_transform_edt(np.pad(tumor, 1), sampling=scene.ct.GetSpacing()[::-1])[1:-1, 1:-1, 1:-1]
    inner = np.argwhere(depth >= DEEP * depth.max())
    places = [np.unravel_index(int(depth.argmax()), depth.shape), *inner[rng.integers(len(inner), size=n)]]
    return [scene.ct.TransformIndexToPhysicalPoint([int(x) for x in place[::-1]]) for place in places]


def longest_line(scene: Scene) -> tuple[tuple[float, float, float], ...]:
    """The two points farthest apart in the axial slice with the most tumor, as a reader measures it."""
    tumor = sitk.GetArrayFromImage(scene.tumor) > 0
    k = int(tumor.sum((1, 2)).argmax())
    edge = np.argwhere(tumor[k] & ~ndimage.binary_erosion(tumor[k]))
    mm = edge * np.array(scene.ct.GetSpacing()[1::-1])
    apart = np.linalg.norm(mm[:, None] - mm[None], axis=-1)
    ends = np.unravel_index(int(apart.argmax()), apart.shape)
    return tuple(scene.ct.TransformIndexToPhysicalPoint([int(edge[e][1]), int(edge[e][0]), k]) for e in ends)


def measured(case: Case, segmenter: Segmenter | None, n_clicks: int) -> dict[str, Any]:
    """All figures of one case and one method."""
    scene = case.scene
    truth, known = (sitk.GetArrayFromImage(image) > 0 for image in (scene.tumor, scene.known))
    step = scene.ct.GetSpacing()[::-1]
    rng = np.random.default_rng(SEED)
    points = clicks(scene, n_clicks, rng)
    begun, before = perf_counter(), process_time()
    found = [_found(scene, Prompt((point,)), segmenter) for point in points]
    seconds = (perf_counter() - begun) / len(points), (process_time() - before) / len(points)
    masks = [mask & known for mask, _ in found]
    inside = [dice(mask, truth & known) for mask in masks[1:]]
    first = overlap(masks[0], truth & known, step, TOLERANCE_MM)
    try:
        line = overlap(_found(scene, Prompt(longest_line(scene)), segmenter)[0] & known, truth, step, TOLERANCE_MM)
        line_dice: float | None = line.dice
    except PDL1Error:
        line_dice = None
    return {
        "name": case.name,
        "source": case.source,
        "surroundings": surroundings(scene),
        "ml": float(truth.sum() * np.prod(step) / 1000),
        **first._asdict(),
        "line_dice": line_dice,
        "clicks_dice": inside,
        **spread(inside, [int(mask.sum()) for mask in masks[1:]]),
        "clicks_agree": [dice(mask, masks[0]) for mask in masks[1:]],
        "warnings": found[0][1],
        "clock_s": seconds[0],
        "cpu_s": seconds[1],
    }


def spread(dices: list[float], voxels: list[int]) -> dict[str, float | None]:
    """How far clicks drawn inside one tumor differ; None of fewer than two, or where none found anything.

    Args:
        dices: Of each click, against the reader's contour; 0 of a click that was refused.
        voxels: Of each click's contour, likewise.

    Returns:
        SD of Dice (n - 1), and SD of the volume in percent of the mean volume.
    """
    if len(dices) < 2 or not any(voxels):
        return {"clicks_dice_sd": None, "clicks_volume_sd_percent": None}
    return {
        "clicks_dice_sd": float(np.std(dices, ddof=1)),
        "clicks_volume_sd_percent": float(100 * np.std(voxels, ddof=1) / np.mean(voxels)),
    }


def _found(scene: Scene, prompt: Prompt, segmenter: Segmenter | None) -> tuple[np.ndarray, list[str]]:
    try:
        made = segment(scene.ct, prompt, segmenter, with_spread=False)
    except PDL1Error as error:
        return np.zeros(scene.ct.GetSize()[::-1], bool), [type(error).__name__]
    return sitk.GetArrayFromImage(made.mask) > 0, [warning.code for warning in made.warnings]


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Rows of Markdown, a data set and its surroundings each."""
    return [
        "| tumors | n | Dice, median | Dice, 10th percentile | surface Dice at 1 mm | volume error, median | Dice of a "
        "line | Dice of clicks anywhere inside | agreement of clicks, median | s a click |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(_line(title, own) for title, own in _groups(rows)),
    ]


def spread_table(rows: list[dict[str, Any]]) -> list[str]:
    """The same of how far clicks drawn inside one tumor differ: medians over tumors, and the 90th percentiles."""
    lines = [
        "| tumors | n | SD of Dice, median | 90th percentile | SD of the volume in %, median | 90th percentile |",
        "|---|---|---|---|---|---|",
    ]
    for title, own in _groups(rows):
        cells = []
        for name, digits in (("clicks_dice_sd", 3), ("clicks_volume_sd_percent", 1)):
            known = [row[name] for row in own if row[name] is not None]
            cells += [f"{np.percentile(known, at):.{digits}f}" if known else "-" for at in (50, 90)]
        lines.append(f"| {title} | {len(own)} | {' | '.join(cells)} |")
    return lines


def _groups(rows: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each data set, and what is beside its tumors where that differs."""
    for source in dict.fromkeys(row["source"] for row in rows):
        own = [row for row in rows if row["source"] == source]
        kinds = [kind for kind in ("free", "vessel", "wall") if any(row["surroundings"] == kind for row in own)]
        yield f"{source}, all", own
        if len(kinds) > 1:
            yield from ((f"{source}, {kind}", [row for row in own if row["surroundings"] == kind]) for kind in kinds)


def _line(title: str, rows: list[dict[str, Any]]) -> str:
    def middle(name: str) -> str:
        found = [
            x for row in rows for x in (row[name] if isinstance(row[name], list) else [row[name]]) if x is not None
        ]
        return f"{np.median(found):.2f}" if found else "-"

    low = np.percentile([row["dice"] for row in rows], 10)
    names = ("surface_dice", "volume_error", "line_dice", "clicks_dice", "clicks_agree", "clock_s")
    return f"| {title} | {len(rows)} | {middle('dice')} | {low:.2f} | {' | '.join(map(middle, names))} |"


def main() -> None:
    """Measure, print the tables, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--lidc", type=Path)
    parser.add_argument("--nsclc", type=Path)
    parser.add_argument("--part", choices=PARTS, default="test")
    parser.add_argument("--nodules", type=int, help="at most so many of LIDC")
    parser.add_argument("--tumors", type=int, help="at most so many of NSCLC Radiogenomics")
    parser.add_argument("--ct", nargs="+", action="append", default=[], metavar="NAME CT MASK [SEGMENT]")
    parser.add_argument("--phantoms", type=int, default=0)
    parser.add_argument("--clicks", type=int, default=10, help="so many, drawn inside each tumor")
    parser.add_argument("--model", type=Path, help="folder of a network")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    methods = {"classical": None} | ({"network": read_segmenter(options.model)} if options.model else {})
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in methods}
    for case in cases(options):
        for name, segmenter in methods.items():
            rows[name].append(measured(case, segmenter, options.clicks))
            print(
                f"{name:10} {case.name:28} Dice {rows[name][-1]['dice']:.2f} {rows[name][-1]['warnings']}", flush=True
            )
    for name, found in rows.items():
        print(f"\n{name}\n\n" + "\n".join([*table(found), "", *spread_table(found)]))
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

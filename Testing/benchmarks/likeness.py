"""How many changed cases the check of likeness flags: real tumors, each also brighter, noisier, coarser, mixed up.

    python Testing/benchmarks/likeness.py --voi VOI --cases 70 --changed 14

VOI holds `case_000_image.nii.gz` and `case_000_mask.nii.gz` ... The reference is learned on four fifths of the cases as
training does, with the features and the network of the bundled model of real tumors, and held against the rest.

    python Testing/benchmarks/likeness.py --voi VOI --cases 40 --flagged-by phantom-demo

says how many of the cases, as they are, a bundled model finds unlike its own training cohort.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.errors import PDL1Error
from PDL1PredictorLib.imaging.case_files import Files, read_one_tumor
from PDL1PredictorLib.imaging.moved import with_noise
from PDL1PredictorLib.imaging.patch import deep_patches
from PDL1PredictorLib.imaging.regions import make_regions
from PDL1PredictorLib.imaging.sanity import pixel_aspect, sanity_row
from PDL1PredictorLib.learning.reference import reference_of
from PDL1PredictorLib.learning.selection import fit_standardizer
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.reference import Seen, likeness
from PDL1PredictorLib.models.schema.reference import read_reference
from PDL1PredictorLib.models.stack import Stack
from PDL1PredictorLib.prediction import Options, predict_case
from PDL1PredictorLib.radiomics.extract import extract_features
from PDL1PredictorLib.resources import find_model

FOLDS = 5
Row = tuple[np.ndarray, np.ndarray, np.ndarray, float]
"""Plain measures, deep features, radiomic features that are used, pixel aspect."""


def like(image: sitk.Image, values: np.ndarray) -> sitk.Image:
    made = sitk.GetImageFromArray(values.astype(np.int16))
    made.CopyInformation(image)
    return made


def brighter(case: Case) -> Case:
    return replace(case, ct=like(case.ct, np.clip(sitk.GetArrayFromImage(case.ct) + 300, -1024, 32000)))


def airy(case: Case) -> Case:
    values, inside = sitk.GetArrayFromImage(case.ct), sitk.GetArrayFromImage(case.tumor) > 0
    air = np.random.default_rng(0).normal(-950, 20, np.count_nonzero(inside))
    values[inside] = np.clip(air, -1024, None)
    return replace(case, ct=like(case.ct, values))


def scanned(case: Case, spacing: tuple[float, float, float]) -> Case:
    """On another grid; slices are means over their thickness."""
    size, own = case.ct.GetSize(), case.ct.GetSpacing()
    values = sitk.GetArrayFromImage(case.ct).astype(np.float64)
    mean = like(case.ct, np.rint(ndimage.uniform_filter1d(values, max(1, round(spacing[2] / own[2])), axis=0)))

    def on_grid(image: sitk.Image, how: int, outside: float) -> sitk.Image:
        resample = sitk.ResampleImageFilter()
        resample.SetSize([max(3, int(n * a / b)) for n, a, b in zip(size, own, spacing, strict=True)])
        resample.SetOutputSpacing(spacing)
        resample.SetOutputOrigin(image.GetOrigin())
        resample.SetOutputDirection(image.GetDirection())
        resample.SetInterpolator(how)
        resample.SetDefaultPixelValue(outside)
        return resample.Execute(image)

    tumor = on_grid(case.tumor, sitk.sitkNearestNeighbor, 0)
    return replace(case, ct=on_grid(mean, sitk.sitkLinear, -1024), tumor=tumor)


def mixed_up(case: Case) -> Case:
    images = [sitk.Image(case.ct), sitk.Image(case.tumor)]
    for image in images:
        image.SetSpacing(image.GetSpacing()[::-1])
    return replace(case, ct=images[0], tumor=images[1])


CHANGES: dict[str, Callable[[Case], Case]] = {
    "as it is": lambda case: case,
    "+300 HU": brighter,
    "noise of 50 HU": lambda case: with_noise(case, 50.0),
    "slices of 5 mm": lambda case: scanned(case, (*case.ct.GetSpacing()[:2], 5.0)),
    "outline full of air": airy,
    "0.75 x 0.75 x 2.5 mm": lambda case: scanned(case, (0.75, 0.75, 2.5)),
    "the same, x and z mixed up": lambda case: mixed_up(scanned(case, (0.75, 0.75, 2.5))),
}


def voi(folder: Path, number: int) -> Files:
    return Files(*(folder / f"case_{number:03d}_{kind}.nii.gz" for kind in ("image", "mask")))


def rows_of(folder: Path, model: Stack, n_cases: int, n_changed: int) -> dict[tuple[str, int], Row | None]:
    """By change and case; None where the library refuses the case outright."""
    used = sorted(model.manifest.feature_mean)
    measured = model.features.limited_to(used)
    found: dict[tuple[str, int], Row | None] = {}
    for number in range(n_cases):
        case = read_one_tumor(voi(folder, number)).case
        for change, make in CHANGES.items():
            if change != "as it is" and number >= n_changed:
                continue
            try:
                changed = make(case)
                regions = make_regions(changed, model.regions, measured.margin_at(model.regions.spacing_mm))
                features = extract_features(regions, measured)
            except PDL1Error:
                found[change, number] = None
                continue
            deep = model.network.run(deep_patches(changed, regions, model.regions), "cpu").deep
            values = np.nan_to_num([features[feature] for feature in used])
            found[change, number] = sanity_row(changed, regions), deep, values, pixel_aspect(changed)
    return found


def flagged(rows: dict[tuple[str, int], Row | None], names: tuple[str, ...], n_cases: int) -> dict[str, list[bool]]:
    """By change, of every case that is not refused: whether it is unlike cases that it is not among."""
    told: dict[str, list[bool]] = {change: [] for change in CHANGES}
    for test in np.array_split(np.random.default_rng(1).permutation(n_cases), FOLDS):
        train = np.setdiff1d(np.arange(n_cases), test)
        sanity, deep, features = (np.stack([rows["as it is", n][part] for n in train]) for part in range(3))
        inner = np.array_split(np.random.default_rng(2).permutation(len(train)), FOLDS)
        pairs = [(np.setdiff1d(np.arange(len(train)), fold), fold) for fold in inner]
        scale = fit_standardizer(features)
        reference = reference_of(names, names, scale, features, pairs, sanity=sanity, deep=deep)
        entry = read_reference(reference.entry())
        for (change, number), row in rows.items():
            if number in test and row is not None:
                z = dict(zip(names, scale(row[2][None])[0], strict=True))
                found = likeness(entry, reference.tables, Seen(row[0], row[1], z, row[3]))
                told[change].append(found.unlike.flagged)
    return told


def flagged_by(folder: Path, name: str, n_cases: int) -> int:
    """How many of the cases a bundled model finds unlike what it was trained on."""
    model = load_predictor(find_model(name))
    cases = (read_one_tumor(voi(folder, number)).case for number in range(n_cases))
    answers = (predict_case(case, model, Options(device="cpu", stability=False)).lesions[0] for case in cases)
    return sum(answer.unlike.flagged for answer in answers)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--voi", type=Path, required=True)
    options.add_argument("--cases", type=int, default=99)
    options.add_argument("--changed", type=int, default=30)
    options.add_argument("--flagged-by", metavar="MODEL", help="hold the cases against this bundled model instead")
    asked = options.parse_args()
    if asked.flagged_by:
        print(f"{flagged_by(asked.voi, asked.flagged_by, asked.cases)} of {asked.cases} unlike {asked.flagged_by}")
        return
    model = load_predictor(find_model("nsclc-radiogenomics"))
    rows = rows_of(asked.voi, model, asked.cases, asked.changed)
    told = flagged(rows, tuple(sorted(model.manifest.feature_mean)), asked.cases)
    for change, found in told.items():
        refused = sum(row is None for (name, _), row in rows.items() if name == change)
        print(f"{change:28s} {sum(found)} of {len(found)} flagged, {refused} refused")


if __name__ == "__main__":
    main()

"""Every value of both engines on all real images beside the project; the result goes into equality.md beside this file.

    python Testing/radiomics/compare_engines.py [--cases NAME ...]

Takes about half an hour on 2 cores. The tests do the same on some of these images.
"""

import argparse
import math
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.errors import PDL1Error
from PDL1PredictorLib.core.progress import SILENT
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.regions import make_regions
from PDL1PredictorLib.radiomics.engine import engine
from PDL1PredictorLib.radiomics.settings import FeatureSettings, preset

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("PDL1_SHARED", ROOT.parent / "shared"))
PAGE = Path(__file__).with_name("equality.md")
COUNT = FeatureSettings("count-32", bin_width=None, bin_count=32, wavelet=None)


class Images(NamedTuple):
    """What both engines are given."""

    ct: sitk.Image
    masks: dict[str, sitk.Image]


class Difference(NamedTuple):
    """One feature of one case; relative to the value of pyradiomics."""

    relative: float
    feature: str
    found: float
    expected: float


def resampled(ct: sitk.Image, tumor: sitk.Image) -> Images:
    """As `pdl1 predict` prepares a case: 1 mm, ring of 3 mm."""
    tumor = sitk.Cast(tumor != 0, sitk.sitkUInt8)
    tumor.CopyInformation(ct)
    regions = make_regions(Case(ct, tumor), RegionSettings(), preset("pdl1es").margin_mm)
    return Images(regions.ct, {"tumor": regions.tumor, "ring": regions.ring})


def native(ct: sitk.Image, tumor: sitk.Image) -> Images:
    """On the voxels of the scanner, anisotropic; the ring goes as far as the image does."""
    inside = sitk.GetArrayFromImage(tumor) != 0
    distance_mm = ndimage.distance_transform_edt(~inside, sampling=ct.GetSpacing()[::-1])
    ring = sitk.GetImageFromArray(((distance_mm > 0) & (distance_mm <= 3)).astype(np.uint8))
    tumor = sitk.GetImageFromArray(inside.astype(np.uint8))
    tumor.CopyInformation(ct)
    ring.CopyInformation(ct)
    return Images(ct, {"tumor": tumor, "ring": ring})


def real_cases(shared: Path) -> Iterator[tuple[str, Callable[[], Images]]]:
    """Name and images of all that is compared."""
    read, data = sitk.ReadImage, shared / "data"
    phantom, nrrd = shared / "ibsi" / "ct_phantom", data / "chest_ct_nrrd"
    digital = shared / "ibsi" / "digital_phantom"
    yield (
        "IBSI CT phantom",
        lambda: resampled(read(str(phantom / "phantom.nii.gz")), read(str(phantom / "mask.nii.gz"))),
    )
    yield (
        "IBSI digital phantom",
        lambda: native(read(str(digital / "phantom.nii.gz")), read(str(digital / "mask.nii.gz"))),
    )
    yield (
        "chest CT nrrd",
        lambda: resampled(read(str(nrrd / "lung1_image.nrrd")), read(str(nrrd / "lung1_label.nrrd"))),
    )
    for patient in sorted((data / "ct_dicom_rtstruct").glob("pat_*")):
        yield f"DICOM {patient.name}", lambda patient=patient: dicom(patient)
    voi = data / "nsclc_radiogenomics_voi" / "voi"
    for image in sorted(voi.glob("*_image.nii.gz"))[:30]:
        mask = voi / image.name.replace("_image", "_mask")
        name = f"NSCLC {image.name.removesuffix('_image.nii.gz')}"
        yield name, lambda image=image, mask=mask: resampled(read(str(image)), read(str(mask)))
    lidc = data / "lidc_nodule_voi"
    for image in sorted((lidc / "image").glob("*.nii.gz"))[:100]:
        mask = lidc / "mask" / image.name
        name = f"LIDC {image.name.removesuffix('.nii.gz')}"
        yield name, lambda image=image, mask=mask: native(read(str(image)), read(str(mask)))


def dicom(patient: Path) -> Images:
    """A DICOM series and the region GTV-1 of its RTSTRUCT."""
    import pydicom

    from PDL1PredictorLib.imaging.read import read_ct, read_mask

    found = {}
    for file in sorted(patient.rglob("*.dcm")):
        found.setdefault(str(pydicom.dcmread(file, stop_before_pixels=True).Modality), file)
    ct = read_ct(found["CT"].parent).image
    return resampled(ct, read_mask(found["RTSTRUCT"], ct, "GTV-1").image)


def compare(images: Images, settings: FeatureSettings) -> list[Difference] | str:
    """All features, the largest difference first, or the words in which both engines refuse."""
    results: list[dict[str, float] | str] = []
    for name in ("pdl1", "pyradiomics"):
        try:
            results.append(engine(name).extract(images.ct, images.masks, settings, SILENT))
        except PDL1Error as error:
            results.append(f"{type(error).__name__}: {error}")
    ours, theirs = results
    if isinstance(ours, str) or isinstance(theirs, str):
        if ours != theirs:
            raise SystemExit(f"Only one engine refuses, or in other words: {str(ours)[:300]} / {str(theirs)[:300]}")
        return str(ours)
    return sorted((difference(name, ours[name], theirs[name]) for name in ours), reverse=True)


def compared(images: Images) -> Iterator[tuple[FeatureSettings, list[Difference] | str]]:
    """The preset pdl1es, which holds all that deepradscore measures; where it is refused deepradscore; a bin count."""
    found = compare(images, preset("pdl1es"))
    yield preset("pdl1es"), found
    if isinstance(found, str):
        yield preset("deepradscore"), compare(images, preset("deepradscore"))
    yield COUNT, compare(images, COUNT)


def difference(feature: str, found: float, expected: float) -> Difference:
    if math.isnan(found) or math.isnan(expected):
        return Difference(0.0 if math.isnan(found) and math.isnan(expected) else math.inf, feature, found, expected)
    return Difference(abs(found - expected) / max(abs(expected), 1e-300), feature, found, expected)


def main() -> None:
    """Compare all, or those named, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="*", help="only cases whose name starts so; nothing is written then")
    chosen = parser.parse_args().cases
    largest: dict[str, Difference] = {}
    beyond: list[tuple[str, Difference]] = []
    counts: dict[str, int] = defaultdict(int)
    refusals: list[str] = []
    for name, load in real_cases(SHARED):
        if chosen and not name.startswith(tuple(chosen)):
            continue
        try:
            answers = list(compared(load()))
        except SystemExit as stop:
            sys.exit(f"{name}: {stop}")
        for settings, found in answers:
            if isinstance(found, str):
                refusals.append(f"| {name} | {settings.name} | {found} |")
                print(f"{name:32s} {settings.name:10s} {found}", flush=True)
                continue
            counts[name.split()[0]] += len(found)
            beyond += [(f"{name}, {settings.name}", each) for each in found if each.relative > 1e-9]
            for each in found:
                family = each.feature.split("_")[2]
                if family not in largest or each.relative > largest[family].relative:
                    largest[family] = each
            print(f"{name:32s} {settings.name:10s} {len(found):5d} {found[0]}", flush=True)
    if not chosen:
        PAGE.write_text(page(largest, beyond, counts, refusals), encoding="utf-8")


def page(
    largest: dict[str, Difference], beyond: list[tuple[str, Difference]], counts: dict[str, int], refusals: list[str]
) -> str:
    """The Markdown of equality.md."""
    rows = [f"| {family} | {each.relative:.1e} | {each.feature} |" for family, each in sorted(largest.items())]
    outside = [
        f"| {name} | {each.feature} | {each.found!r} | {each.expected!r} | {each.relative:.1e} |"
        for name, each in beyond
    ]
    cases = ", ".join(f"{name}: {count}" for name, count in counts.items())
    return f"""# Equality of the engines pdl1 and pyradiomics

Written by `python Testing/radiomics/compare_engines.py` on {datetime.now(UTC):%Y-%m-%d}. Do not edit.

Values compared, tumor and ring, preset pdl1es (where it is refused, deepradscore) and 32 gray levels:
{sum(counts.values())} ({cases}).

| class | largest relative difference | feature |
|---|---|---|
{chr(10).join(rows)}

Values that differ by more than 1e-9:

| case | feature | pdl1 | pyradiomics | relative |
|---|---|---|---|---|
{chr(10).join(outside) or "| none | | | | |"}

Cases that both engines refuse, in the same words:

| case | settings | refusal |
|---|---|---|
{chr(10).join(refusals) or "| none | | |"}
"""


if __name__ == "__main__":
    main()

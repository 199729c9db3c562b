"""Cases to learn contours from: wide cubes about tumors of readers and of synthetic chests; places to paste into."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.cohort.crops import CropFiles, Scene, continued, lidc_parts, nsclc_parts, read_crop
from PDL1PredictorLib.cohort.lidc import PARTS
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.imaging.lattice import Box, lattice_of, sample
from PDL1PredictorLib.phantom.patient import make_patient
from PDL1PredictorLib.segmentation.shown import LONGER, SPACINGS_MM, VOXELS, spacing_for

WIDE = VOXELS + 32  # edge of a kept cube: a click may lie 16 voxels beside the tumor's middle
OUTSIDE_HU = -1024
LUNG_HU = -600.0
CLEARANCE_MM = 5.0  # of a place to paste into, from whatever is denser than lung
HOSTS = 4  # such places of a synthetic chest, at each spacing
NONE: list[list[CropFiles]] = [[], [], []]
SOURCES = ("LIDC", "NSCLC", "phantom")
PHANTOM_SHARE = 0.9  # of the synthetic chests: to fit; the others to watch


@dataclass(frozen=True, eq=False)
class WideCube:
    """A tumor with what is around it, its middle in the middle; (k, j, i), `WIDE` along each edge.

    Attributes:
        name: Of the case.
        source: Where it comes from, one of `SOURCES`.
        wide: Whether a click would choose a finer spacing; this one is for when it does not.
        spacing_mm: Of the voxels, one of `SPACINGS_MM`.
        hu: int16.
        tumor: bool.
        known: bool: where the truth is known.
        whole: Whether it is known everywhere, so that the tumor may be pasted elsewhere.
    """

    name: str
    source: str
    wide: bool
    spacing_mm: float
    hu: np.ndarray
    tumor: np.ndarray
    known: np.ndarray
    whole: bool


@dataclass(frozen=True, eq=False)
class Cubes:
    """Cases of one part.

    Attributes:
        cases: With a tumor.
        hosts: Places in lungs by spacing, int16 HU, to paste tumors into.
    """

    cases: tuple[WideCube, ...]
    hosts: dict[float, tuple[np.ndarray, ...]]


def read_cubes(
    lidc: Path | None, nsclc: Path | None, phantoms: int, seed: int, progress: Progress = SILENT
) -> list[Cubes]:
    """Cubes to fit and to watch, divided by patient as pretraining and studies of that seed divide them.

    Those to test are not read.

    Args:
        lidc: Folder of cropped nodules, or None.
        nsclc: Folder of cropped tumors, or None.
        phantoms: Number of synthetic chests.
        seed: Of the division and of what is drawn.
        progress: Told of each case.

    Raises:
        InputError: There are no cases to fit or to watch, or a folder cannot be used.
    """
    nodules = lidc_parts(lidc, seed) if lidc else NONE
    tumors = nsclc_parts(nsclc, seed) if nsclc else NONE
    told = _Told(progress, sum(map(len, [*nodules[:2], *tumors[:2]])) + phantoms)
    found = []
    for part, numbers in enumerate(_phantom_parts(phantoms)):
        crops = [("LIDC", crop) for crop in nodules[part]] + [("NSCLC", crop) for crop in tumors[part]]
        found.append(_read_part(crops, numbers, seed, np.random.default_rng([seed, 2, part]), told))
    for name, cubes in zip(PARTS[:2], found, strict=True):
        if not cubes.cases:
            raise InputError(f"There are no cases for the part '{name}'. Give more nodules, tumors or phantoms.")
    return found


@dataclass
class _Told:
    """Counts the cases that are read."""

    progress: Progress
    total: int
    done: int = 0

    def one_more(self) -> None:
        self.done += 1
        self.progress.step("cases", self.done / self.total, f"{self.done} of {self.total} cases are read")


def _read_part(
    crops: Sequence[tuple[str, CropFiles]], numbers: range, seed: int, rng: np.random.Generator, told: _Told
) -> Cubes:
    """Cropped tumors and synthetic chests of one part."""
    cases: list[WideCube] = []
    hosts: dict[float, list[np.ndarray]] = {mm: [] for mm in SPACINGS_MM}
    for source, crop in crops:
        cases += cubes_of_crop(source, crop, rng)
        told.one_more()
    for number in numbers:
        case = make_patient(seed, number).case
        scene = Scene(case.ct, case.tumor, case.tumor * 0 + 1)
        cases += cubes_of(f"phantom_{number}", "phantom", scene, True)
        for mm, host in hosts_of(case.ct, rng):
            hosts[mm].append(host)
        told.one_more()
    return Cubes(tuple(cases), {mm: tuple(some) for mm, some in hosts.items()})


def _phantom_parts(n: int) -> list[range]:
    fit = round(PHANTOM_SHARE * n)
    return [range(fit), range(fit, n)]


def cubes_of_crop(source: str, crop: CropFiles, rng: np.random.Generator) -> list[WideCube]:
    """Cubes of a cropped tumor, continued as in a mirror."""
    ct, mask = read_crop(crop)
    reach_mm = WIDE / 2 * max(_spacings(sitk.GetArrayFromImage(mask) > 0, mask))
    scene = continued(ct, mask, reach_mm, crop.whole, rng)
    return cubes_of(crop.name, source, scene, bool(sitk.GetArrayViewFromImage(scene.known).all()))


def cubes_of(name: str, source: str, scene: Scene, whole: bool) -> list[WideCube]:
    """Cubes about a tumor: at the spacing that a click would choose, and at the next wider one."""
    tumor = sitk.GetArrayFromImage(scene.tumor) > 0
    middle = np.argwhere(tumor).mean(axis=0)
    point = scene.tumor.TransformContinuousIndexToPhysicalPoint(middle[::-1].tolist())
    found = []
    for step, mm in enumerate(_spacings(tumor, scene.tumor)):
        lattice = lattice_of(scene.ct, mm)
        k, j, i = (np.rint(lattice.position_kji(point)).astype(int) - WIDE // 2).tolist()
        box = Box((k, j, i), (k + WIDE, j + WIDE, i + WIDE))
        hu = np.clip(sample(scene.ct, lattice, box, "linear", OUTSIDE_HU), OUTSIDE_HU, 3000).astype(np.int16)
        inside = sample(scene.tumor, lattice, box, "linear") >= 0.5
        known = sample(scene.known, lattice, box, "linear") >= 0.5
        if inside.any():
            found.append(WideCube(name, source, step > 0, mm, hu, inside, known, whole))
    return found


def _spacings(tumor: np.ndarray, image: sitk.Image) -> list[float]:
    volume_mm3 = tumor.sum() * np.prod(image.GetSpacing())
    first = spacing_for(float(np.cbrt(volume_mm3 * 6 / np.pi)) * LONGER)
    at = SPACINGS_MM.index(first)
    return list(SPACINGS_MM[at : at + 2])


def hosts_of(ct: sitk.Image, rng: np.random.Generator) -> Iterator[tuple[float, np.ndarray]]:
    """Places in the lungs of a synthetic chest, each with its spacing."""
    coarse = lattice_of(ct, 4.0)
    lung = sample(ct, coarse, coarse.whole, "linear", 0.0) < LUNG_HU
    labels, _ = ndimage.label(lung)
    edge = np.unique(np.concatenate([labels[:, 0].ravel(), labels[:, -1].ravel(), labels[:, :, 0].ravel()]))
    lung &= ~np.isin(labels, edge[edge > 0])  # air about the body
    free = np.argwhere(ndimage.distance_transform_edt(lung) * coarse.spacing_mm >= CLEARANCE_MM)
    if not len(free):
        return
    for mm in SPACINGS_MM:
        lattice = lattice_of(ct, mm)
        for place in free[rng.integers(len(free), size=HOSTS)]:
            middle = lattice.position_kji(coarse.point_lps_mm(place.tolist()))
            k, j, i = (np.rint(middle).astype(int) - WIDE // 2).tolist()
            box = Box((k, j, i), (k + WIDE, j + WIDE, i + WIDE))
            hu = sample(ct, lattice, box, "linear", OUTSIDE_HU)
            yield mm, np.clip(hu, OUTSIDE_HU, 3000).astype(np.int16)


def counts_of(parts: Sequence[Cubes]) -> dict[str, int]:
    """Number of cubes of each part, by its name."""
    return {name: len(part.cases) for name, part in zip(PARTS[:2], parts, strict=True)}

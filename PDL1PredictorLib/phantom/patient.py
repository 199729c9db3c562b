"""One phantom patient: truth, anatomy and tumor, scanned."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from PDL1PredictorLib.core.case import Case, Clinical
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.phantom import draws
from PDL1PredictorLib.phantom.chest import draw_chest
from PDL1PredictorLib.phantom.outcomes import Outcomes, draw_outcomes
from PDL1PredictorLib.phantom.people import as_age, draw_clinical
from PDL1PredictorLib.phantom.pet import make_pet
from PDL1PredictorLib.phantom.scanner import MATRIX, Lattice, Scan, acquire, chest_lattice, draw_scan, to_image
from PDL1PredictorLib.phantom.streams import Purpose, stream
from PDL1PredictorLib.phantom.thorax import make_sheet, paint_slice
from PDL1PredictorLib.phantom.traits import Traits, draw_traits
from PDL1PredictorLib.phantom.truth import draw_labels, probabilities
from PDL1PredictorLib.phantom.tumor import draw_tumor, equivalent_diameter_mm, paint_tumor
from PDL1PredictorLib.phantom.vessels import LungMap, draw_plumbing, map_lungs, paint_plumbing

Extent = Literal["chest", "tumor"]
EXTENTS: tuple[Extent, ...] = ("chest", "tumor")
TUMOR_FIELD_MM = 190.0  # in-plane field of view of the restricted extent
TUMOR_MARGIN_MM = 40.0  # above and below the tumor in the restricted extent
TUMOR_LEVELS_MM = (-50.0, 65.0)  # where tumors sit along z
PLEURAL_SHARE = 0.25  # of tumors that touch a boundary of the lung


@dataclass(frozen=True, eq=False)
class PhantomPatient:
    """A case with everything that is true of it.

    Attributes:
        case: CT, tumor mask, PET where asked for, and clinical values that know nothing of the tumor.
        traits: What the tumor is.
        probabilities: True probability of positive, by endpoint.
        labels: What was drawn from them: 1, 0, or None where the label is missing.
        scan: How it was scanned.
        outcomes: The later questions, and the clinical values that a cohort's table has.
    """

    case: Case
    traits: Traits
    probabilities: dict[str, float]
    labels: dict[str, int | None]
    scan: Scan
    outcomes: Outcomes


def make_patient(seed: int, index: int, extent: Extent = "chest", pet: bool = False) -> PhantomPatient:
    """Make the patient of that number in the cohort of that seed.

    The same numbers give the same voxels on every processor: see `exact` and `draws`.

    Args:
        seed: Of the cohort, 0 or more.
        index: Of the patient, 0 or more.
        extent: "chest" scans the chest around the tumor's level; "tumor" only a field of about 190 mm around the
            tumor and 40 mm above and below it, on the same lattice. Traits, labels, anatomy, tumor, spacing and scanner
            are the same in both; the noise is another draw.
        pet: Whether the case has a PET.

    Raises:
        InputError: The seed, the index or the extent is not possible.

    Note:
        A network learns the sign of the striation only if its training flips no patch and turns none by 90 degrees.
    """
    traits, chances, labels = draw_truth(seed, index)
    case, scan = scan_tumor(seed, index, traits, extent)
    outcomes = draw_outcomes(seed, index, traits)
    if pet:
        noise = stream(seed, index, Purpose.PET)
        case = replace(case, pet=make_pet(case.ct, case.tumor, outcomes.uptake, noise))
    return PhantomPatient(case, traits, chances, labels, scan, outcomes)


def draw_truth(seed: int, index: int) -> tuple[Traits, dict[str, float], dict[str, int | None]]:
    """A patient's traits, true probabilities and labels, without making a picture."""
    traits = draw_traits(stream(seed, index, Purpose.TRAITS))
    chances = probabilities(traits)
    return traits, chances, draw_labels(chances, stream(seed, index, Purpose.LABELS))


def scan_tumor(seed: int, index: int, traits: Traits, extent: Extent = "chest") -> tuple[Case, Scan]:
    """The patient's picture with a tumor of the given traits; the anatomy and every other draw stay the patient's own.

    Args:
        seed: As in `make_patient`.
        index: As in `make_patient`.
        traits: Of the tumor, in place of the patient's own.
        extent: As in `make_patient`.

    Raises:
        InputError: The seed, the index or the extent is not possible.
    """
    if extent not in EXTENTS:
        raise InputError(f"The extent must be one of {', '.join(EXTENTS)}, got {extent!r}.")
    scan = draw_scan(stream(seed, index, Purpose.SCANNER))
    anatomy, growth = stream(seed, index, Purpose.ANATOMY), stream(seed, index, Purpose.TUMOR)
    chest = draw_chest(anatomy, MATRIX * scan.pixel_mm)
    lungs = map_lungs(chest)
    plumbing = draw_plumbing(chest, lungs, anatomy)
    center = _tumor_center(lungs, equivalent_diameter_mm(traits) / 2, growth)
    middle_z_mm = float(center[0] + draws.uniform(growth, -10.0, 10.0))
    tumor = draw_tumor(traits, center, growth)

    lattice = chest_lattice(scan, middle_z_mm)
    if extent == "tumor":
        reach = np.array([tumor.radius_mm + TUMOR_MARGIN_MM, TUMOR_FIELD_MM / 2, TUMOR_FIELD_MM / 2])
        lattice = lattice.block(lattice.near(tumor.center, reach))
    volume, lung = np.empty(lattice.shape, np.float32), np.empty(lattice.shape, np.float32)
    sheet = make_sheet(chest, lattice)
    for k, z in enumerate(lattice.z):
        lung[k] = paint_slice(volume[k], sheet, chest, float(z))
    paint_plumbing(volume, lattice, plumbing)
    mask = paint_tumor(volume, lattice, lung, tumor)
    return _case(seed, index, acquire(volume, scan, stream(seed, index, Purpose.NOISE)), mask, lattice, scan), scan


def _case(seed: int, index: int, ct: np.ndarray, mask: np.ndarray, lattice: Lattice, scan: Scan) -> Case:
    drawn = draw_clinical(stream(seed, index, Purpose.CLINICAL))
    clinical = Clinical(
        age_years=as_age(drawn.age_years),
        sex=drawn.sex,
        smoking=drawn.smoking,
        slice_thickness_mm=scan.slice_mm,
        kernel=scan.kernel,
        manufacturer=scan.manufacturer,
    )
    images = to_image(ct, lattice, scan), to_image(mask, lattice, scan)
    return Case(*images, clinical, f"case_{index:04d}", synthetic=True)


def _tumor_center(lungs: LungMap, radius_mm: float, rng: np.random.Generator) -> np.ndarray:
    """A place in a lung, (z, y, x) mm: at its boundary for some tumors, free for the others if there is room."""
    touching = rng.random() < PLEURAL_SHARE
    level = (lungs.lattice.z >= TUMOR_LEVELS_MM[0]) & (lungs.lattice.z <= TUMOR_LEVELS_MM[1])
    room = np.where(level[:, None, None], lungs.clearance_mm, 0.0)
    wanted = radius_mm * (0.8 if touching else 1.15) + (0.0 if touching else 5.0)
    most = float(room.max())
    low = min(wanted, most - 5.0)
    spots = np.argwhere((room >= low) & (room <= (low + 5.0 if touching else np.inf)))
    spot = spots[rng.integers(len(spots))]
    step = lungs.lattice.spacing_kji_mm
    return np.asarray(lungs.lattice.origin_kji_mm + step * (spot + draws.uniform(rng, -0.3, 0.3, (3,))))

"""Tumors with their masks, cropped to themselves: nodules of LIDC, tumors of NSCLC Radiogenomics; and what is around.

A crop shows no surroundings: one of LIDC ends with the first and the last slice of its nodule. Whoever judges or
trains a segmentation on it must see lung, wall and vessels beyond, or the crop's end gives the answer away. So the crop
is continued as in a mirror, and what is the tumor's mirror image becomes lung.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.cohort.lidc import divided, read_table
from PDL1PredictorLib.core.case import require_same_grid
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.volumes.files import read_volume

LUNG_BELOW_HU = -600.0
NO_LUNG_HU = -850.0
HALO_MM = 1.5  # beside the tumor, where its voxels still show in part
LEAST_LUNG_VOXELS = 50


@dataclass(frozen=True)
class CropFiles:
    """Where a crop lies.

    Attributes:
        name: Of the case.
        patient: Whose tumor it is.
        image: File of the CT.
        mask: File of the tumor.
        whole: Whether the crop holds all of the tumor, by the rule of its data set.
    """

    name: str
    patient: str
    image: Path
    mask: Path
    whole: bool


@dataclass(frozen=True, eq=False)
class Scene:
    """A crop within surroundings.

    Attributes:
        ct: HU, float32.
        tumor: Mask on its grid.
        known: Mask of the voxels whose truth is known: all of them, or those of the crop where the tumor is cut.
    """

    ct: sitk.Image
    tumor: sitk.Image
    known: sitk.Image


def lidc_crops(folder: Path) -> list[CropFiles]:
    """The nodules of a folder with `labels.csv`, `image/` and `mask/`.

    Raises:
        InputError: The table cannot be used.
    """
    image, mask = folder / "image", folder / "mask"
    return [CropFiles(r.name, r.patient, image / r.file, mask / r.file, True) for r in read_table(folder)]


def nsclc_crops(folder: Path) -> list[CropFiles]:
    """The tumors of a folder with `voi/NAME_image.nii.gz` and `voi/NAME_mask.nii.gz`; one a patient.

    Raises:
        InputError: There are none, or a mask is missing.
    """
    found = []
    for image in sorted((folder / "voi").glob("*_image.nii.gz")):
        name = image.name.removesuffix("_image.nii.gz")
        mask = image.with_name(f"{name}_mask.nii.gz")
        if not mask.is_file():
            raise InputError(f"{image} has no {mask.name} beside it. Give the folder of cropped tumors, with masks.")
        found.append(CropFiles(name, name, image, mask, False))
    if not found:
        raise InputError(f"{folder}/voi holds no NAME_image.nii.gz. Give the folder of cropped NSCLC tumors.")
    return found


def lidc_parts(folder: Path, seed: int) -> list[list[CropFiles]]:
    """Nodules to fit, to watch and to test, divided by patient as a pretraining and a cohort of that seed are."""
    rows = read_table(folder)
    malignant = np.array([[row.malignant] for row in rows], float)
    crops = lidc_crops(folder)
    return [[crops[row] for row in part] for part in divided([r.patient for r in rows], malignant, seed)]


def nsclc_parts(folder: Path, seed: int) -> list[list[CropFiles]]:
    """The same for tumors, which have no label to stratify by."""
    crops = nsclc_crops(folder)
    parts = divided([crop.patient for crop in crops], np.zeros((len(crops), 1)), seed)
    return [[crops[row] for row in part] for part in parts]


def read_crop(files: CropFiles) -> tuple[sitk.Image, sitk.Image]:
    """CT and mask of a crop, float32 HU and uint8.

    Raises:
        InputError: A file cannot be read.
        GridMismatchError: They lie on two grids.
    """
    image = sitk.Cast(read_volume(files.image, "tumor").image, sitk.sitkFloat32)
    mask = read_volume(files.mask, "mask").image > 0
    require_same_grid(image, mask)
    return image, mask


def continued(ct: sitk.Image, mask: sitk.Image, margin_mm: float, whole: bool, rng: np.random.Generator) -> Scene:
    """A crop within surroundings.

    Args:
        ct: float32 HU.
        mask: Of the tumor.
        margin_mm: Added on every side.
        whole: Whether the crop holds all of the tumor; where it does not, a tumor that reaches the crop's end is
            continued too, and nothing beyond the crop is known.
        rng: For the lung's noise.
    """
    hu, tumor = sitk.GetArrayFromImage(ct), sitk.GetArrayFromImage(mask) > 0
    pads = [int(np.ceil(margin_mm / mm)) for mm in ct.GetSpacing()[::-1]]
    width = [(pad, pad) for pad in pads]
    cut = not whole and _reaches_end(tumor)
    wide = np.pad(hu, width, mode="symmetric")
    inside = np.pad(np.ones(hu.shape, bool), width)
    if not cut:
        # a mirror image of the tumor is never nearer to a place in the crop than the tumor: the crop's distances do
        beside = ndimage.distance_transform_edt(~tumor, sampling=ct.GetSpacing()[::-1]) <= HALO_MM
        replaced = np.pad(beside, width, mode="symmetric") & ~inside
        wide[replaced] = _lung(hu, tumor, int(replaced.sum()), rng)
    truth = np.pad(tumor, width)
    known = inside if cut else np.ones_like(inside)
    return Scene(*(_grown(values, ct, pads) for values in (wide, truth.astype(np.uint8), known.astype(np.uint8))))


def _reaches_end(tumor: np.ndarray) -> bool:
    return any(tumor.take(place, axis).any() for axis in range(3) for place in (0, -1))


def _lung(hu: np.ndarray, tumor: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Values as of the crop's lung, so many."""
    lung = hu[(hu < LUNG_BELOW_HU) & ~tumor]
    if len(lung) < LEAST_LUNG_VOXELS:
        return rng.normal(NO_LUNG_HU, 30.0, n).astype(np.float32)
    return rng.choice(lung, n).astype(np.float32)


def _grown(values: np.ndarray, image: sitk.Image, pads_kji: Sequence[int]) -> sitk.Image:
    """An image about another one, with so many voxels more on each side."""
    grown = sitk.GetImageFromArray(values)
    grown.SetSpacing(image.GetSpacing())
    grown.SetDirection(image.GetDirection())
    grown.SetOrigin(image.TransformContinuousIndexToPhysicalPoint([-float(pad) for pad in pads_kji[::-1]]))
    return grown

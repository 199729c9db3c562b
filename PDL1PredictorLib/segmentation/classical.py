"""The classical method: tissue at the click, the best surface about it, what of the tissue lies within.

No training: it is the baseline, and what runs where there is no network. Two looks: a coarse one that finds how large
the tumor is and where its middle lies, a fine one in a box of that size.
"""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.segmentation.cube import Cube, cube_about
from PDL1PredictorLib.segmentation.prompt import Prompt
from PDL1PredictorLib.segmentation.rays import Surface, reach_of, surface_about
from PDL1PredictorLib.segmentation.settings import CLASSICAL, ClassicalSettings
from PDL1PredictorLib.segmentation.sphere import COARSE, FINE, sphere
from PDL1PredictorLib.segmentation.tissue import Tissue, likeness, may_be_tumor, tissue_at

FINE_MM = (0.5, 1.5)  # least and most spacing of the second look
LOOKS = 3  # times that the surface is found again about its own middle


@dataclass(frozen=True, eq=False)
class Found:
    """What the method found.

    Attributes:
        cube: The fine box.
        tumor: bool on it, (k, j, i).
        surface: The surface about its middle.
        tissue: Of the tumor.
    """

    cube: Cube
    tumor: np.ndarray
    surface: Surface
    tissue: Tissue


@dataclass(frozen=True, eq=False)
class CoarseLook:
    """How large it is, and where.

    Attributes:
        center_lps_mm: Its middle.
        surface: The surface about it, in the coarse box.
        tissue: Of the tumor.
        seed_lps_mm: The place in the tissue, at or beside the click.
        spacing_mm: Of the coarse box.
    """

    center_lps_mm: np.ndarray
    surface: Surface
    tissue: Tissue
    seed_lps_mm: np.ndarray
    spacing_mm: float

    @property
    def place_kji(self) -> np.ndarray:
        """Its middle in the coarse box, in voxels."""
        return self.surface.center_kji


def coarse_cube(ct: sitk.Image, prompt: Prompt, settings: ClassicalSettings = CLASSICAL) -> Cube:
    """The box of the first look; it serves clicks that are moved a little, too."""
    return cube_about(ct, prompt.center, settings.search_mm, settings.coarse_mm)


def look_coarsely(cube: Cube, prompt: Prompt, settings: ClassicalSettings = CLASSICAL) -> CoarseLook:
    """The first look."""
    tissue, seed = tissue_at(cube, cube.place(prompt.center), settings.snap_mm, settings.edge_share)
    like = np.where(cube.body, likeness(cube.hu, tissue), np.float32(0))
    radii = np.geomspace(settings.least_mm, settings.largest_mm, settings.radii)
    center, prior_mm = seed, None
    if prompt.length_mm is not None:
        prior_mm = prompt.length_mm / 2
        radii = np.geomspace(max(prior_mm * 0.3, 1.0), prior_mm * 1.4, settings.radii // 2)
        center = cube.place(prompt.center)
    for _ in range(LOOKS):
        surface = surface_about(like, cube.spacing_mm, center, radii, settings, sphere(COARSE), prior_mm)
        center = _toward(like, surface, surface.centroid(cube.spacing_mm))
    return CoarseLook(cube.point(surface.center_kji), surface, tissue, cube.point(seed), cube.spacing_mm)


def _toward(like: np.ndarray, surface: Surface, wanted: np.ndarray) -> np.ndarray:
    """The surface's middle, or as near to it as the tissue goes: a star must be seen from inside the tumor."""
    for share in (1.0, 0.5):
        place = surface.center_kji + share * (wanted - surface.center_kji)
        if ndimage.map_coordinates(like, place[:, None], order=1)[0] > 0.5:
            return np.asarray(place)
    return surface.center_kji


def look_finely(ct: sitk.Image, coarse: CoarseLook, prompt: Prompt, settings: ClassicalSettings = CLASSICAL) -> Found:
    """The second look, in a box about what the first one found."""
    radius_mm, most_mm = coarse.surface.mean_mm, float(np.percentile(coarse.surface.radius_mm, 98))
    spacing = float(np.clip(radius_mm / settings.fine_steps, *FINE_MM))
    cube = cube_about(ct, coarse.center_lps_mm, 1.3 * most_mm + 5.0, spacing)
    tissue = coarse.tissue
    like = np.where(cube.body, likeness(cube.hu, tissue), np.float32(0))
    radii = np.geomspace(max(0.4 * radius_mm, 0.8), 1.2 * most_mm + 2.0, settings.radii)
    prior_mm = None if prompt.length_mm is None else prompt.length_mm / 2
    center = cube.place(coarse.center_lps_mm)
    for _ in range(2):
        surface = surface_about(like, cube.spacing_mm, center, radii, settings, sphere(FINE), prior_mm)
        center = _toward(like, surface, surface.centroid(cube.spacing_mm))
    return Found(cube, _within(cube, tissue, surface, settings), surface, tissue)


def _within(cube: Cube, tissue: Tissue, surface: Surface, settings: ClassicalSettings) -> np.ndarray:
    """The tissue within the surface, and a little beyond it where there is an edge; vessels cut off; holes filled."""
    radius_mm = surface.mean_mm
    inside_mm, clear = reach_of(surface, cube.hu.shape, cube.spacing_mm)
    beyond_mm = min(settings.beyond_share * radius_mm, settings.beyond_mm)
    allowed = inside_mm > np.where(clear, -beyond_mm, 0.0)
    dense = may_be_tumor(cube.hu, tissue) & allowed & cube.body
    opened = _opened(dense, min(settings.opening_share * radius_mm, settings.opening_mm), cube.spacing_mm)
    kept = _part_at(opened if opened.any() else dense, surface.center_kji)
    filled = ndimage.binary_fill_holes(kept)
    return np.asarray(filled & cube.body)


def _opened(tissue: np.ndarray, radius_mm: float, spacing_mm: float) -> np.ndarray:
    """Without what is thinner than a ball."""
    core = ndimage.distance_transform_edt(tissue, sampling=spacing_mm) > radius_mm
    if not core.any():
        return tissue
    return np.asarray(
        tissue & (ndimage.distance_transform_edt(~core, sampling=spacing_mm) <= radius_mm + spacing_mm / 2)
    )


def _part_at(tissue: np.ndarray, place_kji: np.ndarray) -> np.ndarray:
    """The connected part at a place, or the largest one if there is none."""
    labels, n = ndimage.label(tissue)
    if n == 0:
        return tissue
    at = tuple(np.clip(np.rint(place_kji).astype(int), 0, np.array(tissue.shape) - 1))
    label = labels[at] or int(np.bincount(labels.ravel())[1:].argmax()) + 1
    return np.asarray(labels == label)

"""One click to a contour, front door to back."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.core.case import require_ct
from PDL1PredictorLib.core.errors import EmptyRegionError, InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.measures import volume_ml
from PDL1PredictorLib.segmentation.classical import coarse_cube, look_coarsely, look_finely
from PDL1PredictorLib.segmentation.cube import Cube, on_grid_of
from PDL1PredictorLib.segmentation.doubts import Evidence, doubts
from PDL1PredictorLib.segmentation.moved import Spread, spread_of
from PDL1PredictorLib.segmentation.network import Segmenter
from PDL1PredictorLib.segmentation.prompt import Prompt
from PDL1PredictorLib.segmentation.settings import CLASSICAL, ClassicalSettings

Method = Literal["classical", "network"]
NEAR_BODY_MM = 2.0


@dataclass(frozen=True, eq=False)
class Segmented:
    """A contour that was found from a click.

    Attributes:
        mask: uint8 on the CT's grid.
        prompt: What was given.
        method: What found it.
        network: Name and version of the network; empty of the classical method.
        edge_share: Share of the directions from its middle in which there is an edge, 0 to 1.
        spread: Of answers to clicks moved by 2 mm; None if that was not tried.
        warnings: What the reader must know.
    """

    mask: sitk.Image
    prompt: Prompt
    method: Method
    network: str
    edge_share: float
    spread: Spread | None
    warnings: tuple[CaseWarning, ...]

    @property
    def volume_ml(self) -> float:
        """Of the mask, in mL."""
        return volume_ml(self.mask)


def segment(
    ct: sitk.Image,
    prompt: Prompt,
    segmenter: Segmenter | None = None,
    with_spread: bool = True,
    settings: ClassicalSettings = CLASSICAL,
    progress: Progress = SILENT,
) -> Segmented:
    """Find the tumor at a click.

    The classical method always runs: it says how large the tumor is and how sure the place. With a network, the contour
    is the network's, unless the network is unsure.

    Args:
        ct: HU.
        prompt: A point inside the tumor, or a line across it; LPS, mm.
        segmenter: The network; None for the classical method alone.
        with_spread: Whether clicks moved by 2 mm are tried, too.
        settings: Of the classical method.
        progress: Told on the way.

    Raises:
        InputError: It is no CT, or the point lies outside the CT or the patient.
        EmptyRegionError: There is no tissue at the point.
    """
    require_ct(ct)
    _require_inside(ct, prompt)
    progress.step("segment", 0.0, "reading the voxels about the click")
    cube = coarse_cube(ct, prompt, settings)
    _require_body(cube, prompt)
    progress.step("segment", 0.3, "looking for the tumor")
    coarse = look_coarsely(cube, prompt, settings)
    if not coarse.tissue.stands_out:
        raise EmptyRegionError(
            f"There is no tissue within {settings.snap_mm:g} mm of the point ({coarse.tissue.hu:.0f} HU, the lung "
            f"around it has {coarse.tissue.lung_hu:.0f} HU). Click into the tumor."
        )
    found = look_finely(ct, coarse, prompt, settings)
    progress.step("segment", 0.5, "drawing the contour")
    mask = on_grid_of(ct, found.cube, signed_mm(found.tumor, found.cube, settings.margin_mm))
    progress.step("segment", 0.6, "moving the click")
    spread = spread_of(cube, prompt, coarse, settings) if with_spread else None
    method, network, told = _by_network(ct, prompt, segmenter, found.surface.mean_mm, progress)
    mask = mask if network is None else network
    if not np.any(sitk.GetArrayViewFromImage(mask)):
        raise EmptyRegionError("What is at the point is smaller than a voxel. Click into the tumor, or draw it.")
    clicked = float(ndimage.map_coordinates(cube.hu, cube.place(prompt.center)[:, None], order=1)[0])
    seen = Evidence(prompt, clicked, coarse.seed_lps_mm, coarse.tissue, found.surface, spread, mask)
    edge_share = float(found.surface.edge.mean())
    name = segmenter.title if segmenter is not None and method == "network" else ""
    return Segmented(mask, prompt, method, name, edge_share, spread, (*told, *doubts(seen)))


def _by_network(
    ct: sitk.Image, prompt: Prompt, segmenter: Segmenter | None, radius_mm: float, progress: Progress
) -> tuple[Method, sitk.Image | None, tuple[CaseWarning, ...]]:
    """Whose contour is taken, the network's where it is, and what is to be told of that."""
    if segmenter is None:
        return "classical", None, ()
    progress.step("segment", 0.7, "asking the network")
    answer = segmenter.answer(ct, prompt, radius_mm)
    if answer.unsure:
        text = f"The network is unsure here ({answer.unsure}); the contour is the classical method's."
        return "classical", None, (CaseWarning("segment_network_unsure", text),)
    return "network", answer.mask, ()


def signed_mm(tumor: np.ndarray, cube: Cube, margin_mm: float = 0.0) -> np.ndarray:
    """Distance to the contour, positive inside, negative outside the body whatever the margin; in mm.

    Args:
        tumor: bool on the cube.
        cube: Where it lies.
        margin_mm: How far the contour runs outside the edge, as readers draw it.
    """
    if not tumor.any():
        return np.full(tumor.shape, -1.0, np.float32)
    inside, outside = (ndimage.distance_transform_edt(part, sampling=cube.spacing_mm) for part in (tumor, ~tumor))
    signed = inside - outside + np.where(tumor, -0.5, 0.5) * cube.spacing_mm + margin_mm
    return np.asarray(np.where(cube.body, signed, -np.abs(signed) - cube.spacing_mm), np.float32)


def _require_inside(ct: sitk.Image, prompt: Prompt) -> None:
    for point in prompt.points:
        at = ct.TransformPhysicalPointToContinuousIndex(point)
        if all(-0.5 <= place <= size - 0.5 for place, size in zip(at, ct.GetSize(), strict=True)):
            continue
        corners = np.array(
            [
                ct.TransformIndexToPhysicalPoint([c * (n - 1) for c, n in zip(corner, ct.GetSize(), strict=True)])
                for corner in np.ndindex(2, 2, 2)
            ]
        )
        low, high = corners.min(0), corners.max(0)
        ranges = ", ".join(f"{axis} {a:.0f} to {b:.0f}" for axis, a, b in zip("LPS", low, high, strict=True))
        shown = ", ".join(f"{x:g}" for x in point)
        raise InputError(
            f"The point ({shown}) lies outside the CT, which reaches from {ranges} mm. Points are in the patient's "
            "coordinates L, P, S; where a program shows R, A, S, the first two change their sign."
        )


def _require_body(cube: Cube, prompt: Prompt) -> None:
    place = np.rint(cube.place(prompt.center)).astype(int)
    reach = int(np.ceil(NEAR_BODY_MM / cube.spacing_mm))
    near = cube.body[tuple(slice(max(p - reach, 0), p + reach + 1) for p in place)]
    if not near.any():
        raise InputError("The point lies outside the patient's body. Click into the tumor.")

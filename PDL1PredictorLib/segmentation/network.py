"""The small network: read from its folder, shown a cube about the click, run by onnxruntime."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.core.errors import BundleError
from PDL1PredictorLib.core.strict_json import strict_json
from PDL1PredictorLib.imaging.lattice import Box
from PDL1PredictorLib.models.network.graph import VOLUME
from PDL1PredictorLib.models.network.session import NetworkSession
from PDL1PredictorLib.models.network.weights import read_weights
from PDL1PredictorLib.segmentation.cube import Cube, cube_about, on_grid_of
from PDL1PredictorLib.segmentation.prompt import Prompt
from PDL1PredictorLib.segmentation.shown import CHANNELS, LONGER, SPACINGS_MM, VOXELS, WINDOWS_HU, channels, spacing_for

SETTINGS, GRAPH, WEIGHTS, CARD = "segmenter.json", "network.onnx", "network.safetensors", "CARD.md"
FORMAT = "pdl1-segmenter-1"
MAX_BYTES = 3 * 10**6
MAPS = "maps"  # the graph's name of the log-odds of each voxel
TUMOR_FROM = 0.3  # chance; of 0.2 to 0.6 among the best for watched cases: readers' masks run outside of what one sees
MOST_DOUBT = 0.35  # expected share of wrong voxels, of the answer's
MOST_WIDE_DOUBT = 0.18  # likewise, of the widest cube's; above it a closer look that holds the tumor counts
CLOSER_DOUBT = (
    1.3  # times the widest cube's doubt: as much or more, and the closer look sees but a part of a large tumor
)
NEAR_VOXELS = 2
MIRRORS = ((), (0,), (1,), (2,))  # axes along which the cube is looked at once more


@dataclass(frozen=True, eq=False)
class NetworkAnswer:
    """What the network answers.

    Attributes:
        mask: uint8 on the CT's grid.
        unsure: Why it should not be trusted, in words; empty if it can.
    """

    mask: sitk.Image
    unsure: str


@dataclass(frozen=True, eq=False)
class _Look:
    """A cube, the chance of each of its voxels, and the part at the click."""

    cut: Cube
    chance: np.ndarray
    tumor: np.ndarray

    @cached_property
    def doubt(self) -> float:
        """Expected share of wrong voxels at the part, of its own; infinite where there is none."""
        if not self.tumor.any():
            return np.inf
        about = ndimage.binary_dilation(self.tumor, iterations=3)
        return float(np.minimum(self.chance, 1 - self.chance)[about].sum() / self.tumor.sum())


@dataclass(frozen=True, eq=False)
class Segmenter:
    """The network and what is known of it.

    Attributes:
        name: Of the network.
        version: Of the network.
        graph: ONNX without weights.
        weights: By name, 32-bit.
    """

    name: str
    version: str
    graph: bytes
    weights: dict[str, np.ndarray]

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"

    @cached_property
    def _session(self) -> NetworkSession:
        return NetworkSession(self.graph, self.weights, 0, 1)

    def check(self) -> None:
        """Refuse a network that does not fit what it is shown, without running it.

        Raises:
            ValueError: With what does not fit.
        """
        made = self._session.check({VOLUME: (1, CHANNELS, VOXELS, VOXELS, VOXELS)})
        if made[MAPS] != (1, 1, VOXELS, VOXELS, VOXELS):
            raise ValueError(f"it answers with the shape {made[MAPS]}; one number a voxel is needed.")

    def probability(self, hu: np.ndarray, places_kji: np.ndarray) -> np.ndarray:
        """Chance that a voxel is tumor, (k, j, i); the mean over the cube and its mirror images.

        Args:
            hu: The cube, `VOXELS` along each edge.
            places_kji: Point or line in it, (1 or 2, 3).

        Raises:
            ValueError: The network cannot be computed.
            MissingPackageError: onnxruntime is not installed.
        """
        shown, chances = channels(hu, places_kji), []
        for axes in MIRRORS:
            logits = self.logits(np.ascontiguousarray(np.flip(shown, tuple(axis + 1 for axis in axes))))
            chances.append(1 / (1 + np.exp(-np.clip(np.flip(logits, axes), -30, 30))))
        return np.asarray(np.mean(chances, axis=0))

    def logits(self, shown: np.ndarray) -> np.ndarray:
        """Log-odds that a voxel is tumor, (k, j, i).

        Args:
            shown: Channels of a cube, float32 (4, k, j, i).

        Raises:
            ValueError: As `probability`.
            MissingPackageError: As `probability`.
        """
        return np.asarray(self._session.outputs({VOLUME: shown[None]})[MAPS][0, 0])

    def answer(self, ct: sitk.Image, prompt: Prompt, radius_mm: float) -> NetworkAnswer:
        """Its contour; looked at again in another cube where the first one was too small, or much too large.

        Args:
            ct: HU.
            prompt: The click, or line.
            radius_mm: How large the tumor is, about: decides the spacing of a point; a line says it itself.
        """
        look = self._best_look(ct, prompt, spacing_for(prompt.length_mm or LONGER * 2 * radius_mm))
        signed = np.where(ndimage.binary_dilation(look.tumor, iterations=2), look.chance - TUMOR_FROM, -TUMOR_FROM)
        mask = on_grid_of(ct, look.cut, np.where(look.cut.body, signed, -TUMOR_FROM))
        return NetworkAnswer(mask, _unsure(look))

    def _best_look(self, ct: sitk.Image, prompt: Prompt, spacing: float) -> _Look:
        """The cube whose answer counts, from a first one on.

        In the widest the network expects large tumors, and runs out into heart and aorta where no edge parts them; it
        doubts such answers more than others.
        """
        looks: dict[float, _Look] = {}
        while spacing not in looks:
            looks[spacing] = self._look(ct, prompt, spacing)
            spacing = _better_spacing(looks[spacing].tumor, spacing)
        look = looks[spacing]
        if spacing < SPACINGS_MM[-1] or look.doubt <= MOST_WIDE_DOUBT:
            return look
        closer = looks.get(SPACINGS_MM[-2]) or self._look(ct, prompt, SPACINGS_MM[-2])
        holds = not _reaches_end(closer.tumor) and closer.doubt < CLOSER_DOUBT * look.doubt
        return closer if holds else look

    def _look(self, ct: sitk.Image, prompt: Prompt, spacing: float) -> _Look:
        cut = _cut(cube_about(ct, prompt.center, (VOXELS // 2) * spacing, spacing))
        places = np.array([cut.place(np.array(point)) for point in prompt.points])
        chance = np.where(cut.body, self.probability(cut.hu, places), 0.0)
        return _Look(cut, chance, _part_near(chance >= TUMOR_FROM, places.mean(axis=0)))


def _cut(cube: Cube) -> Cube:
    """The cube without its last points, so that its edge is even."""
    k, j, i = cube.box.start
    box = Box(cube.box.start, (k + VOXELS, j + VOXELS, i + VOXELS))
    part = (slice(0, VOXELS),) * 3
    return replace(cube, box=box, hu=cube.hu[part], body=cube.body[part])


def _part_near(tumor: np.ndarray, place_kji: np.ndarray) -> np.ndarray:
    """The connected part at a place or next to it; none if there is none."""
    labels, _ = ndimage.label(tumor)
    near = np.linalg.norm(np.indices(tumor.shape).T - place_kji, axis=-1).T <= NEAR_VOXELS
    found = np.bincount(labels[near & tumor])
    if not found[1:].any():
        return np.zeros_like(tumor)
    return np.asarray(ndimage.binary_fill_holes(labels == int(found[1:].argmax()) + 1))


def _reaches_end(tumor: np.ndarray) -> bool:
    return any(tumor.take(place, axis).any() for axis in range(3) for place in (0, -1))


def _better_spacing(tumor: np.ndarray, spacing: float) -> float:
    """The next wider where what was found reaches the cube's end; finer where it is small; else the same."""
    at = SPACINGS_MM.index(spacing)
    if _reaches_end(tumor):
        return SPACINGS_MM[min(at + 1, len(SPACINGS_MM) - 1)]
    if not tumor.any():
        return spacing
    longest_mm = float(np.ptp(np.argwhere(tumor), axis=0).max() + 1) * spacing
    return min(spacing, spacing_for(longest_mm))


def _unsure(look: _Look) -> str:
    if not look.tumor.any():
        return "it sees no tumor at the point"
    if look.doubt > MOST_DOUBT:
        return f"by its own numbers {look.doubt:.0%} of the contour may be wrong"
    return ""


def read_segmenter(folder: Path) -> Segmenter:
    """Read and check a network's folder.

    Raises:
        BundleError: A file is missing, damaged, larger than it may be, or of another version.
    """
    try:
        facts = _facts(strict_json((folder / SETTINGS).read_bytes()))
        files = {name: (folder / name).read_bytes() for name in (GRAPH, WEIGHTS)}
        if sum(map(len, files.values())) > MAX_BYTES:
            raise ValueError(f"its files have more than {MAX_BYTES} bytes")
        for name, data in files.items():
            if hashlib.sha256(data).hexdigest() != facts["sha256"].get(name):
                raise ValueError(f"{name} is not the file that was written")
        found = Segmenter(facts["name"], facts["version"], files[GRAPH], read_weights(files[WEIGHTS]))
        found.check()
    except (OSError, ValueError) as error:
        raise BundleError(
            f"The network in {folder} cannot be used: {error}. Install it again, or remove it."
        ) from error
    return found


def _facts(facts: Any) -> dict[str, Any]:
    """The settings, which must say what this version shows."""
    wanted = shown_facts()
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise ValueError(f"{SETTINGS} is not of the format {FORMAT}")
    if facts.get("shown") != wanted:
        raise ValueError(f"it was trained on {facts.get('shown')}, and this version shows {wanted}")
    texts = all(isinstance(facts.get(name), str) for name in ("name", "version"))
    if not texts or not isinstance(facts.get("sha256"), dict):
        raise ValueError(f"{SETTINGS} lacks name, version or sha256")
    return facts


def shown_facts() -> dict[str, Any]:
    """What a network is shown, as its settings say it."""
    return {
        "voxels": VOXELS,
        "channels": CHANNELS,
        "spacings_mm": list(SPACINGS_MM),
        "windows_hu": [list(window) for window in WINDOWS_HU],
    }

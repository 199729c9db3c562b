"""A surface about a point, by what each direction sees: see `surface` for how the radii are chosen together."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from PDL1PredictorLib.segmentation.settings import ClassicalSettings
from PDL1PredictorLib.segmentation.sphere import Sphere, cells_of
from PDL1PredictorLib.segmentation.surface import best_surface

EDGE_COST = 0.6  # a direction whose cost is below sees an edge there
MOST_INSIDE = 2.0
NEAR_END = 0.97  # of the largest radius
CLEAR_ROUNDS = 3  # of neighbors: 24 degrees of the fine directions


@dataclass(frozen=True, eq=False)
class Surface:
    """One radius in each of n directions about a point.

    Attributes:
        ball: The directions.
        center_kji: The point, in voxels.
        radius_mm: (n,).
        edge: Whether there is an edge in that direction, (n,); where there is none, its neighbors made the radius.
        at_end: Whether it is the largest radius that is ever tried, (n,).
    """

    ball: Sphere
    center_kji: np.ndarray
    radius_mm: np.ndarray
    edge: np.ndarray
    at_end: np.ndarray

    @property
    def mean_mm(self) -> float:
        """Radius of the ball of the same volume, about."""
        return float(np.cbrt(np.mean(self.radius_mm**3)))

    def clear(self, rounds: int = CLEAR_ROUNDS) -> np.ndarray:
        """Whether there is an edge in a direction and in all about it, (n,): not beside a wall."""
        blocked = ~self.edge
        for _ in range(rounds):
            blocked = blocked | (self.ball.incoming @ blocked[self.ball.first].astype(np.float32) > 0)
        return ~blocked

    def at(self, center_kji: np.ndarray) -> "Surface":
        """The same about another point."""
        return replace(self, center_kji=center_kji)

    def centroid(self, spacing_mm: float) -> np.ndarray:
        """Of the volume within, (k, j, i) in voxels."""
        cubes = self.radius_mm**3
        shift_mm = 0.75 * (self.ball.directions * (cubes * self.radius_mm)[:, None]).sum(0) / cubes.sum()
        return np.asarray(self.center_kji + shift_mm / spacing_mm)


def surface_about(
    like: np.ndarray,
    spacing_mm: float,
    center_kji: np.ndarray,
    radii_mm: np.ndarray,
    settings: ClassicalSettings,
    ball: Sphere,
    prior_mm: float | None = None,
) -> Surface:
    """The surface about a point in a picture of likeness.

    Args:
        like: How much each voxel is like the tumor, 0 to 1, (k, j, i).
        spacing_mm: Between its voxels.
        center_kji: The point.
        radii_mm: That are tried, rising.
        settings: Costs.
        ball: Directions.
        prior_mm: Radius that is expected.
    """
    costs, exits_mm = _costs(like, spacing_mm, center_kji, radii_mm, ball, settings)
    if prior_mm is None:
        exit_mm = float(np.quantile(exits_mm, settings.first_exit))
        radii_mm = radii_mm[radii_mm <= max(settings.most_exits * exit_mm, radii_mm[1])]
        farther = np.square(np.log(np.maximum(radii_mm / max(exit_mm, settings.pull_from_mm), 1.0)))
        costs = costs[:, : len(radii_mm)] + (settings.pull * farther).astype(np.float32)[None]
    if prior_mm is not None:
        costs = costs + 0.5 * np.square(np.log(radii_mm / prior_mm))[None].astype(np.float32)
    chosen = best_surface(costs, ball, settings.stiffness)
    there = costs[np.arange(len(chosen)), chosen]
    return Surface(
        ball, center_kji, radii_mm[chosen], there < EDGE_COST, radii_mm[chosen] >= NEAR_END * settings.largest_mm
    )


def _costs(
    like: np.ndarray,
    spacing_mm: float,
    center_kji: np.ndarray,
    radii_mm: np.ndarray,
    ball: Sphere,
    settings: ClassicalSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """Of each radius in each direction: what is unlike the tumor within, and what is like it just beyond.

    And of each direction, where the tissue first ends, in mm.
    """
    shell_mm = np.maximum(settings.shell_mm, settings.shell_share * radii_mm)
    step_mm = spacing_mm / 2 if radii_mm[-1] < 60 * spacing_mm / 2 else spacing_mm
    along = np.arange(0.0, radii_mm[-1] + shell_mm[-1] + step_mm, step_mm)
    places = center_kji[:, None, None] + ball.directions.T[:, :, None] * (along / spacing_mm)[None, None]
    seen = ndimage.map_coordinates(like, places, order=1, mode="constant", cval=0.0)
    like_mm = np.concatenate([np.zeros((len(seen), 1)), np.cumsum(seen, axis=1)], axis=1) * step_mm
    ends = np.arange(len(along) + 1) * step_mm
    within, reached = (_columns(like_mm, ends, at) for at in (radii_mm, radii_mm + shell_mm))
    beyond = np.clip((reached - within) / shell_mm, 0, 1)
    foreign = (radii_mm - within) / (settings.inside_share * radii_mm + 1.0)
    ended = beyond < 0.5
    exits_mm = radii_mm[np.where(ended.any(axis=1), ended.argmax(axis=1), len(radii_mm) - 1)]
    return (beyond + np.minimum(foreign, MOST_INSIDE)).astype(np.float32), exits_mm


def _columns(table: np.ndarray, ends: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The columns of a table at places between its own, linear."""
    place = np.clip(at / (ends[1] - ends[0]), 0, len(ends) - 1.001)
    low = place.astype(int)
    share = place - low
    return np.asarray(table[:, low] * (1 - share) + table[:, low + 1] * share)


def reach_of(surface: Surface, shape: tuple[int, int, int], spacing_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Of each voxel, how far inside the surface it lies, in mm; and whether its direction is clear of walls.

    Args:
        surface: The surface.
        shape: Of the voxels.
        spacing_mm: Between them.
    """
    offsets = np.meshgrid(
        *((np.arange(n) - c) * spacing_mm for n, c in zip(shape, surface.center_kji, strict=True)), indexing="ij"
    )
    row, column, away_mm = cells_of(np.asarray(offsets, np.float32))
    radius = surface.ball.spread(surface.radius_mm).astype(np.float32)[row, column]
    clear = surface.ball.spread(surface.clear().astype(float))[row, column] > 0.5
    return radius - away_mm, clear

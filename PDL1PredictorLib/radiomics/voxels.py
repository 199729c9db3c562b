"""What every image type needs of a region, prepared once: its voxels as lists."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

DIRECTIONS = tuple((dk, dj, di) for dk in (1, 0, -1) for dj in (1, 0, -1) for di in (1, 0, -1))[:13]
"""One of each pair of opposite neighbors, (k, j, i)."""


_ALL = 10
_ZONE_NEIGHBORS = (  # (k, j, i) and how far to go on when it is alike, after the neighbor in the row before was alike,
    ((-1, 1, 0, 3), (-1, 1, -1, 1), (-1, 1, 1, 1)),
    # after the one before in the same row,
    ((0, -1, 1, 1), (-1, 0, 1, 3), (-1, -1, 1, 1), (-1, 1, 1, 1)),
    # and after none of them
    (
        *((0, -1, -1, 1), (0, -1, 1, 1), (-1, -1, 0, 3), (-1, -1, -1, 1), (-1, -1, 1, 1)),
        *((-1, 0, -1, 1), (-1, 0, 1, 1), (-1, 1, 0, 3), (-1, 1, -1, 1), (-1, 1, 1, 1)),
    ),
)


@dataclass(frozen=True, eq=False)
class RegionVoxels:
    """A region on its bounding box.

    Attributes:
        inside: bool (k, j, i), the bounding box of the region.
        start: Where the box starts in the image, (k, j, i).
        spacing_mm: (k, j, i).
    """

    inside: np.ndarray
    start: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]

    @classmethod
    def of(cls, mask: np.ndarray, spacing_mm: tuple[float, float, float]) -> "RegionVoxels":
        """The region of a mask with at least one voxel, (k, j, i)."""
        spans = []
        for axis in range(3):
            hit = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
            spans.append((int(hit[0]), int(hit[-1]) + 1))
        box = tuple(slice(low, high) for low, high in spans)
        return cls(np.ascontiguousarray(mask[box] != 0), (spans[0][0], spans[1][0], spans[2][0]), spacing_mm)

    @property
    def indices(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(k, j, i) of each voxel in the box, in the order of memory."""
        k, j, i = np.nonzero(self.inside)
        return k, j, i

    @cached_property
    def size(self) -> int:
        """Number of voxels."""
        return int(np.count_nonzero(self.inside))

    @property
    def stop(self) -> tuple[int, int, int]:
        """Where the box ends in the image, exclusive, (k, j, i)."""
        k, j, i = (start + n for start, n in zip(self.start, self.inside.shape, strict=True))
        return k, j, i

    @property
    def padded_shape(self) -> tuple[int, int, int]:
        """The box with one voxel more on every side."""
        k, j, i = (n + 2 for n in self.inside.shape)
        return k, j, i

    @cached_property
    def padded(self) -> np.ndarray:
        """Index of each voxel in the flat padded box, uint32."""
        return self.flat_in(self.padded_shape, (-1, -1, -1))

    def flat_in(self, shape: tuple[int, ...], start: tuple[int, int, int]) -> np.ndarray:
        """Index of each voxel in another flat box, uint32.

        Args:
            shape: The other box.
            start: Where it starts in this region's box, (k, j, i).
        """
        k, j, i = self.indices
        flat = ((k - start[0]) * shape[1] + (j - start[1])) * shape[2] + (i - start[2])
        return np.asarray(flat.astype(np.uint32))

    @property
    def row(self) -> np.uint64:
        """Voxels per row of the padded box."""
        return np.uint64(self.padded_shape[2])

    @property
    def plane(self) -> np.uint64:
        """Voxels per plane of the padded box."""
        return np.uint64(self.padded_shape[1] * self.padded_shape[2])

    @cached_property
    def offsets(self) -> np.ndarray:
        """From a voxel of the padded box back to its neighbor along each of `DIRECTIONS`, uint64."""
        steps = np.array([int(self.plane), int(self.row), 1])
        return np.asarray((np.array(DIRECTIONS) @ steps).astype(np.uint64))

    @cached_property
    def zone_neighbors(self) -> tuple[np.ndarray, np.ndarray]:
        """For `kernels.zones`: back to the neighbors to look at, uint64 (case, n), and how far to go on.

        A short list is filled up with its last neighbor, after which nothing comes.
        """
        steps = np.array([int(self.plane), int(self.row), 1])
        rows = np.array([case + case[-1:] * (_ALL - len(case)) for case in _ZONE_NEIGHBORS])
        skips = rows[:, :, 3].copy()
        for number, case in enumerate(_ZONE_NEIGHBORS):
            skips[number, len(case) - 1 :] = _ALL
        return (rows[:, :, :3] @ -steps).astype(np.uint64), skips

    @cached_property
    def n_neighbors(self) -> np.ndarray:
        """How many of the 26 neighbors of each voxel belong to the region, uint8."""
        total = np.pad(self.inside.astype(np.uint8), 1)
        total = total[2:] + total[1:-1] + total[:-2]
        total = total[:, 2:] + total[:, 1:-1] + total[:, :-2]
        total = total[:, :, 2:] + total[:, :, 1:-1] + total[:, :, :-2]
        return np.asarray(total[self.inside] - np.uint8(1))

    def padded_volume(self, values: np.ndarray) -> np.ndarray:
        """The flat padded box with these values in the region, 0 outside."""
        volume = np.zeros(int(np.prod(self.padded_shape)), values.dtype)
        volume[self.padded] = values
        return volume

    def lies_in_lines(self, direction: tuple[int, int, int]) -> bool:
        """Whether any line along a direction holds two voxels of the region, however far apart."""
        step = np.array(direction)
        axis = int(np.flatnonzero(step)[0])
        places = np.stack(self.indices, axis=1)
        feet = places - np.outer(places[:, axis] * step[axis], step)
        return len(np.unique(feet, axis=0)) < self.size

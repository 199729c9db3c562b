"""Sums over voxels that numpy cannot do: plain functions, run through `compiled.compiled`.

All take flat arrays and indices into them. A region lies in a box with one voxel of padding on every side, so that a
neighbor always exists; outside the region that box holds 0. Voxels are listed in the order in which they lie in memory,
so what lies before a voxel was seen before it. Indices are unsigned: numba then needs no code for negative ones.
"""

import numpy as np


def assign_gray_levels(values: np.ndarray, edges: np.ndarray, width: float, levels: np.ndarray) -> None:
    """`numpy.digitize(values, edges)` for edges that are `width` apart but for rounding.

    Args:
        values: Intensities, none below the first edge.
        edges: Rising, at least two.
        width: About the distance between two edges.
        levels: Receives the gray levels, from 1.
    """
    low = edges[0]
    last = edges.size
    for n in range(values.size):
        value = values[n]
        level = min(max(int((value - low) / width) + 1, 1), last)
        while level < last and value >= edges[level]:
            level += 1
        while level > 1 and value < edges[level - 1]:
            level -= 1
        levels[n] = level


def pairs_and_runs(
    ranks: np.ndarray, voxels: np.ndarray, offset: int, runs: np.ndarray, pairs: np.ndarray, lengths: np.ndarray
) -> None:
    """Neighbors and runs of equal gray level along one direction.

    Args:
        ranks: Rank of each voxel's gray level in the padded box, from 1; 0 outside the region.
        voxels: Indices of the region's voxels in it.
        offset: From a voxel back to its neighbor.
        runs: Room for the length of the run so far, one per voxel of the padded box.
        pairs: Receives the number of neighbors by rank of both, [n + 1, n + 1]; row 0 is what lies outside.
        lengths: Receives the number of voxels by rank and length of the run so far, [n + 1, longest + 2]. A run of
            length 3 counts under 1, 2 and 3.
    """
    for n in range(voxels.size):
        here = voxels[n]
        rank = ranks[here]
        other = ranks[here - offset]
        length = runs[here - offset] * (rank == other) + 1
        runs[here] = length
        pairs[other, rank] += 1
        lengths[rank, length] += 1


def neighborhoods(
    levels: np.ndarray,
    ranks: np.ndarray,
    voxels: np.ndarray,
    row: int,
    plane: int,
    n_neighbors: np.ndarray,
    alike: np.ndarray,
    differences: np.ndarray,
) -> None:
    """The 26 neighbors of every voxel: how many share its gray level, and how far their mean lies from it.

    Args:
        levels: Gray level of each voxel in the padded box; 0 outside the region.
        ranks: Rank of the gray level of each listed voxel, from 1.
        voxels: Indices of the region's voxels in the padded box.
        row: Voxels per row of the padded box.
        plane: Voxels per plane of the padded box.
        n_neighbors: Number of neighbors of each listed voxel inside the region.
        alike: Receives the number of voxels by rank and number of like neighbors, [n + 1, 27].
        differences: Receives the sum of |count * level - sum of neighbors| by rank and count, [n + 1, 27].
    """
    for n in range(voxels.size):
        here = voxels[n]
        level = np.int64(levels[here])
        same = -1  # the voxel itself
        total = -level
        first = here - plane - row - np.uint64(1)
        for _ in range(3):
            start = first
            for _ in range(3):
                a = np.int64(levels[start])
                b = np.int64(levels[start + np.uint64(1)])
                c = np.int64(levels[start + np.uint64(2)])
                same += (a == level) + (b == level) + (c == level)
                total += a + b + c
                start += row
            first += plane
        rank = ranks[n]
        count = n_neighbors[n]
        alike[rank, same] += 1
        differences[rank, count] += abs(level * np.int64(count) - total)


def zones(
    levels: np.ndarray,
    ranks: np.ndarray,
    voxels: np.ndarray,
    row: int,
    plane: int,
    offsets: np.ndarray,
    skips: np.ndarray,
    labels: np.ndarray,
    parents: np.ndarray,
    sizes: np.ndarray,
    zone_ranks: np.ndarray,
) -> int:
    """Connected zones of equal gray level (26 neighbors), by joining provisional labels.

    Of the 13 neighbors before a voxel most are neighbors of each other and have been joined already. Where the one in
    the plane before is alike, it is all that counts. Else the one in the row before, or the one before, leaves few to
    look at, and where the middle one of three is alike, the other two are skipped: see `zone_neighbors`.

    Args:
        levels: Gray level of each voxel in the padded box; 0 outside the region.
        ranks: Rank of the gray level of each listed voxel.
        voxels: Indices of the region's voxels in the padded box.
        row: Voxels per row of the padded box.
        plane: Voxels per plane of the padded box.
        offsets: From a voxel back to the neighbors to look at, by case.
        skips: How far to go on in that list when a neighbor is alike.
        labels: Room for one number per voxel of the padded box.
        parents: Room for one number per listed voxel.
        sizes: Receives the size of each zone.
        zone_ranks: Receives the rank of each zone's gray level.

    Returns:
        The number of zones.
    """
    n_labels = 0
    for n in range(voxels.size):
        here = voxels[n]
        level = levels[here]
        label = -1
        if levels[here - plane] == level:
            label = labels[here - plane]
        else:
            case = 2
            if levels[here - row] == level:
                label = labels[here - row]
                case = 0
            elif levels[here - np.uint64(1)] == level:
                label = labels[here - np.uint64(1)]
                case = 1
            k = 0
            while k < offsets.shape[1]:
                before = here - offsets[case, k]
                if levels[before] != level:
                    k += 1
                    continue
                k += skips[case, k]
                other = labels[before]
                if label < 0:
                    label = other
                elif label != other:
                    while parents[other] != other:
                        parents[other] = parents[parents[other]]
                        other = parents[other]
                    while parents[label] != label:
                        parents[label] = parents[parents[label]]
                        label = parents[label]
                    if other < label:
                        parents[label] = other
                        label = other
                    else:
                        parents[other] = label
            if label < 0:
                label = n_labels
                parents[label] = label
                sizes[label] = 0
                zone_ranks[label] = ranks[n]
                n_labels += 1
        labels[here] = label
        sizes[label] += 1
    n_zones = 0
    for label in range(n_labels):  # a parent has the smaller number, so its zone has its final place already
        parent = parents[label]
        if parent == label:
            size = sizes[label]
            parents[label] = n_zones
            sizes[n_zones] = size
            zone_ranks[n_zones] = zone_ranks[label]
            n_zones += 1
        else:
            parents[label] = parents[parent]
            sizes[parents[label]] += sizes[label]
    return n_zones


def convolve_rows(volume: np.ndarray, taps: np.ndarray, result: np.ndarray) -> None:
    """Filter along the last axis; one term after another, as PyWavelets adds them, so that no bit differs.

    Args:
        volume: (k, j, i).
        taps: The filter; the first tap meets the last voxel.
        result: Receives (k, j, i - taps + 1), zeros before.
    """
    n = taps.size
    for k in range(result.shape[0]):
        for j in range(result.shape[1]):
            out = result[k, j]
            for t in range(n):
                tap = taps[t]
                row = volume[k, j, n - 1 - t : n - 1 - t + out.size]
                for i in range(out.size):
                    out[i] += tap * row[i]


def convolve_columns(volume: np.ndarray, taps: np.ndarray, result: np.ndarray) -> None:
    """The same along the middle axis; `result` is (k, j - taps + 1, i)."""
    n = taps.size
    for k in range(result.shape[0]):
        for j in range(result.shape[1]):
            out = result[k, j]
            for t in range(n):
                tap = taps[t]
                row = volume[k, j + n - 1 - t]
                for i in range(out.size):
                    out[i] += tap * row[i]


def convolve_at(volume: np.ndarray, voxels: np.ndarray, stride: int, taps: np.ndarray, result: np.ndarray) -> None:
    """The same along the first axis, at some voxels only.

    Args:
        volume: Flat.
        voxels: Index of the voxel that meets the last tap, for each result.
        stride: Voxels per plane.
        taps: The filter.
        result: Receives the filtered values.
    """
    n = taps.size
    for v in range(voxels.size):
        total = 0.0
        place = voxels[v] + np.uint64(n - 1) * stride
        for t in range(n):
            total += taps[t] * volume[place]
            place -= stride
        result[v] = total

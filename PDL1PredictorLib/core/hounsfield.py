"""Whether a volume holds Hounsfield units, judged by where its air, lung and soft tissue lie.

The lowest voxel says nothing: scanners fill what lies outside their circle with -1024, -2000, -3024 and the like, also
in volumes whose other voxels are stored values that nobody rescaled. So values that are all alike are no evidence. What
is: air and lung spread over many values around -1000 to -700, and tissue around 0. Measured limits: docs/input.md.
"""

import math
from dataclasses import dataclass

import numpy as np

AIR_BELOW_HU = -500.0  # a chest CT always shows lung or outside air; an MR or a windowed export never goes there
AIR_FROM_HU = -1100
SCATTER_HU = -1250  # noise of a CT hardly goes below; twice rescaled or doubled values do
MOST = 5000  # beyond that only metal and padding
LOWEST_HU, HIGHEST_HU = -10000.0, 70000.0  # no scatter, no metal goes beyond
LOWEST_PADDING_HU = -33792.0  # -32768 after an intercept of -1024
SPIKE_SHARE = 0.05  # one value in so many voxels is padding, or air that was cut off at it
BAND_HU = 250  # noise of such padding, from its lowest to its highest
MAX_BESIDE_SHARE = 0.001
MAX_VOXELS = 1_000_000  # looked at; of larger volumes every second, third ... along each axis
MIN_AIR_SHARE = 0.05  # 0.18 and more in every real crop
MAX_SCATTER_SHARE = 0.10
AIR_CENTER_HU = (-1100, -550)  # where the median of air and lung lies; -1002 to -634 in real volumes
LUNG_CENTER_HU = (-960, -600)
TISSUE_CENTER_HU = (-150, 150)  # asked for only where there is hardly any air
BONE_FROM_HU = 600
MAX_BONE_SHARE = 0.45  # of what is denser than lung; up to 0.35 in a crop at a rib
MAX_BONE_SHARE_WITHOUT_AIR = 0.15
MUSCLE_HU = (0, 150)
MIN_MUSCLE_SHARE = 0.10  # of what is denser than lung, where outside air is seen; 0.35 and more in whole scans
MIN_MUSCLE_SHARE_WITHOUT_AIR = 0.25
MIN_TISSUE_SHARE = 0.02  # less says nothing
TISSUE_FLOOR_HU = -420  # partial volume at the edge of a small nodule has its median above; -398 and more in crops
MUCH_TISSUE_SHARE = 0.4
MUCH_TISSUE_CENTER_HU = (-250, 250)  # where so much is denser than lung; -148 to 138 in real crops
STRETCHED_LUNG_HU = -740  # lung so dense beside a fifth of bone: a slope that is too large
STRETCHED_BONE_SHARE = 0.2
MANY_VALUES = 20
BROAD_HU = 50  # so wide and hardly a negative value: a picture or an MR in a frame of padding
FEW_NEGATIVE = 0.02
HALVED_AIR_HU = -520  # air of half its value ends at -512
MIN_HIGHEST_HU = 10  # a mask, or values scaled to 0 .. 1


@dataclass(frozen=True)
class Judgement:
    """What was found.

    Attributes:
        refusal: Why the volume cannot hold Hounsfield units, with what to do; "" where it can.
        doubt: Why it cannot be told for sure, with numbers; "" where it can.
    """

    refusal: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class Evidence:
    """Where the voxels lie, values that are all alike (spikes) left out.

    Attributes:
        air: Share of voxels from -1100 to -500.
        scatter: Share below -1250.
        air_center: Median of those up to -500; NaN without any.
        tissue: Share above -500.
        tissue_center: Median of those; NaN without any.
        muscle: Share of those from 0 to 150.
        bone: Share of those above 600.
        negative: Share of those below 0.
        breadth: Width of the middle nine tenths of those.
        highest: The highest of all values, padding apart.
        cut: Share of those that have the lowest of their values, 0 where there are few values.
        soft: Whether any lies from -150 to 150.
        few_values: Whether the volume has hardly more than a handful of values: drawn, not scanned.
        spikes: The values up to -500 that were left out, each with its share of all voxels.
    """

    air: float
    scatter: float
    air_center: float
    tissue: float
    tissue_center: float
    muscle: float
    bone: float
    negative: float
    breadth: float
    highest: float
    cut: float
    soft: bool
    few_values: bool
    spikes: tuple[tuple[int, float], ...]


def judge(values: np.ndarray) -> Judgement:
    """Judge a volume.

    Args:
        values: Voxels (k, j, i), all finite.
    """
    low, high = float(values.min()), float(values.max())
    found = evidence(values)
    if low > AIR_BELOW_HU or (high < 0 and not _all_lung(found)):
        return Judgement(
            f"The voxels run from {low:.0f} to {high:.0f}; a chest CT in Hounsfield units has air (about -1000) and "
            "tissue (0 and more). Choose a CT, not an MR, a mask or a windowed picture, with its rescale slope and "
            "intercept applied."
        )
    if low < LOWEST_PADDING_HU or high > HIGHEST_HU or (low < LOWEST_HU and _several_below(values, LOWEST_HU)):
        return Judgement(
            f"The voxels run from {low:.0f} to {high:.0f}, which no CT in Hounsfield units has. Export it again."
        )
    problem = _problem_with_air(found) if found.air >= MIN_AIR_SHARE else _problem_without_air(found)
    if problem:
        return Judgement(
            f"The voxels are no Hounsfield units: {problem}{_padding(found)}. Choose a CT, not an MR, a mask or a "
            "windowed picture, with its rescale slope and intercept applied once."
        )
    return Judgement(doubt=_doubt(found, high))


def _several_below(values: np.ndarray, bound: float) -> bool:
    """Whether there is more than one value, which padding has."""
    below = values[values < bound]
    return bool(below.min() != below.max())


def evidence(values: np.ndarray) -> Evidence:
    """Count the voxels of a volume (k, j, i), of a large one only part."""
    step = max(1, math.ceil((values.size / MAX_VOXELS) ** (1 / 3)))
    seen = np.clip(values[::step, ::step, ::step], -MOST, MOST)
    counts = np.bincount((np.rint(seen).astype(np.int64) + MOST).ravel(), minlength=2 * MOST + 1)
    hu = np.arange(-MOST, MOST + 1)
    values_seen = np.count_nonzero(counts)
    noisy = _noisy_padding(hu, counts)
    spike = (counts > SPIKE_SHARE * seen.size) & (hu <= AIR_BELOW_HU) & ~noisy
    spikes = [(int(v), float(counts[v + MOST] / seen.size)) for v in hu[spike]]
    if noisy.any():
        spikes.insert(0, (round(_quantile(hu, np.where(noisy, counts, 0), 0.5)), _share(counts, noisy)))
    counts = np.where(spike | noisy, 0, counts)
    dense = np.where(hu > AIR_BELOW_HU, counts, 0)
    return Evidence(
        air=_share(counts, (hu >= AIR_FROM_HU) & (hu <= AIR_BELOW_HU)),
        scatter=_share(counts, hu < SCATTER_HU),
        air_center=_quantile(hu, counts - dense, 0.5),
        tissue=_share(counts, hu > AIR_BELOW_HU),
        tissue_center=_quantile(hu, dense, 0.5),
        muscle=_share(dense, (hu >= MUSCLE_HU[0]) & (hu <= MUSCLE_HU[1])),
        bone=_share(dense, hu > BONE_FROM_HU),
        negative=_share(dense, hu < 0),
        breadth=_quantile(hu, dense, 0.95) - _quantile(hu, dense, 0.05),
        highest=_quantile(hu, dense, 1.0),
        cut=_cut(dense),
        soft=bool(dense[(hu >= TISSUE_CENTER_HU[0]) & (hu <= TISSUE_CENTER_HU[1])].any()),
        few_values=bool(values_seen <= MANY_VALUES),
        spikes=tuple(spikes),
    )


def _noisy_padding(hu: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Which values are padding that was smoothed or made noisy: few, far below air, nothing beside them."""
    lowest = hu[np.flatnonzero(counts)[0]]
    band = (hu >= lowest) & (hu < lowest + BAND_HU)
    beside = (hu >= lowest + BAND_HU) & (hu < lowest + 2 * BAND_HU)
    is_padding = (
        lowest + 2 * BAND_HU <= AIR_FROM_HU
        and _share(counts, band) > SPIKE_SHARE
        and _share(counts, beside) < MAX_BESIDE_SHARE
    )
    return band if is_padding else np.zeros_like(band)


def _share(counts: np.ndarray, where: np.ndarray) -> float:
    return float(counts[where].sum() / max(counts.sum(), 1))


def _quantile(hu: np.ndarray, counts: np.ndarray, part: float) -> float:
    total = np.cumsum(counts)
    return float(hu[np.searchsorted(total, total[-1] * part)]) if total[-1] else math.nan


def _cut(dense: np.ndarray) -> float:
    """Share of the lowest value, if many others lie above it: air and lung of a windowed picture end so."""
    used = np.flatnonzero(dense)
    return float(dense[used[0]] / dense.sum()) if len(used) > MANY_VALUES else 0.0


def _all_lung(found: Evidence) -> bool:
    return found.air >= 0.5 and LUNG_CENTER_HU[0] <= found.air_center <= LUNG_CENTER_HU[1]


def _problem_with_air(found: Evidence) -> str:
    if not AIR_CENTER_HU[0] <= found.air_center <= AIR_CENTER_HU[1] or found.scatter > MAX_SCATTER_SHARE:
        return (
            f"air and lung lie around {found.air_center:.0f} (expected from -1000 to -700), "
            f"{found.scatter:.0%} of the voxels below {SCATTER_HU}"
        )
    if found.tissue < MIN_TISSUE_SHARE:
        return ""
    low, high = MUCH_TISSUE_CENTER_HU
    much = found.tissue >= MUCH_TISSUE_SHARE
    misplaced = found.tissue_center < TISSUE_FLOOR_HU or (much and not low <= found.tissue_center <= high)
    stretched = found.air_center > STRETCHED_LUNG_HU and found.bone > max(found.muscle, STRETCHED_BONE_SHARE)
    no_muscle = found.air_center < LUNG_CENTER_HU[0] and found.muscle < MIN_MUSCLE_SHARE
    return _tissue(found) if misplaced or stretched or no_muscle or found.bone > MAX_BONE_SHARE else ""


def _problem_without_air(found: Evidence) -> str:
    low, high = TISSUE_CENTER_HU
    alike = any(AIR_FROM_HU <= value <= HALVED_AIR_HU for value, _ in found.spikes)  # air or padding, who can tell
    air = alike or found.air > 0
    fits = air and found.few_values and found.soft and found.highest >= MIN_HIGHEST_HU  # drawn, without noise
    fits = fits or (
        air
        and low <= found.tissue_center <= high
        and found.bone <= MAX_BONE_SHARE_WITHOUT_AIR
        and found.muscle >= MIN_MUSCLE_SHARE_WITHOUT_AIR
        and found.scatter <= MAX_SCATTER_SHARE
        and not (1 - found.tissue >= MIN_AIR_SHARE and found.air_center < AIR_CENTER_HU[0])
        and found.cut <= SPIKE_SHARE
        and not (found.negative < FEW_NEGATIVE and found.breadth > BROAD_HU)
        and not (found.air > 0 and found.air_center > HALVED_AIR_HU)
        and found.highest >= MIN_HIGHEST_HU
    )
    return "" if fits else f"{found.air:.1%} of the voxels look like air or lung, and {_tissue(found)}"


def _tissue(found: Evidence) -> str:
    return (
        f"what is denser than lung lies around {found.tissue_center:.0f} (expected around 0 to 80), "
        f"{found.muscle:.0%} of it from {MUSCLE_HU[0]} to {MUSCLE_HU[1]}, {found.bone:.0%} above {BONE_FROM_HU}"
    )


def _padding(found: Evidence) -> str:
    """The values that were left out, in words."""
    listed = ", ".join(f"{value} ({share:.0%} of the voxels)" for value, share in found.spikes)
    return f"; padding was not counted: {listed}" if listed else ""


def _doubt(found: Evidence, high: float) -> str:
    if high < 0:
        return (
            f"No voxel is as dense as soft tissue (the highest is {high:.0f}), so it cannot be told for sure that the "
            f"voxels are Hounsfield units; they were taken as such, since air and lung lie around "
            f"{found.air_center:.0f}."
        )
    if found.air < MIN_AIR_SHARE:
        return (
            f"Only {found.air:.1%} of the voxels look like air or lung{_padding(found)}, so it cannot be told for sure "
            f"that the voxels are Hounsfield units; they were taken as such, since the others lie around "
            f"{found.tissue_center:.0f}."
        )
    return ""

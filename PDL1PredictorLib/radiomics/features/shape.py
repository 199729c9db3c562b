"""Shape features: the mesh around a region, its diameters, and the spread of its voxels.

Definitions: pyradiomics 3.0.1, `shape.py` and `cshape.c`; Lorensen and Cline 1987, doi 10.1145/37402.37422 (marching
cubes); IBSI reference manual, "Morphological features" (HCUG; the code of each is in `table`).
"""

from functools import cache

import numpy as np

from PDL1PredictorLib.radiomics.features.diameters import Diameters, diameters
from PDL1PredictorLib.radiomics.voxels import RegionVoxels

_CORNERS = ((0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0))
_EDGES = ((0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (4, 0), (5, 1), (6, 2), (7, 3))
"""The corners that each edge of a cube joins; the mesh cuts it half way."""

_TABLE = """
- 083 190 183198 12a 08312a 92a029 2832a8a98 b23 b2008b 190b23 b2119b98b 3a1ba3 a1008a8ba 9033b9ba9 98aba8 478 043473
190478 194147173 12a478 34730412a 92a902478 2a9297273479 478b23 b47b24204 190478b23 47b94bb29192 3a1ba3478
ba114b10447b 4789033b9ba9 47b4b99ba 954 954083 054015 854835315 12a954 08312a954 2a5542240 2a5325354834 954b23
b2008b954 054015b23 215258b28548 3a1ba3954 549a1008a8ba 54050ba5bb03 548a58ba8 789579 309539357 780017715 157173
78957912a 12a309395357 0288258572a5 2a5253357 579789b23 579972209b27 b23018178157 21b17b157 7895793a1ba3
5705097b0a10ba0 ba003ba50078570 ba557b 65a 08365a 19065a 18319865a 165126 165126083 965906026 598582526832 b2365a
b2008b65a 190b2365a b2119b98b65a 63b653513 08b0b50515b6 63b036065059 65969bb98 47865a 04347365a 19047865a 19414717365a
478165126 043473165126 478965906026 739479329596269 b2347865a b47b2420465a 190b2347865a 47b94bb2919265a 47863b653513
51b5b610b47b04b 47863b036065059 65969b4797b9 a4964a a4964a083 01aa60640 18316886461a 149124264 149124264083 024426
832824426 b23a4964a b2008ba4964a b2301aa60640 64161a148b2118b 964369139b63 18b081b61149641 63b036640 86468b 67a78a89a
67a0a709a073 67a1a7178018 67a1a7173 126168189678 269129679309739 078706602 273267 b2367a78a89a 207b2709767a9a7
67a1a7178018b23 b2117ba61167 896678169b63136 09167b 07870603bb60 67b
"""
_TRIANGLES = tuple(_TABLE.split())
"""Triangles of a cube by which of its corners 0 to 6 lie inside (bits of the place): edges as hexadecimal digits."""


def shape_features(region: RegionVoxels) -> dict[str, float]:
    """All shape features.

    Args:
        region: At least two voxels along every axis.

    Returns:
        Value by name, as in the table. A length is NaN where rounding makes the spread along its axis negative.
    """
    area, volume = mesh(region.inside, region.spacing_mm)
    widest: Diameters = diameters(region.inside, region.spacing_mm)
    least, minor, major = spread(region)
    k_mm, j_mm, i_mm = region.spacing_mm
    return {
        "Elongation": _root(minor / major),
        "Flatness": _root(least / major),
        "LeastAxisLength": 4 * _root(least),
        "MajorAxisLength": 4 * _root(major),
        "Maximum2DDiameterColumn": widest.coronal,
        "Maximum2DDiameterRow": widest.sagittal,
        "Maximum2DDiameterSlice": widest.axial,
        "Maximum3DDiameter": widest.any,
        "MeshVolume": volume,
        "MinorAxisLength": 4 * _root(minor),
        "Sphericity": (36 * np.pi * volume**2) ** (1.0 / 3.0) / area,
        "SurfaceArea": area,
        "SurfaceVolumeRatio": area / volume,
        "VoxelVolume": region.size * (k_mm * i_mm * j_mm),
    }


def mesh(inside: np.ndarray, spacing_mm: tuple[float, float, float]) -> tuple[float, float]:
    """Area and volume of the mesh that marching cubes draw around a region.

    There are 256 kinds of cubes, so what a kind adds is computed once and multiplied by how often it occurs. A triangle
    (a, b, c) that is moved by v adds v . (a x b + b x c + c x a) to its determinant: the volume needs their places.
    Where voxels meet at an edge only, the mesh has holes, and the volume depends on where the places are counted from:
    here as in pyradiomics, from one voxel before the box.

    Args:
        inside: bool (k, j, i).
        spacing_mm: (k, j, i).

    Returns:
        mm^2 and mm^3.
    """
    padded = np.pad(inside.astype(np.uint8), 1)
    k, j, i = padded.shape
    kinds = np.zeros((k - 1, j - 1, i - 1), np.uint8)
    for bit, (dk, dj, di) in enumerate(_CORNERS):
        kinds |= padded[dk : dk + k - 1, dj : dj + j - 1, di : di + i - 1] << np.uint8(bit)
    at = np.nonzero((kinds != 0) & (kinds != 255))
    kind = kinds[at]
    areas, normals, determinants = _cubes(spacing_mm)
    place = np.stack([index * mm for index, mm in zip(at, spacing_mm, strict=True)], axis=1)
    six_volumes = determinants[kind].sum() + np.einsum("va,va->", normals[kind], place)
    return float(areas[kind].sum()), float(six_volumes / 6)


@cache
def _cubes(spacing_mm: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By kind of cube: area of its triangles, twice their directed area, and the sum of their determinants."""
    corners = np.array(_CORNERS) * np.array(spacing_mm)
    cuts = np.array([(corners[one] + corners[other]) / 2 for one, other in _EDGES])
    areas, normals, determinants = np.zeros(256), np.zeros((256, 3)), np.zeros(256)
    for kind, text in enumerate(_TRIANGLES):
        edges = [int(digit, 16) for digit in text.strip("-")]
        for a, b, c in cuts[np.array(edges, int)].reshape(-1, 3, 3):
            normal = np.cross(a, b) + np.cross(b, c) + np.cross(c, a)
            areas[kind] += np.linalg.norm(np.cross(a - c, b - c)) / 2
            normals[kind] += normal
            determinants[kind] += np.dot(np.cross(a, b), c)
        # the same surface seen from the other side
        areas[255 - kind], normals[255 - kind] = areas[kind], -normals[kind]
        determinants[255 - kind] = -determinants[kind]
    return areas, normals, determinants


def spread(region: RegionVoxels) -> tuple[float, float, float]:
    """Variances of the voxel centers along the three principal axes, rising, in mm^2.

    Rounding below zero is zero, as in pyradiomics.
    """
    covariance = np.empty((3, 3))
    for a, b, along in ((0, 1, 2), (0, 2, 1), (1, 2, 0)):
        seen = region.inside.sum(axis=along)  # how many voxels lie behind each other
        at_a = np.arange(seen.shape[0]) - seen.sum(axis=1) @ np.arange(seen.shape[0]) / region.size
        at_b = np.arange(seen.shape[1]) - seen.sum(axis=0) @ np.arange(seen.shape[1]) / region.size
        covariance[a, a], covariance[b, b] = seen.sum(axis=1) @ at_a**2, seen.sum(axis=0) @ at_b**2
        covariance[a, b] = covariance[b, a] = at_a @ seen @ at_b
    scale = np.array(region.spacing_mm)
    covariance *= scale[:, None] * scale[None, :] / region.size
    values = np.linalg.eigvalsh(covariance)
    values[(values < 0) & (values > -1e-10)] = 0
    least, minor, major = (float(value) for value in values)
    return least, minor, major


def _root(value: float) -> float:
    return float(np.sqrt(value)) if value >= 0 else float("nan")

"""What may be left out of the ring: air outside the patient, and bone."""

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.imaging.lattice import Box, Lattice, canonical_view, sample_hu

AIR_HU = -500.0
OUTSIDE_AIR_HU = -940.0  # room air is about -1000, lung -850 on the whole, severe emphysema about -920
COARSE_MM = 3.0
BONE_HU = 200.0
BONE_ML = 0.5
BONE_SEARCH_MM = 10.0


def outside_air(ct: sitk.Image, lattice: Lattice, box: Box) -> np.ndarray:
    """Voxels of a box that are air outside the patient's body; bool (k, j, i).

    In every axial slice of a coarse version of the whole CT (about 3 mm), an area below -500 HU is outside if it
    reaches the slice's border and its median is below -940 HU, as room air and a scanner's padding are and lung is not.
    So lungs and airways belong to the body, also where the field of view opens them. The coarse areas, widened by one
    coarse voxel, are then cut to the voxels of the box below -500 HU. The table counts as body.
    """
    steps = [max(round(COARSE_MM / mm), 1) for mm in lattice.native_spacing_mm]
    coarse = canonical_view(ct, lattice)[tuple(slice(None, None, step) for step in steps)]
    outside = np.zeros(coarse.shape, bool)
    for values, found in zip(coarse, outside, strict=True):
        labels, _ = ndimage.label(values < AIR_HU)
        edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        for label in np.unique(edge[edge > 0]):
            area = labels == label
            if np.median(values[area]) < OUTSIDE_AIR_HU:
                found |= area
    outside = ndimage.binary_dilation(outside, np.ones((3, 3, 3), bool))
    nearest = [
        np.clip(np.rint(x / step).astype(int), 0, n - 1)
        for x, step, n in zip(lattice.native_positions(box), steps, coarse.shape, strict=True)
    ]
    return np.asarray(outside[np.ix_(*nearest)] & (sample_hu(ct, lattice, box) < AIR_HU))


def bone(ct: sitk.Image, lattice: Lattice, box: Box) -> np.ndarray:
    """Voxels of a box that are bone; bool (k, j, i).

    Bone is 200 HU and more in a connected part (faces) of at least 0.5 mL, searched up to 10 mm beyond the box, so that
    calcified specks stay. A vessel full of contrast agent can count as bone.
    """
    search = box.grown(round(BONE_SEARCH_MM / lattice.spacing_mm)).clipped(lattice.whole)
    labels, _ = ndimage.label(sample_hu(ct, lattice, search) >= BONE_HU)
    large = np.bincount(labels.ravel()) * lattice.spacing_mm**3 >= BONE_ML * 1000
    large[0] = False
    return np.asarray(large[labels][box.slices_in(search)])

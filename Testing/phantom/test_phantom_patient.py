from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.core.case import same_grid
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.phantom.patient import draw_truth, make_patient, scan_tumor
from PDL1PredictorLib.phantom.scanner import draw_scan
from PDL1PredictorLib.phantom.traits import Traits
from PDL1PredictorLib.phantom.tumor import STRIPE_PERIOD_MM

SEED = 3
PLAIN = Traits(size=0.3, lobulation=0, spiculation=-1, texture=-1, necrosis=-1, halo=-1, striation=0)


class Seen:
    """Arrays of a case: HU and mask (k, j, i), spacing (k, j, i) mm, distances from the boundary in mm."""

    def __init__(self, case):
        mask = sitk.GetArrayFromImage(case.tumor) > 0
        spacing = np.array(case.ct.GetSpacing()[::-1])
        voxels = np.argwhere(mask)
        margin = np.ceil(14 / spacing).astype(int)
        low, high = np.maximum(voxels.min(0) - margin, 0), voxels.max(0) + margin + 1
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        self.hu, self.mask = sitk.GetArrayFromImage(case.ct)[box].astype(float), mask[box]
        self.spacing_mm = spacing
        self.depth_mm = ndimage.distance_transform_edt(self.mask, sampling=spacing)
        self.away_mm = ndimage.distance_transform_edt(~self.mask, sampling=spacing)

    @property
    def inside(self):
        return self.hu[self.depth_mm > 3]

    def shell(self, start_mm, end_mm):
        values = self.hu[(self.away_mm > start_mm) & (self.away_mm <= end_mm)]
        return values[values < -300]  # leaves chest wall and large vessels out


@cache
def scanned(index=1, **traits):
    return Seen(scan_tumor(SEED, index, replace(PLAIN, **traits), "tumor")[0])


def stripe_strength(seen, sign):
    """Mean amplitude over the axial slices of the wave that alternates along x + sign * y."""
    k, j, i = np.nonzero(seen.depth_mm > 3)
    _, dy, dx = seen.spacing_mm
    values = seen.hu[k, j, i] - seen.hu[k, j, i].mean()
    waves = values * np.exp(2j * np.pi / STRIPE_PERIOD_MM * (i * dx + sign * j * dy) / np.sqrt(2))
    per_slice = np.bincount(k, waves.real) + 1j * np.bincount(k, waves.imag)
    return np.abs(per_slice).sum() / len(k)


@pytest.fixture(scope="module")
def patients():
    return [make_patient(SEED, index, "tumor") for index in range(1, 21)]


@pytest.fixture(scope="module")
def chest_patient():
    return make_patient(SEED, 1, "chest")


def voxels(image):
    return sitk.GetArrayFromImage(image).tobytes()


def test_the_same_numbers_give_the_same_bytes(patients):
    again = make_patient(SEED, 1, "tumor")
    assert voxels(again.case.ct) == voxels(patients[0].case.ct)
    assert voxels(again.case.tumor) == voxels(patients[0].case.tumor)
    assert (again.labels, again.traits, again.case.clinical) == (
        patients[0].labels,
        patients[0].traits,
        patients[0].case.clinical,
    )


def test_another_seed_or_index_gives_another_patient(patients):
    assert draw_truth(SEED + 1, 1)[0] != patients[0].traits
    assert draw_truth(SEED, 2)[0] != patients[0].traits
    other = make_patient(SEED + 1, 1, "tumor")
    assert voxels(other.case.ct) != voxels(patients[0].case.ct)


def test_the_mask_lies_on_the_grid_of_the_ct_and_both_look_like_a_scan(patients):
    for patient in patients:
        case = patient.case
        assert same_grid(case.ct, case.tumor)
        assert case.ct.GetPixelID() == sitk.sitkInt16
        assert case.tumor.GetPixelID() == sitk.sitkUInt8
        spacing = case.ct.GetSpacing()
        assert 0.7 <= spacing[0] == spacing[1] <= 0.9
        assert 1.0 <= spacing[2] == case.clinical.slice_thickness_mm <= 3.0
        values = sitk.GetArrayViewFromImage(case.ct)
        assert values.min() >= -1024
        assert 200 < values.max() < 1500  # bone, no metal


def test_the_tumor_has_room_around_it(patients):
    for patient in patients:
        voxel = np.argwhere(sitk.GetArrayViewFromImage(patient.case.tumor))
        size, spacing = np.array(patient.case.ct.GetSize()[::-1]), np.array(patient.case.ct.GetSpacing()[::-1])
        room = np.minimum(voxel.min(0), size - 1 - voxel.max(0)) * spacing
        assert room.min() > 12  # for the widest ring that is usual


def test_both_extents_show_the_same_patient(patients, chest_patient):
    tumor_patient = patients[0]
    assert chest_patient.traits == tumor_patient.traits
    assert chest_patient.labels == tumor_patient.labels
    assert chest_patient.scan == tumor_patient.scan
    assert chest_patient.case.clinical == tumor_patient.case.clinical
    small, large = tumor_patient.case, chest_patient.case
    start = large.ct.TransformPhysicalPointToIndex(small.ct.GetOrigin())
    cut = sitk.RegionOfInterest(large.ct, small.ct.GetSize(), start)
    assert same_grid(cut, small.ct)
    assert voxels(sitk.RegionOfInterest(large.tumor, small.ct.GetSize(), start)) == voxels(small.tumor)
    difference = sitk.GetArrayFromImage(cut).astype(float) - sitk.GetArrayFromImage(small.ct)
    interior = difference[1:-1, 4:-4, 4:-4]
    assert abs(interior.mean()) < 0.5
    assert interior.std() == pytest.approx(2**0.5 * chest_patient.scan.noise_hu, rel=0.05)  # only the noise differs


def test_a_chest_has_air_lung_soft_tissue_and_bone_in_plausible_shares(chest_patient):
    case = chest_patient.case
    assert case.ct.GetSize()[:2] == (512, 512)
    assert 95 < case.ct.GetSize()[2] * case.ct.GetSpacing()[2] < 145
    hu = sitk.GetArrayViewFromImage(case.ct)
    body = ndimage.binary_fill_holes(hu[len(hu) // 2] > -250)
    middle = hu[len(hu) // 2]
    assert 0.35 < body.mean() < 0.8
    lung = body & (middle < -700)
    assert 0.2 < lung.sum() / body.sum() < 0.65
    assert -900 < np.median(middle[lung]) < -800
    assert 0.3 < (body & (middle > -150) & (middle < 250)).sum() / body.sum() < 0.8
    assert 0.01 < (body & (middle > 250)).sum() / body.sum() < 0.12


def test_a_sharper_kernel_and_a_thinner_slice_are_noisier():
    scans = [draw_scan(np.random.default_rng(seed)) for seed in range(300)]
    assert all(8 <= scan.noise_hu <= 25 for scan in scans)

    def mean_noise(**wanted):
        return np.mean([s.noise_hu for s in scans if all(getattr(s, name) == v for name, v in wanted.items())])

    assert mean_noise(kernel="soft") < mean_noise(kernel="medium") < mean_noise(kernel="sharp")
    assert mean_noise(slice_mm=3.0) < mean_noise(slice_mm=1.0)


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("size", lambda seen: seen.mask.sum() * seen.spacing_mm.prod()),
        ("texture", lambda seen: seen.inside.std()),
        ("necrosis", lambda seen: -seen.hu[seen.depth_mm > 0.5 * seen.depth_mm.max()].mean()),
        ("halo", lambda seen: seen.shell(0, 3).mean()),
        ("spiculation", lambda seen: seen.shell(3, 9).std()),
        ("lobulation", lambda seen: np.abs(np.diff(seen.mask.astype(float), axis=1)).sum()),
        ("striation", lambda seen: stripe_strength(seen, 1) - stripe_strength(seen, -1)),
    ],
)
def test_more_of_a_trait_shows_more(name, measure):
    values = [measure(seen) for seen in (scanned(**{name: -2.0}), scanned(), scanned(**{name: 2.0}))]
    assert values == sorted(values)
    assert values[2] - values[0] > 0.02 * abs(values[0])


def test_the_volume_is_that_of_the_size_and_not_of_the_lobes():
    for size, lobulation in ((-2.0, 0.0), (0.5, 2.5), (0.5, -2.5)):
        seen = scanned(size=size, lobulation=lobulation)
        expected_mm3 = np.pi / 6 * (30 * np.exp(0.25 * size)) ** 3
        assert seen.mask.sum() * seen.spacing_mm.prod() == pytest.approx(expected_mm3, rel=0.06)


def test_a_halo_is_not_seen_inside_and_texture_not_outside():
    plain, halo, texture = scanned(), scanned(halo=2.0), scanned(texture=2.0)
    assert halo.inside.mean() == pytest.approx(plain.inside.mean(), abs=2)
    assert texture.shell(3, 9).mean() == pytest.approx(plain.shell(3, 9).mean(), abs=2)


def test_a_matched_filter_recovers_the_signed_striation(patients):
    found = []
    for patient in patients:
        seen = Seen(patient.case)
        found.append(stripe_strength(seen, 1) - stripe_strength(seen, -1))
    truth = [patient.traits.striation for patient in patients]
    assert np.corrcoef(found, truth)[0, 1] > 0.9


def test_the_sign_of_the_striation_is_hidden_from_statistics_without_direction():
    for index in (1, 2):
        one, other = scanned(index, striation=1.5), scanned(index, striation=-1.5)
        none = scanned(index, striation=0.0)
        assert (one.mask == other.mask).all()
        assert one.inside.mean() == pytest.approx(other.inside.mean(), abs=1.5)
        assert one.inside.std() == pytest.approx(other.inside.std(), rel=0.04)
        assert one.inside.std() > 1.3 * none.inside.std()  # the amplitude itself is plain to see
        for reach in (1, 2, 4):  # mean squared difference between neighbors along both diagonals
            assert diagonal_contrast(one, reach) == pytest.approx(diagonal_contrast(other, reach), rel=0.05)


def diagonal_contrast(seen, reach):
    inside, total, pairs = seen.depth_mm > 3, 0.0, 0
    for turned in (False, True):
        hu, within = (a[:, :, ::-1] if turned else a for a in (seen.hu, inside))
        both = within[:, reach:, reach:] & within[:, :-reach, :-reach]
        total += ((hu[:, reach:, reach:] - hu[:, :-reach, :-reach])[both] ** 2).sum()
        pairs += both.sum()
    return total / pairs


def test_an_unknown_extent_is_refused():
    with pytest.raises(InputError, match="extent must be one of chest, tumor, got 'head'"):
        make_patient(1, 1, "head")


@pytest.mark.parametrize(
    ("seed", "index", "name"), [(-1, 1, "seed"), (1.5, 1, "seed"), (1, -1, "index"), (1, True, "index")]
)
def test_an_impossible_seed_or_index_is_refused(seed, index, name):
    with pytest.raises(InputError, match=f"phantom's {name} must be a whole number"):
        make_patient(seed, index, "tumor")

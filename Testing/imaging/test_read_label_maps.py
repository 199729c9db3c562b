import numpy as np
import pytest
import SimpleITK as sitk
from mask_image import mask_image

from PDL1PredictorLib.core.case import same_grid
from PDL1PredictorLib.core.errors import EmptyRegionError, GridMismatchError, InputError


def array(image):
    return sitk.GetArrayFromImage(image)


def voxels(chest, *boxes):
    """A label map: every box is (label, slices)."""
    values = np.zeros(chest.GetSize()[::-1], np.uint8)
    for label, box in boxes:
        values[box] = label
    return values


A = np.s_[2:5, 3:8, 4:10]
B = np.s_[7:9, 10:13, 12:20]


@pytest.fixture
def write(chest, filled, tmp_path):
    def save(values, name="mask.nii.gz", grid=chest, **meta):
        image = filled(grid, values)
        for key, value in meta.items():
            image.SetMetaData(key, value)
        path = tmp_path / name
        sitk.WriteImage(image, str(path))
        return path

    return save


@pytest.mark.parametrize("name", ["mask.nii.gz", "mask.nii", "mask.nrrd", "mask.mha", "mask é.mhd"])
@pytest.mark.parametrize("label", [1, 7, 255])
def test_a_single_label_of_any_value_becomes_one(chest, write, name, label):
    mask = mask_image(write(voxels(chest, (label, A)), name), chest)
    assert mask.GetPixelID() == sitk.sitkUInt8
    assert (array(mask) == voxels(chest, (1, A))).all()
    assert same_grid(mask, chest)


def test_a_mask_in_floating_point_is_read(chest, write):
    assert (array(mask_image(write(voxels(chest, (1, A)).astype(np.float32)), chest)) == voxels(chest, (1, A))).all()


def test_of_several_labels_one_must_be_chosen(chest, write):
    path = write(voxels(chest, (2, A), (5, B)))
    with pytest.raises(InputError, match=r"mask.nii.gz holds 2 regions: 2, 5. Choose one by name or number"):
        mask_image(path, chest)
    with pytest.raises(InputError, match=r"no region '3'. It holds: 2, 5"):
        mask_image(path, chest, segment="3")
    assert (array(mask_image(path, chest, segment="5")) == voxels(chest, (1, B))).all()


def test_segments_of_slicer_are_chosen_by_name_or_number(chest, write):
    path = write(
        voxels(chest, (3, A), (1, B)),
        "a.seg.nrrd",
        Segment0_Name="Tumor",
        Segment0_LabelValue="3",
        Segment0_Layer="0",
        Segment1_Name="Lymph node",
        Segment1_LabelValue="1",
        Segment1_Layer="0",
    )
    with pytest.raises(InputError, match=r"2 regions: 1 \(Tumor\), 2 \(Lymph node\)"):
        mask_image(path, chest)
    with pytest.raises(InputError, match=r"no region 'Lung'"):
        mask_image(path, chest, segment="Lung")
    for segment, box in (("Tumor", A), ("1", A), ("Lymph node", B), ("2", B)):
        assert (array(mask_image(path, chest, segment=segment)) == voxels(chest, (1, box))).all()


def test_two_segments_of_one_name_are_told_apart_by_number(chest, write):
    names = {"Segment0_Name": "Tumor", "Segment1_Name": "Tumor"}
    path = write(voxels(chest, (1, A), (2, B)), "a.seg.nrrd", **names, Segment0_LabelValue="1", Segment1_LabelValue="2")
    with pytest.raises(InputError, match="2 regions named 'Tumor'"):
        mask_image(path, chest, segment="Tumor")
    assert (array(mask_image(path, chest, segment="2")) == voxels(chest, (1, B))).all()


def test_overlapping_segments_of_slicer_are_read_from_their_layers(chest, tmp_path):
    layers = [voxels(chest, (1, A)), voxels(chest, (1, np.s_[3:9, 3:9, 4:12]))]
    image = sitk.GetImageFromArray(np.stack(layers, axis=-1), isVector=True)
    image.CopyInformation(chest)
    for n, name in enumerate(("Tumor", "Lobe")):
        image.SetMetaData(f"Segment{n}_Name", name)
        image.SetMetaData(f"Segment{n}_LabelValue", "1")
        image.SetMetaData(f"Segment{n}_Layer", str(n))
    path = tmp_path / "layers.seg.nrrd"
    sitk.WriteImage(image, str(path))
    for n, name in enumerate(("Tumor", "Lobe")):
        assert (array(mask_image(path, chest, segment=name)) == layers[n]).all()


def test_layers_without_names_are_refused(chest, tmp_path):
    layer = sitk.Cast(chest > 0, sitk.sitkUInt8)
    sitk.WriteImage(sitk.Compose(layer, layer), str(tmp_path / "mask.nrrd"))
    with pytest.raises(InputError, match="2 values per voxel and no names of segments"):
        mask_image(tmp_path / "mask.nrrd", chest)


def test_a_segment_without_voxels_is_refused(chest, write):
    path = write(voxels(chest, (1, A)), "a.seg.nrrd", Segment0_Name="Tumor", Segment0_LabelValue="2")
    with pytest.raises(EmptyRegionError, match="mask has no voxel"):
        mask_image(path, chest)


def test_an_empty_mask_is_refused(chest, write):
    with pytest.raises(EmptyRegionError, match=r"mask.nii.gz has no voxel. Outline the tumor"):
        mask_image(write(voxels(chest)), chest)


def test_an_image_given_as_mask_is_refused(chest, filled, tmp_path):
    sitk.WriteImage(filled(chest, array(chest).astype(np.float32) / 7), str(tmp_path / "ct.nii.gz"))
    with pytest.raises(InputError, match="a label map of whole numbers is needed"):
        mask_image(tmp_path / "ct.nii.gz", chest)


def test_a_mask_with_nan_is_refused(chest, write):
    values = voxels(chest, (1, A)).astype(np.float32)
    values[0, 0, 0] = np.nan
    for name in ("mask.nii.gz", "mask.nrrd"):
        with pytest.raises(InputError, match="mask.* has .*voxels that are NaN or infinite"):
            mask_image(write(values, name), chest)


def test_a_flat_mask_is_refused(chest, tmp_path):
    sitk.WriteImage(sitk.Cast(chest[:, :, 3] > 0, sitk.sitkUInt8), str(tmp_path / "mask.nrrd"))
    with pytest.raises(InputError, match="mask mask.nrrd has 2 dimensions"):
        mask_image(tmp_path / "mask.nrrd", chest)


def test_a_mask_that_is_not_there_is_named(chest, tmp_path):
    with pytest.raises(InputError, match=r"none\.nii\.gz does not exist.*mask"):
        mask_image(tmp_path / "none.nii.gz", chest)


def test_the_same_voxels_in_another_order_of_axes_are_the_same_mask(chest, filled, tmp_path):
    mask = filled(chest, voxels(chest, (1, A), (1, B)))
    for code in ("RAS", "PIR", "SAL"):
        sitk.WriteImage(sitk.DICOMOrient(mask, code), str(tmp_path / f"{code}.nii.gz"))
        assert (array(mask_image(tmp_path / f"{code}.nii.gz", chest)) == array(mask)).all()


def test_a_mask_cropped_from_the_cts_grid_is_put_back(chest, filled, tmp_path):
    mask = filled(chest, voxels(chest, (1, A)))
    sitk.WriteImage(mask[3:11, 2:9, 2:5], str(tmp_path / "cropped.nrrd"))
    assert (array(mask_image(tmp_path / "cropped.nrrd", chest)) == array(mask)).all()


def test_a_padded_mask_is_cut_back_unless_voxels_lie_outside(chest, filled, tmp_path):
    mask = filled(chest, voxels(chest, (1, A)))
    padded = sitk.ConstantPad(mask, [2, 3, 1], [1, 1, 4], 0)
    sitk.WriteImage(padded, str(tmp_path / "padded.nrrd"))
    assert (array(mask_image(tmp_path / "padded.nrrd", chest)) == array(mask)).all()
    padded[0, 0, 0] = 1
    sitk.WriteImage(padded, str(tmp_path / "outside.nrrd"))
    with pytest.raises(GridMismatchError, match=r"1 of the mask's 91 voxels lie outside the CT"):
        mask_image(tmp_path / "outside.nrrd", chest)


@pytest.mark.parametrize("change", ["origin", "spacing", "direction"])
def test_a_mask_on_another_grid_is_refused_unless_resampling_is_asked_for(chest, filled, tmp_path, change):
    mask = filled(chest, voxels(chest, (1, A)))
    if change == "origin":
        mask.SetOrigin([x + 0.3 for x in chest.GetOrigin()])
    elif change == "spacing":
        mask.SetSpacing([s * 1.05 for s in chest.GetSpacing()])
    else:
        c, s = np.cos(0.05), np.sin(0.05)
        mask.SetDirection([c, -s, 0, s, c, 0, 0, 0, 1])
    path = tmp_path / "mask.nii.gz"
    sitk.WriteImage(mask, str(path))
    with pytest.raises(GridMismatchError, match="--resample-mask"):
        mask_image(path, chest)
    found = mask_image(path, chest, resample=True)
    assert same_grid(found, chest)
    assert 60 <= int(array(found).sum()) <= 120


def test_resampling_is_linear_cut_at_one_half(chest, grid, filled, tmp_path):
    fine = sitk.Expand(filled(chest, voxels(chest, (1, A))), [3, 3, 3], sitk.sitkNearestNeighbor)
    sitk.WriteImage(fine, str(tmp_path / "fine.nrrd"))
    assert (array(mask_image(tmp_path / "fine.nrrd", chest, resample=True)) == voxels(chest, (1, A))).all()


def test_a_mask_of_another_place_is_refused_after_resampling(chest, filled, tmp_path):
    mask = filled(chest, voxels(chest, (1, A)))
    mask.SetOrigin((1000.3, 0.0, 0.0))
    sitk.WriteImage(mask, str(tmp_path / "far.nrrd"))
    with pytest.raises(EmptyRegionError, match="do not overlap"):
        mask_image(tmp_path / "far.nrrd", chest, resample=True)


def test_rounding_of_a_thousandth_of_a_millimetre_is_the_same_grid(chest, filled, tmp_path):
    mask = filled(chest, voxels(chest, (1, A)))
    mask.SetOrigin([x + 0.0004 for x in chest.GetOrigin()])
    sitk.WriteImage(mask, str(tmp_path / "mask.nrrd"))
    assert mask_image(tmp_path / "mask.nrrd", chest).GetOrigin() == chest.GetOrigin()

"""Volume files and label maps that programs really write, and what disks and copies make of them."""

import gzip
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from campaign import Job
from entry import ACCEPTED, REFUSED, REPAIRED, Entry
from small_inputs import BALL_ML, ball_mask, placed, small_chest

Edit = Callable[[bytearray], None]
AFFINE = np.array([[-1.25, 0, 0, 20.0], [0, -1.5, 0, 30.0], [0, 0, 2.5, 100.0]])  # of the small chest, RAS


def _nifti(edit: Edit, folder: Path) -> Job:
    """CT and mask with the same edit of their headers, so that only the header can be at fault."""
    for name, image in zip(("ct", "mask"), small_chest(), strict=True):
        sitk.WriteImage(image, str(folder / f"{name}.nii"))
        content = bytearray((folder / f"{name}.nii").read_bytes())
        edit(content)
        (folder / f"{name}.nii").write_bytes(content)
    return Job("", "ct", folder / "ct.nii")


def _put(code: str, offset: int, *values: float) -> Edit:
    return lambda content: struct.pack_into(f"<{len(values)}{code}", content, offset, *values)


def _transforms(q_code: int, s_code: int, affine: np.ndarray = AFFINE, pixdim: tuple[float, ...] = ()) -> Edit:
    def edit(content: bytearray) -> None:
        if pixdim:
            struct.pack_into("<3f", content, 80, *pixdim)
        struct.pack_into("<2h", content, 252, q_code, s_code)
        struct.pack_into("<12f", content, 280, *affine.ravel())

    return edit


def _header(what: str, expected: str, edit: Edit, word: str = "") -> Entry:
    return Entry("NIfTI", what, expected, partial(_nifti, edit), word)


_SHEARED = AFFINE + np.array([[0, 0, 0.6, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
_MIRRORED = AFFINE * np.array([[-1], [1], [1]])
_UNIT = np.array([[-1, 0, 0, 20.0], [0, -1, 0, 30.0], [0, 0, 1, 100.0]])

HEADERS = (
    _header("sound", ACCEPTED, lambda content: None),
    _header("pixdim 1 x 1 x 1 beside the right sform", REPAIRED, _transforms(0, 1, pixdim=(1, 1, 1)), "spacing"),
    _header("sform of unit length beside the right qform", REFUSED, _transforms(1, 1, _UNIT)),
    _header("a sheared sform", REFUSED, _transforms(0, 1, _SHEARED), "shear"),
    _header("a sheared sform beside a straight qform", REFUSED, _transforms(1, 1, _SHEARED)),
    _header("left and right differ in qform and sform", REFUSED, _transforms(1, 1, _MIRRORED)),
    _header("neither qform nor sform", REPAIRED, _transforms(0, 0), "orientation_unknown"),
    _header("magic bytes broken", REFUSED, _put("B", 344, 0, 0, 0, 0)),
    _header("spacing 0", REFUSED, lambda c: (_transforms(1, 0)(c), _put("f", 80, 0.0)(c))[0]),
    _header("sizes of 30000 voxels promised", REFUSED, _put("h", 42, 30000, 30000, 30000)),
)


def _file(name: str, change: Callable[[bytes], bytes], folder: Path) -> Job:
    """The CT under a name, its bytes changed."""
    path = folder / name
    if name.endswith(".nii.gz"):
        sitk.WriteImage(small_chest()[0], str(folder / "plain.nii"))
        path.write_bytes(gzip.compress((folder / "plain.nii").read_bytes(), mtime=0))
    else:
        sitk.WriteImage(small_chest()[0], str(path), name.endswith(".nrrd"))
    path.write_bytes(change(path.read_bytes()))
    return Job("", "ct", path)


def _flipped(content: bytes) -> bytes:
    middle = len(content) * 2 // 3
    return content[:middle] + bytes([content[middle] ^ 16]) + content[middle + 1 :]


def _bytes(kind: str, what: str, expected: str, name: str, change: Callable[[bytes], bytes], word: str = "") -> Entry:
    return Entry(kind, what, expected, partial(_file, name, change), word)


FILES = (
    _bytes("NIfTI", "one bit of the gzip stream", REFUSED, "ct.nii.gz", _flipped),
    _bytes("NIfTI", "cut off", REFUSED, "ct.nii", lambda c: c[: len(c) // 2], "cut off"),
    _bytes("NIfTI", "text under its name", REFUSED, "ct.nii", lambda c: b"no picture"),
    _bytes("NRRD", "sound", ACCEPTED, "ct.nrrd", lambda c: c),
    _bytes("NRRD", "one bit of the gzip stream", REFUSED, "ct.nrrd", _flipped),
    _bytes("NRRD", "cut off", REFUSED, "ct.nrrd", lambda c: c[:-40]),
    _bytes(
        "NRRD",
        "metadata that is not UTF-8",
        ACCEPTED,
        "ct.nrrd",
        lambda c: c.replace(b"\n\n", b"\nname:=M\xfcller\n\n", 1),
    ),
    _bytes(
        "NRRD",
        "a data file outside its folder",
        REFUSED,
        "ct.nhdr",
        lambda c: c.replace(b"data file: ct.raw", b"data file: /etc/hostname"),
    ),
    _bytes("MetaImage", "sound", ACCEPTED, "ct.mha", lambda c: c),
    _bytes("MetaImage", "cut off", REFUSED, "ct.mha", lambda c: c[:-40]),
    _bytes(
        "MetaImage",
        "spacing 0",
        REFUSED,
        "ct.mha",
        lambda c: c.replace(b"ElementSpacing = 1.25", b"ElementSpacing = 0.00"),
    ),
)


def _values(values: Callable[[np.ndarray], np.ndarray], folder: Path) -> Job:
    sitk.WriteImage(
        placed(values(sitk.GetArrayFromImage(small_chest()[0]).astype(np.float64))), str(folder / "ct.nrrd")
    )
    return Job("", "ct", folder / "ct.nrrd")


def _padded(hu: np.ndarray, padding: float) -> np.ndarray:
    padded = hu.copy()
    padded[:, :, :5] = padding
    return padded


def _hounsfield(what: str, expected: str, values: Callable[[np.ndarray], np.ndarray]) -> Entry:
    return Entry("Hounsfield units", what, expected, partial(_values, lambda hu: values(hu).astype(np.float32)))


UNITS = (
    _hounsfield("sound", ACCEPTED, lambda hu: hu),
    _hounsfield("padding of -3024", ACCEPTED, lambda hu: _padded(hu, -3024)),
    _hounsfield("stored values (HU + 1024)", REFUSED, lambda hu: hu + 1024),
    _hounsfield("stored values with a padding of -2000", REFUSED, lambda hu: _padded(hu + 1024, -2000)),
    _hounsfield("half of every value", REFUSED, lambda hu: hu / 2),
    _hounsfield("a windowed picture, 0 to 255", REFUSED, lambda hu: np.clip((hu + 1000) / 5.5, 0, 255)),
    _hounsfield("turned about zero", REFUSED, lambda hu: -hu),
    _hounsfield(
        "a voxel that is no number", REFUSED, lambda hu: np.where(np.arange(hu.size).reshape(hu.shape) == 9, np.nan, hu)
    ),
)


def _mask(make: Callable[[], sitk.Image], folder: Path) -> Job:
    sitk.WriteImage(small_chest()[0], str(folder / "ct.nrrd"))
    sitk.WriteImage(make(), str(folder / "mask.nrrd"))
    return Job("", "mask", folder / "mask.nrrd", folder / "ct.nrrd")


def _moved(by_mm: float) -> sitk.Image:
    mask = placed(ball_mask())
    mask.SetOrigin([value + by_mm for value in mask.GetOrigin()])
    return mask


def _turned(radians: float) -> sitk.Image:
    mask = placed(ball_mask())
    c, s = np.cos(radians), np.sin(radians)
    mask.SetDirection([c, -s, 0, s, c, 0, 0, 0, 1])
    return mask


def _two_parts() -> sitk.Image:
    values = ball_mask()
    values[0:5, 0:5, 0:5] = 1
    return placed(values)


def _two_labels() -> sitk.Image:
    values = ball_mask()
    values[0:5, 0:5, 0:5] = 2
    return placed(values)


def _map(what: str, expected: str, make: Callable[[], sitk.Image], word: str = "") -> Entry:
    return Entry("label map", what, expected, partial(_mask, make), word, BALL_ML if expected != REFUSED else None)


LABELS = (
    _map("sound", ACCEPTED, lambda: placed(ball_mask())),
    _map("label 255", ACCEPTED, lambda: placed(ball_mask() * 255)),
    _map("0.99999994 instead of 1", REPAIRED, lambda: placed((ball_mask() * 0.99999994).astype(np.float32)), "rounded"),
    _map("direction off by 1.7e-4", REPAIRED, lambda: _turned(1.7e-4), "snapped"),
    _map("half a millimeter beside", REFUSED, lambda: _moved(0.5)),
    _map("two parts", REPAIRED, _two_parts, "parts_left_out"),
    _map("the CT in place of the mask", REFUSED, lambda: small_chest()[0]),
    _map("no voxel", REFUSED, lambda: placed(0 * ball_mask()), "no voxel"),
    _map("two labels and none chosen", REFUSED, _two_labels, "regions"),
    _map("shares of voxels", REFUSED, lambda: placed((0.7 * ball_mask()).astype(np.float32))),
)

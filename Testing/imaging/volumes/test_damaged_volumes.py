"""Volume files with damage that a checksum, a size or the system tells: refused before memory is asked for."""

import errno
import gzip
import os
import random
import re
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError, PDL1Error
from PDL1PredictorLib.imaging.volumes import files as volume_files
from PDL1PredictorLib.imaging.volumes.files import read_volume

ZIPPED = ("nii.gz", "nrrd", "nhdr", "mha", "mhd")
DATA = {"nhdr": "raw.gz", "mhd": "zraw"}


@pytest.fixture
def zipped(chest, tmp_path):
    """Write the chest compressed; the header's file and the one with the voxels."""

    def write(suffix):
        sitk.WriteImage(chest, str(tmp_path / f"ct.{suffix}"), True)
        return tmp_path / f"ct.{suffix}", tmp_path / f"ct.{DATA.get(suffix, suffix)}"

    return write


def array(loaded):
    return sitk.GetArrayFromImage(loaded.image)


def geometry(image):
    return image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection()


@pytest.mark.parametrize("suffix", ZIPPED)
def test_a_checksum_that_is_not_that_of_the_voxels_is_refused(zipped, suffix):
    path, voxels = zipped(suffix)
    content = bytearray(voxels.read_bytes())
    read_volume(path, "CT")
    content[-6 if suffix not in ("mha", "mhd") else -2] ^= 1  # in the CRC of gzip, in the Adler sum of zlib
    voxels.write_bytes(content)
    with pytest.raises(InputError, match="its checksum is not that of its content"):
        read_volume(path, "CT")


@pytest.mark.parametrize("suffix", ZIPPED)
def test_a_file_without_its_last_bytes_is_cut_off_though_every_voxel_is_there(zipped, suffix):
    path, voxels = zipped(suffix)
    voxels.write_bytes(voxels.read_bytes()[:-3])
    with pytest.raises(InputError, match="cut off"):
        read_volume(path, "CT")


@pytest.mark.parametrize("suffix", ["nii.gz", "nrrd", "nhdr"])
def test_other_bytes_behind_the_voxels_are_refused_and_padding_is_not(zipped, suffix):
    path, voxels = zipped(suffix)
    content, expected = voxels.read_bytes(), array(read_volume(path, "CT"))
    voxels.write_bytes(content + bytes(512))
    assert (array(read_volume(path, "CT")) == expected).all()
    voxels.write_bytes(content + b"rubbish")
    with pytest.raises(InputError, match="cannot be read: it is damaged"):
        read_volume(path, "CT")


def test_a_gzip_file_of_several_members_is_read_whole(zipped):
    path, _ = zipped("nii.gz")
    expected, content = array(read_volume(path, "CT")), gzip.decompress(path.read_bytes())
    path.write_bytes(b"".join(gzip.compress(content[n : n + 5000]) for n in range(0, len(content), 5000)))
    assert (array(read_volume(path, "CT")) == expected).all()


def test_bytes_behind_the_last_voxel_come_with_their_number_where_a_checksum_holds(zipped):
    path, _ = zipped("nii.gz")
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content + b"extra"))
    (warning,) = read_volume(path, "CT").warnings
    assert (warning.code, "5 bytes after its last voxel" in warning.text) == ("extra_bytes", True)
    path.write_bytes(gzip.compress(content + bytes(1000)))  # a face has 240 voxels: a size of the header is wrong
    with pytest.raises(InputError, match="it holds .* or more beyond them"):
        read_volume(path, "CT")
    (path.parent / "ct.nii").write_bytes(content + b"x")
    with pytest.raises(InputError, match="it holds 1 or more beyond them"):
        read_volume(path.parent / "ct.nii", "CT")


@pytest.mark.parametrize("suffix", ["nii.gz", "nii", "nrrd", "mha"])
def test_a_size_that_no_file_holds_is_refused_before_memory_is_asked_for(chest, tmp_path, suffix):
    path = tmp_path / f"ct.{suffix}"
    sitk.WriteImage(chest, str(path), suffix != "nii")
    content = path.read_bytes()
    if suffix == "nii.gz":
        plain = bytearray(gzip.decompress(content))
        struct.pack_into("<3h", plain, 42, 1200, 1200, 1200)
        path.write_bytes(gzip.compress(plain))
    elif suffix == "nii":
        path.write_bytes(content[:42] + struct.pack("<3h", 1200, 1200, 1200) + content[48:])
    else:
        path.write_bytes(content.replace(b"24 20 12", b"1200 1200 1200"))
    tracemalloc.start()
    with pytest.raises(InputError, match="cut off|cannot hold the|cannot be read"):
        read_volume(path, "CT")
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()


def test_a_stream_that_never_ends_is_left_early(tmp_path, zipped):
    path, _ = zipped("nii.gz")
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content + bytes(200_000_000), 1))
    tracemalloc.start()
    with pytest.raises(InputError, match="or more beyond them") as caught:
        read_volume(path, "CT")
    assert int(re.findall(r"holds (\d+) or more", str(caught.value))[0]) < 3_000_000
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_too_little_memory_is_called_so(zipped, monkeypatch):
    path, _ = zipped("nrrd")

    def none_left(*_):
        raise MemoryError

    monkeypatch.setattr(volume_files, "load", none_left)
    with pytest.raises(InputError, match="not enough memory for ct.nrrd"):
        read_volume(path, "CT")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "may not be read"),
        (OSError(errno.EIO, "Input/output error"), "cannot be read: Input/output error"),
    ],
)
def test_what_the_system_forbids_is_said_as_it_is(zipped, monkeypatch, error, words):
    path, _ = zipped("nii.gz")

    def fail(*_, **__):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", fail)
        with pytest.raises(InputError, match=words):
            read_volume(path, "CT")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "exists", fail)
        for read in (lambda: read_volume(path, "CT"), lambda: volume_files.files_of(path)):
            with pytest.raises(InputError, match=words):
                read()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "ct.nii")
    for read in (lambda: read_volume(tmp_path / "ct.nii", "CT"), lambda: volume_files.files_of(tmp_path / "ct.nii")):
        with pytest.raises(InputError, match="ct.nii is no file"):
            read()


@pytest.mark.parametrize("suffix", ["nrrd", "mha"])
def test_infinite_voxels_of_a_compressed_file_are_counted(chest, filled, tmp_path, suffix):
    values = sitk.GetArrayFromImage(chest).astype(np.float32)
    values[0, 0, :3] = np.inf
    sitk.WriteImage(filled(chest, values), str(tmp_path / f"ct.{suffix}"), True)
    with pytest.raises(InputError, match="3 voxels that are NaN or infinite"):
        read_volume(tmp_path / f"ct.{suffix}", "CT")


@pytest.mark.parametrize("suffix", ZIPPED)
def test_of_a_hundred_damaged_files_none_gives_other_voxels(zipped, suffix):
    path, voxels = zipped(suffix)
    content, expected = voxels.read_bytes(), read_volume(path, "CT").image
    start = content.index(zlib_start(suffix))
    chance = random.Random(7)
    for _ in range(100):
        damaged = bytearray(content)
        place = chance.randrange(start, len(content))
        if chance.random() < 0.5:
            damaged[place] = chance.randrange(256)
        else:
            del damaged[place : place + chance.randrange(1, 50)]
        voxels.write_bytes(damaged)
        try:
            found = read_volume(path, "CT").image
        except PDL1Error:
            continue
        assert geometry(found) == geometry(expected)
        assert (sitk.GetArrayFromImage(found) == sitk.GetArrayFromImage(expected)).all()


def zlib_start(suffix):
    return zlib.compress(b"")[:1] if suffix in ("mha", "mhd") else b"\x1f\x8b"

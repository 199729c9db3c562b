"""The voxels of a volume file: read or unzipped once, every byte that the header promises, every checksum held."""

import math
import warnings
import zlib
from collections.abc import Iterator
from io import BufferedReader

import numpy as np

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.volumes.header import Stored, VolumeHeader, damaged

PIECE_BYTES = 1 << 20
MOST_EXPANSION = 1032  # deflate cannot make more bytes of one
GZIP, ZLIB_OR_GZIP = 31, 47  # zlib's window bits
MOST_TEXT_BYTES = 1 << 28


def load(header: VolumeHeader) -> tuple[np.ndarray, int]:
    """The stored values, and how many bytes follow them.

    Args:
        header: What the file promises.

    Returns:
        Values in the machine's byte order, scaled if the header says so, of `header.shape`; bytes left over: none where
        no checksum tells that the others are right, else fewer than the smallest face of the volume holds.

    Raises:
        InputError: Fewer bytes than promised, many more, or a checksum that is not that of the bytes.
        OSError: The file cannot be read.
    """
    stored = header.stored
    count = math.prod(header.shape)
    slack = math.prod(sorted(header.size)[:2]) * stored.dtype.itemsize  # a face: a wrong size is off by one at least
    slack = 1 if stored.coding == "raw" else slack  # a byte that slipped in would move all voxels behind it
    require_room(header)
    if stored.coding == "text":
        return _numbers(stored, count).reshape(header.shape), 0
    raw = np.empty(count * stored.dtype.itemsize, np.uint8)
    with stored.file.open("rb") as stream:
        extra = _copy(stream, stored, raw) if stored.coding == "raw" else _unzip(stream, stored, raw, slack)
    if extra >= slack:
        raise damaged(
            stored.file, f"its header promises {stored.skip + len(raw)} bytes, it holds {extra} or more beyond them"
        )
    values = raw.view(stored.dtype)
    if not stored.dtype.isnative:
        values = values.byteswap(inplace=True).view(stored.dtype.newbyteorder("="))
    return _scaled(values, header.scale).reshape(header.shape), extra


def require_room(header: VolumeHeader) -> None:
    """Refuse what the file cannot hold, before memory is asked for.

    Raises:
        InputError: With the bytes promised and held.
        OSError: The file cannot be asked.
    """
    stored, count = header.stored, math.prod(header.shape)
    promised = stored.skip + count * stored.dtype.itemsize
    held = stored.file.stat().st_size - stored.start
    if stored.stored_bytes is not None and stored.stored_bytes != held:
        raise InputError(
            f"{stored.file.name} is damaged or cut off: its header promises {stored.stored_bytes} compressed bytes, it "
            f"holds {max(held, 0)}. Copy or export it again."
        )
    if stored.coding == "raw" and held < promised:
        raise _cut_off(stored, promised, held)
    if stored.coding in ("gzip", "zlib") and (held <= 0 or promised > MOST_EXPANSION * held):
        raise damaged(
            stored.file, f"{max(held, 0)} compressed bytes cannot hold the {promised} that its header promises"
        )
    if stored.coding == "text" and (held < 2 * count - 1 or held > MOST_TEXT_BYTES):
        raise damaged(stored.file, f"{held} bytes of text for the {count} numbers that its header promises")


def _cut_off(stored: Stored, promised: int, held: int) -> InputError:
    return InputError(
        f"{stored.file.name} is cut off: its header promises {promised} bytes, it holds {max(held, 0)}. "
        "Copy or export it again."
    )


def _copy(stream: BufferedReader, stored: Stored, raw: np.ndarray) -> int:
    stream.seek(stored.start + stored.skip)
    target = raw.data
    while target:
        count = stream.readinto(target)
        if not count:
            raise _cut_off(stored, stored.skip + len(raw), stored.skip + len(raw) - len(target))
        target = target[count:]
    return stored.file.stat().st_size - stored.start - stored.skip - len(raw)


def _unzip(stream: BufferedReader, stored: Stored, raw: np.ndarray, slack: int) -> int:
    """Fill `raw`; the stream is read to its end, for the checksum, unless it goes on for long."""
    stream.seek(stored.start)
    first, last, position = stored.skip, stored.skip + len(raw), 0
    target = raw.data
    try:
        for piece in _pieces(stream, GZIP if stored.coding == "gzip" else ZLIB_OR_GZIP, stored.stored_bytes):
            a, b = max(first - position, 0), min(last - position, len(piece))
            if a < b:
                target[position + a - first : position + b - first] = memoryview(piece)[a:b]
            position += len(piece)
            if position >= last + slack:
                return position - last
    except EOFError as error:
        if position >= last:
            raise InputError(
                f"{stored.file.name} is cut off: its compressed data end before their checksum. Copy or export it "
                "again."
            ) from error
        raise _cut_off(stored, last, position) from error
    except zlib.error as error:
        checked = "incorrect data check" in str(error) or "incorrect length check" in str(error)
        why = "its checksum is not that of its content" if checked else str(error)
        raise damaged(stored.file, why) from error
    if position < last:
        raise _cut_off(stored, last, position)
    return position - last


def _pieces(stream: BufferedReader, window: int, limit: int | None) -> Iterator[bytes]:
    """The decoded stream in bounded pieces, over all members of a gzip file; zlib itself holds every checksum.

    Raises:
        EOFError: It ends within a member.
        zlib.error: It is damaged, or something else follows it.
    """
    left = limit if limit is not None else -1
    decoder, data, started = zlib.decompressobj(window), b"", False
    while True:
        if not data:
            data = stream.read(PIECE_BYTES if left < 0 else min(PIECE_BYTES, left))
            left -= len(data) if left > 0 else 0
        if not data and not started:
            return
        started = True
        piece = decoder.decompress(data, PIECE_BYTES)
        if piece:
            yield piece
        if decoder.eof:
            data = _next_member(decoder.unused_data, stream if limit is None else None)
            decoder, started = zlib.decompressobj(window), False
        elif not data and not piece:
            raise EOFError
        else:
            data = decoder.unconsumed_tail


def _next_member(rest: bytes, stream: BufferedReader | None) -> bytes:
    """What follows a member: another one, or zeros that pad the file, of which nothing is left."""
    rest = rest.lstrip(b"\0")
    while not rest and stream is not None and (more := stream.read(PIECE_BYTES)):
        rest = more.lstrip(b"\0")
    return rest


def _numbers(stored: Stored, count: int) -> np.ndarray:
    with stored.file.open("rb") as stream:
        stream.seek(stored.start + stored.skip)
        text = stream.read().decode("ascii", "replace")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            values = np.fromstring(text, np.float64, sep=" ")
    except (DeprecationWarning, ValueError) as error:
        raise damaged(stored.file, "its text holds more than numbers") from error
    if len(values) != count:
        raise damaged(stored.file, f"its header promises {count} numbers, it holds {len(values)}")
    kind = stored.dtype.newbyteorder("=")
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        fits = (values == np.rint(values)) & (values >= limits.min) & (values <= limits.max)
        if not fits.all():
            raise damaged(stored.file, f"its text holds numbers that are no {kind.name}")
    return values.astype(kind)


def _scaled(values: np.ndarray, scale: tuple[float, float] | None) -> np.ndarray:
    if scale is None:
        return values
    slope, intercept = scale
    kind = np.float64 if values.dtype.itemsize > 4 or values.dtype in (np.int32, np.uint32) else np.float32
    result = np.empty(values.shape, kind)
    with np.errstate(all="ignore"):  # what overflows is found with the voxels that are not finite
        for start in range(0, len(values), PIECE_BYTES):
            part = slice(start, start + PIECE_BYTES)
            result[part] = values[part].astype(np.float64) * slope + intercept
    return result


def not_finite(values: np.ndarray) -> int:
    """How many values are NaN or infinite."""
    if values.dtype.kind != "f":
        return 0
    flat = values.reshape(-1)
    starts = range(0, flat.size, PIECE_BYTES)
    return sum(int(np.count_nonzero(~np.isfinite(flat[start : start + PIECE_BYTES]))) for start in starts)

"""Protobuf messages without their package: fields by number, each of a kind that the reader expects; and written.

What is not expected is refused, not skipped: no field can hide from the checks. Source: protobuf.dev, "Encoding".
"""

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
MAX_TEXT_BYTES = 1024


class Field(NamedTuple):
    """What may stand under a field's number.

    Attributes:
        name: As in the schema.
        kind: `int`, `float` (32 bits), `double` (64 bits), `text`, `bytes` or `message`.
        many: Whether it may stand there more than once. Of what may not, readers of protobuf take the last one or
            join all, so that two readers could see two files.
    """

    name: str
    kind: str
    many: bool = False


Values = dict[str, list[bytes]]
"""Field name to the raw content of each time that it stands there."""

_PACKED = {"int": VARINT, "float": FIXED32, "double": FIXED64}
_WIDTH = {FIXED32: 4, FIXED64: 8}


def fields_of(data: bytes, schema: Mapping[int, Field], where: str) -> Values:
    """The fields of one message.

    Args:
        data: The message.
        schema: Every field that may be in it.
        where: What the message is, for people.

    Raises:
        ValueError: It is damaged, or holds a field that the schema does not name or not so.
    """
    found: Values = {}
    for number, wire, content in _walk(data, where):
        field = schema.get(number)
        if field is None:
            raise ValueError(f"{where} holds the field {number}, which no model of ours needs.")
        single = _PACKED.get(field.kind, LENGTH)
        if wire != single and not (wire == LENGTH and field.many):
            raise ValueError(f"{where}: the field {field.name} is not of the kind {field.kind}.")
        if field.name in found and not field.many:
            raise ValueError(f"{where} holds the field {field.name} twice.")
        found.setdefault(field.name, []).append(content)
    return found


def _walk(data: bytes, where: str) -> Iterator[tuple[int, int, bytes]]:
    position = 0
    while position < len(data):
        key, position = _varint(data, position, where)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            _, end = _varint(data, position, where)
        elif wire == LENGTH:
            length, position = _varint(data, position, where)
            end = position + length
        elif wire in _WIDTH:
            end = position + _WIDTH[wire]
        else:
            raise ValueError(f"{where} is damaged (wire type {wire}).")
        if end > len(data):
            raise ValueError(f"{where} is cut short.")
        yield number, wire, data[position:end]
        position = end


def _varint(data: bytes, position: int, where: str) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise ValueError(f"{where} is cut short.")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >= 1 << 64:
                break
            return value, position
    raise ValueError(f"{where} is damaged (a number of more than 64 bits).")


def texts(values: Values, name: str, where: str) -> list[str]:
    """Every text of a field.

    Raises:
        ValueError: One is not UTF-8, or very long.
    """
    found = []
    for raw in values.get(name, []):
        if len(raw) > MAX_TEXT_BYTES:
            raise ValueError(f"{where}: {name} has {len(raw)} bytes; at most {MAX_TEXT_BYTES} are allowed.")
        try:
            found.append(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise ValueError(f"{where}: {name} is not UTF-8 text.") from error
    return found


def text(values: Values, name: str, where: str) -> str:
    """The text of a field, "" where it is not there."""
    return next(iter(texts(values, name, where)), "")


def integers(values: Values, name: str, where: str) -> list[int]:
    """Every whole number of a field, packed or one by one; signed, 64 bits."""
    found = []
    for raw in values.get(name, []):
        position = 0
        while position < len(raw):
            value, position = _varint(raw, position, where)
            found.append(value - (1 << 64) if value >= 1 << 63 else value)
    return found


def integer(values: Values, name: str, where: str, default: int = 0) -> int:
    """The whole number of a field, `default` where it is not there."""
    return next(iter(integers(values, name, where)), default)


def floats(values: Values, name: str, where: str, kind: str = "float") -> np.ndarray:
    """Every number of a field, packed or one by one; (n,).

    Raises:
        ValueError: The bytes are no whole count of numbers, or a number is not finite.
    """
    raw = b"".join(values.get(name, []))
    width = struct.calcsize("<f" if kind == "float" else "<d")
    if len(raw) % width:
        raise ValueError(f"{where}: {name} is damaged.")
    found = np.frombuffer(raw, dtype=f"<f{width}")
    if not np.isfinite(found).all():
        raise ValueError(f"{where}: {name} holds a number that is not finite.")
    return found


def varint(value: int) -> bytes:
    """A whole number from 0 on, as it is written."""
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def message(number: int, content: bytes) -> bytes:
    """A field of bytes, text or an inner message, as it is written."""
    return varint(number << 3 | LENGTH) + varint(len(content)) + content

"""Ways to damage a file: seeded, and equal on every machine."""

import random
import re
from collections.abc import Callable

NUMBERS = (b"", b"0", b"-1", b"1e999", b"NaN", b"-Infinity", b"4294967295", b"9" * 20, b"1e-320", b"9" * 400)

Mutation = Callable[[random.Random, bytes], bytes]


def flip_bits(rng: random.Random, content: bytes) -> bytes:
    """One to eight bits anywhere, as a failing disk or memory leaves them."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut_off(rng: random.Random, content: bytes) -> bytes:
    """As a copy that was stopped."""
    return content[: rng.randrange(len(content))]


def blank(rng: random.Random, content: bytes) -> bytes:
    """A block of zeros, as a sparse or half synchronized file has."""
    start, stop = _block(rng, content)
    return content[:start] + bytes(stop - start) + content[stop:]


def lose(rng: random.Random, content: bytes) -> bytes:
    """A block that is missing."""
    start, stop = _block(rng, content)
    return content[:start] + content[stop:]


def repeat(rng: random.Random, content: bytes) -> bytes:
    """A block that occurs twice."""
    start, stop = _block(rng, content)
    return content[:stop] + content[start:stop] + content[stop:]


def noise(rng: random.Random, content: bytes) -> bytes:
    """A short block of any bytes."""
    start, stop = _block(rng, content, longest=16)
    return content[:start] + rng.randbytes(stop - start) + content[stop:]


def extreme_bytes(rng: random.Random, content: bytes) -> bytes:
    """Eight bytes that are a huge or negative number in most encodings."""
    start = rng.randrange(max(len(content) - 8, 1))
    value = rng.choice((b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"\xff" * 7 + b"\x7f", b"\x80" + bytes(7), bytes(8)))
    return content[:start] + value + content[start + 8 :]


def other_number(rng: random.Random, content: bytes) -> bytes:
    """A number that is written in digits becomes one that nobody expects."""
    numbers = list(re.finditer(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", content))
    if not numbers:
        return flip_bits(rng, content)
    chosen = rng.choice(numbers)
    value = rng.choice(
        (
            b"0",
            b"-1",
            b"1e999",
            b"NaN",
            b"-Infinity",
            b"4294967295",
            b"99999999999999999999",
            b"1e-320",
            b"",
            b"9" * 400,
        )
    )
    return content[: chosen.start()] + value + content[chosen.end() :]


EVERY: tuple[Mutation, ...] = (flip_bits, cut_off, blank, lose, repeat, noise, extreme_bytes, other_number)


def mutated(seed: int, number: int, content: bytes) -> tuple[str, bytes]:
    """Name of the mutation, and the damaged content, which differs from the sound one."""
    rng = random.Random(seed * 1_000_003 + number)
    while True:
        mutation = rng.choice(EVERY)
        changed = mutation(rng, content)
        if changed != content:
            return mutation.__name__, changed


def _block(rng: random.Random, content: bytes, longest: int = 512) -> tuple[int, int]:
    start = rng.randrange(len(content))
    return start, min(start + rng.randint(1, longest), len(content))

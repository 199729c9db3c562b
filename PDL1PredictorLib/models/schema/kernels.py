"""What a manifest says of the reconstruction kernels of the CTs that a model learned from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PDL1PredictorLib.core.outside_text import one_line
from PDL1PredictorLib.core.strict_json import brief
from PDL1PredictorLib.models.schema.values import count, mapping, texts

MOST_KERNELS, MOST_LETTERS = 64, 40  # more names than that are no kernels, and a list of them warns of nothing


@dataclass(frozen=True)
class TrainingKernels:
    """Kernels of the training CTs, as their scanners or the cohort's table state them.

    Attributes:
        names: Each once, sorted; printable, on one line, at most 40 letters.
        known: Training cases whose kernel is known.
        of: All training cases.

    Raises:
        ValueError: There is none, or a count is not possible.
    """

    names: tuple[str, ...]
    known: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= len(self.names) <= min(MOST_KERNELS, self.known) or self.known > self.of:
            raise ValueError(
                f"training_kernels must hold 1 to {MOST_KERNELS} names, no more than cases of a known kernel, and "
                f"these no more than all; got {len(self.names)} names, {self.known} known of {self.of}."
            )

    def has(self, kernel: str) -> bool:
        """Whether some training CT had this kernel; small and capital letters count alike."""
        return _plain(kernel).casefold() in {name.casefold() for name in self.names}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"names": list(self.names), "known": self.known, "of": self.of}


def kernels_of(stated: Iterable[str | None]) -> TrainingKernels | None:
    """The kernels of a training cohort.

    Args:
        stated: Of every case; None or "" where it is not known.

    Returns:
        None where no kernel is known, or where there are too many different ones for a list that warns.
    """
    every = [_plain(kernel or "") for kernel in stated]
    known = [kernel for kernel in every if kernel]
    first = {kernel.casefold(): kernel for kernel in sorted(known, reverse=True)}
    if not 1 <= len(first) <= MOST_KERNELS:
        return None
    return TrainingKernels(tuple(sorted(first.values())), len(known), len(every))


def read_training_kernels(values: Any) -> TrainingKernels | None:
    """The entry `training_kernels`; None where the bundle does not say, as older ones.

    Raises:
        KeyError: A value is missing.
        ValueError: One is of another type, too long, or contradicts the others.
    """
    if values is None:
        return None
    given = mapping(values, "training_kernels")
    names = texts(given["names"], "training_kernels.names", MOST_KERNELS, MOST_LETTERS)
    unclean = next((name for name in names if _plain(name) != name or not name), None)
    if unclean is not None:
        raise ValueError(f"training_kernels.names must be printable words on one line, got {brief(unclean)}.")
    return TrainingKernels(
        names, count(given["known"], "training_kernels.known"), count(given["of"], "training_kernels.of")
    )


def _plain(kernel: str) -> str:
    """A kernel on one line; several values of a DICOM element are parted by a backslash."""
    return one_line(kernel.replace("\\", " "))[:MOST_LETTERS].strip()

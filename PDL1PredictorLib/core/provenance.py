"""What made a result: versions, one list of packages for all; and how its contour was drawn, where that is known."""

import importlib.metadata
import math
import platform
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from PDL1PredictorLib.core.outside_text import one_line

PREDICTING = (
    "numpy",
    "scipy",
    "SimpleITK",
    "onnxruntime",
    "torch",
    "PyWavelets",
    "numba",
    "pyradiomics",
)
TRAINING = (*PREDICTING, "scikit-learn", "skl2onnx", "safetensors")
NOTES = "PDL1_"  # how the names of an outline's notes begin, in files and as tags of 3D Slicer's segments
ORIGIN = f"{NOTES}Origin"
STATUS_NOTE = f"{NOTES}Status"
SEMIAUTOMATIC = "semi-automatic"
CHECKED, UNCHECKED = "completed", "inprogress"  # values of 3D Slicer's status of a segment
MOST_LETTERS, MOST_CODES = 120, 20
Point = tuple[float, float, float]


def versions(packages: tuple[str, ...] = PREDICTING) -> dict[str, str]:
    """Python and those of the packages that are installed, by name, without loading them."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True)
class Outline:
    """How a contour was drawn from a click. What is not known of it is "", () or None.

    Attributes:
        method: `classical`, or `network` with its name and version.
        version: Of this library when it was drawn.
        prompt: `point` or `line`.
        points_lps_mm: The point, or both ends of the line; LPS, in mm.
        warnings: Codes of what was told when it was drawn.
        created_utc: When, ISO 8601.
        voxels: What was drawn, as `imaging.file_hashes.region_print` has it.
        edited: Whether it is another contour now.
        checked: Whether a reader has confirmed it, as the segment's status says.
    """

    method: str = ""
    version: str = ""
    prompt: str = ""
    points_lps_mm: tuple[Point, ...] = ()
    warnings: tuple[str, ...] = ()
    created_utc: str = ""
    voxels: str = ""
    edited: bool | None = None
    checked: bool = False

    @property
    def short(self) -> str:
        """In two words: `semi-automatic`, or `semi-automatic, edited`."""
        return f"{SEMIAUTOMATIC}, edited" if self.edited else SEMIAUTOMATIC

    @property
    def text(self) -> str:
        """In words: `semi-automatic (classical, from a point), edited by a reader, checked by a reader`."""
        since = {None: "", False: ", as drawn", True: ", edited by a reader"}[self.edited]
        how = ", ".join(part for part in (self.method, f"from a {self.prompt}" if self.prompt else "") if part)
        seen = "checked by a reader" if self.checked else "not yet checked by a reader"
        return f"{SEMIAUTOMATIC}{f' ({how})' if how else ''}{since}, {seen}"

    def notes(self) -> dict[str, str]:
        """By name, for files and tags; `outline_of` reads it."""
        return {
            ORIGIN: f"{SEMIAUTOMATIC}: drawn from a click, to be checked by a reader",
            f"{NOTES}Method": self.method,
            f"{NOTES}Version": self.version,
            f"{NOTES}Prompt": self.prompt,
            f"{NOTES}PointsLPS": " ".join(",".join(f"{x:.2f}" for x in point) for point in self.points_lps_mm),
            f"{NOTES}Warnings": " ".join(self.warnings),
            f"{NOTES}CreatedUTC": self.created_utc,
            f"{NOTES}Voxels": self.voxels,
            STATUS_NOTE: CHECKED if self.checked else UNCHECKED,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Back from its entry in `result.json`.

        Raises:
            TypeError: A field is not known, or is no list.
        """
        points = tuple((float(x), float(y), float(z)) for x, y, z in values["points_lps_mm"])
        return cls(**{**values, "points_lps_mm": points, "warnings": tuple(map(str, values["warnings"]))})

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def outline_of(notes: Mapping[str, str]) -> Outline | None:
    """What a file's or segment's notes say of its contour; None where they do not say that it is semi-automatic.

    They come from outside: what is not of the form that `Outline.notes` gives is taken as not known.
    """
    if not notes.get(ORIGIN, "").startswith(SEMIAUTOMATIC):
        return None

    def text(name: str, form: str = r".*") -> str:
        found = one_line(notes.get(f"{NOTES}{name}", ""))
        return found if len(found) <= MOST_LETTERS and re.fullmatch(form, found) else ""

    codes = re.findall(r"\b[a-z_]{1,40}\b", notes.get(f"{NOTES}Warnings", ""))
    return Outline(
        method=text("Method"),
        version=text("Version"),
        prompt=text("Prompt", "point|line"),
        points_lps_mm=_points(text("PointsLPS")),
        warnings=tuple(codes[:MOST_CODES]),
        created_utc=text("CreatedUTC", r"[0-9T:.+Z-]*"),
        voxels=text("Voxels", r"[0-9a-f]{32}@[0-9.,-]+"),
        checked=notes.get(STATUS_NOTE) == CHECKED,
    )


def _points(text: str) -> tuple[Point, ...]:
    """One point or two; none where it is neither."""
    try:
        points = [tuple(map(float, part.split(","))) for part in text.split()]
    except ValueError:
        return ()
    fits = len(points) in (1, 2) and all(len(p) == 3 and all(map(math.isfinite, p)) for p in points)
    return tuple((p[0], p[1], p[2]) for p in points) if fits else ()

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
SEMIAUTOMATIC, AUTOMATIC = "semi-automatic", "automatic"
CLICK, TOLD = "drawn from a click, to be checked by a reader", "as its file says"
ALGORITHM_TYPE, ALGORITHM_NAME = "DICOM.SegmentAlgorithmType", "DICOM.SegmentAlgorithmName"  # tags of 3D Slicer
_KINDS = {"SEMIAUTOMATIC": SEMIAUTOMATIC, "AUTOMATIC": AUTOMATIC}  # by the name in DICOM; MANUAL is a reader's own
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
    """How a contour came about that no reader has drawn by hand. What is not known of it is "", () or None.

    Attributes:
        method: `classical`, or `network` with its name and version; of another program the name of its algorithm.
        version: Of this library when it was drawn.
        prompt: `point` or `line`.
        points_lps_mm: The point, or both ends of the line; LPS, in mm.
        warnings: Codes of what was told when it was drawn.
        created_utc: When, ISO 8601.
        voxels: What was drawn, as `imaging.file_hashes.region_print` has it.
        edited: Whether it is another contour now.
        checked: Whether a reader has confirmed it, as the segment's status says; None where nothing says it.
        kind: `semi-automatic`, or `automatic`.
        clicked: Whether this library drew it from a click; else its file says so of another program.
    """

    method: str = ""
    version: str = ""
    prompt: str = ""
    points_lps_mm: tuple[Point, ...] = ()
    warnings: tuple[str, ...] = ()
    created_utc: str = ""
    voxels: str = ""
    edited: bool | None = None
    checked: bool | None = False
    kind: str = SEMIAUTOMATIC
    clicked: bool = True

    @property
    def short(self) -> str:
        """In two words: `semi-automatic`, or `semi-automatic, edited`."""
        return f"{self.kind}, edited" if self.edited else self.kind

    @property
    def text(self) -> str:
        """In words: `semi-automatic (classical, from a point), edited by a reader, checked by a reader`."""
        since = {None: "", False: ", as drawn", True: ", edited by a reader"}[self.edited]
        how = ", ".join(part for part in (self.method, f"from a {self.prompt}" if self.prompt else "") if part)
        seen = {
            True: "checked by a reader",
            False: "not yet checked by a reader",
            None: "whether a reader has checked it is not known",
        }[self.checked]
        told = "" if self.clicked else f", {TOLD}"
        return f"{self.kind}{f' ({how})' if how else ''}{told}{since}, {seen}"

    def notes(self) -> dict[str, str]:
        """By name, for files and tags; `outline_of` reads it."""
        return {
            ORIGIN: f"{self.kind}: {CLICK if self.clicked else TOLD}",
            f"{NOTES}Method": self.method,
            f"{NOTES}Version": self.version,
            f"{NOTES}Prompt": self.prompt,
            f"{NOTES}PointsLPS": " ".join(",".join(f"{x:.2f}" for x in point) for point in self.points_lps_mm),
            f"{NOTES}Warnings": " ".join(self.warnings),
            f"{NOTES}CreatedUTC": self.created_utc,
            f"{NOTES}Voxels": self.voxels,
            STATUS_NOTE: {True: CHECKED, False: UNCHECKED, None: ""}[self.checked],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Back from its entry in `result.json`; older ones lack kind and click.

        Raises:
            TypeError: A field is not known, or is no list.
        """
        points = tuple((float(x), float(y), float(z)) for x, y, z in values["points_lps_mm"])
        return cls(**{**values, "points_lps_mm": points, "warnings": tuple(map(str, values["warnings"]))})

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def outline_of(notes: Mapping[str, str]) -> Outline | None:
    """What a file's or segment's notes say of its contour; None where they do not say that a program has drawn it.

    They come from outside: what is not of the form that `Outline.notes` gives is taken as not known.

    Args:
        notes: By the names of `Outline.notes`; or the type and name of an algorithm, as DICOM has them, under the tags
            that 3D Slicer gives a segment of a DICOM SEG.
    """
    kind, colon, told = notes.get(ORIGIN, "").partition(":")
    if kind not in _KINDS.values():
        return _of_algorithm(notes)
    clicked = kind == SEMIAUTOMATIC and not (colon and told.strip() == TOLD)

    def text(name: str, form: str = r".*") -> str:
        found = _bounded(notes.get(f"{NOTES}{name}", ""))
        return found if re.fullmatch(form, found) else ""

    codes = re.findall(r"\b[a-z_]{1,40}\b", notes.get(f"{NOTES}Warnings", ""))
    return Outline(
        method=text("Method"),
        version=text("Version"),
        prompt=text("Prompt", "point|line"),
        points_lps_mm=_points(text("PointsLPS")),
        warnings=tuple(codes[:MOST_CODES]),
        created_utc=text("CreatedUTC", r"[0-9T:.+Z-]*"),
        voxels=text("Voxels", r"[0-9a-f]{32}@[0-9.,-]+"),
        checked=_checked(notes, False if clicked else None),
        kind=kind,
        clicked=clicked,
    )


def _of_algorithm(notes: Mapping[str, str]) -> Outline | None:
    kind = _KINDS.get(notes.get(ALGORITHM_TYPE, "").strip())
    if kind is None:
        return None
    name = _bounded(notes.get(ALGORITHM_NAME, ""))
    return Outline(method=name, checked=_checked(notes, None), kind=kind, clicked=False)


def _checked(notes: Mapping[str, str], unsaid: bool | None) -> bool | None:
    return {CHECKED: True, UNCHECKED: False}.get(notes.get(STATUS_NOTE, ""), unsaid)


def _bounded(text: str) -> str:
    """On one line, with nothing that is obeyed; "" where it is longer than any note of ours."""
    found = one_line(text)
    return found if len(found) <= MOST_LETTERS else ""


def _points(text: str) -> tuple[Point, ...]:
    """One point or two; none where it is neither."""
    try:
        points = [tuple(map(float, part.split(","))) for part in text.split()]
    except ValueError:
        return ()
    fits = len(points) in (1, 2) and all(len(p) == 3 and all(map(math.isfinite, p)) for p in points)
    return tuple((p[0], p[1], p[2]) for p in points) if fits else ()

"""A cohort from plain folders: images and masks paired by their names, labels joined from a table."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from PDL1PredictorLib.cohort.clinical.cells import CLINICAL
from PDL1PredictorLib.cohort.files import Row, read_rows
from PDL1PredictorLib.cohort.importing.expression import add_expression_by_block
from PDL1PredictorLib.cohort.importing.pathology import labels_of_pathology
from PDL1PredictorLib.cohort.table import OPTIONAL
from PDL1PredictorLib.cohort.writing import Imported, TableRow, known, own_column
from PDL1PredictorLib.core.endpoints import ENDPOINT_COLUMNS
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.volumes.files import SUFFIXES

PAIRS = (  # image, mask: * is the case; without suffix, any volume file or a DICOM folder
    ("*_image", "*_mask"),
    ("*_ct", "*_tumor"),
    ("*_ct", "*_mask"),
    ("image/*", "mask/*"),
    ("images/*", "masks/*"),
    ("*/image", "*/mask"),
    ("*/ct", "*/tumor"),
    ("*/ct", "*/mask"),
)
OTHER_NAMES = {"age": "age_years", "gender": "sex"}
SURVIVAL = {"survival_days": "OS_days", "event": "OS_event"}  # both or neither
STAGE_NAMES, HISTOLOGY = ("pt", "pathological t stage"), "histology"
MASK_SUFFIXES = (*(f".seg{suffix}" for suffix in (".nrrd", ".nhdr")), *SUFFIXES, ".dcm")


def import_folder(
    folder: Path,
    image: str | None = None,
    mask: str | None = None,
    labels: Path | None = None,
    expression: Path | None = None,
) -> Imported:
    """Pair the images and masks of a folder.

    Args:
        folder: Searched with its subfolders.
        image: Pattern of the images' paths below the folder, without suffix, with one * for the name of the case, such
            as `scans/*_ct`; None tries the usual ones.
        mask: Pattern of the masks.
        labels: CSV or Parquet with the column `case` and clinical values and labels; words such as "Unknown" count as
            empty, columns that are not known are kept under another name. `pT` and `histology` give the labels T4, PT2
            and SQUAMOUS, `survival_days` and `event` the time OS, where the table does not.
        expression: Table of gene expression, see `importing.expression`.

    Raises:
        InputError: Nothing could be paired, a pattern is not one, or the table of labels does not fit.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder. Choose the folder with the images and masks.")
    if (image is None) != (mask is None):
        raise InputError("Give both patterns, of the images and of the masks, or neither.")
    pairs = PAIRS if image is None or mask is None else ((image, mask),)
    paths = _paths(folder)
    found = [(_matches(paths, one), _matches(paths, other)) for one, other in pairs]
    images, masks = max(found, key=lambda both: len(both[0].keys() & both[1].keys()))
    both = sorted(images.keys() & masks.keys())
    if not both:
        tried = "; ".join(f"{one} with {other}" for one, other in pairs)
        raise InputError(
            f"{folder} holds no image with a mask. Looked for: {tried}. Say how they are called (--image, --mask)."
        )
    rows = [{"case": name, "image": str(images[name]), "mask": str(masks[name])} for name in both]
    notes = [
        *_left_out("without a mask", images.keys() - masks.keys()),
        *_left_out("a mask without an image", masks.keys() - images.keys()),
    ]
    if labels is not None:
        notes += _join(rows, labels)
    if expression is not None:
        notes += add_expression_by_block(rows, expression)
    return Imported(rows, tuple(notes))


def _paths(folder: Path) -> dict[str, Path]:
    """Relative path without suffix, such as `a/ct`, to the file or folder."""
    found: dict[str, Path] = {}
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in (*folders, *sorted(files)):
            path = Path(parent) / name
            suffix = next((s for s in MASK_SUFFIXES if name.lower().endswith(s)), "")
            if (suffix or path.is_dir()) and not name.startswith("."):
                relative = path.relative_to(folder).as_posix()
                found[relative[: len(relative) - len(suffix)]] = path
    return found


def _matches(paths: dict[str, Path], pattern: str) -> dict[str, Path]:
    """Case to path; the star is one part of a path or, in front, several."""
    if pattern.count("*") != 1:
        raise InputError(f"The pattern {pattern!r} needs one *, which stands for the name of the case.")
    expression = re.compile(re.escape(pattern).replace(r"\*", "(.+)"), re.IGNORECASE)
    matched = ((expression.fullmatch(relative), path) for relative, path in paths.items())
    return {match.group(1).replace("/", "_"): path for match, path in matched if match}


def _left_out(what: str, names: Sequence[str] | set[str]) -> list[str]:
    return [f"Left out, {what}: {', '.join(sorted(names))}."] if names else []


def _join(rows: list[TableRow], labels: Path) -> list[str]:
    columns, found = read_rows(labels)
    if "case" not in columns:
        raise InputError(f"{labels} has no column 'case', by which labels and images are joined.")
    names = {row.get("case") for row in found}
    if len(names) < len(found):
        raise InputError(f"{labels} names a case twice. Keep one row of each.")
    renamed = {column: _known_column(column) for column in columns if column not in ("case", "image", "mask")}
    survival = _survival(columns)
    renamed |= survival
    by_case = {row.get("case"): row for row in found}
    for row in rows:
        values = by_case.get(row["case"])
        if values is not None:
            row.update({new: known(values.get(column)) for column, new in renamed.items()})
            row.update({key: text for key, text in _pathology(values, columns).items() if not row.get(key)})
    cases = {row["case"] for row in rows}
    return [
        *(["OS is survival_days until death (event)."] if survival else []),
        *_left_out("labels without images", names - cases),
        *_left_out("images without labels", cases - names),
    ]


def _survival(columns: Sequence[str]) -> dict[str, str]:
    """Columns that are the time to death and whether it came, to those of `OS`; none where the table has it itself."""
    lower = {column.strip().lower(): column for column in columns}
    has_both = all(name in lower for name in SURVIVAL)
    has_own = any(new.lower() in lower for new in SURVIVAL.values())
    return {lower[name]: new for name, new in SURVIVAL.items()} if has_both and not has_own else {}


def _pathology(values: Row, columns: Sequence[str]) -> dict[str, str]:
    lower = {column.strip().lower(): known(values.get(column)) for column in columns}
    stage = next((lower[name] for name in STAGE_NAMES if name in lower), "")
    return labels_of_pathology(stage, lower.get(HISTOLOGY, ""))


def _known_column(name: str) -> str:
    usual = {column.lower(): column for column in (*OPTIONAL, *CLINICAL, *ENDPOINT_COLUMNS)}
    lower = name.strip().lower()
    return usual.get(OTHER_NAMES.get(lower, lower)) or own_column(name)

"""What the reader of cohort tables needs from files: the cells of a table, and whether images can be used."""

import csv
import io
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from PDL1PredictorLib.core.case import MIN_SLICES, Case
from PDL1PredictorLib.core.errors import InputError, PDL1Error
from PDL1PredictorLib.core.lazy import require_module
from PDL1PredictorLib.imaging.read import read_ct, read_mask
from PDL1PredictorLib.imaging.volume_files import SUFFIXES, read_header, reason

NEEDS_PYARROW = "Install pdl1predictor[train], or write the table as CSV."


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        number: As a spreadsheet counts: the header is row 1.
        cells: Column to text without outer spaces; "" where empty.
        fault: Why the row cannot be read, "" where it can.
    """

    number: int
    cells: dict[str, str] = field(default_factory=dict)
    fault: str = ""

    def get(self, column: str) -> str:
        """A cell; "" where the table has no such column."""
        return self.cells.get(column, "")


def read_rows(path: Path) -> tuple[tuple[str, ...], list[Row]]:
    """The columns and rows of a CSV or Parquet file, all cells as text.

    Raises:
        InputError: It is not there, is no such file, or names a column twice.
        MissingPackageError: pyarrow is needed for Parquet.
    """
    if not path.is_file():
        raise InputError(f"{path} is no file. Choose the table of the cohort, a CSV or Parquet file.")
    columns, rows = _read_parquet(path) if path.suffix.lower() in (".parquet", ".pq") else _read_csv(path)
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise InputError(f"{path} has two columns with the name {', '.join(twice)}. Keep one of each.")
    return tuple(columns), rows


def _read_csv(path: Path) -> tuple[list[str], list[Row]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text. Save it as 'CSV UTF-8', or as Parquet.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)  # spreadsheets of some countries write semicolons
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise InputError(f"{path} is not a CSV table: {error}.") from error
    if not lines:
        raise InputError(f"{path} is empty. The first row must name the columns: case, image, mask ...")
    columns = [name.strip() for name in lines[0]]
    while columns and not columns[-1]:  # empty columns at the end, as spreadsheets leave them
        columns.pop()
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = [cell.strip() for cell in line]
        if any(cells):
            rows.append(_csv_row(number, columns, cells))
    return columns, rows


def _csv_row(number: int, columns: list[str], cells: list[str]) -> Row:
    extra = any(cells[len(columns) :])
    if len(cells) < len(columns) or extra:
        fault = f"has {len(cells)} cells, the header {len(columns)}; a cell with a separator in it needs quotes"
        return Row(number, fault=fault)
    return Row(number, dict(zip(columns, cells, strict=False)))


def _read_parquet(path: Path) -> tuple[list[str], list[Row]]:
    parquet = require_module("pyarrow.parquet", NEEDS_PYARROW)
    try:
        table = parquet.ParquetFile(path).read()
    except Exception as error:
        raise InputError(f"{path} is not a whole Parquet file ({reason(error)}). Write it again.") from error
    rows = [
        Row(number, {name: _text(value) for name, value in values.items()})
        for number, values in enumerate(table.to_pylist(), start=2)
    ]
    return list(table.column_names), rows


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def unreadable(image: Path, mask: Path, segment: str | None) -> str:
    """Why image and mask cannot be used together, "" where they can.

    Two volume files whose headers agree are not read further; all others, and DICOM, are read as training reads them.
    """
    if _headers_agree(image, mask):
        return ""
    try:
        ct = read_ct(image).image
        Case(ct, read_mask(mask, ct, segment).image)
    except PDL1Error as error:
        return str(error).rstrip(".")
    return ""


def _headers_agree(image: Path, mask: Path) -> bool:
    grids = []
    for path in (image, mask):
        if not path.name.lower().endswith(SUFFIXES):
            return False
        try:
            header = read_header(path, "volume")
        except InputError:
            return False
        if header.component_axis is not None or min(header.size) < MIN_SLICES:
            return False
        place = header.place
        grids.append((header.size, place.spacing_mm, place.origin_mm, place.direction))
    (size, *places), (mask_size, *mask_places) = grids
    return size == mask_size and all(
        np.allclose(a, b, rtol=0, atol=1e-5) for a, b in zip(places, mask_places, strict=True)
    )

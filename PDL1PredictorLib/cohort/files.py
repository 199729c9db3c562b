"""What the reader of cohort tables needs from files: the cells of a table, and whether images can be used."""

import csv
import io
import math
from dataclasses import dataclass, field
from pathlib import Path

from PDL1PredictorLib.core.errors import InputError, PDL1Error
from PDL1PredictorLib.core.lazy import require_module
from PDL1PredictorLib.core.outside_text import plain_cell
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.case_files import Files, read_one_tumor
from PDL1PredictorLib.imaging.regions import make_regions
from PDL1PredictorLib.imaging.volumes.files import reason

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
    columns = [plain_cell(name.strip()).strip() for name in lines[0]]
    while columns and not columns[-1]:  # empty columns at the end, as spreadsheets leave them
        columns.pop()
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = [plain_cell(cell.strip()).strip() for cell in line]
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


@dataclass(frozen=True)
class Examined:
    """What opening a case's files showed.

    Attributes:
        fault: Why image and mask cannot be used together, "" where they can.
        warnings: What must be known before its values are believed.
    """

    fault: str
    warnings: tuple[CaseWarning, ...] = ()


def examine(image: Path, mask: Path, segment: str | None, pet: Path | None = None) -> Examined:
    """Read the files of a case as a prediction reads them, choose its tumor and draw its regions."""
    try:
        read = read_one_tumor(Files(image, mask, segment, pet=pet))
        regions = make_regions(read.case, RegionSettings())
    except PDL1Error as error:
        return Examined(str(error).rstrip("."))
    return Examined("", (*read.warnings, *regions.warnings))

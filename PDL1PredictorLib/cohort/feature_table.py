"""The features of a whole cohort as one table, for researchers: a row a case."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.files.output import whole_file
from PDL1PredictorLib.core.outside_text import safe_cell
from PDL1PredictorLib.core.results import codes

STORED_AS = {"binary": np.int8, "number": np.float64, "time": np.float64}
SUFFIXES = (".parquet", ".csv")


def feature_table(cohort: PreparedCohort) -> pa.Table:
    """Columns: case, warnings (codes), the endpoints (empty where unknown), the features (empty where undefined)."""
    told = [codes(cohort.case_warnings.get(name, ())) for name in cohort.names]
    columns: dict[str, pa.Array] = {"case": pa.array(cohort.names), "warnings": pa.array(told, pa.string())}
    for key, target in cohort.targets.items():
        values = np.nan_to_num(target.values).astype(STORED_AS[target.kind])
        own = [values] if target.event is None else [values, target.event.astype(np.int8)]
        for name, cells in zip(endpoint(key).columns, own, strict=True):
            columns[name] = pa.array(cells, mask=~target.known)
    for column, name in enumerate(cohort.feature_names):
        values = cohort.features[:, column]
        columns[name] = pa.array(values, mask=np.isnan(values))
    return pa.table(columns)


def require_table_name(path: Path) -> None:
    """Refuse a name that does not say which kind of table is meant: better before the work than after it.

    Raises:
        InputError: The suffix is not known.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path.name} must end in {' or '.join(SUFFIXES)}, which says what kind of table is written.")


def write_feature_table(cohort: PreparedCohort, path: Path, overwrite: bool = False) -> None:
    """Write the table as Parquet or CSV, whole or not at all.

    Raises:
        InputError: The suffix is neither .parquet nor .csv.
        OutputError: The file exists, or cannot be written.
    """
    require_table_name(path)
    content, table = io.BytesIO(), feature_table(cohort)
    if path.suffix.lower() == ".csv":
        names = pa.array([safe_cell(name) for name in cohort.names], pa.string())
        csv.write_csv(table.set_column(0, "case", names), content, csv.WriteOptions(quoting_style="needed"))
    else:
        parquet.write_table(table, content)
    if overwrite and path.is_file() and path.read_bytes() == content.getvalue():
        return  # nothing new to say
    with whole_file(path, overwrite) as draft:
        draft.write_bytes(content.getvalue())

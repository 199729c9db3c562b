"""Labels by RNA: a gene is high where it is above the median of its block of samples.

Expression of two sequencing runs is not on one scale. A cut inside each block keeps the run out of the label, and
training can keep the blocks apart in its folds (`pdl1 train --stratify`).
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from PDL1PredictorLib.cohort.files import Row, read_rows
from PDL1PredictorLib.cohort.writing import TableRow, known, own_column
from PDL1PredictorLib.core.errors import InputError

LABELS = {"CD274": "PDL1_RNA", "CD8A": "CD8"}  # gene to yes/no endpoint
LEVELS = {"CD274_log10": "CD274"}  # column to the endpoint that is a number, in this unit
BLOCK = "block"
KEPT = (BLOCK, "matched_by")  # columns that go into the table as the user's own
LEAST = 2  # samples of a block


def add_expression_by_block(rows: list[TableRow], path: Path) -> list[str]:
    """Write the labels `PDL1_RNA` and `CD8` into the rows, with the expression and the block beside them.

    From a column `CD274_log10` comes the number `CD274` too: less the median of its block, for the runs' scales differ.

    Medians are of all samples of the table, those without an image too, so that a part of the cohort has the labels
    that it has in the whole.

    Args:
        rows: Of the cohort, changed in place; joined by `case`.
        path: CSV or Parquet: `case`, columns `CD274`, `CD8A` (or one that starts so, such as `CD274_log10`), and,
            as far as there are any, `block` and `matched_by`. Without `block` all samples are one.

    Returns:
        What the user should know: the cuts, and who has no sample.

    Raises:
        InputError: The table has none of the genes, names a case twice, or a block has one sample.
    """
    columns, samples = read_rows(path)
    genes = {gene: found for gene in LABELS if (found := _column_of(gene, columns))}
    if "case" not in columns or not genes:
        raise InputError(
            f"{path} needs the column 'case' and {' or '.join(LABELS)}, as the gene alone or with a unit behind it "
            f"(CD274_log10). It has: {', '.join(columns)}."
        )
    by_case = {sample.get("case"): sample for sample in samples}
    if len(by_case) < len(samples):
        raise InputError(f"{path} names a case twice. Keep one sample of each.")
    notes = []
    for gene, column in genes.items():
        values = {sample.get("case"): _value(sample, column, path) for sample in samples if known(sample.get(column))}
        cuts = _cuts(values, by_case, path)
        _write(rows, gene, column, values, by_case, cuts)
        notes += [f"{LABELS[gene]} is high where {column} is above {cut:g}{_of(block)}." for block, cut in cuts.items()]
    _keep(rows, by_case, [name for name in KEPT if name in columns])
    without = sorted(row["case"] for row in rows if row["case"] not in by_case)
    return [*notes, *([f"Without expression: {', '.join(without)}."] if without else [])]


def _column_of(gene: str, columns: Sequence[str]) -> str | None:
    plain = next((name for name in columns if name == gene), None)
    return plain or next((n for n in columns if n.startswith(f"{gene}_") and not n.endswith("_detected")), None)


def _value(sample: Row, column: str, path: Path) -> float:
    try:
        value = float(sample.get(column))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{path}: {column} of {sample.get('case')} is {sample.get(column)!r}, which is no number.")
    return value


def _cuts(values: Mapping[str, float], by_case: Mapping[str, Row], path: Path) -> dict[str, float]:
    """Block to the median of its samples."""
    blocks: dict[str, list[float]] = defaultdict(list)
    for case, value in values.items():
        blocks[by_case[case].get(BLOCK)].append(value)
    for block, found in blocks.items():
        if len(found) < LEAST:
            raise InputError(f"{path}: the block {block!r} has one sample, so it has no median. Join it to another.")
    return {block: statistics.median(found) for block, found in sorted(blocks.items())}


def _write(
    rows: list[TableRow],
    gene: str,
    column: str,
    values: Mapping[str, float],
    by_case: Mapping[str, Row],
    cuts: Mapping[str, float],
) -> None:
    for row in rows:
        value = values.get(row["case"])
        if value is not None:
            row[own_column(column)] = f"{value:g}"
            cut = cuts[by_case[row["case"]].get(BLOCK)]
            row[LABELS[gene]] = str(int(value > cut))
            if column in LEVELS:
                row[LEVELS[column]] = f"{value - cut:.6g}"


def _keep(rows: list[TableRow], by_case: Mapping[str, Row], columns: Sequence[str]) -> None:
    for row in rows:
        if row["case"] in by_case:
            row.update({own_column(name): by_case[row["case"]].get(name) for name in columns})


def _of(block: str) -> str:
    return f" in block {block}" if block else ""

"""The tables beside the images of NSCLC Radiogenomics: clinical values, and gene expression as a stand-in for PD-L1.

Paper 001 calls a tumor PD-L1 positive where the tumor proportion score is 1 % or more, or, where no staining was done,
where the infiltration by CD8 cells is high. The public cohort has no staining, but RNA sequencing: the expression of
CD8A stands for the infiltration. The paper does not say what "high" is; here it is above the median of the cohort.
"""

import csv
import io
import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PDL1PredictorLib.cohort.files import read_rows
from PDL1PredictorLib.cohort.importing.pathology import labels_of_pathology
from PDL1PredictorLib.cohort.writing import TableRow, known, own_column
from PDL1PredictorLib.core.errors import InputError

GENES = ("CD274", "CD8A")  # PD-L1 itself; the marker of CD8 cells
RULE_GENE = "CD8A"
PATIENT_COLUMNS = ("case id", "patientid", "patient id", "patient")
COLUMNS = {  # of the collection's table, in lower case
    "age at histological diagnosis": "age_years",
    "gender": "sex",
    "smoking status": "smoking",
    "lymphovascular invasion": "LVI",
    "pleural invasion (elastic, visceral, or parietal)": "PI",
    "egfr mutation status": "EGFR",
    "kras mutation status": "KRAS",
    "alk translocation status": "ALK",
}
T_STAGE, HISTOLOGY = "pathological t stage", "histology"
TPS_COLUMN = "pd-l1 tps"  # percent; not in the public table, but a hospital may add it


def read_clinical(path: Path) -> dict[str, TableRow]:
    """Patient to the cells that the table of a cohort can hold; "Not Collected" and the like are left empty.

    Raises:
        InputError: The table has no column for the patient, or names one twice.
    """
    columns, rows = read_rows(path)
    lower = {column.strip().lower(): column for column in columns}
    patient = next((lower[name] for name in PATIENT_COLUMNS if name in lower), None)
    if patient is None:
        raise InputError(f"{path} has no column for the patient. One of these is needed: {', '.join(PATIENT_COLUMNS)}.")
    found: dict[str, TableRow] = {}
    for row in rows:
        name = row.get(patient)
        if name in found:
            raise InputError(f"{path} has two rows for the patient {name}. Keep one.")
        cells = {new: known(row.get(lower[old])) for old, new in COLUMNS.items() if old in lower}
        cells |= labels_of_pathology(known(row.get(lower.get(T_STAGE, ""))), known(row.get(lower.get(HISTOLOGY, ""))))
        cells["PDL1"] = _by_tps(known(row.get(lower.get(TPS_COLUMN, ""))), name, path)
        found[name] = cells
    return found


def _by_tps(text: str, patient: str, path: Path) -> str:
    if not text:
        return ""
    try:
        percent = float(text.rstrip("% "))
    except ValueError:
        percent = math.nan
    if not 0 <= percent <= 100:
        raise InputError(f"{path}: the PD-L1 TPS of {patient} is {text!r}; a percentage from 0 to 100 is needed.")
    return "1" if percent >= 1 else "0"


def read_expression(path: Path) -> dict[str, dict[str, float]]:
    """Gene to patient to expression, for the genes of the rule that the table holds.

    Args:
        path: Text with commas or tabs: genes down and patients across, as GEO has it, or patients down with a column
            for each gene.

    Raises:
        InputError: Neither gene is in the table, or a value is no number.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text: {error}.") from error
    delimiter = "\t" if "\t" in text.split("\n", 1)[0] else ","
    lines = [line for line in csv.reader(io.StringIO(text), delimiter=delimiter) if line]
    if not lines:
        raise InputError(f"{path} is empty. A table of gene expression is needed.")
    if not any(gene in lines[0] for gene in GENES):
        wanted = [lines[0], *(line for line in lines[1:] if line[0].strip() in GENES)]
        if len(wanted[-1]) == len(wanted[0]) + 1:  # R writes no name above the genes
            wanted[0] = ["", *wanted[0]]
        lines = [list(column) for column in zip(*wanted, strict=False)]
    header = [cell.strip() for cell in lines[0]]
    genes = [gene for gene in GENES if gene in header]
    if not genes:
        raise InputError(f"{path} has no gene {' or '.join(GENES)}, in its first column or row.")
    return {
        gene: {
            line[0].strip(): value
            for line in lines[1:]
            if (value := _number(line[header.index(gene)], gene, line[0], path)) is not None
        }
        for gene in genes
    }


def _number(text: str, gene: str, patient: str, path: Path) -> float | None:
    if not known(text):
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{path}: the expression of {gene} of {patient} is {text!r}, which is no number.")
    return value


@dataclass(frozen=True)
class ExpressionRule:
    """Which expression counts as positive.

    Attributes:
        gene: `CD8A`, as the paper, or `CD274`.
        cut: Above it is positive; None takes the median of the patients of the cohort.
    """

    gene: str = RULE_GENE
    cut: float | None = None

    def __post_init__(self) -> None:
        if self.gene not in GENES:
            raise InputError(f"The gene of the rule must be {' or '.join(GENES)}, got {self.gene!r}.")


PAPERS_RULE = ExpressionRule()


def add_expression(
    rows: list[TableRow], expression: Mapping[str, Mapping[str, float]], rule: ExpressionRule
) -> list[str]:
    """Write the label PDL1 into the rows by expression, where no staining gave it, and the expression beside it.

    Returns:
        What the user should know: the cut and where it comes from.

    Raises:
        InputError: The table lacks the gene, or no patient of the cohort is in it.
    """
    if rule.gene not in expression:
        raise InputError(f"The table of gene expression has no {rule.gene}. It has: {', '.join(expression)}.")
    values = expression[rule.gene]
    here = {row["patient"]: values[row["patient"]] for row in rows if row["patient"] in values}
    if not here:
        raise InputError("No patient of the images is in the table of gene expression. Check the patients' names.")
    cut = statistics.median(here.values()) if rule.cut is None else rule.cut
    for row in rows:
        for gene, of_patient in expression.items():
            if row["patient"] in of_patient:
                row[own_column(gene)] = f"{of_patient[row['patient']]:g}"
        if not row.get("PDL1") and row["patient"] in here:
            row["PDL1"] = "1" if here[row["patient"]] > cut else "0"
    source = f"the median of {len(here)} patients" if rule.cut is None else "as given"
    return [f"PDL1 is positive where the expression of {rule.gene} is above {cut:g} ({source})."]

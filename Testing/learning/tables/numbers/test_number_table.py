"""A table whose label is a number: read as one with a yes/no label is, every problem named at once."""

import csv

import numpy as np
import pytest

from PDL1PredictorLib.core.errors import CohortError, InputError
from PDL1PredictorLib.learning.tables.label_source import LabelSource
from PDL1PredictorLib.learning.tables.numbers.number_table import Span, read_number_table

N = 24
PERCENT = Span(0, 100)


def columns():
    rng = np.random.default_rng(5)
    return {
        "case": [f"c{n}" for n in range(N)],
        "tps": [n * 4 for n in rng.permutation(N)],
        "a": rng.normal(size=N).tolist(),
        "b": rng.normal(size=N).tolist(),
    }


def write(path, table):
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    return path


def problems(path, table, span=PERCENT, source=None):
    with pytest.raises(CohortError) as caught:
        read_number_table(write(path, table), "tps", (), source or LabelSource(), span)
    return caught.value.problems


def test_numbers_are_read_and_rows_without_one_are_left_out(tmp_path):
    cells = columns()
    cells["tps"][3] = ""
    table = read_number_table(write(tmp_path / "t.csv", cells), "tps", ["b"], span=PERCENT)
    assert (table.inputs, table.ignored, table.n_unknown) == (("a",), ("case", "b"), 1)
    assert table.labels.tolist() == [float(v) for v in cells["tps"] if v != ""]
    assert table.row_numbers[2:4] == (4, 6)


def test_every_problem_is_named_at_once(tmp_path):
    cells = columns()
    cells["tps"][0], cells["tps"][1], cells["tps"][2] = 140, "high", "nan"
    cells["a"][4] = "x"
    cells["same"] = [2] * N
    cells["fraction"] = [float(v) / 100 if isinstance(v, int | np.integer) else 0 for v in cells["tps"]]
    found = problems(tmp_path / "t.csv", cells)
    words = "write a number from 0 to 100, or leave it empty where it is not known"
    assert found[:3] == (
        f"row 2: tps is '140'; {words}",
        f"row 3: tps is 'high'; {words}",
        f"row 4: tps is 'nan'; {words}",
    )
    assert "row 6: a is 'x'; a number is needed" in found
    assert "the column same is 2 in all rows, so it says nothing; leave it out (--ignore same)" in found
    assert "the column fraction is tps itself; leave it out (--ignore fraction)" in found
    assert len(found) == 6


def test_a_column_that_is_nearly_the_number_is_an_input(tmp_path):
    """The twin: what is told as the label itself must be it to the last digit."""
    cells = columns()
    cells["near"] = [float(v) / 100 + 0.001 * n for n, v in enumerate(cells["tps"])]
    assert "near" in read_number_table(write(tmp_path / "t.csv", cells), "tps").inputs


def test_few_or_equal_numbers_are_refused(tmp_path):
    few = {name: values[:19] for name, values in columns().items()}
    assert problems(tmp_path / "t.csv", few) == ("tps is known in 19 rows; at least 20 are needed",)
    same = columns() | {"tps": [7] * N}
    assert problems(tmp_path / "t.csv", same) == ("tps is 7 in all rows, so there is nothing to learn",)


@pytest.mark.parametrize(("low", "high"), [(100, 0), (3, 3), (float("nan"), 1)])
def test_impossible_bounds_are_refused(low, high):
    with pytest.raises(InputError, match="the lower one first"):
        Span(low, high)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (Span(), "a number"),
        (Span(low=1), "a number of at least 1"),
        (Span(high=5), "a number of at most 5"),
        (PERCENT, "a number from 0 to 100"),
    ],
)
def test_bounds_in_words(span, words):
    assert span.words == words

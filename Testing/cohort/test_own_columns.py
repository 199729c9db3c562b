"""The user's own columns: cases chosen by them, and levels kept apart in the parts of a split."""

from pathlib import Path

import numpy as np
import pytest

from PDL1PredictorLib.cohort.own_columns import kept_apart, only, own_values
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.cohort.table import read_cohort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.targets import Target


@pytest.fixture
def cohort(tmp_path: Path):
    path = tmp_path / "cases.csv"
    lines = ["case,image,mask,EGFR,note_block,note_matched_by"]
    lines += [f"c{i},i{i}.nrrd,m{i}.nrrd,{i % 2},{i % 3},{'firm' if i < 4 else ''}" for i in range(6)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_cohort(path, check_files=False)


def test_a_column_is_found_with_and_without_its_prefix(cohort):
    assert own_values(cohort, "block") == own_values(cohort, "note_block")
    assert own_values(cohort, "matched_by")["c5"] == ""


def test_a_misspelt_column_is_refused_with_the_nearest(cohort):
    with pytest.raises(InputError, match="Did you mean block"):
        own_values(cohort, "blok")


def test_only_the_cases_with_the_value_remain(cohort):
    assert only(cohort, "matched_by=firm").names == ("c0", "c1", "c2", "c3")
    assert only(cohort, "block = 2").names == ("c2", "c5")


@pytest.mark.parametrize(
    ("condition", "words"),
    [("matched_by", "COLUMN=VALUE"), ("=firm", "COLUMN=VALUE"), ("matched_by=soft", "The column holds '', 'firm'")],
)
def test_a_choice_that_is_none_is_refused(cohort, condition, words):
    with pytest.raises(InputError, match=words):
        only(cohort, condition)


def prepared(n: int) -> PreparedCohort:
    labels = np.arange(n) % 2
    return PreparedCohort(tuple(f"c{i}" for i in range(n)), {"EGFR": Target("binary", labels.astype(float))}, {})


def test_every_level_has_its_share_in_every_part():
    one = prepared(60)
    levels = {name: "AB"[i // 45] for i, name in enumerate(one.names)}
    divided = kept_apart(one, levels)
    assert one.strata.shape == (60, 1)
    assert divided.strata.shape == (60, 2)
    parts = stratified_parts(one.names, divided.strata, (0.2,) * 5, np.random.default_rng(1))
    assert {sum(levels[one.names[row]] == "B" for row in part) for part in parts} == {3}
    assert {int(divided.labels[part].sum()) for part in parts} == {6}


def test_rows_that_are_taken_keep_their_level():
    divided = kept_apart(prepared(6), {f"c{i}": str(i % 3) for i in range(6)})
    assert divided.take(np.array([2, 0])).strata[:, 1:].tolist() == [[0, 0, 1], [1, 0, 0]]


def test_a_column_of_single_cases_is_refused():
    with pytest.raises(InputError, match="at most 10 levels, the column has 20"):
        kept_apart(prepared(20), {f"c{i}": str(i) for i in range(20)})

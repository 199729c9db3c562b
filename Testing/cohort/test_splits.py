"""Parts of a cohort: no patient in two of them, every endpoint's share in each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.core.errors import InputError


@st.composite
def cohorts(draw: st.DrawFn):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, e = draw(st.integers(10, 80)), draw(st.integers(1, 4))
    labels = (rng.random((n, e)) < draw(st.floats(0.05, 0.95))).astype(float)
    labels[rng.random((n, e)) < 0.2] = np.nan
    patients = [f"p{number}" for number in rng.integers(0, draw(st.integers(6, 80)), n)]
    return patients, labels


@settings(max_examples=60, deadline=None)
@given(cohorts(), st.integers(0, 1000))
def test_every_case_is_in_one_part_and_no_patient_in_two(cohort, seed: int):
    patients, labels = cohort
    n_parts = min(3, len(set(patients)))
    parts = stratified_parts(patients, labels, (1 / n_parts,) * n_parts, np.random.default_rng(seed))
    assert sorted(np.concatenate(parts)) == list(range(len(patients)))
    owners = [{patients[row] for row in part} for part in parts]
    assert sum(map(len, owners)) == len(set(patients))


def test_each_part_has_its_share_of_a_rare_endpoint():
    labels = np.zeros((100, 2))
    labels[:10, 0] = 1  # rare
    labels[5:60, 1] = 1
    patients = [str(i) for i in range(100)]
    train, test = stratified_parts(patients, labels, (0.7, 0.3), np.random.default_rng(0))
    assert labels[test, 0].sum() == 3
    assert abs(labels[test, 1].sum() - 0.3 * 55) <= 1
    assert len(test) == pytest.approx(30, abs=2)
    assert len(train) + len(test) == 100


def test_missing_labels_do_not_count_as_negative():
    labels = np.full((60, 1), np.nan)
    labels[:12, 0] = 1
    labels[12:24, 0] = 0
    parts = stratified_parts([str(i) for i in range(60)], labels, (1 / 3,) * 3, np.random.default_rng(1))
    assert [int((labels[part] == 1).sum()) for part in parts] == [4, 4, 4]
    assert [int((labels[part] == 0).sum()) for part in parts] == [4, 4, 4]


def test_the_same_seed_divides_in_the_same_way_and_another_does_not():
    labels = np.tile([[0.0], [1.0]], (20, 1))
    patients = [str(i) for i in range(40)]

    def test_rows(seed: int) -> list[int]:
        return stratified_parts(patients, labels, (0.7, 0.3), np.random.default_rng(seed))[1].tolist()

    assert test_rows(4) == test_rows(4) != test_rows(5)


def test_more_parts_than_patients_are_refused():
    with pytest.raises(InputError, match="1 patients cannot be divided into 2 parts"):
        stratified_parts(["a", "a", "a"], np.zeros((3, 1)), (0.5, 0.5), np.random.default_rng(0))


@pytest.mark.parametrize("shares", [(0.5, 0.6), (1.0, 0.0), (1.2, -0.2)])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(InputError, match="add up to 1"):
        stratified_parts(["a", "b"], np.zeros((2, 1)), shares, np.random.default_rng(0))

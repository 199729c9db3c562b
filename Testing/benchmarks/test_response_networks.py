"""The benchmark of networks of volumes: whom it looks at, that every patient is answered by others, its figures."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.deep.volume.cases import Volumes


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import response_networks

    return response_networks


def made_up(n: int, pool: str = "picture", known: bool = True) -> Volumes:
    """Cubes whose density tells the answer, or does not."""
    rng = np.random.default_rng(0)
    labels = (np.arange(n) % 3 == 0).astype(float)
    hu = rng.normal(-200 if known else 0, 30, (n, 16, 16, 16)) + (200 * labels * known)[:, None, None, None]
    tumor = np.zeros(hu.shape, bool)
    tumor[:, 4:12, 4:12, 4:12] = True
    return Volumes(hu.astype(np.int16), tumor, None, np.zeros(n, bool), labels[:, None], pool)


def test_it_looks_at_the_training_patients_of_the_study_and_at_no_other(bench: ModuleType, monkeypatch):
    monkeypatch.setattr(bench, "N", 60)
    sources = bench.training_sources()
    known = np.array([np.nan if one is None else one for one in (_response(bench, index) for index in range(60))])
    names = tuple(f"phantom-1-{index}" for index in range(60))
    cohort = PreparedCohort(names, {"RESPONSE": Target("binary", known)}, {}, ())
    train, _ = bench.stratified_parts(names, cohort.strata, (0.7, 0.3), np.random.default_rng([1, 10]))
    assert [one.name for one in sources] == [names[row] for row in sorted(train) if np.isfinite(known[row])]
    assert len(sources) < len(train)


def _response(bench: ModuleType, index: int) -> float | None:
    return bench.PhantomSource(1, index).labels["RESPONSE"]


@pytest.mark.parametrize("pool", ["picture", "contour"])
def test_every_patient_is_answered_once_by_a_network_of_the_others(bench: ModuleType, pool: str):
    how = replace(bench.LATER if pool == "contour" else bench.OVER, epochs=4, widths=(2, 4, 4))
    found = bench.held_out(made_up(40, pool), how, range(5))
    assert sorted(np.concatenate([rows for rows, _ in found])) == list(range(40))
    assert len(bench.held_out(made_up(40, pool), how, [2])) == 1


def test_a_row_tells_auc_error_folds_and_time(bench: ModuleType):
    how = replace(bench.OVER, epochs=12, widths=(2, 4), learning_rate=0.01)
    title, area, folds, seconds = bench.row("one", made_up(40), how, [0, 1]).strip("| ").split(" | ")
    assert title == "one"
    assert float(area.split()[0]) > 0.8
    assert len(folds.split(", ")) == 2
    assert int(seconds) >= 0


def test_the_error_of_an_auc_is_that_of_hanley_and_mcneil(bench: ModuleType):
    rng = np.random.default_rng(0)
    drawn = [np.mean(rng.normal(1, 1, 40)[:, None] > rng.normal(0, 1, 80)) for _ in range(2000)]
    assert bench.standard_error(float(np.mean(drawn)), 40, 80) == pytest.approx(np.std(drawn), rel=0.1)
    assert bench.standard_error(0.7, 40, 80) > bench.standard_error(0.7, 400, 800)


def test_every_trial_has_settings_that_a_network_can_be_built_of(bench: ModuleType):
    for trial in bench.TRIALS.values():
        assert trial.voxels % 2 ** (len(trial.how.widths) - 1) == 0
        assert trial.how.patience is None

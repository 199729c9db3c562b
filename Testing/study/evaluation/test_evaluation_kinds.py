"""What an evaluation makes of answers of each kind, on sums that one can do by hand."""

from pathlib import Path

import numpy as np
import pytest
from known_site import answer

from PDL1PredictorLib.core.answer_parts import SurvivalAt, TimeAnswer
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import NumberAnswer
from PDL1PredictorLib.core.targets import followed
from PDL1PredictorLib.study.evaluation.conduct import Evaluation
from PDL1PredictorLib.study.evaluation.kinds import COLUMNS, KINDS, kind_evaluation
from PDL1PredictorLib.study.outcome import EndpointOutcome
from PDL1PredictorLib.study.report.kinds import KINDS as REPORTED

ROWS = np.array([True, True, True, False])


def percent(value: float) -> NumberAnswer:
    return NumberAnswer("TPS", value, (value - 10, value + 10), 0.9, ())


def free(chance: float) -> TimeAnswer:
    return TimeAnswer("PFS", (SurvivalAt(365.25, chance, 0.1, 0.95),), -np.log(chance), ())


ANSWERS = {
    "binary": [answer("PDL1", p) for p in (0.9, 0.2, 0.6, 0.7)],
    "number": [percent(value) for value in (20.0, 40.0, 60.0, 80.0)],
    "time": [free(chance) for chance in (0.9, 0.2, 0.7, 0.4)],
}
KEYS = {"binary": "PDL1", "number": "TPS", "time": "PFS"}
LABELS = {"binary": np.array([1, 0, 0, 1]), "number": np.array([25.0, 40.0, 90.0, 0.0])}
LABELS["time"] = followed(np.array([900.0, 80.0, 200.0, 300.0]), np.array([False, True, True, False]))


def outcome_of(kind) -> EndpointOutcome:
    how = kind_evaluation(kind)
    return EndpointOutcome(
        key=KEYS[kind],
        cases=("a", "b", "c", "d"),
        labels=LABELS[kind],
        folds=np.zeros((1, 4), dtype=int),
        patients=("a", "b", "c", "d"),
        models={"Model": how.outcome(ANSWERS[kind])},
        counts={},
        coefficients={},
        selected_in={},
        input_names=(),
        inputs=np.zeros((4, 0)),
        contributions=None,
        prediction_sets=how.sets(ANSWERS[kind]),
        kind=kind,
        roles={"Model": "lead"},
    )


def test_calls_are_right_or_wrong_and_rank_the_cases():
    found = kind_evaluation("binary").measured(outcome_of("binary"), "Model", ROWS)
    assert (found["cases"], found["right"]["cases"], found["auc"]["value"]) == (3, 2, 1.0)


def test_numbers_have_an_error_and_lie_inside_their_interval_or_not():
    found = kind_evaluation("number").measured(outcome_of("number"), "Model", ROWS)
    assert (found["cases"], found["mae"], found["covered"]["cases"]) == (3, pytest.approx(35 / 3), 2)


def test_times_are_ranked_by_their_hazard_and_have_a_chance_for_the_months_that_are_told():
    found = kind_evaluation("time").measured(outcome_of("time"), "Model", ROWS)
    assert (found["cases"], found["events"], found["c"]["value"]) == (3, 2, 1.0)
    model = kind_evaluation("time").outcome(ANSWERS["time"])
    np.testing.assert_array_equal(model.survival[:, 1], [0.9, 0.2, 0.7, 0.4])
    assert np.isnan(model.survival[:, [0, 2]]).all()
    by_volume = kind_evaluation("time").volume(np.array([1.0, 8.0, 4.0, 2.0]))
    assert np.argsort(by_volume.score[0]).tolist() == [0, 3, 2, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_of_no_cases_nothing_is_measured(kind):
    found = kind_evaluation(kind).measured(outcome_of(kind), "Model", np.zeros(4, dtype=bool))
    assert found.pop("cases") == 0
    assert set(found.values()) == {None}


@pytest.mark.parametrize("kind", KINDS)
def test_the_cells_of_an_answer_have_columns(kind):
    assert set(kind_evaluation(kind).cells(ANSWERS[kind][0])) <= set(COLUMNS)


def test_what_a_report_shows_can_be_evaluated():
    assert list(KINDS) == list(REPORTED)


def test_a_kind_that_nobody_evaluates_yet_is_refused():
    with pytest.raises(InputError, match="of the kinds binary, number, time, got word"):
        kind_evaluation("word")


@pytest.mark.parametrize(
    ("kind", "truth", "loss"),
    [("binary", "negative", -np.log(0.4)), ("number", 90.0, 30.0), ("time", "event after 200 days", 0.49)],
)
def test_the_loss_of_a_wrong_answer_and_what_would_have_been_right(kind, truth, loss):
    outcome, how = outcome_of(kind), REPORTED[kind]
    losses = how.losses(outcome)
    assert losses.wrong[2]
    assert losses.loss[2] == pytest.approx(loss)
    assert how.truth(outcome, 2) == truth


def test_a_figure_without_an_interval_is_told_alone():
    estimate = {"value": -0.02, "low": None, "high": None}
    model = dict.fromkeys(("mse", "mae", "rmse", "concordance", "spearman", "intervals", "calibration"))
    document = {"endpoints": {"TPS": {"kind": "number", "cases": 12, "models": {"M": _Model(model, r2=estimate)}}}}
    assert repr(Evaluation(document, Path("report"), {}, None)) == "TPS, M: R2 -0.02, 12 cases"


class _Model(dict):
    """Figures of which those that are not asked for are None."""

    def __init__(self, plain: dict, **own: dict) -> None:
        super().__init__(plain, **own)

    def __missing__(self, key: str) -> None:
        return None

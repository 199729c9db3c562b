"""A time from features alone is trained, written, read, evaluated, and shown everywhere."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from toy_time import BRIGHTNESS, CURVE, LEAD, RING, SIZE, TimeRecipe, made_up, train_time, without_signal

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.answer_parts import TimeAnswer
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.targets import HORIZON_DAYS, Target
from PDL1PredictorLib.imaging.case_files import Files, read_one_tumor
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.prediction import Options, predict_case
from PDL1PredictorLib.study.choosing import choose_model
from PDL1PredictorLib.study.leak import leak_test
from PDL1PredictorLib.study.report.document import schema
from PDL1PredictorLib.study.report.time.measures import groups_of, time_numbers
from PDL1PredictorLib.study.run import run_study
from PDL1PredictorLib.study.setup import Study


def run(cohort, recipe):
    return run_study(Study(cohort, cohort.names, recipe, workers=1))


@pytest.fixture(scope="module")
def known_law():
    return run(made_up(500), TimeRecipe())


def test_a_known_law_is_found_and_the_simple_models_find_nothing(known_law):
    outcome = known_law.endpoints["PFS"]
    numbers = time_numbers(outcome, 0.9)
    c = {title: model["harrell"]["value"] for title, model in numbers["models"].items()}
    assert c[LEAD] == pytest.approx(0.71, abs=0.06)  # of log hazards with an SD of 0.94, as these
    assert abs(c[SIZE] - 0.5) < 0.1
    assert c[CURVE] == 0.5
    assert {BRIGHTNESS, RING} <= set(outcome.input_names)
    assert outcome.coefficients["tumor"][BRIGHTNESS] == pytest.approx(0.8, abs=0.35)
    assert (outcome.kind, set(outcome.counts)) == ("time", {"training", "test"})
    slope = numbers["models"][LEAD]["slope"]
    assert slope["low"] < 1 < slope["high"]


def test_the_chances_beat_one_curve_for_all_and_are_calibrated(known_law):
    numbers = time_numbers(known_law.endpoints["PFS"], 0.9)
    assert numbers["horizons"] == HORIZON_DAYS.tolist()
    year = numbers["models"][LEAD]["at"][1]
    assert year["brier"]["value"] < year["brier_of_one_curve"]["value"] - 0.02
    assert year["auc"]["value"] > 0.68
    curve = numbers["models"][CURVE]["at"][1]
    assert curve["brier"]["value"] == pytest.approx(curve["brier_of_one_curve"]["value"])
    for row in numbers["models"][LEAD]["calibration"][1]["groups"]:
        assert row["low"] - 0.05 <= row["expected"] <= row["high"] + 0.05


def test_the_simplest_model_that_is_as_good_by_c_is_taken(known_law):
    assert known_law.choices["PFS"].title == LEAD  # the others are no better than chance
    outcome = known_law.endpoints["PFS"]
    same = replace(outcome, models={**outcome.models, SIZE: outcome.models[LEAD]})
    plans = {plan.name.title: plan for plan in TimeRecipe.models}

    class Ordered(TimeRecipe):
        models = (replace(plans[LEAD], order=2), replace(plans[SIZE], order=1), plans[CURVE])

    learned = {LEAD: True, SIZE: True, CURVE: False}
    choice = choose_model(same, Ordered(), learned)
    assert (choice.title, choice.role, choice.candidates) == (SIZE, "part", ())
    assert "is the best" in choice.reason
    worse = choose_model(outcome, Ordered(), learned)
    assert worse.title == LEAD
    assert "no simpler model comes within its error" in worse.reason
    assert choose_model(outcome, Ordered(), dict.fromkeys(learned, False)).title == ""


def test_thirds_of_the_score_are_parted_and_their_numbers_at_risk_fall(known_law):
    outcome = known_law.endpoints["PFS"]
    groups = time_numbers(outcome, 0.9)["groups"]
    assert [curve["group"] for curve in groups["curves"]] == ["low risk", "middle", "high risk"]
    assert groups["log_rank"]["p"] < 1e-4
    for curve in groups["curves"]:
        assert curve["at_risk"][0] == curve["cases"]
        assert (np.diff(curve["at_risk"]) <= 0).all()
    sizes = np.bincount(groups_of(outcome, outcome.time_models()[LEAD]))
    assert np.abs(sizes - len(outcome.cases) / 3).max() <= 2


def test_under_cross_validation_scores_are_compared_within_folds():
    found = run(made_up(160), TimeRecipe(design=Design.NESTED, n_folds=4, n_repeats=1))
    outcome = found.endpoints["PFS"]
    numbers = time_numbers(outcome, 0.9)
    assert numbers["counts"]["all"]["events"] + numbers["counts"]["all"]["without"] == 160
    lead = numbers["models"][LEAD]
    assert lead["harrell"]["value"] > 0.6
    assert (lead["uno"], lead["at"][0]["auc"]) == (None, None)  # of one model alone
    test = found.trained.endpoints["PFS"].test
    assert (test["n"], test["events"]) == (160, numbers["events"])
    assert test["low"] < test["c"] < test["high"]


def test_exchanged_times_are_not_found():
    cohort = without_signal(made_up(150), 1)
    found = leak_test(cohort, cohort.names, "PFS", TimeRecipe(n_repeats=1), repeats=6, workers=1)
    assert (found.measure, found.chance) == ("Harrell's C", 0.5)
    assert abs(found.mean(LEAD) - 0.5) < 0.1
    assert set(found.figures[CURVE]) == {0.5}


def test_too_few_events_are_refused_with_the_reason():
    cohort = made_up(60)
    target = cohort.targets["PFS"]
    rare = replace(target, event=target.event & (np.arange(60) < 20))
    with pytest.raises(InputError, match=r"PFS: \d+ events in training; 20 are needed"):
        run(cohort.with_targets({"PFS": rare}), TimeRecipe())


def test_a_number_is_refused_by_a_recipe_for_times():
    cohort = made_up(60).with_targets({"TPS": Target("number", np.arange(60.0))})
    with pytest.raises(InputError, match="TPS is an endpoint of the kind number, which the model Feature hazard"):
        run(cohort, TimeRecipe(("TPS",)))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """Folder of a cohort, and beside it the model that one command made of it."""
    return train_time(tmp_path_factory.mktemp("time"))


def test_the_model_says_how_good_it_is_and_holds_no_patients_time(trained):
    text = (trained / "model" / "model.json").read_text(encoding="utf-8")
    found = json.loads(text)["endpoints"]["PFS"]
    assert (found["kind"], found["unit"], found["model"]["kind"]) == ("time", "days", "penalized Cox")
    assert [round(row["days"] / 30.4375) for row in found["baseline"]] in ([6, 12], [6, 12, 24])
    assert all(row["at_risk"] >= 10 for row in found["baseline"])
    assert found["test"]["c"] > 0.6
    card = (trained / "model" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "Harrell's C with its 95 % interval" in card
    assert "does not tell whom a treatment helps" in card


def test_the_model_answers_as_the_study_did(trained):
    predictor = load_predictor(trained / "model")
    with (trained / "model.study" / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == LEAD]
    for row in rows[:2]:
        name = row["case"]
        case = read_one_tumor(Files(trained / f"{name}_ct.nii.gz", trained / f"{name}_mask.nii.gz", name=name)).case
        (answer,) = predict_case(case, predictor, Options(device="cpu")).lesions[0].endpoints
        assert isinstance(answer, TimeAnswer)
        for one in answer.at:
            assert one.survival == pytest.approx(float(row[f"survival_{one.months}m"]), abs=1e-6)
            assert 0 <= one.low <= one.survival <= one.high <= 1


def test_the_report_of_the_study_shows_curves_and_figures(trained):
    html = (trained / "model.study" / "report.html").read_text(encoding="utf-8")
    for words in ("Harrell's C", "Kaplan-Meier curves by third", "Brier score of", "Calibration at 12 months"):
        assert words in html
    document = json.loads((trained / "model.study" / "study.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert set(document["endpoints"]["PFS"]["models"]) == {LEAD, SIZE, CURVE}


def test_a_prediction_by_command_writes_the_chances(trained, tmp_path, capsys):
    images = ["--ct", str(trained / "c00_ct.nii.gz"), "--tumor", str(trained / "c00_mask.nii.gz")]
    out = tmp_path / "result"
    assert main(["predict", *images, "--model", str(trained / "model"), "--device", "cpu", "--out", str(out)]) == 0
    (answer,) = json.loads((out / "result.json").read_text(encoding="utf-8"))["lesions"][0]["endpoints"]
    assert (answer["kind"], answer["endpoint"]) == ("time", "PFS")
    assert "free of it at 12 months" in capsys.readouterr().out
    assert "Progression-free survival" in (out / "report.html").read_text(encoding="utf-8")


def test_a_finished_model_is_evaluated_on_new_cases(trained, tmp_path):
    with (trained / "model.study" / "predictions.csv").open(encoding="utf-8", newline="") as file:
        tested = {row["case"] for row in csv.DictReader(file)}  # of the training nothing may be there
    head, *rows = (trained / "cases.csv").read_text(encoding="utf-8").splitlines()
    kept = [head, *(row for row in rows if row.split(",")[0] in tested)]
    (trained / "tested.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    out = tmp_path / "evaluation"
    arguments = ["--cohort", str(trained / "tested.csv"), "--model", str(trained / "model"), "--device", "cpu"]
    assert main(["evaluate", *arguments, "--workers", "1", "--out", str(out), "--progress", "none"]) == 0
    found = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    assert found["endpoints"]["PFS"]["models"]["model"]["harrell"]["value"] > 0.6
    assert "Harrell" in (out / "report.html").read_text(encoding="utf-8")

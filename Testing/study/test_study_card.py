"""What a bundle says of itself: words of the people who train, figures of the study, nothing else."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.classifiers import CHOSEN
from PDL1PredictorLib.recipes.deepradscore import DeepRadScoreRecipe
from PDL1PredictorLib.study.card import Words, about_study, read_words, study_card
from PDL1PredictorLib.study.report.checklists import run_answers


def manifest(kind: str = "logistic regression") -> dict:
    return {
        "title": "T",
        "name": "n",
        "cohort": "C",
        "limitations": ["L"],
        "licence": "Apache-2.0",
        "library_version": "1",
        "endpoints": {"EGFR": {"model": {"kind": kind}}},
    }


@pytest.fixture
def outcome(folded_study):
    return folded_study


def test_the_card_names_sources_figures_and_how_they_were_measured(outcome):
    words = Words(attribution=("Bakr et al. 2018, CC BY 3.0",))
    card = study_card(manifest(), words, outcome)
    assert "Research use only" in card
    assert "- Bakr et al. 2018, CC BY 3.0" in card
    assert "By nested cross-validation: every case was answered by a model that had not seen it." in card
    assert outcome.command in card
    for key in outcome.endpoints:
        assert f"| {key} |" in card


def test_the_method_is_the_recipes_own_text(outcome):
    card = study_card(manifest(), Words(), outcome)
    assert f"## How\n\n{outcome.method}\n\n## Figures" in card
    assert "What any model has to beat: Size alone." in card


@pytest.mark.parametrize("choice", CHOSEN)
def test_recipe_and_checklists_tell_how_the_classifier_was_chosen(outcome, choice):
    others = set(CHOSEN) - {choice}
    answer = run_answers(replace(outcome, settings={"choice": choice}))["model_choice"].lower()
    method = " ".join(DeepRadScoreRecipe(("EGFR",), choice=choice).method_text().lower().split())
    for text in (method, answer):
        assert CHOSEN[choice].lower() in text
        assert not any(CHOSEN[other].lower() in text for other in others)


def test_the_recipe_tells_how_the_network_was_trained():
    trained, frozen = (
        DeepRadScoreRecipe(("EGFR",), network=network).method_text() for network in ("trained", "frozen")
    )
    assert "all training cases but a part (25%) that stops the training; once for every part" in trained
    assert "the convolutional part left as its start weights have it" in frozen
    assert "the convolutional part left as its start weights have it" not in trained


def test_the_title_comes_from_the_outcome_where_nobody_says_more(outcome):
    about = about_study(Words(), outcome, "99 tumors.")
    assert about.title == "Two-eyes"
    assert about_study(Words(title="Ours"), outcome, "99 tumors.").title == "Ours"


def test_the_card_of_a_number_tells_its_share_of_variance_and_error(number_study):
    from sklearn.metrics import mean_absolute_error, r2_score

    found = number_study.endpoints["TPS"]
    card = study_card(manifest(), Words(), number_study)
    row = next(line for line in card.splitlines() if line.startswith("| TPS |"))
    assert row.startswith("| TPS | tumor proportion score (%) | 150; ")
    for one in found.models.values():
        value = f"{r2_score(found.labels, one.value):.3f}".replace("-", "−")
        assert f"| {value} (" in row
        assert f"; {mean_absolute_error(found.labels, one.value):.1f}" in row
    assert "AUC" not in card
    limitations = about_study(Words(), number_study, "").limitations
    assert any("prediction interval holds for cases like those of training" in sentence for sentence in limitations)


def test_a_card_has_a_table_for_every_kind(make_study):
    card = study_card(manifest(), Words(), make_study(sizes=(40, 30), keys=("TPS", "PDL1")))
    assert card.index("R² with its 95 % interval") < card.index("| TPS |") < card.index("AUC of scores") < card.index(
        "| PDL1 |"
    )  # fmt: skip


def test_the_figures_are_those_of_the_study(outcome):
    from PDL1PredictorLib.study.discrimination import area_of

    key, found = next(iter(outcome.endpoints.items()))
    measured = [area_of(found, title) for title in found.models]
    row = next(line for line in study_card(manifest(), Words(), outcome).splitlines() if line.startswith(f"| {key} |"))
    for one in measured:
        assert f"{one.value:.3f} ({one.interval[0]:.3f} to {one.interval[1]:.3f})" in row


@pytest.mark.parametrize(
    ("kind", "words"),
    [("logistic regression", "no voxel and no patient's row"), ("nearest neighbors", "its classifiers keep")],
)
def test_a_classifier_that_keeps_rows_is_told(outcome, kind: str, words: str):
    assert words in study_card(manifest(kind), Words(), outcome)


def test_rows_that_a_model_within_or_the_estimates_keep_are_told(outcome):
    within = manifest("logistic regression")
    next(iter(within["endpoints"].values()))["stacked"] = {"model": {"kind": "nearest neighbors"}}
    assert "its classifiers keep" in study_card(within, Words(), outcome)
    rows = {**manifest("logistic regression"), "imputer": {"donors": "rows", "n": 60}}
    assert "but for the clinical values of the training cases" in study_card(rows, Words(), outcome)
    shared = {**manifest("logistic regression"), "imputer": {"donors": "centroids", "n": 12}}
    told = study_card(shared, Words(), outcome)
    assert "no patient's row (missing clinical values are estimated from 12 means of at least 5 patients each)" in told


def test_what_is_kept_of_each_training_case_is_told(outcome):
    without = study_card(manifest(), Words(), outcome)
    assert "how far it lies" not in without
    reference = {"held_out": 30, "limits": {"sanity": 3.0, "deep": 4.0}}
    card = study_card({**manifest(), "reference": reference}, Words(), outcome)
    assert (
        "of each of 30 training cases, in no order that names it, how far it lies from the others (sanity, deep)"
        in card
    )


def test_what_nested_figures_cannot_say_is_among_the_limitations(outcome):
    about = about_study(Words(cohort="Patients."), outcome, "99 tumors.")
    assert about.cohort == "Patients. 99 tumors."
    assert any("has no test cases of its own" in sentence for sentence in about.limitations)


def test_words_are_read_from_a_file(tmp_path: Path):
    file = tmp_path / "wörter.json"
    file.write_text(json.dumps({"title": "Ä", "limitations": ["a", "b"]}), encoding="utf-8")
    words = read_words(file)
    assert (words.title, words.limitations, words.licence) == ("Ä", ("a", "b"), "Apache-2.0")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "must hold an object"),
        ('{"titel": "x"}', "must hold an object with some of the names title"),
        ('{"limitations": "x"}', "limitations must be a list of sentences, got 'x'"),
        ('{"title": 3}', "title must be text, got 3"),
        ('{"title": "' + "x" * 301 + '"}', "title may have 300 letters each"),
        ('{"limitations": ["' + "x" * 4001 + '"]}', "limitations may have 4000 letters each, 50 sentences at most"),
        ('{"limitations": [' + ", ".join(['"x"'] * 51) + "]}", "limitations may have 4000 letters each, 50 sentences"),
        ('{"title": "a", "title": "b"}', "is not JSON: the key 'title' stands there twice"),
    ],
)
def test_words_that_cannot_be_used_are_refused(tmp_path: Path, content: str, words: str):
    (tmp_path / "words.json").write_text(content)
    with pytest.raises(InputError, match=words):
        read_words(tmp_path / "words.json")


def test_a_missing_file_of_words_is_told(tmp_path: Path):
    with pytest.raises(InputError, match=r"none\.json cannot be read"):
        read_words(tmp_path / "none.json")

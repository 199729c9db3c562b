"""What an outcome refuses, and that no page of the study knows a recipe or a model by name."""

from dataclasses import replace
from pathlib import Path

import pytest

from PDL1PredictorLib import study as room
from PDL1PredictorLib.core.roles import lead_of, with_role

PAGES = [page for page in sorted(Path(room.__file__).parent.rglob("*")) if page.suffix in {".py", ".html", ".css"}]
NAMES = ("Radiomics-Score", "Deep-CT", "Deep-RadScore", "Tumor volume", "model_names", "RadScore", "fused")
RECIPES_OWN = {"run.py", "conduct.py"}  # they conduct the recipe that there is


def test_the_lead_is_found_by_its_role(study):
    found = study.endpoints["PDL1"]
    assert found.lead == "Two-eyes"
    assert set(found.binary_models()) == set(found.models)
    assert found.number_models() == {}


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        ({}, "One model has the role lead, got 0"),
        ({"a": "part"}, "One model has the role lead, got 0 of the models a"),
        ({"a": "lead", "b": "lead"}, "One model has the role lead, got 2 of the models a, b"),
        ({"a": "lead"}, "The models Texture score, .*, Size alone have no role"),
    ],
)
def test_an_outcome_without_one_lead_or_with_a_model_without_role_is_refused(study, roles, words):
    with pytest.raises(ValueError, match=words):
        replace(study.endpoints["PDL1"], roles=roles)


def test_roles_are_told_in_their_order():
    roles = {"a": "part", "b": "lead", "c": "part"}
    assert with_role(roles, "part") == ("a", "c")
    assert lead_of(roles) == "b"


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in RECIPES_OWN], ids=lambda page: page.name)
def test_no_page_of_the_study_knows_a_model_or_recipe_by_name(page: Path):
    text = page.read_text(encoding="utf-8")
    for name in NAMES:
        assert name not in text

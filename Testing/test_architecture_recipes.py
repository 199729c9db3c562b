"""No room but recipes/ names a recipe or its models, and the kind of an endpoint is asked for in few, listed pages."""

import ast
from collections.abc import Iterator
from pathlib import Path

from PDL1PredictorLib.recipes.deepradscore import MODELS
from PDL1PredictorLib.recipes.table import RECIPES

LIBRARY = Path(__file__).resolve().parents[1] / "PDL1PredictorLib"
FILES = sorted(LIBRARY.rglob("*.py"))
TITLES = {plan.name.title for plan in MODELS}
LEADS = {plan.name.title for plan in MODELS if plan.name.role == "lead"}
NAMES_ALLOWED = {  # page to the words that mean something else there
    "radiomics/settings.py": {"deepradscore", "pdl1es"},  # the preset of features
    "face.py": {"deepradscore"},  # the same
    "cli/options.py": {"deepradscore", "pdl1es"},  # the same, and its help text
    "cli/tables.py": {"deepradscore", "complextransformer"},  # the same, and whose networks a table can be given to
    "learning/tables/simple_models.py": {"Tumor volume"},  # of a first look, which knows no recipe
    "learning/network_files.py": {"Deep-CT"},  # the network, as paper 001 calls it
}
RECIPES_USED_IN = {
    "cli/train.py",
    "cli/recipe_options.py",
    "cli/cohort.py",  # what a recipe would make of a cohort
    "cli/tables.py",  # networks of one, trained on a table
}
KINDS = {"binary", "number", "time"}
KIND_COMPARED_IN = {"core/endpoints.py", "core/targets.py"}  # what the kinds are
KIND_LOOKED_UP_IN = {
    "learning/kinds.py",  # all that learning does by kind
    "models/answers.py",  # a model's number to an answer
    "models/schema/endpoints.py",  # an entry of a manifest to values
    "core/targets.py",  # number of strata
    "cohort/table.py",  # cells
    "cohort/describe.py",  # rows of Table 1
    "cohort/feature_table.py",  # columns
    "cohort/outlook/labels.py",  # counts of a summary, and how many are needed
    "report/kinds.py",  # what people see of an answer
    "study/report/kinds.py",  # of a study
    "study/evaluation/kinds.py",  # and of an evaluation
}


def page_of(file: Path) -> str:
    return file.relative_to(LIBRARY).as_posix()


def texts(tree: ast.Module) -> Iterator[str]:
    """Texts of a page that are no docstrings."""
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def names_in(source: str) -> set[str]:
    """Recipes and models that a page names: a word of its own, or the lead's title within a text."""
    found = set()
    for text in texts(ast.parse(source)):
        found |= {name for name in {*TITLES, *RECIPES} if text == name}
        found |= {name for name in {*LEADS, *RECIPES} if name in text}
    return found


def compares_a_kind(source: str) -> bool:
    """Whether something that is called kind is compared with the word of one."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare):
            continue
        parts = [node.left, *node.comparators]
        named = any(isinstance(p, ast.Attribute) and p.attr == "kind" for p in parts)
        named |= any(isinstance(p, ast.Name) and p.id == "kind" for p in parts)
        words = {leaf.value for p in parts for leaf in ast.walk(p) if isinstance(leaf, ast.Constant)}
        if named and words & KINDS:
            return True
    return False


def looks_a_kind_up(source: str) -> bool:
    """Whether a page has a table by kind."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict):
            keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
            if len(keys & KINDS) >= 2:
                return True
    return False


def test_no_room_but_recipes_names_a_recipe_or_its_models():
    found = {
        page_of(file): names_in(file.read_text(encoding="utf-8"))
        for file in FILES
        if file.relative_to(LIBRARY).parts[0] != "recipes"
    }
    assert {page: names for page, own in found.items() if (names := own - NAMES_ALLOWED.get(page, set()))} == {}
    assert set(NAMES_ALLOWED) == {page for page, own in found.items() if own}


def test_only_the_commands_that_train_and_check_import_recipes():
    found = {
        page_of(file)
        for file in FILES
        if "PDL1PredictorLib.recipes" in file.read_text(encoding="utf-8") and file.parent.name != "recipes"
    }
    assert found == RECIPES_USED_IN


def test_the_kind_of_an_endpoint_is_asked_for_in_listed_pages_only():
    sources = {page_of(file): file.read_text(encoding="utf-8") for file in FILES}
    assert {page for page, source in sources.items() if compares_a_kind(source)} == KIND_COMPARED_IN
    assert {page for page, source in sources.items() if looks_a_kind_up(source)} == KIND_LOOKED_UP_IN


def test_a_recipe_that_is_named_is_seen():
    assert names_in('def f(name):\n    return name == "deepradscore"\n') == {"deepradscore"}
    assert names_in('TITLE = "Deep-RadScore of a friend"\n') == {"Deep-RadScore"}
    assert names_in('"""Deep-RadScore in words."""\nCOLORS = {"Tumor volume": "red"}\n') == {"Tumor volume"}


def test_a_kind_that_is_asked_for_is_seen():
    assert compares_a_kind('if endpoint(key).kind == "binary":\n    pass\n')
    assert compares_a_kind('if target.kind in ("number", "time"):\n    pass\n')
    assert not compares_a_kind('if kind == "logistic regression":\n    pass\n')
    assert looks_a_kind_up('SHOWN = {"binary": 1, "number": 2}\n')
    assert not looks_a_kind_up('SHOWN = {"number": 2}\n')

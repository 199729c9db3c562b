"""The recipes, by name; none is loaded before it is asked for."""

from collections.abc import Callable

from PDL1PredictorLib.core.errors import InputError, did_you_mean
from PDL1PredictorLib.recipes.page import RecipePage


def _deepradscore() -> RecipePage:
    from PDL1PredictorLib.recipes.deepradscore_page import PAGE

    return PAGE


def _complextransformer() -> RecipePage:
    from PDL1PredictorLib.recipes.complextransformer_page import PAGE

    return PAGE


def _responder3d() -> RecipePage:
    from PDL1PredictorLib.recipes.responder3d_page import PAGE

    return PAGE


def _dlr() -> RecipePage:
    from PDL1PredictorLib.recipes.dlr_page import PAGE

    return PAGE


def _pdl1es() -> RecipePage:
    from PDL1PredictorLib.recipes.pdl1es_page import PAGE

    return PAGE


RECIPES: dict[str, Callable[[], RecipePage]] = {
    "deepradscore": _deepradscore,
    "complextransformer": _complextransformer,
    "responder3d": _responder3d,
    "dlr": _dlr,
    "pdl1es": _pdl1es,
}


def recipe_page(name: str) -> RecipePage:
    """Look a recipe up by its name.

    Raises:
        InputError: There is no such recipe.
    """
    try:
        page = RECIPES[name]
    except KeyError:
        near = did_you_mean(name, RECIPES)
        raise InputError(f"The recipe {name!r} is not known.{near} Known recipes: {', '.join(RECIPES)}.") from None
    return page()

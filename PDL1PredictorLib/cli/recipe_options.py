"""Options of the recipes on the command line: a group for each, and a refusal of another recipe's."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.recipes.page import Option, RecipePage

Recipes = Mapping[str, Callable[[], RecipePage]]


def add_recipe_options(command: argparse.ArgumentParser, recipes: Recipes) -> None:
    """Add the options of every recipe; one that several recipes have stands in the group of the first.

    They have no default here, so that what was typed can be told from what was not.
    """
    added: set[str] = set()
    for name, page in recipes.items():
        group = command.add_argument_group(f"recipe {name}")
        for option in page().options:
            if option.flag not in added:
                group.add_argument(option.flag, default=argparse.SUPPRESS, **option.settings)
            added.add(option.flag)


def chosen_options(options: argparse.Namespace, page: RecipePage, recipes: Recipes) -> dict[str, Any]:
    """Values of the recipe's own options, by key.

    Raises:
        InputError: An option of another recipe was given.
    """
    owners: dict[str, list[str]] = {}
    by_flag: dict[str, Option] = {}
    for name, other in recipes.items():
        for option in other().options:
            owners.setdefault(option.flag, []).append(name)
            by_flag[option.flag] = option
    for flag, names in owners.items():
        if page.name not in names and hasattr(options, by_flag[flag].key):
            own = ", ".join(option.flag for option in page.options) or "none"
            plural = "s" if len(names) > 1 else ""
            raise InputError(
                f"{flag} belongs to the recipe{plural} {', '.join(names)}; the recipe {page.name} does not know it. "
                f"Its own options: {own}."
            )
    return {option.key: getattr(options, option.key, option.default) for option in page.options}

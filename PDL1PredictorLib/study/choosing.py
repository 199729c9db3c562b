"""Which of a study's models is an endpoint's: the simplest of those with skill that are no worse than the best.

Or the one that the recipe is for, where that is asked for; a simpler one that is as good is then named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.learning.recipe import Recipe
from PDL1PredictorLib.statistics.survival.concordance import compare_c, harrell_c
from PDL1PredictorLib.statistics.survival.fold_concordance import FoldConcordance, concordance_within_folds
from PDL1PredictorLib.study.choosing_numbers import simplest_of_numbers
from PDL1PredictorLib.study.discrimination import area_of, comparison_of, p_of_best
from PDL1PredictorLib.study.outcome import EndpointOutcome

CHANCE = 0.5
THE_LEAD = "It is the model that the recipe is for."
NOTHING = "No model learned anything: held-out cases were not told apart better than by chance"
Ship = Literal["chosen", "lead"]
"""Whether an endpoint's model is the simplest of the best, or the one that the recipe is for."""


@dataclass(frozen=True)
class Candidate:
    """A model that was there to choose.

    Attributes:
        title: Of the model.
        role: What it is to the others.
        auc: On held-out cases.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    title: str
    role: Role
    auc: float
    low: float
    high: float


@dataclass(frozen=True)
class Choice:
    """The endpoint's model.

    Attributes:
        title: Of the model; "" where no model learned anything.
        role: What it is to the others.
        reason: One sentence.
        candidates: Those that learned something, the simplest first; empty for a number and for a time.
        p: That chance alone gives the best of the chosen model and the simpler candidates its area: a model that is
            looked at first pays for itself alone, a later one for those before it. None where no label can be
            exchanged, and for a number or a time.
        simpler: Title of a simpler model that is as good, where the one that the recipe is for was asked for; "" where
            there is none.
    """

    title: str
    role: Role
    reason: str
    candidates: tuple[Candidate, ...] = ()
    p: float | None = None
    simpler: str = ""


def choose_model(
    outcome: EndpointOutcome, recipe: Recipe, learned: Mapping[str, bool], ship: Ship = "chosen"
) -> Choice:
    """The simplest model whose area is within one standard error of the best one's.

    The best of several is partly the luckiest, and a modest answer with proven skill beats a bold one without. So the
    models are those whose interval lies above 0.5, as long as there is one: a simple model may be within an error of
    the best and yet not be told from chance. The standard error is that of the paired difference on the same cases,
    within folds.

    Args:
        outcome: Of the endpoint on held-out cases.
        recipe: Whose models they are, with the order of their simplicity.
        learned: Title to whether the model that is kept learned anything.
        ship: `chosen`, or `lead`: the model that the recipe is for.

    Source: Breiman et al. 1984, "Classification and Regression Trees", 3.4.3 (one standard error rule).
    """
    plans = sorted((plan for plan in recipe.models if not plan.rival), key=lambda plan: plan.order)
    titles = [plan.name.title for plan in plans if learned[plan.name.title]]
    if outcome.time_models():
        chosen = choose_time_model(outcome, recipe, learned)
    else:
        chosen = _of_calls(outcome, titles) if outcome.binary_models() else _of_numbers(outcome, titles)
    if ship == "chosen" or not chosen.title or chosen.title == outcome.lead:
        return chosen
    return _lead(outcome, chosen, learned[outcome.lead])


def _lead(outcome: EndpointOutcome, chosen: Choice, learned: bool) -> Choice:
    """The lead model in place of the simpler one that would be chosen."""
    if not learned:
        return Choice("", "lead", f"{outcome.lead} was asked for, but it learned nothing")
    reason = f"It was asked for. {chosen.title} is simpler and as good on held-out cases."
    titles = [one.title for one in chosen.candidates]
    known = outcome.lead in titles
    p = p_of_best(outcome, titles[: titles.index(outcome.lead) + 1]) if known else None
    return Choice(outcome.lead, "lead", reason, chosen.candidates, p, chosen.title)


def _of_numbers(outcome: EndpointOutcome, titles: Sequence[str]) -> Choice:
    """Of numbers the simplest by the squared error; where nothing can be compared, the model that the recipe is for."""
    found = simplest_of_numbers(outcome, titles)
    if found is None:
        return Choice(outcome.lead, "lead", THE_LEAD)
    return Choice(found.title, outcome.roles[found.title], found.reason)


def _of_calls(outcome: EndpointOutcome, titles: Sequence[str]) -> Choice:
    found = tuple(
        one for title in titles if _mostly(outcome, title) and (one := _candidate(outcome, title)) is not None
    )
    if not found:
        return Choice("", "lead", NOTHING)
    compared = [one for one in found if one.low > CHANCE] or found
    best = max(compared, key=lambda one: one.auc)
    chosen = next(one for one in compared if _as_good(outcome, best.title, one.title))
    before = [one.title for one in found[: found.index(chosen) + 1]]
    return Choice(chosen.title, chosen.role, _reason(chosen, best), found, p_of_best(outcome, before))


def choose_time_model(outcome: EndpointOutcome, recipe: Recipe, learned: Mapping[str, bool]) -> Choice:
    """The same for a time, by Harrell's C: the simplest within one standard error of the paired difference."""
    plans = sorted((plan for plan in recipe.models if not plan.rival), key=lambda plan: plan.order)
    found = {
        plan.name.title: c for plan in plans if learned[plan.name.title] and (c := _c_of(outcome, plan.name.title))
    }
    if not found:
        return Choice("", "lead", "No model learned anything: held-out cases were not told apart better than by chance")
    compared = {title: c for title, c in found.items() if c.interval[0] > CHANCE} or found
    best = max(compared, key=lambda title: compared[title].value)
    chosen = next(title for title in compared if title == best or _c_as_good(outcome, best, title))
    words = f"Its C on held-out cases ({found[chosen].value:.2f})"
    if chosen == best:
        reason = f"{words} is the best, and no simpler model comes within its error."
    else:
        reason = (
            f"{words} is within one standard error of that of {best} ({found[best].value:.2f}), which is less simple."
        )
    return Choice(chosen, outcome.roles[chosen], reason)


def _c_of(outcome: EndpointOutcome, title: str) -> FoldConcordance | None:
    time, event = outcome.labels["time"], outcome.labels["event"]
    return concordance_within_folds(time, event, outcome.models[title].score, outcome.folds)


def _c_as_good(outcome: EndpointOutcome, best: str, title: str) -> bool:
    """Whether the difference of the first division is no more than its own standard error."""
    time, event = outcome.labels["time"], outcome.labels["event"]
    first, second = (
        harrell_c(time, event, outcome.models[one].score[0], strata=outcome.folds[0]) for one in (best, title)
    )
    found = compare_c(first, second)
    return found.value <= found.se


def _mostly(outcome: EndpointOutcome, title: str) -> bool:
    """Whether the model learned something in folds that hold at least half of the cases."""
    return bool(outcome.binary_models()[title].called.mean() >= 0.5)


def _candidate(outcome: EndpointOutcome, title: str) -> Candidate | None:
    area = area_of(outcome, title)
    if area is None:
        return None
    low, high = area.interval
    return Candidate(title, outcome.roles[title], area.value, min(low, area.value), max(high, area.value))


def _as_good(outcome: EndpointOutcome, best: str, title: str) -> bool:
    """Whether the difference is no more than its own standard error."""
    if best == title:
        return True
    test = comparison_of(outcome, best, title)
    return test is not None and test.z <= 1


def _reason(chosen: Candidate, best: Candidate) -> str:
    if chosen == best:
        return f"It has the best AUC on held-out cases ({best.auc:.2f}), and no simpler model comes within its error."
    return (
        f"Its AUC on held-out cases ({chosen.auc:.2f}) is within one standard error of that of {best.title} "
        f"({best.auc:.2f}), which is less simple."
    )


def chosen_models(choices: Mapping[str, Choice]) -> tuple[str, ...]:
    """A sentence for each endpoint whose model had to be chosen, for the report's notes."""
    return tuple(
        f"{key}: the endpoint's model is {choice.title}. {choice.reason}"
        for key, choice in choices.items()
        if choice.title and (_compared(choice) or endpoint(key).timed)
    )


def _compared(choice: Choice) -> bool:
    """Whether there was more than one model to choose from."""
    return len(choice.candidates) > 1 or (not choice.candidates and choice.reason != THE_LEAD)

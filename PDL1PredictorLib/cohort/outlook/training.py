"""What a recipe could learn from a cohort, how it would be tested, and how long that takes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from PDL1PredictorLib.cohort.clinical.known import known_clinical
from PDL1PredictorLib.cohort.outlook.effort import Effort, time_words
from PDL1PredictorLib.cohort.outlook.labels import Counted, counted, kind_words
from PDL1PredictorLib.cohort.table import Cohort
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.endpoints import Kind, endpoint

TEST_SHARE, FOLDS = 0.3, 5  # the defaults of every recipe
NESTED_BELOW = 200  # cases: three tenths of fewer test a model too roughly
REPEATS = (1, 5)  # of nested cross-validation: once, and as `pdl1 train` does it by itself


class Plan(NamedTuple):
    """A way to test what is learned.

    Attributes:
        design: `split` or `nested`.
        repeats: Of the outer folds.
        seconds: About how long all of it takes here.
        text: In words, with the time.
    """

    design: str
    repeats: int
    seconds: float
    text: str


def training_outlook(cohort: Cohort, kinds: Sequence[Kind], effort: Effort, cores: int) -> dict[str, Any]:
    """What would come of a training, without a look at any image.

    Args:
        cohort: A table that was found in order.
        kinds: Of endpoints that the recipe learns.
        effort: Of the recipe.
        cores: Of the processor.

    Returns:
        For JSON. `endpoints`: rows of `endpoint`, `title`, `usable` and `text`. `refusals`: what keeps a training from
        starting. `notes`: what is worth knowing. `clinical`: clinical values that it would learn from by itself.
        `plans`: ways to test it, see `Plan`, and `advised`, the place of the one for a cohort of this size.
        `memory_mb`.
    """
    own = _own_split(cohort)
    advised = Design.SPLIT if own or len(cohort) >= NESTED_BELOW else Design.NESTED
    rows, usable = [], 0
    for one in counted(cohort):
        why_not = _why_not_kind(one, kinds) or _why_too_few(one, cohort, advised)
        usable += not why_not
        rows.append({**one.to_dict(), "usable": not why_not, "text": f"{one.text}{why_not and f': {why_not}'}"})
    plans = _plans(cohort, effort, max(1, usable), cores)
    return {
        "endpoints": rows,
        "refusals": _refusals(cohort, rows),
        "notes": _notes(cohort, own),
        "clinical": list(known_clinical(cohort)),
        "plans": [plan._asdict() for plan in plans],
        "advised": next(place for place, plan in enumerate(plans) if plan.design == advised),
        "memory_mb": effort.memory(cores),
    }


def _own_split(cohort: Cohort) -> bool:
    return any(case.split is not None for case in cohort.cases)


def _why_not_kind(one: Counted, kinds: Sequence[Kind]) -> str:
    if endpoint(one.endpoint).kind in kinds:
        return ""
    return f"by itself the recipe learns {kind_words(kinds)}"


def _why_too_few(one: Counted, cohort: Cohort, design: Design) -> str:
    """Parts keep the shares of every answer, so that the training cases have theirs."""
    share = 1 - 1 / FOLDS if design == Design.NESTED else _teaching_share(cohort)
    taught = int(one.scarce * share)
    if taught >= one.least:
        return ""
    return f"about {taught} {one.what} would teach, {one.least} are needed"


def _teaching_share(cohort: Cohort) -> float:
    if not _own_split(cohort):
        return 1 - TEST_SHARE
    return sum(case.split == "train" for case in cohort.cases) / len(cohort)


def _plans(cohort: Cohort, effort: Effort, endpoints: int, cores: int) -> list[Plan]:
    n = len(cohort)
    share = _teaching_share(cohort)
    seconds = effort.seconds(n, share * n, endpoints, 1, cores)
    how = "as the column split says" if _own_split(cohort) else f"{1 - TEST_SHARE:.0%} teach, {TEST_SHARE:.0%} test"
    found = [Plan(Design.SPLIT.value, 1, round(seconds), f"One division, {how}: about {time_words(seconds)}")]
    for repeats in REPEATS:
        taught = (FOLDS - 1) * n * repeats + n  # each case teaches in all folds but one, and the model that is kept
        seconds = effort.seconds(n, taught, endpoints, FOLDS * repeats + 1, cores)
        times = "once" if repeats == 1 else f"{repeats} times"
        text = f"Nested cross-validation in {FOLDS} folds, {times}: about {time_words(seconds)}"
        found.append(Plan(Design.NESTED.value, repeats, round(seconds), text))
    return found


def _refusals(cohort: Cohort, rows: Sequence[dict[str, Any]]) -> list[str]:
    found = []
    if not rows:
        found.append("The table has no column of an endpoint. Add one, such as PDL1 or EGFR, with 1 and 0.")
    elif not any(row["usable"] for row in rows):
        found.append("No endpoint has what this recipe needs to learn from. Add cases, or choose another recipe.")
    splits = {case.split for case in cohort.cases} - {None}
    if len(splits) == 1:
        found.append("The column split names only one of train and test. Name both, or leave the column out.")
    if len(set(cohort.patients)) < FOLDS:
        found.append(
            f"A study needs at least {FOLDS} patients to divide; here are {len(set(cohort.patients))}. Add cases."
        )
    return found


def _notes(cohort: Cohort, own: bool) -> list[str]:
    found = []
    with_pet = sum(case.pet is not None for case in cohort.cases)
    if with_pet:
        found.append(f"{with_pet} of {len(cohort)} cases have a PET, which only a recipe with PET looks at.")
    if not own and len(cohort) < NESTED_BELOW:
        found.append(
            f"With fewer than {NESTED_BELOW} cases a single division tests too few of them: nested cross-validation "
            "tests every case once."
        )
    return found

"""What moved an answer, by groups of inputs that a reader knows, with the features behind them by name."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from PDL1PredictorLib.core.answer_parts import Contribution
from PDL1PredictorLib.core.clinical_columns import CLINICAL_INPUTS
from PDL1PredictorLib.core.results import Answer
from PDL1PredictorLib.report.kinds import renderer
from PDL1PredictorLib.report.words import feature_title

TUMOR, RING, BOTH = "Tumor radiomics", "Ring radiomics", "Radiomics of tumor and ring"
NETWORK, SIZE, CLINICAL = "Network", "Tumor size", "Clinical values"
GROUPS = (TUMOR, RING, BOTH, NETWORK, SIZE, CLINICAL)
_PATTERNS = (
    (NETWORK, r"deep_\d+|deep_features|network_logit|network_answer|stacked_logit"),
    (SIZE, r"log_volume"),
    (TUMOR, r"radscore_tumor|tumor_.+"),
    (RING, r"radscore_ring|ring_.+"),
    (BOTH, r"selected_features|l2_score"),
)


@dataclass(frozen=True)
class GroupLine:
    """One input of a group, or one feature behind it.

    Attributes:
        title: Its name for people.
        effect: Words for its effect; of a feature behind an input, its share in that.
        behind: What it was made of, the largest share first.
    """

    title: str
    effect: str
    behind: tuple["GroupLine", ...] = ()


@dataclass(frozen=True)
class Group:
    """Inputs that belong together.

    Attributes:
        title: One of `GROUPS`.
        effect: Sum of their effects, in the unit of the answer's effects.
        said: The same in words, such as `+0.42, towards mutant`.
        lines: The inputs, the largest effect first.
    """

    title: str
    effect: float
    said: str
    lines: tuple[GroupLine, ...]


def contribution_groups(answer: Answer) -> tuple[Group, ...]:
    """The groups of what moved an answer, the largest sum of effects first; effects as `Renderer.explained` says."""
    found: dict[str, list[Contribution]] = {}
    for contribution in answer.contributions:
        found.setdefault(group_of(contribution.name), []).append(contribution)
    groups = [_group(title, inputs, answer) for title, inputs in found.items()]
    return tuple(sorted(groups, key=lambda group: (-abs(group.effect), GROUPS.index(group.title))))


def group_of(name: str) -> str:
    """The group of an input; one of no known name came with the patient: a value that a cohort declared."""
    if name in CLINICAL_INPUTS:
        return CLINICAL
    return next((title for title, pattern in _PATTERNS if re.fullmatch(pattern, name)), CLINICAL)


def _group(title: str, inputs: Sequence[Contribution], answer: Answer) -> Group:
    effect = math.fsum(one.effect for one in inputs if math.isfinite(one.effect))
    lines = tuple(
        GroupLine(feature_title(one.name), _said(one.effect, answer), _behind(one))
        for one in sorted(inputs, key=lambda one: -abs(one.effect) if math.isfinite(one.effect) else 0.0)
    )
    return Group(title, effect, _said(effect, answer), lines)


def _behind(one: Contribution) -> tuple[GroupLine, ...]:
    return tuple(
        GroupLine(feature_title(part.name), f"{abs(part.share) * 100:.0f} % of it, {_direction(part.share)}")
        for part in one.behind
    )


def _direction(share: float) -> str:
    return "raises it" if share > 0 else "lowers it"


def _said(effect: float, answer: Answer) -> str:
    """`+0.42, towards mutant`."""
    if not math.isfinite(effect):
        return "not known"
    how = renderer(answer).explained(answer)
    if abs(effect) < 0.005:
        return "0.00"
    return f"{effect:+.2f}, towards {how.raises if effect > 0 else how.lowers}"

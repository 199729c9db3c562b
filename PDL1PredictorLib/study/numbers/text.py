"""A comparison of models of a number as Markdown: the table of figures, the largest R² first, and what they mean."""

from collections.abc import Mapping
from typing import Any

from PDL1PredictorLib.study.numbers.document import ranked, unit_digits

Found = Mapping[str, Any]
COLUMNS: tuple[tuple[str, int | None], ...] = (  # with digits; None for those in the number's unit
    ("r2", 3), ("mae", None), ("mae_less_median", None), ("rmse", None), ("concordance", 2), ("spearman", 2)
)  # fmt: skip
HEADS = ("R²", "MAE", "MAE less the median's", "RMSE", "concordance", "Spearman within folds")


def to_text(document: Found) -> str:
    """The whole page."""
    table, settings = document["table"], document["settings"]
    own = "" if table["n_patients"] is None else f" of {table['n_patients']} patients"
    observed = document["observed"]
    lines = [
        f"# {table['label']} from {table['file']}",
        "",
        f"{table['n_rows']} rows{own}, {len(table['inputs'])} inputs; mean {observed['mean']:.4g}, "
        f"SD {observed['sd']:.4g}, median {observed['median']:.4g}, from {observed['lowest']:.4g} to "
        f"{observed['highest']:.4g}; {settings['n_folds']}-fold cross-validation, "
        f"{settings['n_repeats']} repetitions, seed {settings['seed']}.",
        "",
        *figures(document),
        "",
    ]
    if table["n_unknown"]:
        lines.append(f"- {table['n_unknown']} rows without a label were left out.")
    if table["ignored"]:
        lines.append(f"- Not used as inputs: {', '.join(name or '(no name)' for name in table['ignored'])}.")
    lines += [f"- {note}" for note in (*fewer_repetitions(document), *document["notes"])]
    return "\n".join([*lines, "", f"    {document['command']}", "", document["research_use_only"], ""])


def figures(document: Found) -> list[str]:
    """Lines of a Markdown table, values with their 95 % intervals."""
    cuts = [cut["cut"] for cut in next(iter(document["models"].values()))["cuts"]]
    heads = ["model", *HEADS, *(f"AUC at {cut:g}" for cut in cuts), "p of R²"]
    rows, of_unit = [], unit_digits(document)
    for title, model in ranked(document):
        cells = [_ranged(model[name], of_unit if digits is None else digits) for name, digits in COLUMNS]
        cells += [_ranged(cut["auc"], 2) for cut in model["cuts"]]
        p = "–" if model["p"] is None else f"{model['p']:.2g}"
        rows.append(f"| {' | '.join([title, *cells, p])} |")
    return [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *rows]


def fewer_repetitions(document: Found) -> list[str]:
    """Which models were fitted in the first repetitions only."""
    most = document["settings"]["n_repeats"]
    some = {title: model["repeats"] for title, model in document["models"].items() if model["repeats"] < most}
    return [f"{title}: {repeats} of {most} repetitions." for title, repeats in some.items()]


def _ranged(found: Found | None, digits: int) -> str:
    if found is None:
        return "–"
    if found["low"] is None:
        return f"{found['value']:.{digits}f}"
    return f"{found['value']:.{digits}f} ({found['low']:.{digits}f} to {found['high']:.{digits}f})"

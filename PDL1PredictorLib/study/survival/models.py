"""Cox models of a table's columns: one by one and together, the test of proportional hazards, what each adds."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from PDL1PredictorLib.statistics.survival.checks import NotEstimableError
from PDL1PredictorLib.statistics.survival.concordance import harrell_c
from PDL1PredictorLib.statistics.survival.cox import Coefficients, fit_cox, fit_stratified
from PDL1PredictorLib.statistics.survival.hazard_ratios import ChiSquareTest, hazard_ratios, nested_test, overall_tests
from PDL1PredictorLib.statistics.survival.proportional import proportional_hazards
from PDL1PredictorLib.study.survival.columns import SurvivalTable, Term
from PDL1PredictorLib.study.survival.curves import ratio_numbers

Plain = dict[str, Any]


def cox_tables(table: SurvivalTable, columns: Sequence[str], strata: str = "") -> Plain:
    """Models of each column alone and of all together; rows that lack a value are left out of the model only."""
    alone = {name: _model(table, [name], strata) for name in columns}
    together = _model(table, columns, strata) if len(columns) > 1 else None
    return {"alone": alone, "together": together}


def what_is_added(table: SurvivalTable, columns: Sequence[str], added: str, strata: str = "") -> Plain:
    """Whether a column tells more than others, on the rows that know all of them."""
    terms, x = table.covariates([*columns, added])
    rows, levels = known_rows(table, x, strata)
    try:
        larger = _fit(x[rows], table, rows, levels)
        smaller = _fit(x[rows][:, [term.column != added for term in terms]], table, rows, levels)
    except NotEstimableError as error:
        return {"note": str(error)}
    ratios = hazard_ratios(larger)
    own = [i for i, term in enumerate(terms) if term.column == added]
    return {
        "n": int(rows.size),
        "ratios": [ratio_numbers(*_of(ratios[i])) for i in own],
        "gain": test_numbers(nested_test(smaller, larger)),
        "note": "",
    }


def known_rows(table: SurvivalTable, x: np.ndarray, strata: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Rows without a missing value, and their strata."""
    known = np.isfinite(x).all(axis=1)
    if not strata:
        return np.flatnonzero(known), None
    levels = table.texts(strata)
    rows = np.flatnonzero(known & (levels != ""))
    return rows, levels[rows]


def test_numbers(test: ChiSquareTest) -> Plain:
    """A test, plain."""
    return test._asdict()


def _model(table: SurvivalTable, columns: Sequence[str], strata: str) -> Plain:
    terms, x = table.covariates(columns)
    rows, levels = known_rows(table, x, strata)
    about = {"n": int(rows.size), "n_left_out": int(table.time.size - rows.size), "terms": [], "note": ""}
    try:
        return {**about, **_fitted(terms, x[rows], table, rows, levels)}
    except NotEstimableError as error:
        return {**about, "note": str(error)}


def _fitted(
    terms: list[Term], x: np.ndarray, table: SurvivalTable, rows: np.ndarray, levels: np.ndarray | None
) -> Plain:
    time, event = table.time[rows], table.event[rows]
    fit = _fit(x, table, rows, levels)
    ratios = hazard_ratios(fit)
    per_term, together = ([None] * len(terms), None)
    if levels is None:
        each, all_terms = proportional_hazards(fit_cox(x, time, event), x, time, event)
        per_term, together = [test_numbers(test) for test in each], test_numbers(all_terms)  # type: ignore[misc]
    c = harrell_c(time, event, fit.score(x), strata=levels)
    return {
        "events": fit.events,
        "terms": [
            {
                "name": term.name,
                "column": term.column,
                "against": term.against,
                "ratio": ratio_numbers(*_of(ratio)),
                "sd": float(x[:, i].std(ddof=1)),
                "proportional": test,
            }
            for i, (term, ratio, test) in enumerate(zip(terms, ratios, per_term, strict=True))
        ],
        "proportional": together,
        "likelihood_ratio": test_numbers(overall_tests(fit).likelihood_ratio),
        "c": {"value": c.value, "low": c.interval[0], "high": c.interval[1]},
    }


def _fit(x: np.ndarray, table: SurvivalTable, rows: np.ndarray, levels: np.ndarray | None) -> Coefficients:
    return fit_stratified(x, table.time[rows], table.event[rows], levels)


def _of(ratio: Any) -> tuple[float, tuple[float, float], float]:
    return ratio.value, ratio.interval, ratio.p

"""What R says of survival, by theme, and the tables that it was given."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

Columns = dict[str, np.ndarray]
N_ANSWERS = 239
THEMES = {  # of each answer its theme; every answer has exactly one
    "curve": r"\.(km|na)\.|\.rmst$|\.follow_up\.",
    "groups": r"\.(logrank|peto_peto|trend_score_test)$",
    "cox": r"\.cox\.(efron|breslow|efron\.strata_stage|nested_lr_test)$",
    "cox_curve": r"\.cox\.(predicted_survival|baseline_cumulative_hazard|linear_predictor|martingale_residuals)$",
    "proportional": r"\.cox_zph\.",
    "weibull": r"\.weibull_aft$",
    "concordance": r"\.(harrell_c|uno_c|harrell_c_difference)(\.ymax_\d+)?$",
    "cut": r"\.(largest_logrank_cut|largest_logrank_cut_any|maxstat)$",
    "auc": r"\.auc_t$",
    "brier": r"\.(brier_t|ibs|test_figures|brier_t\.survival_package)$",
}


def read_answers(shared: Path) -> dict[str, Any]:
    """R's answers by key; `_provenance` is none of them."""
    text = (shared / "oracle" / "oracle_survival_R.json").read_text(encoding="utf-8")
    return {key: value for key, value in json.loads(text).items() if key != "_provenance"}


def of_theme(answers: dict[str, Any], theme: str) -> Iterator[tuple[str, str, Any]]:
    """Data set, key and answer of each of a theme's."""
    for key, answer in answers.items():
        if re.search(THEMES[theme], key):
            yield key.split(".")[0], key, answer


def read_tables(shared: Path) -> dict[str, Columns]:
    """Each table as R was given it; `time`, `event` and the covariates are numbers."""
    rossi = _floats(_read(shared / "oracle" / "rossi.csv"))
    rossi |= {"time": rossi["week"], "event": rossi["arrest"]}
    syn = _floats(_read(shared / "oracle" / "synthetic120.csv"))
    return {"rossi": rossi, "syn": syn, "lung1": _lung1(shared), "voi": _voi(shared)}


def _lung1(shared: Path) -> Columns:
    read = _read(shared / "data" / "tables" / "lung1_pyradiomics_selected_421.csv")
    known = np.isin(read["Overall.Stage"], ("I", "II", "IIIa", "IIIb"))
    table = {name: values[known] for name, values in read.items()}
    stage = table["Overall.Stage"]
    diameter = table["original_shape_Maximum2DDiameterSlice"].astype(float)
    return {
        "time": table["Survival.time"].astype(float),
        "event": table["deadstatus.event"].astype(float),
        "age": table["age"].astype(float),
        "male": (table["gender"] == "male").astype(float),
        "stage": stage,
        "stage2": (stage == "II").astype(float),
        "stage3a": (stage == "IIIa").astype(float),
        "stage3b": (stage == "IIIb").astype(float),
        "diameter": diameter,
        "logd": np.log(diameter),
    }


def _voi(shared: Path) -> Columns:
    read = _read(shared / "data" / "nsclc_radiogenomics_voi" / "labels.csv")
    followed = (read["survival_days"] != "") & (read["event"] != "")
    table = {name: values[followed] for name, values in read.items()}
    return {
        "time": table["survival_days"].astype(float),
        "event": table["event"].astype(float),
        "age": table["age"].astype(float),
        "male": (table["sex"] == "Male").astype(float),
    }


def _read(path: Path) -> Columns:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _floats(table: Columns) -> Columns:
    return {name: values.astype(float) for name, values in table.items()}

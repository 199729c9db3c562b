"""A first look at a cohort: volume as it is, a penalized model, RadScores."""

import json
import pickle

import numpy as np
import pytest

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.tables.held_out import TableSettings
from PDL1PredictorLib.learning.tables.look_report import to_text, write_look
from PDL1PredictorLib.learning.tables.simple_models import (
    ORIGINAL,
    RADSCORES,
    VOLUME,
    VOLUME_FEATURE,
    enough,
    look,
    simple_models,
)

SETTINGS = TableSettings(seed=1, n_folds=3, n_repeats=2, n_permutations=9)
QUICK = TableSettings(n_folds=3, n_repeats=1, n_permutations=0)
NAMES = (VOLUME_FEATURE, *(f"{r}_original_glcm_{i}" for r in ("tumor", "ring") for i in range(4)), "tumor_wavelet_x")


def cohort(n=60, seed=1, larger_is=1.5) -> PreparedCohort:
    """PT2 goes with volume, LVI with two original features of texture, PI with nothing, T4 is rare, TPS a number."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, len(NAMES)))
    half = rng.permutation(n) % 2
    texture = rng.permutation(n) % 2
    features[:, 0] += larger_is * half
    features[:, 1] += 1.5 * texture
    features[:, 6] -= 1.5 * texture
    features[3, 4] = np.nan
    known = {"PT2": half, "LVI": texture, "PI": rng.permutation(n) % 2, "T4": np.arange(n) < 3}
    targets = {key: Target("binary", values.astype(float)) for key, values in known.items()}
    targets["TPS"] = Target("number", rng.uniform(0, 100, n), low=0, high=100)
    return PreparedCohort(tuple(f"c{i}" for i in range(n)), targets, {"features": features}, NAMES)


def areas(found):
    return {one.kind: one.auc for one in found.results}


def test_each_model_finds_what_it_can_see():
    made = cohort()
    size, texture = (look(made, made.names, key, SETTINGS) for key in ("PT2", "LVI"))
    assert areas(size)[VOLUME] > 0.7
    assert areas(texture)[VOLUME] < 0.65
    assert areas(texture)[ORIGINAL] > 0.8
    assert areas(texture)[RADSCORES] > 0.75
    p = {one.kind: one.p for one in size.results}
    assert p[VOLUME] == pytest.approx(0.1)
    assert p[RADSCORES] is None


def test_volume_is_ranked_as_it_is_and_never_turned_around():
    made = cohort(larger_is=-2.0)
    assert areas(look(made, made.names, "PT2", QUICK))[VOLUME] < 0.3


def test_nothing_is_found_in_nothing():
    found = [areas(look(made, made.names, "PI", QUICK)) for made in (cohort(seed=seed) for seed in range(10))]
    for kind in (VOLUME, ORIGINAL, RADSCORES):
        assert np.mean([one[kind] for one in found]) == pytest.approx(0.5, abs=0.08)


def test_levels_keep_their_share_and_labels_are_exchanged_within_them():
    """A volume that only tells the level has no p of its own: permutations within levels have it, too."""
    made = cohort(seed=4)
    level = np.repeat(["a", "b"], 30)
    labels = np.concatenate([np.arange(30) < 24, np.arange(30) < 6]).astype(float)
    features = made.features.copy()
    features[:, 0] = np.where(level == "a", 1.0, 0.0) + 1e-3 * np.random.default_rng(5).normal(size=60)
    own = made.with_blocks(features=features).with_targets({"PI": Target("binary", labels)})
    apart = look(own, own.names, "PI", SETTINGS, level)
    mixed = look(own, own.names, "PI", SETTINGS)
    assert areas(apart)[VOLUME] > 0.7
    assert next(one.p for one in mixed.results if one.kind == VOLUME) == pytest.approx(0.1)
    assert next(one.p for one in apart.results if one.kind == VOLUME) >= 0.2


def test_a_patients_tumors_are_held_out_together():
    made = cohort()
    found = look(made, [f"p{i // 2}" for i in range(60)], "PI", QUICK)
    assert (found.n_positive + found.n_negative, found.words) == (60, "tumors")


def test_endpoints_with_too_few_cases_are_left_out_unless_they_are_asked_for():
    assert enough(cohort(), 3, all_asked_for=False) == ("PT2", "LVI", "PI")
    assert enough(cohort(), 3, all_asked_for=True) == ("PT2", "LVI", "PI", "T4", "TPS")
    with pytest.raises(InputError, match="No yes/no endpoint of the cohort has 40 cases"):
        enough(cohort(n=30), 20, all_asked_for=False)


def test_what_cannot_be_looked_at_is_refused():
    made = cohort()
    with pytest.raises(InputError, match="TPS is no yes/no endpoint"):
        look(made, made.names, "TPS", SETTINGS)
    with pytest.raises(InputError, match="5 folds need as many cases of each label, the rarer one has 3"):
        look(made, made.names, "T4", TableSettings(n_folds=5))
    with pytest.raises(InputError, match="Measure the class 'shape' too"):
        simple_models(NAMES[1:])


def test_models_can_be_handed_to_another_process():
    assert list(pickle.loads(pickle.dumps(simple_models(NAMES)))) == [VOLUME, ORIGINAL, RADSCORES]


def test_the_files_tell_figures_and_no_case(tmp_path):
    made = cohort()
    found = {"PT2": look(made, made.names, "PT2", QUICK)}
    write_look(found, QUICK, "pdl1 first-look --cohort cases.csv", tmp_path)
    content = json.loads((tmp_path / "first_look.json").read_text(encoding="utf-8"))
    assert [one["model"] for one in content["endpoints"]["PT2"]["models"]] == [VOLUME, ORIGINAL, RADSCORES]
    text = (tmp_path / "first_look.md").read_text(encoding="utf-8")
    assert to_text(found)[0] == f"| endpoint | positive / negative | {VOLUME} | {ORIGINAL} | {RADSCORES} |"
    assert "| PT2 | 30 / 30 | 0." in text
    assert "c17" not in text


def test_every_model_of_every_fold_is_told_before_it_is_fitted():
    told = []
    made = cohort()
    progress = Progress(lambda stage, fraction, message: told.append((stage, message)))
    look(made, made.names, "PT2", QUICK, progress=progress)
    folds = [message for stage, message in told if stage == "classifiers" and message]
    assert folds == [
        f"repetition 1, fold {fold}: {kind}" for fold in (1, 2, 3) for kind in (VOLUME, ORIGINAL, RADSCORES)
    ]

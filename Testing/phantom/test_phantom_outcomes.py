"""The later truths: TPS, high PD-L1, response, follow-up, clinical values; and the best that any model can reach."""

import numpy as np
import pytest
from scipy.special import expit, logit

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.phantom import people
from PDL1PredictorLib.phantom.follow_up import HAZARD, WATCHED_DAYS, YEAR_DAYS, best_time, draw_follow_up, survival
from PDL1PredictorLib.phantom.outcomes import draw_outcomes
from PDL1PredictorLib.phantom.patient import draw_truth
from PDL1PredictorLib.phantom.tps import HIGH_PERCENT, best_number, best_r2_without, draw_tps, percent
from PDL1PredictorLib.phantom.traits import TRAIT_LIMIT
from PDL1PredictorLib.phantom.truth import HIGH_STEP, LATER_LAWS, LAWS, bayes_auc, bayes_auc_without, intercept

PATIENTS = 3000
DRAWS = 200_000


@pytest.fixture(scope="module")
def cohort():
    truths = [draw_truth(5, index) for index in range(1, PATIENTS + 1)]
    return [(labels, draw_outcomes(5, index, traits)) for index, (traits, _, labels) in enumerate(truths, start=1)]


def sampled(weights, seed):
    draws = np.random.default_rng(seed).standard_normal((DRAWS, len(weights)))
    return np.clip(draws, -TRAIT_LIMIT, TRAIT_LIMIT) @ np.array(list(weights.values()))


def test_the_best_figures_are_those_that_were_found_by_two_million_draws():
    number, time, clinical = best_number(), best_time(), people.best_people()
    assert (number.mse, number.r2, number.mae) == pytest.approx((679, 0.545, 14.1), rel=2e-3)
    assert (number.mse_of_mean, number.mse_of_median, number.mae_of_median) == pytest.approx(
        (1493, 2117, 25.5), rel=1e-3
    )
    assert bayes_auc("PDL1_HIGH") == pytest.approx(0.907, abs=1e-3)
    assert bayes_auc("RESPONSE") == pytest.approx(0.868, abs=1e-3)
    assert bayes_auc_without("RESPONSE", ["uptake"]) == pytest.approx(0.794, abs=1e-3)
    assert bayes_auc_without("RESPONSE", ["uptake", "striation"]) == pytest.approx(0.746, abs=1e-3)
    assert (time.c, time.harrell_c, time.harrell_c_of_size) == pytest.approx((0.709, 0.716, 0.614), abs=1.1e-3)
    assert (time.auc_1_year, time.brier_1_year, time.brier_of_one_curve) == pytest.approx(
        (0.766, 0.177, 0.223), abs=1.1e-3
    )
    assert time.event_share == pytest.approx(0.66, abs=5e-3)
    assert clinical == pytest.approx((0.675, 0.914), abs=1e-3)


def test_the_best_error_of_a_score_agrees_with_a_large_sample():
    rng = np.random.default_rng(2)
    log_odds = sampled(LAWS["PDL1"].weights, 1) + intercept("PDL1")
    score = 100 * expit(2.4296 * (log_odds - logit(rng.random(DRAWS)) - HIGH_STEP))
    assert score.var() == pytest.approx(best_number().mse_of_mean, rel=0.01)
    order = np.argsort(log_odds)
    near = score[order].reshape(-1, 200)  # whose log-odds are nearly the same
    assert near.var(axis=1, ddof=1).mean() == pytest.approx(best_number().mse, rel=0.02)
    assert (score >= HIGH_PERCENT).mean() == pytest.approx(LATER_LAWS["PDL1_HIGH"].prevalence, abs=0.004)


def test_the_best_figures_of_a_time_agree_with_a_large_sample():
    rng = np.random.default_rng(4)
    hazard = sampled(HAZARD, 3)
    until = 900 * (-np.log(rng.random(DRAWS)) / np.exp(hazard)) ** (1 / 1.2)
    watched = rng.uniform(*WATCHED_DAYS, DRAWS)
    days, event = np.minimum(until, watched), until <= watched
    one, other = np.arange(0, DRAWS, 2), np.arange(1, DRAWS, 2)
    first, second = np.where(days[one] < days[other], (one, other), (other, one))
    usable = event[first]
    right = (hazard[first] > hazard[second])[usable].mean()
    assert right == pytest.approx(best_time().harrell_c, abs=0.006)
    assert event.mean() == pytest.approx(best_time().event_share, abs=0.005)
    free = survival(hazard, YEAR_DAYS)
    assert np.mean((free - (until > YEAR_DAYS)) ** 2) == pytest.approx(best_time().brier_1_year, abs=0.002)


def test_a_score_of_one_percent_is_the_label_and_of_fifty_the_high_one(cohort):
    for labels, found in cohort:
        score = found.labels["TPS"]
        assert (score is None) == (labels["PDL1"] is None) == (found.labels["PDL1_HIGH"] is None)
        if score is not None:
            assert (score >= 1) == labels["PDL1"]
            assert (score >= 50) == found.labels["PDL1_HIGH"]
            assert 0 <= score <= 100


@pytest.mark.parametrize(
    ("latent", "positive", "score"),
    [
        (-1e-9, False, 0.9),
        (1e-9, True, 1.0),
        (HIGH_STEP - 1e-9, True, 49.9),
        (HIGH_STEP, True, 50.0),
        (40.0, True, 100.0),
    ],
)
def test_rounding_leads_over_neither_cut(latent, positive, score):
    assert percent(latent, positive) == score


@pytest.mark.parametrize("draw", [0.0, 1 - 2.0**-53])
def test_the_outermost_draws_give_a_score(draw):
    assert draw_tps(0.3, draw) == (100.0 if draw == 0 else 0.0)


def test_answers_are_as_frequent_as_the_laws_say(cohort):
    for key in LATER_LAWS:
        known = [found.labels[key] for _, found in cohort if found.labels[key] is not None]
        chance = LATER_LAWS[key].prevalence
        assert np.mean(known) == pytest.approx(chance, abs=4 * (chance * (1 - chance) / len(known)) ** 0.5)
        assert len(known) == pytest.approx(0.9 * PATIENTS, abs=4 * (0.09 * PATIENTS) ** 0.5)
    events = np.mean([found.events["PFS"] for _, found in cohort])
    assert events == pytest.approx(best_time().event_share, abs=4 * 0.5 / PATIENTS**0.5)
    days = [found.labels["PFS"] for _, found in cohort]
    assert min(days) >= 1
    assert max(days) <= WATCHED_DAYS[1]
    assert all(isinstance(one, int) for one in days)


def test_a_greater_hazard_ends_sooner():
    rng = np.random.default_rng(0)
    low, high = ([draw_follow_up(value, rng).days for _ in range(300)] for value in (-1.5, 1.5))
    assert np.median(high) < np.median(low)


def test_clinical_values_follow_pd_l1_and_four_in_a_hundred_are_missing(cohort):
    stained = [(labels["PDL1"], found.people) for labels, found in cohort if labels["PDL1"] is not None]
    for positive in (False, True):
        told = [one.smoking for label, one in stained if label == positive and one.smoking is not None]
        shares = [told.count(word) / len(told) for word in people.SMOKING]
        assert shares == pytest.approx(people.SMOKING_SHARES[positive], abs=4 * 0.5 / len(told) ** 0.5)
    ages = [[one.age_years for label, one in stained if label == k and one.age_years is not None] for k in (0, 1)]
    assert np.mean(ages[1]) - np.mean(ages[0]) == pytest.approx(
        people.AGE_STEP_YEARS, abs=4 * 9 * (4 / PATIENTS) ** 0.5
    )
    for name in people.PEOPLE:
        missing = np.mean([getattr(found.people, name) is None for _, found in cohort])
        assert missing == pytest.approx(people.MISSING_SHARE, abs=4 * (0.04 / PATIENTS) ** 0.5)
    female = [[one.sex == "female" for label, one in stained if label == k and one.sex] for k in (0, 1)]
    assert np.mean(female[0]) == pytest.approx(np.mean(female[1]), abs=0.08)


def test_the_uptake_is_no_trait_and_hides_where_it_is_not_asked_for():
    assert bayes_auc_without("PDL1", ["uptake"]) == pytest.approx(bayes_auc("PDL1"), abs=1e-12)
    with pytest.raises(InputError, match="Known: size, .*striation, uptake"):
        bayes_auc_without("RESPONSE", ["sugar"])


def test_an_impossible_seed_is_refused():
    with pytest.raises(InputError, match="seed must be a whole number"):
        draw_outcomes(-1, 1, draw_truth(1, 1)[0])


def test_a_trait_that_cannot_be_seen_lowers_the_best_r2_as_drawn_patients_say():
    assert best_r2_without(()) == pytest.approx(best_number().r2, abs=1e-3)
    rng = np.random.default_rng(0)
    law = LAWS["PDL1"]
    traits = {name: np.clip(rng.standard_normal(200_000), -TRAIT_LIMIT, TRAIT_LIMIT) for name in law.weights}
    scores = intercept("PDL1") + sum(weight * traits[name] for name, weight in law.weights.items())
    tps = 100 / (1 + np.exp(-2.4296 * (scores + rng.logistic(size=len(scores)) - 1.8913)))
    seen = sum(weight * traits[name] for name, weight in law.weights.items() if name != "striation")
    group = np.digitize(seen, np.quantile(seen, np.linspace(0, 1, 301)[1:-1]))
    mean = (np.bincount(group, tps) / np.bincount(group))[group]
    assert best_r2_without(("striation",)) == pytest.approx(mean.var() / tps.var(), abs=0.01)
    with pytest.raises(InputError, match="Unknown traits: color"):
        best_r2_without(("color",))

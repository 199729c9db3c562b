"""The synthetic cohort as a source: later labels and clinical values where asked for, and the same cache without."""

from dataclasses import replace

import numpy as np
import pytest

from PDL1PredictorLib.cohort.prepare import prepare
from PDL1PredictorLib.cohort.sources import PhantomSource, source_keys
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.phantom.outcomes import OUTCOMES, draw_outcomes
from PDL1PredictorLib.phantom.patient import draw_truth
from PDL1PredictorLib.phantom.people import PEOPLE
from PDL1PredictorLib.phantom.truth import PHANTOM_ENDPOINTS
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.study.conduct import synthetic_cases

FEATURES = FeatureSettings(name="tiny", classes=("firstorder",), wavelet=None)
SCANNED = Clinical(age_years=70, sex="male", smoking="never", kernel="soft")


def lacking(name):
    """The first patient without this value in the table."""
    return next(i for i in range(200) if getattr(draw_outcomes(1, i, draw_truth(1, i)[0]).people, name) is None)


def test_a_patient_has_every_label_without_a_picture():
    source = PhantomSource(1, 4)
    traits, _, labels = draw_truth(1, 4)
    later = draw_outcomes(1, 4, traits)
    assert source.labels == {**labels, **later.labels}
    assert set(source.labels) == {*PHANTOM_ENDPOINTS, *OUTCOMES}
    assert source.events == later.events


def test_people_are_what_the_scan_says_unless_a_table_is_asked_for():
    index = lacking("smoking")
    later = draw_outcomes(1, index, draw_truth(1, index)[0]).people
    assert PhantomSource(1, index).people(SCANNED) == SCANNED
    told = PhantomSource(1, index, told=True).people(SCANNED)
    assert told == replace(SCANNED, **{name: getattr(later, name) for name in PEOPLE})
    assert told.smoking is None  # what the table lacks does not come from the scan


def test_a_pet_makes_another_case_of_the_cache_and_clinical_values_do_not():
    plain, pet, told = PhantomSource(1, 4), PhantomSource(1, 4, pet=True), PhantomSource(1, 4, told=True)
    assert (plain.key, pet.key, told.key) == ("phantom-1-4", "phantom-1-4-pet", "phantom-1-4")
    assert plain.name == pet.name == told.name
    assert source_keys([plain, PhantomSource(1, 5)]) == ({0: "phantom-1-4", 1: "phantom-1-5"}, {})


@pytest.mark.parametrize(
    ("needs", "pet", "told"),
    [
        (None, False, False),
        (Needs(features=True, picture="slice"), False, False),
        (Needs(clinical=("age_years",)), False, True),
        (Needs(pet="optional"), True, False),
    ],
)
def test_a_study_takes_of_the_cohort_what_its_recipe_needs(needs, pet, told):
    cases = synthetic_cases(40, 1, ("PDL1", "PDL1_HIGH", "TPS"), needs)
    assert {(source.pet, source.told) for source in cases.sources} == {(pet, told)}
    assert set(cases.bayes_auc) == {"PDL1", "PDL1_HIGH"}
    assert cases.patients == {f"phantom-1-{index}": f"phantom-1-{index}" for index in range(40)}


def test_later_endpoints_are_learned_from_cases_that_were_prepared_before(tmp_path, monkeypatch):
    sources = [PhantomSource(5, index) for index in range(2)]
    first = prepare(sources, ("PDL1",), RegionSettings(), FEATURES, tmp_path, 1, needs=Needs(), moved=0)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*-*.*")}
    monkeypatch.setattr("PDL1PredictorLib.cohort.prepare.extract_features", None)  # measuring again would fail
    again = prepare(sources, OUTCOMES, RegionSettings(), FEATURES, tmp_path, 1, needs=Needs(), moved=0)
    assert {path: path.read_bytes() for path in files} == files
    np.testing.assert_array_equal(first.features, again.features)
    assert again.endpoints == OUTCOMES
    assert again.targets["PFS"].values.tolist() == [source.labels["PFS"] for source in sources]
    assert again.targets["PFS"].event.tolist() == [source.events["PFS"] for source in sources]
    assert all(one.family_history is None for one in again.people.values())

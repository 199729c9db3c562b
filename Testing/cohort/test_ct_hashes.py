"""The hash of each CT travels with a prepared case, and is made where a case was prepared before it was kept."""

from dataclasses import replace

from PDL1PredictorLib.cohort.cache import CaseCache
from PDL1PredictorLib.cohort.preparation import Preparation
from PDL1PredictorLib.cohort.prepare import prepare
from PDL1PredictorLib.cohort.sources import PhantomSource
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.file_hashes import image_sha256
from PDL1PredictorLib.radiomics.settings import FeatureSettings

FEATURES = FeatureSettings(name="tiny", classes=("firstorder",), wavelet=None)
NEEDS = Needs(features=True)
SOURCES = tuple(PhantomSource(5, index) for index in range(2))


def run(cache):
    return prepare(SOURCES, ("PDL1",), RegionSettings(), FEATURES, cache, 1, needs=NEEDS, moved=0)


def test_the_hash_is_that_of_the_ct_and_follows_its_case(tmp_path):
    made = run(tmp_path)
    assert made.ct_sha256 == tuple(image_sha256(source.load().case.ct) for source in SOURCES)
    assert made.take([1]).ct_sha256 == made.ct_sha256[1:]


def test_a_case_that_was_prepared_without_is_completed_and_not_measured_again(tmp_path, monkeypatch):
    made = run(tmp_path)
    store = CaseCache(tmp_path, Preparation(NEEDS, RegionSettings(), FEATURES))
    for source in SOURCES:
        case = store.read(source.key)
        store.write(source.key, replace(case, ct_sha256=""))
    monkeypatch.setattr("PDL1PredictorLib.cohort.prepare.extract_features", None)  # measuring again would fail
    again = run(tmp_path)
    assert (again.ct_sha256, again.failed, again.warnings) == (made.ct_sha256, {}, ())
    assert store.read(SOURCES[0].key).ct_sha256 == made.ct_sha256[0]

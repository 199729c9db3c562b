"""Of which day images are, and whose: kept as a hash, read back strictly."""

from datetime import date

import pytest

from PDL1PredictorLib.core.case import Study, day_of, patient_key


def test_a_number_is_kept_as_a_hash_alone():
    key = patient_key("ID 1234")
    assert "1234" not in key
    assert patient_key(" ID  1234 ") == key
    assert patient_key("ID 1235") != key
    assert patient_key("  ") == ""


def test_days_as_dicom_and_people_write_them():
    assert day_of("20260131") == day_of(" 2026-01-31 ") == day_of("2026.01.31") == date(2026, 1, 31)
    assert day_of("") is None
    assert day_of("20261399") is None


def test_a_study_is_read_back():
    study = Study(date(2026, 1, 31), patient_key("1"))
    assert Study.from_dict(study.to_dict()) == study
    assert Study.from_dict(Study().to_dict()) == Study.from_dict({}) == Study()


@pytest.mark.parametrize("values", [{"date": "soon"}, {"patient": "Erika"}, {"patient": 7}])
def test_what_is_no_study_is_refused(values):
    with pytest.raises(ValueError, match=r"no key|isoformat"):
        Study.from_dict(values)

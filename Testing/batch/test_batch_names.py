"""Names of folders: none twice, none that some system forbids."""

from hypothesis import given
from hypothesis import strategies as st

from PDL1PredictorLib.batch.names import folder_names


def test_a_plain_name_stays_and_others_are_made_plain():
    names = ["p1", "a/b", "nul", " .. ", "P1", "predictions.csv"]
    assert folder_names(names, ["predictions.csv"]) == ["p1", "a_b", "nul_", "case", "P1 (2)", "predictions.csv (2)"]


@given(st.lists(st.text(max_size=120), max_size=20))
def test_every_case_has_a_folder_of_its_own_inside_the_batch(names):
    found = folder_names(names)
    assert len({name.lower() for name in found}) == len(names)
    assert all(name and "/" not in name and "\\" not in name and name.strip(" .") for name in found)

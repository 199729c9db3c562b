"""Labels from a pathologist's words."""

import pytest

from PDL1PredictorLib.cohort.importing.folder import import_folder
from PDL1PredictorLib.cohort.importing.pathology import labels_of_pathology


@pytest.mark.parametrize(
    ("stage", "t4", "pt2"),
    [("Tis", "0", "0"), ("pT1b", "0", "0"), ("T2a", "0", "1"), ("T3", "0", "1"), ("T4", "1", "1"), ("", "", "")],
)
def test_the_stage_gives_two_labels(stage, t4, pt2):
    found = labels_of_pathology(stage, "")
    assert (found["T4"], found["PT2"], found["SQUAMOUS"]) == (t4, pt2, "")


@pytest.mark.parametrize(
    ("histology", "label"),
    [
        ("Squamous cell carcinoma", "1"),
        ("adenocarcinoma", "0"),
        ("Adenosquamous carcinoma", ""),
        ("nsclc nos (not otherwise specified)", ""),
        ("squamous cell carcinoma and adenocarcinoma", ""),
    ],
)
def test_histology_is_a_label_where_it_is_one_of_the_two(histology, label):
    assert labels_of_pathology("", histology)["SQUAMOUS"] == label


def test_a_folders_labels_gain_them_but_keep_their_own(tmp_path):
    for name in ("a_image.nrrd", "a_mask.nrrd", "b_image.nrrd", "b_mask.nrrd"):
        (tmp_path / name).write_bytes(b"x")
    labels = tmp_path / "labels.csv"
    labels.write_text("case,pT,histology,T4\na,T4,adenocarcinoma,\nb,T2,Squamous cell carcinoma,1\n", encoding="utf-8")
    rows = import_folder(tmp_path, labels=labels).rows
    assert [(row["T4"], row["PT2"], row["SQUAMOUS"]) for row in rows] == [("1", "1", "0"), ("1", "1", "1")]

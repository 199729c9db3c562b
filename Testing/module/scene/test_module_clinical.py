"""Clinical values from DICOM: what is known and possible, and nothing that names the patient."""

import pytest
from PDL1PredictorGUI.scene.clinical import clinical_of

FULL = {
    "0010,1010": "063Y",
    "0010,0040": "F",
    "0018,0050": "1.25",
    "0018,1210": "Br40f\\3",
    "0008,0070": "SIEMENS",
    "0010,0010": "Doe^Jane",
    "0010,0020": "4711",
}


class Database:
    """Stands for Slicer's DICOM database, which the host has not."""

    def __init__(self, **values):
        self.values = values["values"]
        self.asked = []

    def instanceValue(self, uid, tag):
        assert uid == "1.2.3"
        self.asked.append(tag)
        return self.values.get(tag, "")


@pytest.fixture
def dicom(put_case, small_images, monkeypatch):
    """A function that makes a volume with DICOM headers, and perhaps a place in the subject hierarchy."""
    import slicer

    def make(headers, **hierarchy):
        volume = put_case(*small_images).volume
        volume.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4 1.2.5")
        database = Database(values=headers)
        monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
        tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        patient = tree.CreateSubjectItem(tree.GetSceneItemID(), "Patient")
        study = tree.CreateStudyItem(patient, "Study")
        item = tree.GetItemByDataNode(volume) or tree.CreateItem(study, volume)
        tree.SetItemParent(item, study)
        for name, value in hierarchy.items():
            tree.SetItemAttribute(study if name == "StudyDate" else patient, f"DICOM.{name}", value)
        return volume, database

    return make


def test_a_full_header(dicom):
    volume, database = dicom(FULL)
    assert clinical_of(volume) == {
        "age_years": 63.0,
        "sex": "female",
        "slice_thickness_mm": 1.25,
        "kernel": "Br40f 3",
        "manufacturer": "SIEMENS",
    }
    assert not {"0010,0010", "0010,0020"} & set(database.asked)


def test_a_volume_from_elsewhere_has_none(put_case, small_images):
    assert clinical_of(put_case(*small_images).volume) == {}
    assert clinical_of(None) == {}


def test_the_subject_hierarchy_stands_in(dicom):
    volume, _database = dicom({}, PatientSex="M", PatientBirthDate="19601231", StudyDate="2024-12-30")
    assert clinical_of(volume) == {"sex": "male", "age_years": 63.0}


def test_the_birthday_itself_counts(dicom):
    volume, _database = dicom({"0010,0030": "19601231", "0008,0020": "20241231"})
    assert clinical_of(volume) == {"age_years": 64.0}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"0010,1010": "018M"}, {"age_years": 1.5}),
        ({"0010,1010": "999Y"}, {}),
        ({"0010,1010": "old"}, {}),
        ({"0010,0040": "O"}, {}),
        ({"0018,0050": "0"}, {}),
        ({"0018,0050": "thin"}, {}),
        ({"0018,0050": "nan"}, {}),
        ({"0010,0030": "20300101", "0008,0020": "20240101"}, {}),
        ({"0010,0030": "unknown", "0008,0020": "20240101"}, {}),
        ({"0018,1210": " "}, {}),
    ],
)
def test_what_is_impossible_or_unreadable_is_left_out(dicom, headers, expected):
    volume, _database = dicom(headers)
    assert clinical_of(volume) == expected


@pytest.mark.parametrize(("status", "expected"), [("YES", {"smoking": "current"}), ("NO", {}), ("UNKNOWN", {})])
def test_a_patient_who_does_not_smoke_now_may_have_smoked(dicom, status, expected):
    volume, _database = dicom({"0010,21A0": status})
    assert clinical_of(volume) == expected

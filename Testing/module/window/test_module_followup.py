"""The list of tumors, the earlier study, and what a run will take: used by mouse and keyboard."""

import json
import shutil

import pytest
import SimpleITK as sitk
import slicer
from PDL1PredictorGUI.scene import bridge, results
from PDL1PredictorGUI.scene.tumors import studies
from PDL1PredictorGUI.setup import preferences
from slicerhost.user import choose, click, click_cell
from window_steps import judged, second_tumor

from PDL1PredictorLib.models import expected


def texts(table):
    return [
        [table.item(row, column).text() if table.item(row, column) else "" for column in range(table.columnCount)]
        for row in range(table.rowCount)
    ]


def red_slice():
    return slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode().GetSliceOffset()


def shifted(image, by_voxels):
    """The mask moved along x, as another tumor of the CT."""
    values = sitk.GetArrayFromImage(image)
    moved = sitk.GetImageFromArray(values * 0)
    moved.CopyInformation(image)
    array = sitk.GetArrayFromImage(moved)
    array[:, :, by_voxels:] = values[:, :, :-by_voxels]
    out = sitk.GetImageFromArray(array)
    out.CopyInformation(image)
    return out


# --- the list of tumors


def test_one_tumor_needs_no_list_and_two_have_one(answered, phantom):
    ui = answered.ui
    assert not ui.lesionsGroup.visible
    second_tumor(answered, phantom)
    answered.shared.live.settle()
    assert ui.lesionsGroup.visible
    rows = texts(ui.lesionsTable)
    assert [row[0] for row in rows] == ["Tumor", "Tumor 1"]
    lesion = answered.results.result or results.all_results()[0]
    size = lesion.lesion["tumor"]
    assert rows[0][1:3] == [f"{size['volume_ml']:.1f}", f"{size['longest_axial_diameter_mm']:.0f}"]
    assert rows[0][3] == "{number} of {of}".format(**lesion.lesion["slice"])
    assert rows[0][4:] == [row["negative_word"] for row in lesion.lesion["endpoints"]]
    assert rows[1][4:] == ["not predicted", ""]


def test_an_answer_of_the_list_has_the_reports_colors(answered, phantom):
    from PDL1PredictorLib.report.colors import ANSWERS

    second_tumor(answered, phantom)
    answered.shared.live.settle()
    item = answered.ui.lesionsTable.item(0, 4)
    assert item.foreground().color().name() == ANSWERS["negative"].ink
    assert item.background().color().name() == ANSWERS["negative"].ground


def test_a_click_goes_to_the_tumor_and_chooses_its_result_and_the_finding(answered, phantom):
    ui, parameters = answered.ui, answered.shared.parameters
    first = parameters.segment_id
    second_tumor(answered, phantom)
    choose(ui.tumorComboBox, "Tumor 1")
    answered.shared.live.settle()
    assert answered.results.result is None
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        node.JumpSliceByCentering(0, 0, 0)
    click_cell(ui.lesionsTable, 0, 5)
    assert parameters.segment_id == first
    assert answered.results.result is not None
    assert parameters.endpoint == "EGFR"
    assert [ui.lesionsTable.item(row, 0).font().bold() for row in (0, 1)] == [True, False]
    center = answered.results.result.lesion["center_lps_mm"]
    assert red_slice() == pytest.approx(center[2], abs=1.0)
    click_cell(ui.lesionsTable, 1, 0)  # one without a result is chosen, too
    assert parameters.segment_id != first
    assert answered.results.result is None


def test_parts_of_one_segment_have_rows_of_their_own(answered, phantom):
    parameters = answered.shared.parameters
    tumor = phantom.case.tumor
    apart = int(sitk.GetArrayViewFromImage(tumor).any(axis=(0, 1)).sum()) + 3
    values = sitk.GetArrayFromImage(tumor)
    first = int(values.any(axis=(0, 1)).argmax())
    other = shifted(tumor, apart if first + 2 * apart < values.shape[2] else 1)
    if first + 2 * apart >= values.shape[2]:
        other = sitk.Flip(other, (True, False, False))
        other.CopyInformation(tumor)
    both = sitk.Or(tumor, other)
    bridge.put_segment(parameters.segmentation, parameters.segment_id, both, parameters.volume)
    answered.shared.live.settle()
    rows = texts(answered.ui.lesionsTable)
    assert [row[0] for row in rows] == ["Tumor, part 1", "Tumor, part 2"]
    assert rows[1][4] == "a part that is left out"


# --- an earlier study


@pytest.fixture
def earlier_folder(result_folder, tmp_path):
    """The same result as if of another CT, with a tumor of half the volume."""
    folder = tmp_path / "früher 1"
    shutil.copytree(result_folder, folder)
    content = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    content["provenance"]["ct_sha256"] = "0" * 64
    lesion = content["lesions"][0]
    lesion["tumor"]["volume_ml"] /= 2
    lesion["volume_range_ml"] = [end / 2 for end in lesion["volume_range_ml"]]
    lesion["endpoints"] = [
        judged(row, "positive", stability=[0.7, 0.9], probability=0.8, uncertainty=[0.7, 0.9], positive=True)
        for row in lesion["endpoints"]
    ]
    (folder / "result.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def take(window, folder):
    window.results.earlier._take(studies.add_folder(folder)[0])


def test_an_earlier_result_from_a_folder_stands_beside_the_present_one(answered, earlier_folder):
    ui = answered.ui
    assert not ui.earlierTable.visible
    take(answered, earlier_folder)
    assert ui.earlierComboBox.currentText == "Earlier: früher 1"
    rows = {row[0]: row[1:] for row in texts(ui.earlierTable)}
    assert rows["Volume"][2].startswith("+100 %")
    assert rows["PD-L1"][2].endswith("points\nbeyond noise")
    assert "beyond the noise of the contour" in ui.earlierTable.item(2, 3).toolTip()
    assert "date" in ui.earlierNotesLabel.text
    ui.earlierDaysSpinBox.value = 100
    assert "doubles in 100 days" in ui.earlierGrowthLabel.text
    choose(ui.earlierComboBox, "None")
    assert not ui.earlierTable.visible
    assert answered.shared.parameters.earlier_days == 0


def test_the_same_ct_is_refused_in_words(answered, result_folder):
    take(answered, result_folder)
    assert "one and the same CT" in answered.ui.earlierNotesLabel.text
    assert not answered.ui.earlierTable.visible
    assert not answered.ui.earlierReportButton.enabled


def test_a_folder_that_is_no_result_is_refused(answered, tmp_path):
    from PDL1PredictorLib.core.errors import InputError

    with pytest.raises(InputError, match="is no result"):
        studies.add_folder(tmp_path)


def test_the_page_of_a_comparison_is_opened(answered, earlier_folder, monkeypatch):
    from PDL1PredictorGUI.scene import saving

    take(answered, earlier_folder)
    pages = []
    monkeypatch.setattr(saving, "open_page", pages.append)
    click(answered.ui.earlierReportButton)
    assert "Two studies of one tumor compared" in pages[0]


# --- told before the run


def test_time_and_memory_are_told_before_predict(ready):
    ui = ready.ui
    assert "Takes about" in ui.expectedLabel.text
    assert "GB of memory" in ui.expectedLabel.text
    assert "short" not in ui.expectedLabel.text


def test_short_memory_is_warned_of(ready, monkeypatch):
    monkeypatch.setattr(expected, "available_bytes", lambda: 1000)
    ready.shared.live.settle()
    assert "Memory is short" in ready.ui.expectedLabel.text


def test_earlier_runs_of_this_computer_change_the_time(ready):
    told = ready.predict._expected_run().seconds
    preferences.add_ratio("auto", 30.0, 10.0)
    assert ready.predict._expected_run().seconds == pytest.approx(3 * told)


def test_a_batch_tells_what_all_its_cases_take(ready):
    ui = ready.ui
    ui.batchSection.collapsed = False
    choose(ui.batchSourceComboBox, "All tumors of this scene")
    click(ui.findCasesButton)
    assert "Takes about" in ui.batchExpectedLabel.text

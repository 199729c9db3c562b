"""The sections Results and Batch, used by mouse and keyboard."""

import json

import pytest
import SimpleITK as sitk
import slicer
import slicerhost
from PDL1PredictorGUI.scene import bridge, heatmap, results
from PDL1PredictorGUI.setup import processes
from slicerhost.user import choose, click, click_cell, write
from window_steps import leftovers, second_tumor, text_of

from PDL1PredictorLib.report.words import percent, percent_range

# --- 5. results


def test_the_table_the_words_and_the_map_follow_a_click(answered):
    ui = answered.ui
    shown = ui.predictionsTable
    assert [shown.item(row, 0).text() for row in range(shown.rowCount)] == ["PD-L1", "EGFR"]
    for row, key in enumerate(answered.results.result.endpoints):
        click_cell(shown, row)
        said = answered.results.result.endpoint(key)
        assert answered.shared.parameters.endpoint == key
        text = ui.endpointLabel.text.replace("&lt;", "<")
        assert said["title"] in text
        assert f"Threshold</td><td>{percent(said['threshold'])}</td>" in text
        assert f"95 % interval of the patient</td><td>{percent_range(said['uncertainty'])}</td>" in text.replace(
            " style='padding-right: 12px'", ""
        )
        assert text_of(ui.endpointComboBox) == said["title"]
        assert shown.item(row, 1).text() == said["negative_word"]
        assert shown.cellWidget(row, 2).accessibleName == f"{said['positive_word']}: {percent(said['probability'])}"
        assert shown.item(row, 3).text() == percent_range(tuple(said["uncertainty"]))


def change_ct(window):
    values = slicer.util.arrayFromVolume(window.shared.parameters.volume)
    values[0, 0, 0] += 1
    slicer.util.arrayFromVolumeModified(window.shared.parameters.volume)


def change_contour(window):
    parameters = window.shared.parameters
    mask = bridge.mask_of_segment(parameters.segmentation, parameters.segment_id, parameters.volume)
    smaller = sitk.BinaryErode(mask, [1, 1, 1])
    bridge.put_segment(parameters.segmentation, parameters.segment_id, smaller, parameters.volume)


def choose_other_ct(window):
    image = bridge.image_of_volume(window.shared.parameters.volume)
    bridge.volume_of_image(image + 1, "Follow-up")
    choose(window.ui.volumeSelector, "Follow-up")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (change_ct, "the CT has changed"),
        (choose_other_ct, "the CT has changed"),
        (change_contour, "the contour has changed"),
        (lambda window: click(window.ui.excludeBoneCheckBox), "the region settings have changed"),
        (lambda window: setattr(window.shared.parameters, "model", "phantom-demo"), "another model is chosen"),
    ],
    ids=["CT voxels", "other CT", "contour", "settings", "model"],
)
def test_a_change_marks_the_result_as_out_of_date(answered, change, words):
    assert not answered.ui.staleLabel.visible
    change(answered)
    slicerhost.wait_until(lambda: not answered.shared.live.waiting, 10)
    assert answered.ui.staleLabel.visible
    assert words in answered.ui.staleLabel.text
    assert answered.ui.predictionsTable.rowCount == 2  # still there to be read


def test_confirming_a_clicks_contour_marks_its_result_as_out_of_date(answered, result_folder):
    parameters = answered.shared.parameters
    segment = parameters.segmentation.GetSegmentation().GetSegment(parameters.segment_id)
    segment.SetTag("PDL1_Origin", "semi-automatic: drawn from a click, to be checked by a reader")
    segment.SetTag("Segmentation.Status", "inprogress")
    answered.results.show(results.store(result_folder, answered.shared.request()))
    slicerhost.wait_until(lambda: not answered.shared.live.waiting, 10)
    assert answered.ui.staleLabel.text == ""
    click(answered.ui.contourCheckedCheckBox)
    slicerhost.wait_until(lambda: not answered.shared.live.waiting, 10)
    assert answered.ui.staleLabel.visible
    assert answered.ui.staleLabel.text == (
        "Out of date: the contour was marked as checked since, which the result does not say. Predict again."
    )
    segment.SetTag("Segmentation.Status", "inprogress")  # in Slicer's own Segment Editor
    slicerhost.wait_until(lambda: not answered.shared.live.waiting, 10)
    assert answered.ui.staleLabel.text == ""


def test_every_tumor_keeps_its_result_and_one_can_go_back(answered, phantom, result_folder):
    ui, parameters = answered.ui, answered.shared.parameters
    first = answered.results.result.main
    other = second_tumor(answered, phantom)
    choose(ui.tumorComboBox, "Tumor 1")
    assert parameters.segment_id == other
    assert answered.results.result is None
    assert "This tumor has no prediction yet" in ui.noResultLabel.text
    assert heatmap.HeatMapDisplay().shown() is None
    second = results.store(result_folder, answered.shared.request())
    answered.results.show(second)
    assert [ui.resultComboBox.itemText(row) for row in range(ui.resultComboBox.count)] == ["Tumor — CT", "Tumor 1 — CT"]
    choose(ui.resultComboBox, "Tumor — CT")
    assert answered.results.result.main is first
    assert text_of(ui.tumorComboBox) == "Tumor"
    answered.shared.live.settle()
    assert ui.staleLabel.text == ""
    choose(ui.tumorComboBox, "Tumor 1")
    assert answered.results.result.main is second.main
    parameters.segmentation.GetSegmentation().RemoveSegment(other)  # the result outlives its contour
    answered.shared.refresh()
    choose(ui.resultComboBox, "Tumor 1 — CT")
    answered.shared.live.settle()
    assert answered.results.result.main is second.main
    assert "Out of date" in ui.staleLabel.text


def test_the_heat_map_goes_and_the_users_layers_come_back(answered, small_images):
    parameters = answered.shared.parameters
    assert parameters.show_heat_map
    parameters.endpoint = next(iter(answered.results.result.heat_maps))
    click(answered.ui.heatMapCheckBox)
    mine = bridge.volume_of_image(small_images[0], "PET")
    slicer.util.setSliceViewerLayers(foreground=mine, foregroundOpacity=0.3)
    click(answered.ui.heatMapCheckBox)
    assert heatmap.HeatMapDisplay().shown() is not None
    answered.ui.opacitySlider.value = 0.8
    composite = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    assert composite.GetForegroundOpacity() == pytest.approx(0.8)
    answered.ui.thresholdSlider.value = 0.6
    assert heatmap.HeatMapDisplay().shown().GetDisplayNode().GetLowerThreshold() == pytest.approx(0.6)
    click(answered.ui.heatMapCheckBox)
    assert heatmap.HeatMapDisplay().shown() is None
    assert composite.GetForegroundVolumeID() == mine.GetID()
    assert composite.GetForegroundOpacity() == pytest.approx(0.3)


def test_an_empty_heat_map_says_so(answered):
    parameters = answered.shared.parameters
    node = next(iter(answered.results.result.heat_maps.values()))
    parameters.endpoint = next(iter(answered.results.result.heat_maps))
    answered.shared.refresh()
    values = slicer.util.arrayFromVolume(node)
    values[:] = 0.5
    slicer.util.arrayFromVolumeModified(node)
    answered.shared.refresh()
    assert not answered.ui.heatMapNoteLabel.visible
    values[:] = 0
    slicer.util.arrayFromVolumeModified(node)
    answered.shared.refresh()
    assert "This map is empty" in answered.ui.heatMapNoteLabel.text
    assert answered.ui.heatMapNoteLabel.visible


def test_jump_brings_every_view_to_the_tumor(answered):
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        node.JumpSliceByCentering(500.0, 500.0, 500.0)
    click(answered.ui.jumpButton)
    center = heatmap.tumor_center_ras(answered.results.result)
    red = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    assert red.GetSliceOffset() == pytest.approx(center[2], abs=1e-3)


def test_charts_come_by_a_click_and_the_layout_comes_back(answered):
    manager = slicer.app.layoutManager()
    before = manager.layout
    click(answered.ui.contributionChartButton)
    assert manager.layout != before
    click_cell(answered.ui.predictionsTable, 1)  # the chart follows the finding
    chart = slicer.util.getNodesByClass("vtkMRMLPlotViewNode")[0].GetPlotChartNode()
    assert "EGFR" in chart.GetTitle()
    click(answered.ui.probabilityChartButton)
    click(answered.ui.closeChartButton)
    assert manager.layout == before


def test_the_feature_table_is_filtered_sorted_and_saved(answered, tmp_path):
    ui = answered.ui
    click(ui.featuresGroup)
    total = len(answered.results.result.lesion["features"])
    assert ui.featureCountLabel.text == f"{total} of {total} features"
    write(ui.featureFilterEdit, "RING mean")
    shown = [name for name in answered.results.result.lesion["features"] if "ring" in name and "mean" in name.lower()]
    assert ui.featuresTable.model().rowCount() == len(shown)
    assert 0 < len(shown) < total
    with slicerhost.user_answers(str(tmp_path / "Merkmale ä.csv")):
        click(ui.saveFeaturesButton)
    text = (tmp_path / "Merkmale ä.csv").read_text(encoding="utf-8")
    assert all(name in text for name in shown)
    assert "tumor_original_firstorder_Range" not in text


def test_the_report_opens_and_the_results_are_saved_with_path_letters_of_any_kind(answered, tmp_path):
    click(answered.ui.reportButton)
    opened = [item for item in slicerhost.dialogs.shown if item.kind == "url"]
    assert len(opened) == 1
    assert opened[0].text.endswith("report.html")
    folder = tmp_path / "Ergebnisse für Müller"
    with slicerhost.user_answers(str(folder)):
        click(answered.ui.saveButton)
    assert (folder / "report.html").stat().st_size > 1000
    content = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert content == answered.results.result.content


# --- 6. batch


@pytest.fixture
def cohort(phantom, tmp_path):
    folder = tmp_path / "Kohorte ä ö"
    folder.mkdir()
    sitk.WriteImage(phantom.case.ct, str(folder / "a_ct.nrrd"))
    sitk.WriteImage(phantom.case.tumor, str(folder / "a_mask.nrrd"))
    (folder / "b_ct.nrrd").write_bytes(b"no image")
    return folder


def table_of(window):
    table = window.ui.batchTable
    return [[table.item(row, column).text() for column in range(table.columnCount)] for row in range(table.rowCount)]


def test_a_batch_by_clicks(ready, worker, cohort, tmp_path):
    ui = ready.ui
    click(ui.batchSection)
    assert ui.findCasesButton.toolTip == "Choose a folder first."
    write(ui.batchFolderEdit, str(cohort))
    click(ui.findCasesButton)
    assert [row[0] for row in table_of(ready)] == ["a", "b"]
    assert "no mask" in table_of(ready)[1][2]
    assert ui.batchButton.toolTip == "Choose a folder for the results first."
    write(ui.batchOutEdit, str(tmp_path / "out ü"))
    click(ui.batchButton)
    assert ui.batchButton.text == "Cancel"
    assert ui.predictButton.toolTip == "Off while a batch runs."
    worker.let_go()
    slicerhost.wait_until(lambda: not ready.batch.running, 30)
    done = table_of(ready)[0]
    assert "%" in done[1]
    assert done[2].startswith("done")
    assert ui.batchOutcomeLabel.text.startswith("1 of 2 cases predicted")
    assert "predictions.csv" in ui.batchOutcomeLabel.text
    assert (tmp_path / "out ü" / "a" / "report.html").exists()
    assert ready.ui.predictButton.enabled


def test_a_batch_of_the_scene_ends_with_the_scene(ready, worker, tmp_path):
    ui = ready.ui
    click(ui.batchSection)
    choose(ui.batchSourceComboBox, "All tumors of this scene")
    click(ui.findCasesButton)
    write(ui.batchOutEdit, str(tmp_path / "out"))
    click(ui.batchButton)
    slicerhost.wait_until(lambda: ready.batch.batch._job.process_id, 20)
    family = processes.family(ready.batch.batch._job.process_id)
    assert family
    slicer.mrmlScene.Clear(0)
    slicerhost.wait_until(lambda: not ready.batch.running, 20)
    assert not processes.alive(family)
    assert leftovers() == []
    assert table_of(ready) == []

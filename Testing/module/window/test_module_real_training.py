"""A training as a user does it: the guide, the background, the report, the bundle among one's own models, an answer."""

import pytest
import slicer
import slicerhost
from dlr_cases import write_cohort
from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.setup import preferences
from slicerhost.user import choose, click, write
from window_steps import wait_for_end

from PDL1PredictorLib.imaging.read import read_ct, read_mask
from PDL1PredictorLib.models.bundle import read_bundle

N = 48
QUICK = (  # the first layer of a small network on small patches, weights drawn at random, each choice made once
    "--random-weights --backbone resnet50_layer1 --patch-pixels 32 --repeats 1 --workers 1"
)


@pytest.fixture
def section(shown, tmp_path):
    """Section 7, with a models folder of the user's own."""
    preferences.write(preferences.MODELS_FOLDER, str(tmp_path / "Meine Modelle ä"))
    shown.ui.modelsSection.collapsed = False
    shown.refresh()
    return shown.models


def trained(section, table):
    """Clicks through the three pages, and waits for the end of the training."""
    click(section.ui.trainButton)
    guide = section.guide
    choose(guide.source.what, next(text for text in texts(guide.source.what) if text.startswith("dlr:")))
    write(guide.source.table, str(table))
    click(guide.next_button)
    slicerhost.wait_until(lambda: not guide.command.running and bool(guide.check.found), 200)
    assert guide.check.why_not == ""
    assert guide.check.table.item(0, 2).text() == "yes"
    click(guide.next_button)
    settings = guide.settings
    choose(settings.plans, next(text for text in texts(settings.plans) if text.startswith("One division")))
    write(settings.clinical, "age_years,ECOG=0..5")
    write(settings.more, QUICK)
    write(settings.folder, str(table.parent))
    write(settings.name, "Unser Modell")
    assert guide.next_button.enabled, guide.next_button.toolTip
    click(guide.next_button)
    assert section.study.running
    slicerhost.wait_until(lambda: not section.study.running, 300)


def texts(combo):
    return [combo.itemText(row) for row in range(combo.count)]


def put_case(window, folder):
    """One of the cases in the scene, chosen."""
    ct = read_ct(folder / "c00_ct.nii.gz").image
    mask = read_mask(folder / "c00_mask.nii.gz", ct).image
    parameters = window.shared.parameters
    parameters.volume = bridge.volume_of_image(ct, "CT")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    segmentation.CreateDefaultDisplayNodes()
    parameters.segmentation = segmentation
    parameters.segment_id = bridge.put_segment(segmentation, "Tumor", mask, parameters.volume, "Tumor")
    window.shared.live.settle()


def test_a_model_is_trained_installed_and_answers(section, shown, tmp_path):
    folder = tmp_path / "Fälle 1"
    folder.mkdir()
    trained(section, write_cohort(folder, N))
    ui = section.ui
    assert "Training of Unser Modell: done in" in ui.studyOutcomeLabel.text, ui.studyLogEdit.plainText
    report = folder / "Unser Modell.study" / "report.html"
    assert "drawn at random" in report.read_text(encoding="utf-8")
    assert slicerhost.dialogs.shown[-1].text.endswith("report.html")
    click(ui.installBundleButton)
    assert ui.modelsOutcomeLabel.text.startswith("Imported: ")
    rows = [[ui.modelsTable.item(row, column).text() for column in (0, 2)] for row in range(ui.modelsTable.rowCount)]
    (title,) = [title for title, whose in rows if whose == "your own"]
    put_case(shown, folder)
    choose(ui.modelComboBox, next(text for text in texts(ui.modelComboBox) if text.startswith(title)))
    assert ui.predictButton.enabled, ui.predictButton.toolTip
    click(ui.predictButton)
    wait_for_end(shown, 200)
    assert ui.outcomeLabel.text.startswith("Done in "), ui.outcomeLabel.text
    result = shown.results.result
    assert list(result.endpoints) == ["PDL1"]
    assert result.content["model"]["sha256"] == read_bundle(section.entry.path).sha256
    assert 0 < result.endpoint("PDL1")["probability"] < 1

"""A result that a scene brings may be damaged: the window says which, and works on with the others."""

import copy
import json

import pytest
import slicer
import slicerhost
from PDL1PredictorGUI.scene import results
from PDL1PredictorGUI.scene.result_nodes import FINGERPRINT, SEGMENT_ID, damage
from window_steps import second_tumor


def change(path, value):
    """A function that sets one value of a result's content, or takes it out for None."""

    def damaged(content):
        content = copy.deepcopy(content)
        place = content
        for key in path[:-1]:
            place = place[key]
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value
        return json.dumps(content)

    return damaged


ENDPOINT = ("lesions", 0, "endpoints", 0)
DAMAGES = {
    "empty": lambda _content: "",
    "cut short": lambda content: json.dumps(content)[:-40],
    "another file": lambda _content: "[1, 2]",
    "null": lambda _content: "null",
    "deep": lambda _content: "[" * 100_000,
    "no lesion": change(("lesions",), []),
    "no warnings": change(("warnings",), None),
    "a warning without text": change(("warnings",), [{"code": "ring_cut"}]),
    "no endpoint": change(("lesions", 0, "endpoints"), []),
    "no probability": change((*ENDPOINT, "probability"), None),
    "a probability in words": change((*ENDPOINT, "probability"), "likely"),
    "a probability of 7.5": change((*ENDPOINT, "probability"), 7.5),
    "an interval of one value": change((*ENDPOINT, "interval"), [0.5]),
    "an interval upside down": change((*ENDPOINT, "interval"), [0.9, 0.2]),
    "no prediction set": change((*ENDPOINT, "prediction_set"), None),
    "a kind of tomorrow": change((*ENDPOINT, "kind"), "time"),
    "an endpoint of tomorrow": change((*ENDPOINT, "endpoint"), "WEATHER"),
    "a contribution that is none": change((*ENDPOINT, "contributions"), [1]),
    "no model": change(("model",), None),
    "a device that is none": change(("provenance", "device"), 3),
    "a verdict that contradicts itself": change((*ENDPOINT, "verdict"), {"status": "answered", "call": "none"}),
    "a verdict without reasons": change((*ENDPOINT, "verdict"), {"status": "answered", "call": "positive"}),
    "a call of tomorrow": change((*ENDPOINT, "verdict"), {"status": "answered", "call": "perhaps", "reasons": []}),
    "a reason of tomorrow": change(
        (*ENDPOINT, "verdict"), {"status": "not_answered", "call": "none", "reasons": [{"code": "rain", "text": "x"}]}
    ),
    "an uncertainty in words": change((*ENDPOINT, "uncertainty"), "wide"),
    "a heat in words": change((*ENDPOINT, "heat"), {"share": "much", "area_share": 0.1, "outside": False}),
    "a heat that is none": change((*ENDPOINT, "heat"), 0.5),
    "a likeness that is none": change(("lesions", 0, "unlike"), "far"),
    "a likeness without parts": change(("lesions", 0, "unlike"), {"p": 0.5, "flagged": False}),
    "a part without text": change(
        ("lesions", 0, "unlike"), {"p": 0.5, "flagged": True, "parts": [{"name": "deep", "p": 0.1}]}
    ),
    "an atypicality in words": change(("lesions", 0, "atypicality"), "far"),
    "features that are none": change(("lesions", 0, "features"), "many"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_every_damage_is_seen(answered, kind):
    result = answered.results.result
    assert result.damage == ""
    assert damage(DAMAGES[kind](result.content))


def test_a_damaged_result_is_named_and_the_others_are_shown(answered, phantom, result_folder, tmp_path):
    other = second_tumor(answered, phantom)
    answered.shared.parameters.segment_id = other
    good = results.store(result_folder, answered.shared.request())
    bad = next(result for result in results.all_results() if result.segment_id != other)
    bad.main.SetText(bad.main.GetText()[:-40])
    assert [found.main for found in results.all_results()] == [good.main]
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert "damaged and cannot be shown: Tumor: result. Predict again." in slicerhost.dialogs.texts[-1]
    parameters = answered.shared.parameters
    assert parameters is not None
    assert parameters.segment_id == other
    assert answered.ui.predictionsTable.rowCount == 2
    assert [answered.ui.resultComboBox.itemText(n) for n in range(answered.ui.resultComboBox.count)] == ["Tumor 1 — CT"]
    answered.shared.live.settle()
    assert answered.ui.predictButton.enabled


def test_a_result_whose_nodes_cannot_be_made_anew_is_named_too(answered, monkeypatch):
    def fill(*_arguments):
        raise RuntimeError("nobody thought of it")

    monkeypatch.setattr(results.result_tables, "fill", fill)
    assert results.restore_all() == ["Tumor: result"]
    monkeypatch.undo()
    assert results.restore_all() == []


@pytest.mark.parametrize("text", ["{", "[]", "7"])
def test_a_damaged_fingerprint_is_no_reason_to_fail(answered, text):
    result = answered.results.result
    result.main.SetAttribute(FINGERPRINT, text)
    answered.shared.live.settle()
    assert "Out of date" in answered.ui.staleLabel.text


def test_a_result_of_no_segment_is_damaged(answered):
    result = answered.results.result
    result.main.RemoveAttribute(SEGMENT_ID)
    assert result.damage == "it does not say which segment it is of"
    answered.shared.refresh()
    assert answered.results.result is None

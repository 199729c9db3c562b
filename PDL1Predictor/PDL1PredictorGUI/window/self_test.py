"""The module's self-test, as Slicer and the test host run it: what `PDL1PredictorTest` calls."""

from typing import Any

import slicer

from PDL1PredictorGUI.scene import bridge, outline, results
from PDL1PredictorGUI.scene.fingerprint import segment_print
from PDL1PredictorGUI.scene.synthetic import mark_synthetic
from PDL1PredictorGUI.setup import packages
from PDL1PredictorGUI.setup.library import make_importable
from PDL1PredictorGUI.window.tumor import TumorSection, new_tumor


def phantom() -> tuple[Any, Any, str]:
    """A small synthetic patient: CT, segmentation, segment."""
    make_importable()
    from PDL1PredictorLib.phantom.patient import make_patient

    case = make_patient(seed=5, index=0, extent="tumor").case
    volume = bridge.volume_of_image(case.ct, "CT")
    mark_synthetic(volume)
    segmentation, segment_id = new_tumor(volume)
    bridge.put_segment(segmentation, segment_id, case.tumor, volume)
    return volume, segmentation, segment_id


def predict_from_a_script(logic: Any) -> str:
    """A prediction without a window gives an answer for every endpoint; gives what kept it from being tried."""
    volume, segmentation, segment_id = phantom()
    if packages.missing():
        return "Skipped: " + ", ".join(str(package) for package in packages.missing())
    result = logic.predict(volume, segmentation, segment_id, device="cpu")
    assert "PDL1" in result.endpoints
    for key in result.endpoints:
        low, high = result.endpoint(key)["interval"]
        assert 0 <= low <= result.endpoint(key)["probability"] <= high <= 1
    found = results.find(segmentation, segment_id)
    assert found is not None
    assert found.main is result.main
    return ""


def predict_from_an_mr(logic: Any) -> None:
    """Refused before anything is started.

    Raises:
        PDL1Error: As it should.
    """
    import numpy as np

    _volume, segmentation, segment_id = phantom()
    mr = slicer.util.addVolumeFromArray(np.full((5, 6, 7), 300, np.int16), name="MR")
    logic.predict(mr, segmentation, segment_id)


def draw_from_a_click(widget: Any) -> None:
    """A click into the tumor gives a contour of about its size, in progress, that says where it comes from."""
    volume, segmentation, segment_id = phantom()
    hidden = not widget.shared.entered
    if hidden:
        widget.enter()
    x, y, z = segmentation.GetSegmentCenterRAS(segment_id)
    drawn_by_hand = segment_print(segmentation, segment_id)
    parameters = widget.shared.parameters
    parameters.volume, parameters.segmentation, parameters.segment_id = volume, segmentation, segment_id
    section = next(section for section in widget.sections if isinstance(section, TumorSection))
    section.one_click.on_placed([(x, y, z)])
    found = outline.outline_in(parameters.segmentation, parameters.segment_id)
    assert parameters.segment_id != segment_id  # what is there already stays as it is
    assert segment_print(segmentation, segment_id) == drawn_by_hand
    assert found.edited is False
    assert not found.checked
    if hidden:
        widget.exit()


def measure_in_the_window(widget: Any) -> None:
    """The measures appear once CT and tumor are chosen."""
    volume, segmentation, segment_id = phantom()
    hidden = not widget.shared.entered
    if hidden:
        widget.enter()
    parameters = widget.shared.parameters
    parameters.volume, parameters.segmentation, parameters.segment_id = volume, segmentation, segment_id
    widget.shared.live.settle()
    assert "mL" in widget.ui.tumorVolumeLabel.text
    assert widget.shared.live.problem == ""
    if hidden:
        widget.exit()

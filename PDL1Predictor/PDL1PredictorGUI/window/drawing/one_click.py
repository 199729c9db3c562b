"""In section 2: a click in the tumor, or a line across it, gives a contour that the reader checks and corrects."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import bridge, outline
from PDL1PredictorGUI.setup import packages
from PDL1PredictorGUI.setup.library import make_importable
from PDL1PredictorGUI.window.drawing.placing import Placing, Points
from PDL1PredictorGUI.window.section import DONE, ERROR, NOTE, WARNING, Shared, enable, say

NewTumor = Callable[[Any, Any], tuple[Any, str]]


class OneClick:
    """Two buttons that place points, the contour drawn from them, what it says of itself, and a box to confirm it.

    A contour is drawn into the chosen tumor where that is empty, or as another click has drawn it; a reader's work is
    left as it is, and the contour is a new tumor.

    Args:
        shared: The case.
        new_tumor: Makes an empty tumor; takes the CT and the segmentation, or None.
    """

    POINT_TIP = _("Click into the tumor, on any slice: its contour is drawn, for you to check. Esc cancels.")
    LINE_TIP = _("Click both ends of the longest diameter: the contour is drawn, for you to check. Esc cancels.")

    def __init__(self, shared: Shared, new_tumor: NewTumor) -> None:
        self.shared, self.ui = shared, shared.ui
        self.editor = self.ui.segmentEditor
        self._new_tumor = new_tumor
        self._placing = Placing(self.on_placed, self.settled)
        self._said = ("", "", NOTE)  # which tumor was chosen when it was said, what, and how
        self._declined = False
        self.ui.pointButton.connect("clicked(bool)", lambda wanted: self.on_pressed("point", wanted))
        self.ui.lineButton.connect("clicked(bool)", lambda wanted: self.on_pressed("line", wanted))
        self.ui.contourCheckedCheckBox.connect("clicked(bool)", self.on_checked)

    # --- showing

    def update(self) -> None:
        """Buttons off where there is no CT that can be used."""
        volume = self.shared.parameters.volume
        why_not = bridge.why_not_ct(volume) if volume is not None else _("Choose a CT first.")
        if why_not:
            self.cancel()
        enable(self.ui.pointButton, self.POINT_TIP, why_not)
        enable(self.ui.lineButton, self.LINE_TIP, why_not)

    def settled(self) -> None:
        """What to do while a point is placed; else what is to be known of the chosen tumor's contour."""
        parameters, kind = self.shared.parameters, self._placing.kind
        self.ui.pointButton.setChecked(kind == "point")
        self.ui.lineButton.setChecked(kind == "line")
        found = None
        if parameters is not None:
            found = outline.outline_in(parameters.segmentation, parameters.segment_id)
        self.ui.contourCheckedCheckBox.setVisible(found is not None)
        self.ui.contourCheckedCheckBox.setChecked(found is not None and bool(found.checked))
        chosen = parameters.segment_id if parameters is not None else ""
        if kind:
            say(self.ui.clickLabel, self._what_to_do(kind), NOTE)
        elif self._said[1] and self._said[0] == chosen and (found is None or self._said[2] == ERROR):
            say(self.ui.clickLabel, self._said[1], self._said[2])
        else:
            self._show(found)

    def _what_to_do(self, kind: str) -> str:
        if kind == "point":
            return _("Click into the tumor, on any slice. Esc cancels.")
        if not self._placing.placed:
            return _("Click one end of the tumor's longest diameter. Esc cancels.")
        return _("Click the other end of the diameter. Esc cancels.")

    def _show(self, found: Any) -> None:
        if found is None:
            say(self.ui.clickLabel, "")
            return
        parameters, preview = self.shared.parameters, self.shared.live.preview
        size = "" if preview is None else _(" of {volume:.2f} mL").format(volume=preview.tumor.volume_ml)
        lines = [_("Contour{size}: {how}.").format(size=size, how=found.text)]
        if not found.checked:
            lines.append(_("Look at it in three planes and correct it with the tools below; then tick the box."))
            lines += outline.told_of(parameters.segmentation, parameters.segment_id)
        if self._said[0] == parameters.segment_id and self._said[1]:
            lines.append(self._said[1])
        say(self.ui.clickLabel, "\n".join(lines), DONE if found.checked else WARNING)

    # --- the user

    def on_pressed(self, kind: str, wanted: bool) -> None:
        """Begins to place, or gives up what was begun."""
        self._said = ("", "", NOTE)
        if not wanted:
            self._placing.cancel()
            return
        self.editor.setActiveEffect(None)  # else the click would paint
        self._offer_packages()
        self._placing.start(kind)

    def on_checked(self, checked: bool) -> None:
        """A reader confirms the contour, or takes that back."""
        parameters = self.shared.parameters
        outline.set_checked(parameters.segmentation, parameters.segment_id, checked)
        self.shared.refresh()

    def on_placed(self, points: Points) -> None:
        """All points are there: draws the contour; what cannot be drawn is said, and nothing is changed."""
        make_importable()
        from PDL1PredictorLib.core.errors import PDL1Error

        parameters = self.shared.parameters
        if parameters is None:
            return
        with slicer.util.tryWithErrorDisplay(_("No contour could be drawn."), waitCursor=True):
            try:
                self._draw(points)
            except PDL1Error as error:
                self._said = (parameters.segment_id, str(error), ERROR)
        self.settled()

    def cancel(self) -> None:
        """Gives up what is being placed."""
        self._placing.cancel()

    # --- the contour

    def _draw(self, points: Points) -> None:
        from PDL1PredictorLib.segmentation.prompt import Prompt
        from PDL1PredictorLib.segmentation.segment import segment

        parameters = self.shared.parameters
        why_not = bridge.why_not_placed(parameters.segmentation) if parameters.segmentation is not None else ""
        if why_not:
            raise bridge.input_error(why_not)
        segmenter, note = self._segmenter()
        prompt = Prompt(tuple(bridge.lps_of_ras(point) for point in points))
        found = segment(self.shared.live.ct(parameters.volume), prompt, segmenter)
        segmentation, segment_id = parameters.segmentation, parameters.segment_id
        if segmentation is not None and self.editor.segmentationNode() is segmentation:
            self.editor.saveStateForUndo()
        if not outline.may_be_replaced(segmentation, segment_id):
            kept = segmentation is not None and segmentation.GetSegmentation().GetSegment(segment_id)
            if kept:
                text = _("{name} was left as it is; this contour is a new tumor.").format(name=kept.GetName())
                note = f"{text} {note}".strip()
            segmentation, segment_id = self._new_tumor(parameters.volume, segmentation)
        outline.put(segmentation, segment_id, found, parameters.volume)
        self._said = (segment_id, note, NOTE)
        with slicer.util.NodeModify(parameters.parameterNode):
            parameters.segmentation, parameters.segment_id = segmentation, segment_id
        self.shared.refresh()
        self.editor.setCurrentSegmentID(segment_id)

    def _offer_packages(self) -> None:
        """Where a network is installed and what runs it is missing: asks as for a prediction, once."""
        make_importable()
        from PDL1PredictorLib.core.errors import PDL1Error
        from PDL1PredictorLib.resources import segmenter_folder

        if segmenter_folder() is None or self._declined or not _runtime_is_missing():
            return
        try:
            self._declined = not packages.ensure(confirm=True)
        except PDL1Error as error:
            self._declined = True
            slicer.util.warningDisplay(str(error))

    @staticmethod
    def _segmenter() -> tuple[Any, str]:
        """The network, or None for the classical method alone, with why where one is installed."""
        from PDL1PredictorLib.core.errors import PDL1Error
        from PDL1PredictorLib.resources import segmenter_folder

        folder = segmenter_folder()
        if folder is None:
            return None, ""
        if _runtime_is_missing():
            return None, _("The network was not asked: the package onnxruntime is not installed.")
        try:
            return _network(folder), ""
        except PDL1Error as error:
            return None, str(error)


@cache
def _network(folder: Path) -> Any:
    """Read once: making it ready takes some tenths of a second."""
    from PDL1PredictorLib.segmentation.network import read_segmenter

    return read_segmenter(folder)


def _runtime_is_missing() -> bool:
    return any(package.name == "onnxruntime" for package in packages.missing())

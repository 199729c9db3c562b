"""What the seven sections of the window share."""

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.setup.library import make_importable

NOTE, WARNING, STRONG, ERROR, DONE = "note", "warning", "strong", "error", "done"  # `report.colors.NOTICES`


class Shared:
    """The case that the window is about, seen by every section.

    Attributes:
        ui: The widgets by name.
        logic: The module's logic.
        refresh: Brings every section up to date; may be called at any time, also in the middle of itself.
        parameters: What the scene keeps; None while no scene is open or the module was never shown.
        busy: What runs in the background: "" for nothing, else a sentence for tooltips.
        entered: Whether the module is shown.
        live: Measures of the current tumor (`live.LiveRegions`).
        why_no_model: Why no model can answer: none is chosen, or it cannot be read; "" if one can.
        synthetic_model: Whether the chosen model was trained on synthetic patients only.
        clinical: Clinical values that the chosen model asks for.
        declared: Those of them that its cohort declares.
        pet: Whether the chosen model looks at a PET: `no`, `optional` or `required`.
        why_no_pet: Why the chosen PET, or that there is none, keeps the model from answering; "" if it does not.
        why_no_clinical: What is wrong with a clinical value that was typed; "" if nothing.
    """

    def __init__(self, ui: Any, logic: Any, refresh: Callable[[], None]) -> None:
        self.ui = ui
        self.logic = logic
        self.refresh = refresh
        self.parameters: Any = None
        self.busy = ""
        self.entered = False
        self.live: Any = None
        self.why_no_model = ""
        self.synthetic_model = False
        self.clinical: tuple[Any, ...] = ()
        self.declared: tuple[Any, ...] = ()
        self.why_no_clinical = ""
        self.pet = "no"
        self.why_no_pet = ""

    def why_nothing_chosen(self) -> str:
        """Why there is nothing to measure or predict; empty if CT and tumor are chosen and the CT can be used.

        Looks at no voxel of the contour.
        """
        from PDL1PredictorGUI.scene import bridge

        parameters = self.parameters
        if parameters is None or parameters.volume is None:
            return _("Choose a CT in section 1.")
        reason = bridge.why_not_ct(parameters.volume)
        if reason:
            return reason
        segmentation = parameters.segmentation
        segment = segmentation.GetSegmentation().GetSegment(parameters.segment_id) if segmentation is not None else None
        if segment is None:
            return _("Choose or outline a tumor in section 2.")
        return ""

    def why_not_ready(self) -> str:
        """Why the chosen model cannot answer, whatever the contour: no model, no PET, a value that cannot be read."""
        return self.why_no_model or self.why_no_pet or self.why_no_clinical

    def request(self, segmentation: Any = None, segment_id: str = "") -> Any:
        """What would be predicted now: the chosen tumor, or another one with the same CT and settings.

        Raises:
            PDL1Error: A choice is impossible.
        """
        from PDL1PredictorGUI.scene.parameters import asked_values, clinical_values, region_settings
        from PDL1PredictorGUI.setup import computer

        parameters = self.parameters
        asked = asked_values(parameters, self.clinical)
        in_report = bool(parameters.clinical_in_report)
        known = {**clinical_values(parameters), **asked} if in_report else asked
        return self.logic.request(
            parameters.volume,
            segmentation if segmentation is not None else parameters.segmentation,
            segment_id or parameters.segment_id,
            model=parameters.model,
            device=computer.chosen_device(),
            regions=region_settings(parameters),
            clinical=known or None,
            clinicalInputs=tuple(column.name for column in self.clinical),
            withPatient=in_report and bool(known),
            petNode=parameters.pet if self.pet != "no" else None,
        )


class Section:
    """One collapsible section: it wires its own widgets, and nobody else's.

    `update` shows what the parameters and the scene say; it is called often and must be quick and repeatable. `settled`
    comes when nothing has changed for a moment, and may take some tenths of a second.
    """

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.ui = shared.ui

    @property
    def parameters(self) -> Any:
        """What the scene keeps, or None."""
        return self.shared.parameters

    def update(self) -> None:
        """Shows the present state."""

    def settled(self) -> None:
        """Shows what takes longer to find out."""

    def enter(self) -> None:
        """The module is shown."""

    def exit(self) -> None:
        """Another module is shown."""

    def forget(self) -> None:
        """Nodes go away, or are replaced: none may be held."""

    def close_scene(self) -> None:
        """The scene goes away: what works on it ends."""
        self.stop()

    def stop(self) -> None:
        """Ends what runs in the background, and comes back when nothing of it is left."""

    def cleanup(self) -> None:
        """The window goes away."""


def say(label: Any, text: str, kind: str = NOTE) -> None:
    """Shows a message in its box, in the report's colors, or hides the box when there is none."""
    make_importable()
    from PDL1PredictorLib.report.colors import NOTICES

    label.setText(text)
    ground, border, ink = NOTICES[kind]
    weight = "font-weight: bold; " if kind == STRONG else ""
    label.setStyleSheet(
        f"QLabel {{ background: {ground}; color: {ink}; border: 1px solid {border}; border-radius: 4px; {weight}"
        "padding: 5px; }"
    )
    label.setVisible(bool(text))


def enable(widget: Any, tool_tip: str, why_not: str = "") -> None:
    """Switches a control on, or off with the reason as its tooltip."""
    widget.setEnabled(not why_not)
    widget.setToolTip(why_not or tool_tip)


def add_row(form: Any, text: str, widget: Any, tip: str) -> None:
    """Adds a labeled control with its tooltip to a form."""
    widget.setToolTip(tip)
    form.addRow(text, widget)


class Switches:
    """Controls that say why they are off, and else what they do, as the window's file says it.

    Args:
        widgets: Each with the tooltip that it has while it is on.
    """

    def __init__(self, *widgets: Any) -> None:
        self._tips = [(widget, widget.toolTip) for widget in widgets]

    def set(self, why_not: str = "") -> None:
        """Switches all of them on, or off with the reason."""
        for widget, tip in self._tips:
            enable(widget, tip, why_not)


def fill_combo(combo: Any, entries: list[tuple[str, str]], current: str, icons: list[Any] | None = None) -> None:
    """Fills a combo box with (text, value) pairs and chooses a value, without a signal; unchanged entries stay."""
    shown = [(combo.itemText(row), combo.itemData(row)) for row in range(combo.count)]
    blocked = combo.blockSignals(True)
    if shown != entries or icons is not None:
        combo.clear()
        for row, (text, value) in enumerate(entries):
            if icons is None:
                combo.addItem(text, value)
            else:
                combo.addItem(icons[row], text, value)
    combo.setCurrentIndex(next((row for row, (_text, value) in enumerate(entries) if value == current), -1))
    combo.blockSignals(blocked)


def color_icon(color: tuple[float, float, float]) -> Any:
    """A small square of one color."""
    pixmap = qt.QPixmap(14, 14)
    pixmap.fill(qt.QColor.fromRgbF(*color))
    return qt.QIcon(pixmap)


def observe(node: Any, events: list[int], call: Callable[[], None]) -> list[tuple[Any, int]]:
    """Calls a function at each of a node's events; returns what `unobserve` takes."""
    return [(node, node.AddObserver(event, lambda *_: call())) for event in events]


def unobserve(observed: list[tuple[Any, int]]) -> None:
    """Ends what `observe` began."""
    for node, tag in observed:
        node.RemoveObserver(tag)
    observed.clear()


def scene_is_moving() -> bool:
    """Whether nodes come and go in bulk just now: nothing may be concluded from what is there."""
    scene = slicer.mrmlScene
    return bool(scene.IsBatchProcessing() or scene.IsClosing() or scene.IsImporting())

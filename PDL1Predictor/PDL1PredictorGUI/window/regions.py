"""Section 3: the ring and the regions' measures."""

from slicer.i18n import tr as _

from PDL1PredictorGUI.window.section import NOTE, WARNING, Section, Shared, Switches, enable, say

NO_VALUE = "–"


class RegionsSection(Section):
    """Shows the measures of both regions, and whether the ring was edited."""

    DRAW_TIP = _("Throws the edits away and draws the ring as the settings above say.")

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._drawing = Switches(self.ui.ringSlider, self.ui.excludeAirCheckBox, self.ui.excludeBoneCheckBox)
        self.ui.drawRingButton.connect("clicked(bool)", self.on_draw_again)

    def update(self) -> None:
        """An edited ring stays as it is: the settings that draw one are off."""
        edited = bool(self.shared.live.edited_ring)
        why_not = _("Off: the ring was edited by hand and is used as it is. Press Draw again to change it.")
        self._drawing.set(why_not if edited else "")
        enable(self.ui.drawRingButton, self.DRAW_TIP, "" if edited else _("Off: the ring was not edited."))

    def settled(self) -> None:
        """Shows what was measured."""
        self.update()
        live = self.shared.live
        texts = [NO_VALUE] * 4
        notes = []
        if live.preview is not None:
            tumor, ring = live.preview.tumor, live.preview.ring
            texts = [
                _("{value:.2f} mL").format(value=tumor.volume_ml),
                _("{value:.1f} mm").format(value=tumor.longest_axial_diameter_mm),
                _("{value:.0f} HU").format(value=tumor.mean_hu),
                _("{value:.2f} mL").format(value=ring.volume_ml),
            ]
            notes = [warning.text for warning in live.preview.warnings]
        labels = (self.ui.tumorVolumeLabel, self.ui.diameterLabel, self.ui.meanHuLabel, self.ui.ringVolumeLabel)
        for label, text in zip(labels, texts, strict=True):
            label.setText(text)
        if live.edited_ring:
            notes.insert(0, _("The ring was edited by hand. It is used as it is, and the result says so."))
        say(self.ui.ringNoteLabel, "\n".join(notes), WARNING if live.preview is not None else NOTE)

    def on_draw_again(self) -> None:
        """Throws the edits away."""
        self.shared.live.draw_ring_again()

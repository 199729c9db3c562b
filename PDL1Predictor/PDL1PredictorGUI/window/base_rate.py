"""Section 5: the probability at another base rate, beside the model's own. The library has the sum and the words."""

from typing import Any

from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import answers
from PDL1PredictorGUI.scene.parameters import base_rate, set_base_rate
from PDL1PredictorGUI.setup.library import make_importable
from PDL1PredictorGUI.window.section import NOTE, Section, Shared, Switches, say


class BaseRateControl(Section):
    """A number for each finding: how frequent positives are where the user works."""

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._switch = Switches(self.ui.baseRateSpinBox)
        self.ui.baseRateSpinBox.connect("valueChanged(double)", self.on_value)

    def show(self, row: dict[str, Any]) -> None:
        """Shows what was asked about a finding, and the answer for it."""
        make_importable()
        from PDL1PredictorLib.report.reading.base_rate import base_rate_words, why_no_base_rate

        _show, answer = answers.shown(row)
        why_not = why_no_base_rate(answer)
        self._switch.set(_("Off: {reason}.").format(reason=why_not) if why_not else "")
        share = base_rate(self.parameters, row["endpoint"])
        spin = self.ui.baseRateSpinBox
        blocked = spin.blockSignals(True)
        spin.value = 100 * (share or 0.0)
        spin.blockSignals(blocked)
        text = "" if why_not or share is None else base_rate_words(answer, share).replace(" %", "\u00a0%")
        say(self.ui.baseRateLabel, text, NOTE)

    def on_value(self, percent: float) -> None:
        """The user has typed another share; 0 is the model's own."""
        if self.parameters is not None:
            set_base_rate(self.parameters, self.parameters.endpoint, percent / 100 if percent > 0 else None)
            self.shared.refresh()

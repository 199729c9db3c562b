"""Section 4: what is wrong with the packages, in words, and the button that puts it right."""

import logging
from typing import Any

import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.setup import packages, repair
from PDL1PredictorGUI.window.section import DONE, ERROR, NOTE, WARNING, Section, Shared, Switches, say


class PackagesPanel(Section):
    """Says which packages are missing or do not work; hidden where nothing is known to be wrong."""

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._said = ("", NOTE)
        self._working = False
        self._switch = Switches(self.ui.repairButton)
        self.ui.repairButton.connect("clicked(bool)", self.on_repair)
        self.look()

    def look(self) -> None:
        """Looks at what is installed, which is quick; a package that does not work is not seen by that."""
        try:
            faults = [] if packages.why_impossible() else repair.seen_at_once()  # Predict says so
        except Exception:  # a Python whose packages cannot even be listed must not keep the window from opening
            logging.exception("The installed packages cannot be looked at")
            faults = []
        self._tell(faults)
        self.update()

    def blame(self, package: str) -> None:
        """A run ended because of this package."""
        text = _("The package {name} is missing or does not work: no prediction is possible until that is repaired.")
        self._said = (text.format(name=package), ERROR)
        self.update()

    def update(self) -> None:
        """The words, and the button where there is something to repair."""
        text, kind = self._said
        say(self.ui.packagesLabel, text, kind)
        self.ui.repairButton.setVisible(bool(text) and kind != DONE)
        self._switch.set(_("Off while packages are looked at.") if self._working else self.shared.busy)

    def enter(self) -> None:
        """They may have been installed elsewhere meanwhile."""
        if self._said[1] != ERROR:
            self.look()

    def on_repair(self) -> None:
        """Finds out what is wrong, asks, and installs that."""
        self._working = True
        self._say(_("Trying each package; this takes some seconds …"), NOTE)
        try:
            with slicer.util.WaitCursor():
                faults = repair.tried()
            if faults and not repair.repair(faults):
                self._tell(faults)
                return
            self._say(_("Trying each package again …"), NOTE)
            with slicer.util.WaitCursor():
                left = repair.tried()
            self._tell(left)
            if not left:
                self._said = (_("All packages work: predictions are possible."), DONE)
        except Exception as error:
            self._said = (self._why_not(error), ERROR)
        finally:
            self._working = False
            self.update()

    def _say(self, text: str, kind: str) -> None:
        self._said = (text, kind)
        self.update()
        slicer.app.processEvents()

    def _tell(self, faults: list[Any]) -> None:
        if not faults:
            self._said = ("", NOTE)
        elif all(packages.installed_version(fault.package.name) is None for fault in faults):
            text = _("A prediction needs packages that are {faults}. Predict asks before it installs them.")
            self._said = (text.format(faults=repair.in_words(faults)), WARNING)
        else:
            text = _("Packages keep predictions from working: {faults}.")
            self._said = (text.format(faults=repair.in_words(faults)), ERROR)

    @staticmethod
    def _why_not(error: Exception) -> str:
        from PDL1PredictorLib.core.errors import PDL1Error

        if isinstance(error, (PDL1Error, OSError)):
            return str(error)
        text = _("The packages could not be repaired, by an error that nobody expected: {error}.")
        return text.format(error=error or type(error).__name__)

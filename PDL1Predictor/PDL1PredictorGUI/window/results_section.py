"""Section 5: every tumor's result, its heat map, charts, features and report."""

from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import answers, charts, heatmap, results, saving
from PDL1PredictorGUI.setup import preferences
from PDL1PredictorGUI.window.answer_table import AnswerTable
from PDL1PredictorGUI.window.answer_text import details
from PDL1PredictorGUI.window.base_rate import BaseRateControl
from PDL1PredictorGUI.window.contributions import ContributionTree
from PDL1PredictorGUI.window.feature_list import FeatureList
from PDL1PredictorGUI.window.panels.earlier_study import EarlierStudy
from PDL1PredictorGUI.window.panels.lesion_list import LesionList
from PDL1PredictorGUI.window.section import (
    ERROR,
    NOTE,
    STRONG,
    WARNING,
    Section,
    Shared,
    Switches,
    enable,
    fill_combo,
    say,
)


class ResultsSection(Section):
    """Shows the result of the chosen tumor, or another one that the user goes back to."""

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.display = heatmap.HeatMapDisplay()
        self.features = FeatureList(shared.ui)
        self.base_rate, self.contributions = BaseRateControl(shared), ContributionTree(shared.ui)
        self.lesions, self.earlier = LesionList(shared, self.on_lesion), EarlierStudy(shared)
        self._tumor: tuple[Any, str] | None = None
        self._shown_map: tuple[Any, ...] = ()
        self._chart: tuple[str, str] | None = None  # the shown chart: result and endpoint, "" for all
        ui = self.ui
        self._map_switches = Switches(ui.heatMapCheckBox, ui.opacitySlider, ui.thresholdSlider)
        self._chart_switches = Switches(ui.contributionChartButton)
        self.table = AnswerTable(ui, self.on_reveal)
        for button, slot in (
            (ui.jumpButton, self.on_jump),
            (ui.probabilityChartButton, self.on_probability_chart),
            (ui.contributionChartButton, self.on_contribution_chart),
            (ui.closeChartButton, self.on_close_chart),
            (ui.reportButton, self.on_report),
            (ui.copyButton, self.on_copy),
            (ui.saveButton, self.on_save),
        ):
            button.connect("clicked(bool)", slot)
        ui.resultComboBox.connect("activated(int)", self.on_result_chosen)
        ui.endpointComboBox.connect("activated(int)", self.on_endpoint_chosen)
        ui.predictionsTable.connect("itemSelectionChanged()", self.on_row_chosen)
        ui.featuresGroup.connect("toggled(bool)", self.on_features)

    # --- which result

    @property
    def result(self) -> Any:
        """The result that is shown, or None."""
        main = self.parameters.shown_result if self.parameters is not None else None
        found = None if main is None else [item for item in results.all_results() if item.main is main]
        return found[0] if found else None

    def show(self, result: Any) -> None:
        """Shows a new result and brings the views to its tumor."""
        parameters = self.parameters
        if parameters is None:
            return
        with slicer.util.NodeModify(parameters.parameterNode):
            parameters.shown_result = result.main
            parameters.show_heat_map = True
        self._tumor = (result.segmentation, result.segment_id)
        self.ui.resultsSection.collapsed = False
        self.shared.refresh()
        self.on_jump()
        self.shared.live.poke()

    def _follow_tumor(self) -> None:
        """Another tumor: its own result, or none."""
        parameters = self.parameters
        tumor = (parameters.segmentation, parameters.segment_id)
        if tumor == self._tumor:
            return
        first, self._tumor = self._tumor is None, tumor
        if first and self.result is not None:  # an opened scene shows what it showed when it was saved
            return
        found = results.find(*tumor)
        parameters.shown_result = found.main if found is not None else None

    # --- showing

    def update(self) -> None:
        """The list, the table, the heat map."""
        self._follow_tumor()
        ui, result, every = self.ui, self.result, results.all_results()
        ui.noResultLabel.setVisible(result is None)
        ui.noResultLabel.text = self._why_nothing(every)
        ui.resultPanel.setVisible(bool(every))
        entries = [(_("Choose a result"), "")] if result is None else []
        entries += [(self._title(item), item.main.GetID()) for item in every]
        fill_combo(ui.resultComboBox, entries, result.main.GetID() if result is not None else "")
        for widget in self._parts():
            widget.setVisible(result is not None)
        if result is None:
            for label in (ui.staleLabel, ui.warningsLabel, *self._first_labels()):
                say(label, "")
            self.table.forget()
            self.contributions.forget()
            self._show_map(None)
            return
        if self.parameters.endpoint not in result.endpoints:
            self.parameters.endpoint = result.endpoints[0]
        self._show_first_words(result)
        self._show_table(result)
        self._show_endpoint(result)
        text = "\n".join(f"• {warning['text']}" for warning in result.warnings)
        say(ui.warningsLabel, text, WARNING)
        self._show_map(result)
        self._follow_with_chart(result)
        self.features.show(result)
        self.earlier.show(result)
        self.lesions.mark()

    def settled(self) -> None:
        """Lists the tumors, and says whether the result still holds."""
        self.lesions.settled()
        result = self.result
        if result is None:
            return
        from PDL1PredictorGUI.scene.fingerprint import fingerprint
        from PDL1PredictorLib.core.errors import PDL1Error

        now = None
        if self.parameters.volume is not None and result.segmentation is not None:
            try:
                now = fingerprint(self.shared.request(result.segmentation, result.segment_id))
            except PDL1Error:
                now = None
        reasons = results.why_stale(result, now)
        text = _("Out of date: {reasons}. Predict again.").format(reasons="; ".join(reasons)) if reasons else ""
        say(self.ui.staleLabel, text, ERROR)

    def _why_nothing(self, every: list[Any]) -> str:
        if not every:
            return _("No prediction yet. Outline a tumor and press Predict.")
        return _("This tumor has no prediction yet. Press Predict, or choose another tumor's result.")

    @staticmethod
    def _title(result: Any) -> str:
        volume = result.volume
        return f"{result.segment_name} — {volume.GetName()}" if volume is not None else result.segment_name

    def _first_labels(self) -> tuple[Any, ...]:
        ui = self.ui
        return ui.syntheticLabel, ui.unlikeLabel, ui.skillLabel, ui.purposeLabel

    def _show_first_words(self, result: Any) -> None:
        """What must not be overlooked stands before the answers."""
        words = result.first_words
        said = (words.synthetic, words.unlike, words.unproven, words.purpose)
        for label, text, kind in zip(self._first_labels(), said, (STRONG, STRONG, STRONG, NOTE), strict=True):
            say(label, text, kind)

    def _parts(self) -> list[Any]:
        ui = self.ui
        return [
            *(
                ui.predictionsTable,
                ui.barLegendLabel,
                ui.endpointLabel,
                ui.baseRatePanel,
                ui.contributionsGroup,
                ui.earlierGroup,
                ui.heatMapGroup,
                ui.chartLabel,
                ui.probabilityChartButton,
            ),
            *(ui.contributionChartButton, ui.closeChartButton, ui.featuresGroup, ui.reportButton),
            *(ui.copyButton, ui.saveButton),
        ]

    def _show_table(self, result: Any) -> None:
        rows = result.lesion["endpoints"]
        if self.table.show(result):
            entries = [(row["title"], row["endpoint"]) for row in rows]
            fill_combo(self.ui.endpointComboBox, entries, self.parameters.endpoint)
        chosen = result.endpoints.index(self.parameters.endpoint)
        self.table.select(chosen)
        self.ui.endpointComboBox.setCurrentIndex(chosen)

    def _show_endpoint(self, result: Any) -> None:
        key = self.parameters.endpoint
        with_numbers = self.table.numbers_shown(result, key)
        self.base_rate.show(result.endpoint(key))
        self.contributions.show(result, key, with_numbers)
        self.ui.endpointLabel.text = details(result.endpoint(key), with_numbers, result.made_by)
        off = "" if with_numbers else _("Off: this finding is not answered. Show its number first.")
        self._chart_switches.set(off)

    def on_reveal(self) -> None:
        """The number of an answer that is not given was shown or hidden."""
        if self.result is not None:
            self._show_endpoint(self.result)

    def _show_map(self, result: Any) -> None:
        parameters, ui = self.parameters, self.ui
        node = result.heat_maps.get(parameters.endpoint) if result is not None else None
        missing = _("Off: this finding has no heat map.") if node is None else ""
        self._map_switches.set(missing)
        empty = node is not None and parameters.show_heat_map and heatmap.is_empty(node)
        if empty:
            say(ui.heatMapNoteLabel, _("This map is empty: nothing in the picture raises the answer."), NOTE)
        else:
            self._say_where_the_heat_is(result if node is not None and parameters.show_heat_map else None)
        wanted: tuple[Any, ...] = ()
        if node is not None and parameters.show_heat_map:
            opacity, threshold = parameters.heat_map_opacity, parameters.heat_map_threshold
            wanted = (node.GetID(), parameters.endpoint, opacity, threshold)
        if wanted == self._shown_map:
            return
        self._shown_map = wanted
        if wanted:
            self.display.show(result, *wanted[1:])
        else:
            self.display.hide()

    def _say_where_the_heat_is(self, result: Any) -> None:
        lines, kind = [], NOTE
        if result is not None:
            row = result.endpoint(self.parameters.endpoint)
            if not answers.answered(row):
                lines.append(_("This finding is not answered: its map says only where the network looked."))
            lines.append(answers.heat_sentence(row))
            kind = WARNING if answers.looks_outside(row) else NOTE
        say(self.ui.heatMapNoteLabel, " ".join(filter(None, lines)), kind)

    # --- the user

    def on_result_chosen(self, row: int) -> None:
        """Goes back to a tumor's result, and to the tumor if it is still there."""
        node = slicer.mrmlScene.GetNodeByID(self.ui.resultComboBox.itemData(row) or "")
        result = next((item for item in results.all_results() if item.main is node), None)
        if result is not None:
            self._go_to(result, "")

    def _go_to(self, result: Any, endpoint: str) -> None:
        """A result, its tumor if it is still there, and a finding if one is named."""
        parameters, segmentation = self.parameters, result.segmentation
        with slicer.util.NodeModify(parameters.parameterNode):
            parameters.shown_result = result.main
            parameters.endpoint = endpoint or parameters.endpoint
            if segmentation is not None and segmentation.GetSegmentation().GetSegment(result.segment_id) is not None:
                self._tumor = (segmentation, result.segment_id)
                parameters.segmentation = segmentation
                parameters.segment_id = result.segment_id
        self.shared.refresh()
        self.shared.live.poke()

    def on_lesion(self, row: Any, endpoint: str) -> None:
        """A tumor of the list was clicked: its result, or the tumor itself where there is none."""
        if row.result is not None:
            self._go_to(row.result, endpoint)
        elif row.segmentation is not None:
            with slicer.util.NodeModify(self.parameters.parameterNode):
                self.parameters.segmentation = row.segmentation
                self.parameters.segment_id = row.segment_id
            self.shared.refresh()

    def on_endpoint_chosen(self, row: int) -> None:
        """A finding was chosen in the list."""
        self.parameters.endpoint = self.ui.endpointComboBox.itemData(row)

    def on_row_chosen(self) -> None:
        """A finding was chosen in the table."""
        result, row = self.result, self.ui.predictionsTable.currentRow()
        if result is not None and 0 <= row < len(result.endpoints):
            self.parameters.endpoint = result.endpoints[row]

    def on_jump(self) -> None:
        """Brings the views to the tumor."""
        if self.result is not None:
            self.display.jump_to_tumor(self.result)

    def on_probability_chart(self) -> None:
        """Shows the probabilities beside the images."""
        self._show_chart("")

    def on_contribution_chart(self) -> None:
        """Shows the chosen finding's contributions beside the images."""
        self._show_chart(self.parameters.endpoint)

    def on_close_chart(self) -> None:
        """Gives the user's layout back."""
        charts.hide()
        self._chart = None
        self.update()

    def _show_chart(self, endpoint: str) -> None:
        """Contributions to a finding, or the probabilities of all."""
        with slicer.util.tryWithErrorDisplay(_("The chart cannot be shown.")):
            if endpoint:
                charts.show_contributions(self.result, endpoint)
            else:
                charts.show_probabilities(self.result)
            self._chart = (self.result.main.GetID(), endpoint)
        self.update()

    def _follow_with_chart(self, result: Any) -> None:
        """A chart that is shown follows the chosen tumor and finding."""
        enable(
            self.ui.closeChartButton,
            _("Closes the chart; the views are arranged as before."),
            "" if self._chart else _("Off: no chart is shown."),
        )
        if self._chart is None or slicer.app.layoutManager() is None:
            return
        wanted = (result.main.GetID(), self.parameters.endpoint if self._chart[1] else "")
        if wanted != self._chart:
            self._show_chart(wanted[1])

    def on_features(self, _opened: bool) -> None:
        """The list of features was opened or closed."""
        self.features.show(self.result)

    def on_report(self) -> None:
        """Opens the report."""
        with slicer.util.tryWithErrorDisplay(_("The report cannot be opened.")):
            saving.open_report(self.result)

    def on_copy(self) -> None:
        """Puts the five lines onto the clipboard."""
        qt.QApplication.clipboard().setText(self.result.plain_text)
        slicer.util.showStatusMessage(_("The text was copied. Paste it where you need it."), 5000)

    def on_save(self) -> None:
        """Writes everything into a folder."""
        start = preferences.read(preferences.OUTPUT_FOLDER)
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder for the results"), start)
        if not folder:
            return
        preferences.write(preferences.OUTPUT_FOLDER, folder)
        with slicer.util.tryWithErrorDisplay(_("The results cannot be saved."), waitCursor=True):
            saved = saving.save_results(self.result, Path(folder))
            slicer.util.showStatusMessage(_("Saved: {folder}").format(folder=saved), 5000)

    # --- coming and going

    def forget(self) -> None:
        """The scene closes."""
        self._tumor = self._chart = None
        self.table.forget()
        self.contributions.forget()
        self.features.forget()
        self.lesions.forget()
        self.earlier.forget()
        self._shown_map = ()

    def cleanup(self) -> None:
        """The window goes away."""
        saving.discard_reports()

    def enter(self) -> None:
        """What is in the views may have changed meanwhile."""
        self._tumor = None
        self._shown_map = () if self.display.shown() is None else self._shown_map

"""Section 5: what moved an answer, as a tree of words: groups of inputs, inputs, the features behind them."""

from typing import Any

import qt
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import answers
from PDL1PredictorGUI.setup.library import make_importable

MOST_LINES = 14  # seen at a time; more are scrolled to
INPUT, EFFECT = range(2)


class ContributionTree:
    """Fills the tree of contributions.

    Args:
        ui: The window's widgets.
    """

    def __init__(self, ui: Any) -> None:
        self._tree, self._note = ui.contributionsTree, ui.contributionsNoteLabel
        self._key: tuple[Any, ...] = ()
        self._items: list[Any] = []  # PythonQt deletes an item with its last reference, if the tree does not own it
        tree = self._tree
        tree.setColumnCount(EFFECT + 1)
        header = tree.header()
        header.setSectionResizeMode(INPUT, qt.QHeaderView.Stretch)
        header.setSectionResizeMode(EFFECT, qt.QHeaderView.ResizeToContents)
        header.setStretchLastSection(False)
        tree.connect("itemExpanded(QTreeWidgetItem*)", self._fit)
        tree.connect("itemCollapsed(QTreeWidgetItem*)", self._fit)

    def show(self, result: Any, endpoint: str, with_numbers: bool) -> None:
        """Shows what moved an answer; nothing where its number is not to be seen."""
        key = (result.node_id, result.main.GetMTime(), endpoint, with_numbers)
        if key == self._key:
            return
        self._key = key
        make_importable()
        from PDL1PredictorLib.report.reading.contribution_groups import contribution_groups

        show, answer = answers.shown(result.endpoint(endpoint))
        how = show.explained(answer)
        self._tree.clear()
        self._items = []
        self._tree.setHeaderLabels([_("Input"), _("Effect in {unit}").format(unit=how.unit)])
        for group in contribution_groups(answer) if with_numbers else ():
            top = self._item(group.title, group.said, bold=True)
            for line in group.lines:
                top.addChild(self._line(line))
            self._tree.addTopLevelItem(top)
        off = _("This finding is not answered. Show its number first.")
        self._note.text = str(how.note) if with_numbers else off
        self._tree.setVisible(with_numbers)
        self._fit()

    def forget(self) -> None:
        """No result is shown."""
        self._key = ()

    def _line(self, line: Any) -> Any:
        item = self._item(line.title, line.effect)
        for part in line.behind:
            item.addChild(self._item(part.title, part.effect))
        return item

    def _item(self, title: str, effect: str, bold: bool = False) -> Any:
        item = qt.QTreeWidgetItem()
        item.setText(INPUT, title)
        item.setText(EFFECT, effect)
        item.setToolTip(INPUT, title)  # a long one is cut
        item.setToolTip(EFFECT, effect)
        if bold:
            font = self._tree.font
            font.setBold(True)
            item.setFont(INPUT, font)
        self._items.append(item)
        return item

    def _fit(self, _item: Any = None) -> None:
        """As high as what is opened, up to a limit."""
        tree = self._tree
        lines = sum(_seen(tree.topLevelItem(place)) for place in range(tree.topLevelItemCount))
        line = max(tree.sizeHintForRow(0), tree.fontMetrics().height() + 2)
        header = tree.header().sizeHint.height()
        tree.setFixedHeight(header + line * max(min(lines, MOST_LINES), 1) + 2 * tree.frameWidth + 2)


def _seen(item: Any) -> int:
    """How many lines an item takes with what is opened below it."""
    below = sum(_seen(item.child(place)) for place in range(item.childCount())) if item.isExpanded() else 0
    return 1 + below

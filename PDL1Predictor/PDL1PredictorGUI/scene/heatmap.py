"""The heat map over the CT in the slice views, with the user's own layers kept and given back.

What was shown before is kept on each slice view's composite node, so that it is given back also after the scene was
saved and loaded with the heat map on.
"""

from collections.abc import Iterable
from typing import Any

import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import answers, color_tables
from PDL1PredictorGUI.setup.library import make_importable

COLORS_TAG = "PDL1PredictorHeatMapColors"
USER_BACKGROUND, USER_FOREGROUND = "PDL1Predictor.userBackground", "PDL1Predictor.userForeground"  # reference roles
USER_LAYERS = "PDL1Predictor.userLayers"  # attribute: foreground opacity and compositing; there while a map is shown
DEFAULT_OPACITY, DEFAULT_THRESHOLD = 0.5, 0.15
LEGEND_SIZE = (0.07, 0.3)  # of the view; its letters are as large as fit in, whatever font size is set


class HeatMapDisplay:
    """Shows one heat map at a time; holds nothing itself, so that two of them agree."""

    def show(
        self, result: Any, endpoint: str, opacity: float = DEFAULT_OPACITY, threshold: float = DEFAULT_THRESHOLD
    ) -> bool:
        """Lays a heat map over the CT in every slice view.

        A map of a slice is as thick as the CT's slices: go there with `jump_to_tumor`. One of a network that sees
        volumes is a volume, and seen on every slice through it.

        Args:
            result: A `results.ResultNodes`.
            endpoint: Key of the endpoint.
            opacity: Of the map, 0 to 1.
            threshold: The map is clear below this, 0 to 1.

        Returns:
            Whether there is a map to show; if not, nothing is shown any more.
        """
        node = result.heat_maps.get(endpoint)
        if node is None:
            self.hide()
            return False
        display = set_up_display(node)
        display.SetLowerThreshold(threshold)
        for composite in _composites():
            _lay_over(composite, node, result.volume, opacity)
        _show_legend(node, _legend_title(result.endpoint(endpoint)))
        return True

    def hide(self) -> None:
        """Gives every slice view the layers back that it had before."""
        for composite in _composites():
            _give_back(composite)
        _hide_legends()

    def shown(self) -> Any:
        """The heat map that is shown in a slice view, or None."""
        return next((c.GetNodeReference("foregroundVolume") for c in _composites() if _shows_heat_map(c)), None)

    def jump_to_tumor(self, result: Any, align: bool = False) -> bool:
        """Centers every slice view on the tumor, on the slice that the heat map belongs to.

        Args:
            result: A `results.ResultNodes`.
            align: Turn the views to the CT's own axes first. In a view that cuts through an oblique CT's slices the
                map is only a band.

        Returns:
            Whether the result still knows where the tumor is.
        """
        center = tumor_center_ras(result)
        if center is None:
            return False
        for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            if align and result.volume is not None:
                node.RotateToVolumePlane(result.volume)
            node.JumpSliceByCentering(*center)
        return True


def tumor_center_ras(result: Any) -> list[float] | None:
    """The tumor's center in the slice with its largest area (where the heat maps are cut), in world RAS, mm."""
    nodes = [*result.heat_maps.values(), result.regions]
    node = next((node for node in nodes if node is not None and node.GetImageData() is not None), None)
    if node is None:
        return None
    bounds = [0.0] * 6
    node.GetRASBounds(bounds)  # of the voxels' outer faces, in the world
    return [(bounds[2 * axis] + bounds[2 * axis + 1]) / 2 for axis in range(3)]


def set_up_display(node: Any) -> Any:
    """Own colors, window 0 to 1, clear below a threshold; gives the display node."""
    with color_tables.display_in(node, colors(), 0.0, 1.0) as display:
        display.InterpolateOn()
        if not display.GetApplyThreshold():
            color_tables.show_within(display, DEFAULT_THRESHOLD, 1.0)
    return display


def colors() -> Any:
    """The heat map's color table, made if the scene has none."""
    return color_tables.table(COLORS_TAG, _("PD-L1 heat map"), color_at)


def color_at(value: float) -> tuple[float, float, float]:
    """Red, green, blue (0 to 1) of a heat of 0 to 1: the report's colors."""
    make_importable()
    from PDL1PredictorLib.report.colors import HEAT_COLORS

    return color_tables.between(HEAT_COLORS, value)


def remove_colors() -> None:
    """Takes the color table out of the scene, once no heat map is left."""
    color_tables.remove(COLORS_TAG)


def give_back_layers(heat_maps: Iterable[Any]) -> None:
    """Gives the user's layers back in every view that shows one of these volumes."""
    ids = {node.GetID() for node in heat_maps}
    for composite in _composites():
        if composite.GetForegroundVolumeID() in ids:
            _give_back(composite)
    _hide_legends()


def _composites() -> list[Any]:
    return list(slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"))


def _shows_heat_map(composite: Any) -> bool:
    foreground = composite.GetNodeReference("foregroundVolume")
    return composite.GetAttribute(USER_LAYERS) is not None and _is_heat_map(foreground)


def _is_heat_map(volume: Any) -> bool:
    return volume is not None and volume.GetAttribute("PDL1Predictor.Endpoint") is not None


def _lay_over(composite: Any, heat_map: Any, ct: Any, opacity: float) -> None:
    if composite.GetAttribute(USER_LAYERS) is not None and not _shows_heat_map(composite):
        _forget(composite)  # the user has chosen another foreground since: that is now what to give back
    if composite.GetAttribute(USER_LAYERS) is None:
        composite.SetNodeReferenceID(USER_BACKGROUND, composite.GetBackgroundVolumeID())
        composite.SetNodeReferenceID(USER_FOREGROUND, composite.GetForegroundVolumeID())
        composite.SetAttribute(USER_LAYERS, f"{composite.GetForegroundOpacity()!r} {composite.GetCompositing()}")
    was_modifying = composite.StartModify()
    if ct is not None:
        composite.SetBackgroundVolumeID(ct.GetID())
    composite.SetForegroundVolumeID(heat_map.GetID())
    composite.SetForegroundOpacity(opacity)
    composite.SetCompositing(slicer.vtkMRMLSliceCompositeNode.Alpha)
    composite.EndModify(was_modifying)


def _give_back(composite: Any) -> None:
    """The layers of before; what the user has changed in the meantime stays as it is."""
    if _shows_heat_map(composite):
        opacity, compositing = composite.GetAttribute(USER_LAYERS).split()
        background = composite.GetNodeReference(USER_BACKGROUND)
        foreground = composite.GetNodeReference(USER_FOREGROUND)
        was_modifying = composite.StartModify()
        if background is not None or composite.GetNodeReferenceID(USER_BACKGROUND) is None:
            composite.SetBackgroundVolumeID(background.GetID() if background is not None else None)
        composite.SetForegroundVolumeID(foreground.GetID() if foreground is not None else None)
        composite.SetForegroundOpacity(float(opacity))
        composite.SetCompositing(int(compositing))
        composite.EndModify(was_modifying)
    _forget(composite)


def is_empty(node: Any) -> bool:
    """Whether a heat map shows nothing anywhere: nothing in the picture speaks for a positive answer."""
    image = node.GetImageData()
    return image is None or image.GetScalarRange()[1] <= 0


def _forget(composite: Any) -> None:
    for role in (USER_BACKGROUND, USER_FOREGROUND):
        composite.RemoveNodeReferenceIDs(role)
    composite.RemoveAttribute(USER_LAYERS)


def _show_legend(node: Any, title: str) -> None:
    _hide_legends()
    legend = slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(node)  # the one that it has, if any
    if legend is None:
        return
    legend.SetTitleText(title)
    legend.SetLabelFormat("%.1f")
    legend.SetSize(*LEGEND_SIZE)
    legend.SetNumberOfLabels(3)
    for text in (legend.GetTitleTextProperty(), legend.GetLabelTextProperty()):
        text.SetFontFamilyToArial()
    legend.SetVisibility(True)


def _legend_title(row: dict[str, Any]) -> str:
    """A map is scaled by itself, so that a negative answer's map has a 1 as well; and where its heat lies."""
    lines = [_("{endpoint} heat map").format(endpoint=row["title"]), _("1 = its own maximum")]
    inside = answers.heat_share(row)
    if inside:
        lines.append(_("{share} in tumor and ring").format(share=inside))
    if answers.looks_outside(row):
        lines.append(_("looks outside the tumor"))
    return "\n".join(lines)


def _hide_legends() -> None:
    for legend in slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode"):
        if _is_heat_map(legend.GetDisplayableNode()):
            legend.SetVisibility(False)

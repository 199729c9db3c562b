"""Maps of features over the tumor as volumes of the scene: shown by the user's hand, with the report's colors."""

from typing import Any

from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import color_tables
from PDL1PredictorGUI.setup.library import make_importable

COLORS_TAG = "PDL1PredictorFeatureMapColors"


def node_title(row: dict[str, Any]) -> str:
    """The map's name and unit, such as `Sum Entropy (GLCM, wavelet HLL), tumor (bit)`, for a node's name."""
    unit = f" ({row['unit']})" if row["unit"] else ""
    return f"{row['title']}{unit}"


def set_up_display(node: Any, row: dict[str, Any]) -> Any:
    """Own colors from the least to the greatest value; clear where there is none. Gives the display node.

    Args:
        node: Volume of the map.
        row: What the result says of it: `low`, `high` and `outside`.
    """
    top = row["high"] if row["high"] > row["low"] else row["low"] + 1.0
    half = (row["low"] - row["outside"]) / 2  # on either side, as the file has 32 bits a value
    with color_tables.display_in(node, colors(), row["low"], top) as display:
        display.InterpolateOff()  # between a value and none there is nothing
        color_tables.show_within(display, row["low"] - half, row["high"] + half)
    return display


def colors() -> Any:
    """The color table of all maps, made if the scene has none."""
    return color_tables.table(COLORS_TAG, _("PD-L1 map of a feature"), color_at)


def color_at(value: float) -> tuple[float, float, float]:
    """Red, green, blue (0 to 1) of a share of 0 to 1: the report's colors."""
    make_importable()
    from PDL1PredictorLib.report.colors import MAP_COLORS

    return color_tables.between(MAP_COLORS, value)


def remove_colors() -> None:
    """Takes the color table out of the scene, once no map is left."""
    color_tables.remove(COLORS_TAG)

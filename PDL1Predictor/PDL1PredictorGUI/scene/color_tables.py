"""Color tables of a scene: one a kind of map, made at the point of need, taken away with the last map; maps in them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import slicer

N_COLORS = 256
Rgb = tuple[float, float, float]


def table(tag: str, name: str, color_at: Callable[[float], Rgb]) -> Any:
    """The table of a kind of map, made if the scene has none.

    Args:
        tag: Names the kind within the scene.
        name: For people.
        color_at: Red, green, blue (0 to 1) of a value of 0 to 1.
    """
    scene = slicer.mrmlScene
    node = scene.GetSingletonNode(tag, "vtkMRMLColorTableNode")
    if node is None:
        node = scene.CreateNodeByClass("vtkMRMLColorTableNode")
        node.UnRegister(None)  # the Python variable owns it
        node.SetSingletonTag(tag)
        node.SetName(name)
        node.SetTypeToUser()
        node = scene.AddNode(node)
    if node.GetNumberOfColors() != N_COLORS:
        node.SetNumberOfColors(N_COLORS)
        for index in range(N_COLORS):
            at = index / (N_COLORS - 1)
            node.SetColor(index, f"{at:.2f}", *color_at(at), 1.0)
        node.SetHideFromEditors(True)
    return node


@contextmanager
def display_in(node: Any, colors: Any, low: float, high: float) -> Iterator[Any]:
    """The display node of a volume, its colors from one value to another; what is set inside is shown at once with it.

    Args:
        node: Volume of a map.
        colors: Its table.
        low: Value of the first color.
        high: Value of the last.
    """
    if node.GetVolumeDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    display = node.GetVolumeDisplayNode()
    was_modifying = display.StartModify()
    display.SetAndObserveColorNodeID(colors.GetID())
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(low, high)
    yield display
    display.EndModify(was_modifying)


def show_within(display: Any, low: float, high: float) -> None:
    """Voxels below or above are clear."""
    display.SetThreshold(low, high)
    display.AutoThresholdOff()
    display.ApplyThresholdOn()


def between(colors: Sequence[tuple[int, int, int]], value: float) -> Rgb:
    """Red, green, blue (0 to 1) at a place of 0 to 1 along colors (0 to 255) at even steps."""
    place = min(max(value, 0.0), 1.0) * (len(colors) - 1)
    low = min(int(place), len(colors) - 2)
    share = place - low
    r, g, b = ((1 - share) * a + share * b for a, b in zip(colors[low], colors[low + 1], strict=True))
    return r / 255, g / 255, b / 255


def remove(tag: str) -> None:
    """Takes a table out of the scene, if it is there."""
    node = slicer.mrmlScene.GetSingletonNode(tag, "vtkMRMLColorTableNode")
    if node is not None:
        if node.GetStorageNode() is not None:
            slicer.mrmlScene.RemoveNode(node.GetStorageNode())
        slicer.mrmlScene.RemoveNode(node)

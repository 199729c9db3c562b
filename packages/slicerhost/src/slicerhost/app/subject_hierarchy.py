"""Every data node has an item in the subject hierarchy: in Slicer the hierarchy's Qt plugins see to that."""

from typing import Any

import slicer
import vtk

DATA_CLASSES = (
    "vtkMRMLDisplayableNode",
    "vtkMRMLTableNode",
    "vtkMRMLTextNode",
    "vtkMRMLPlotChartNode",
    "vtkMRMLPlotSeriesNode",
)
#: Displayable, but no data
NO_DATA = ("vtkMRMLCameraNode", "vtkMRMLAbstractViewNode")


def _has_item(node: Any) -> bool:
    wanted = any(node.IsA(name) for name in DATA_CLASSES) and not any(node.IsA(name) for name in NO_DATA)
    return wanted and not node.GetHideFromEditors()


class SubjectHierarchy:
    """Follows a scene and makes and removes the items."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._node()

        @vtk.calldata_type(vtk.VTK_OBJECT)  # type: ignore[untyped-decorator]
        def added(_scene: Any, _event: str, node: Any) -> None:
            if not scene.IsBatchProcessing() and _has_item(node):
                self._add(node)

        @vtk.calldata_type(vtk.VTK_OBJECT)  # type: ignore[untyped-decorator]
        def removed(_scene: Any, _event: str, node: Any) -> None:
            if not scene.IsBatchProcessing():
                self._remove(node)

        scene.AddObserver(scene.NodeAddedEvent, added)
        scene.AddObserver(scene.NodeRemovedEvent, removed)
        scene.AddObserver(scene.EndImportEvent, lambda *_: self._add_all())
        scene.AddObserver(scene.EndBatchProcessEvent, lambda *_: self._add_all())

    def _node(self) -> Any:
        return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)

    def _add(self, node: Any) -> None:
        hierarchy = self._node()
        if not hierarchy.GetItemByDataNode(node):
            hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)

    def _remove(self, node: Any) -> None:
        hierarchy = self._node()
        item = hierarchy.GetItemByDataNode(node)
        if item:
            hierarchy.RemoveItem(item, False, False)  # the node is gone already, and its children stay

    def _add_all(self) -> None:
        if self._scene.IsBatchProcessing():
            return
        nodes = self._scene.GetNodes()
        for node in [nodes.GetItemAsObject(index) for index in range(nodes.GetNumberOfItems())]:
            if _has_item(node):
                self._add(node)

"""Results kept in the scene, one per segment: everything is a node, so that it lives and dies with the scene.

`result_nodes` says which nodes a result has. What follows from its JSON (tables, charts) is made anew by `restore`.
"""

import logging
from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import bridge, charts, feature_maps, heatmap, result_tables
from PDL1PredictorGUI.scene.fingerprint import changes, fingerprint, to_text
from PDL1PredictorGUI.scene.result_nodes import (
    CONTRIBUTIONS,
    ENDPOINT,
    FEATURE,
    FEATURES,
    FINGERPRINT,
    HEAT_MAPS,
    MARK,
    OWN_ROLES,
    PREDICTIONS,
    REGIONS,
    REPORT,
    SEGMENT_ID,
    SEGMENT_NAME,
    SEGMENTATION,
    VOLUME,
    VOXEL_MAPS,
    WARNINGS,
    ResultNodes,
    damage,
    parsed,
    references,
)

FILES = ("result.json", "report.html", "tumor_and_ring.seg.nrrd")


def store(folder: Path, request: Any, made_from: dict[str, Any] | None = None) -> ResultNodes:
    """Brings a folder that `pdl1 predict` wrote into the scene; an earlier result of the segment goes away then.

    Nothing in the scene refers to the folder afterwards. If anything goes wrong the scene is as it was.

    Args:
        folder: With `result.json`, `report.html`, the heat maps and the measured regions.
        request: A `predictor.PredictRequest`: volume, segmentation and segment_id are read.
        made_from: Its `fingerprint` when it was exported; None takes it now.

    Raises:
        PDL1Error: The folder is not a result of one tumor.
    """
    made_from = fingerprint(request) if made_from is None else made_from
    text = _read_json(folder)
    earlier = _of_segment(request.segmentation, request.segment_id)
    main = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode", _node_name(_("result"), request))
    result = ResultNodes(main)
    try:
        main.SetText(text)
        main.SetAttribute(SEGMENT_ID, request.segment_id)
        segment = request.segmentation.GetSegmentation().GetSegment(request.segment_id)
        main.SetAttribute(SEGMENT_NAME, segment.GetName() if segment is not None else "")
        main.SetAttribute(FINGERPRINT, to_text(made_from))
        main.SetNodeReferenceID(VOLUME, request.volume.GetID())
        main.SetNodeReferenceID(SEGMENTATION, request.segmentation.GetID())
        _add_report(result, folder, request)
        _add_heat_maps(result, folder, request, made_from)
        _add_voxel_maps(result, folder, request, made_from)
        _add_regions(result, folder, request, made_from)
        main.SetAttribute(MARK, "1")
        restore(result)
        _file_in_subject_hierarchy(result)
    except BaseException:
        remove(result)
        raise
    for old in earlier:
        remove(old)
    return result


def find(segmentation: Any, segment_id: str) -> ResultNodes | None:
    """The result of a segment, or None."""
    found = _of_segment(segmentation, segment_id) if segmentation is not None else []
    return found[-1] if found else None


def all_results() -> list[ResultNodes]:
    """Every result in the scene that can be shown, in the order in which they were made."""
    return [result for result in _marked() if not result.damage]


def _marked() -> list[ResultNodes]:
    nodes = slicer.util.getNodesByClass("vtkMRMLTextNode")
    return [ResultNodes(node) for node in nodes if node.GetAttribute(MARK)]


def restore_all() -> list[str]:
    """Restores every result after a scene was loaded, each for itself.

    Returns:
        The names of those that could not be: they are damaged. Their nodes stay in the scene.
    """
    failed = []
    for result in _marked():
        try:
            if result.damage:
                raise ValueError(result.damage)
            restore(result)
        except Exception:  # one damaged result must not take the others, or the window, along
            logging.exception("The result %s cannot be shown", result.main.GetName())
            failed.append(result.main.GetName())
    return failed


def is_stale(result: ResultNodes, now: dict[str, Any] | None) -> bool:
    """Whether a result is out of date.

    Args:
        result: The result.
        now: `fingerprint` of what would be predicted now; None if nothing could be.
    """
    return bool(why_stale(result, now))


def why_stale(result: ResultNodes, now: dict[str, Any] | None) -> list[str]:
    """In words, what has changed since the prediction; empty if the result still holds."""
    return changes(result.made_from, now)


def remove(result: ResultNodes) -> None:
    """Takes a result out of the scene; the user's own slice layers come back if its heat map is shown."""
    scene = slicer.mrmlScene
    heatmap.give_back_layers(result.heat_maps.values())
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = _folder_of(hierarchy, result)
    for node in result.own_nodes():
        for helper in _helpers(node):
            scene.RemoveNode(helper)
        scene.RemoveNode(node)
    if folder:
        hierarchy.RemoveItem(folder, False, True)
    if not all_results():
        heatmap.remove_colors()
        feature_maps.remove_colors()


def restore(result: ResultNodes) -> None:
    """Makes anew what follows from the JSON: the tables, in full precision, and the heat maps' colors.

    To be called for every result after a scene was loaded (EndImportEvent): `restore_all`.
    """
    main, lesion = result.main, result.lesion
    result_tables.fill(_table(main, PREDICTIONS, _("predictions")), result_tables.prediction_columns(lesion))
    result_tables.fill(_table(main, WARNINGS, _("warnings")), result_tables.warning_columns(result.warnings))
    for row in lesion["endpoints"]:
        name = _("{endpoint} contributions").format(endpoint=row["title"])
        table = _table(main, CONTRIBUTIONS, name, row["endpoint"])
        result_tables.fill(table, result_tables.contribution_columns(row))
    result_tables.fill(_table(main, FEATURES, _("features")), result_tables.feature_columns(lesion))
    for node in result.heat_maps.values():
        heatmap.set_up_display(node)
    for feature, node in result.voxel_maps.items():
        if (row := result.map_entry(feature)) is not None:
            feature_maps.set_up_display(node, row)
    charts.restore(result)


def _read_json(folder: Path) -> str:
    from PDL1PredictorLib.core.errors import InputError

    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise InputError(_("{folder} is no result: {missing} is missing.").format(folder=folder, missing=missing[0]))
    text = (folder / "result.json").read_text(encoding="utf-8")
    problem = damage(text)
    if problem:
        logging.error("%s: %s", folder / "result.json", problem)
        raise InputError(_("{folder} is no result: result.json cannot be read.").format(folder=folder))
    lesions = len(parsed(text)["lesions"])
    if lesions != 1:
        raise InputError(
            _("{folder} holds {count} tumors; a segment keeps one. Predict each segment by itself.").format(
                folder=folder, count=lesions
            )
        )
    return text


def _of_segment(segmentation: Any, segment_id: str) -> list[ResultNodes]:
    return [
        result
        for result in all_results()
        if result.segment_id == segment_id and result.main.GetNodeReferenceID(SEGMENTATION) == segmentation.GetID()
    ]


def _node_name(what: str, request: Any) -> str:
    segment = request.segmentation.GetSegmentation().GetSegment(request.segment_id)
    return f"{segment.GetName() if segment is not None else request.segment_id}: {what}"


def _add_report(result: ResultNodes, folder: Path, request: Any) -> None:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode", _node_name(_("report"), request))
    result.main.SetNodeReferenceID(REPORT, node.GetID())
    node.SetText((folder / "report.html").read_text(encoding="utf-8"))


def _add_heat_maps(result: ResultNodes, folder: Path, request: Any, made_from: dict[str, Any]) -> None:
    for row in result.lesion["endpoints"]:
        if row["heat_map"] is None:
            continue
        name = _node_name(_("{endpoint} heat map").format(endpoint=row["title"]), request)
        node = bridge.volume_of_image(_read_image(folder / row["heat_map"]), name)
        node.SetAttribute(ENDPOINT, row["endpoint"])
        result.main.AddNodeReferenceID(HEAT_MAPS, node.GetID())
        _place(node, request.volume, made_from)


def _add_voxel_maps(result: ResultNodes, folder: Path, request: Any, made_from: dict[str, Any]) -> None:
    for row in result.lesion.get("voxel_maps", []):
        name = _node_name(feature_maps.node_title(row), request)
        node = bridge.volume_of_image(_read_image(folder / row["file"]), name)
        node.SetAttribute(FEATURE, row["feature"])
        result.main.AddNodeReferenceID(VOXEL_MAPS, node.GetID())
        _place(node, request.volume, made_from)


def _add_regions(result: ResultNodes, folder: Path, request: Any, made_from: dict[str, Any]) -> None:
    name = _node_name(_("measured regions"), request)
    scalars = bridge.volume_of_image(_read_image(folder / "tumor_and_ring.seg.nrrd"), name)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", name)
    result.main.SetNodeReferenceID(REGIONS, node.GetID())
    matrix = vtk.vtkMatrix4x4()
    scalars.GetIJKToRASMatrix(matrix)
    node.SetIJKToRASMatrix(matrix)
    node.SetAndObserveImageData(scalars.GetImageData())
    node.CreateDefaultDisplayNodes()
    for helper in [*_helpers(scalars), scalars]:
        slicer.mrmlScene.RemoveNode(helper)
    _place(node, request.volume, made_from)


def _read_image(path: Path) -> Any:
    from PDL1PredictorLib.imaging.volumes.files import read_volume

    return read_volume(path, path.name).image


def _place(node: Any, volume: Any, made_from: dict[str, Any]) -> None:
    """Ties a volume that was written in the world to the CT, so that it follows when the CT is moved.

    It was written where the CT lay when it was exported, which may no longer be where it lies.
    """
    exported = (made_from.get("ct") or {}).get("matrix")
    ct_to_local = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(ct_to_local)
    own = [ct_to_local.GetElement(row, column) for row in range(4) for column in range(4)]
    if exported is not None and exported != own:  # the CT lay under a transform
        world_to_ct = vtk.vtkMatrix4x4()
        world_to_ct.DeepCopy(exported)
        world_to_ct.Invert()
        matrix = vtk.vtkMatrix4x4()
        node.GetIJKToRASMatrix(matrix)
        for step in (world_to_ct, ct_to_local):
            vtk.vtkMatrix4x4.Multiply4x4(step, matrix, matrix)
        node.SetIJKToRASMatrix(matrix)
    node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())


def _table(main: Any, role: str, what: str, endpoint: str | None = None) -> Any:
    """The table of a role, made if there is none."""
    for node in references(main, role):
        if endpoint is None or node.GetAttribute(ENDPOINT) == endpoint:
            return node
    name = f"{main.GetAttribute(SEGMENT_NAME) or main.GetAttribute(SEGMENT_ID)}: {what}"
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", name)
    if endpoint is not None:
        node.SetAttribute(ENDPOINT, endpoint)
    main.AddNodeReferenceID(role, node.GetID())
    return node


def _helpers(node: Any) -> list[Any]:
    """Display, legend and storage nodes, which the scene does not remove with their node."""
    helpers = []
    if node.IsA("vtkMRMLStorableNode"):
        helpers += [node.GetNthStorageNode(n) for n in range(node.GetNumberOfStorageNodes())]
    if node.IsA("vtkMRMLDisplayableNode"):
        helpers += [node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes())]
    if node.IsA("vtkMRMLPlotChartNode"):
        helpers += [node.GetNthPlotSeriesNode(n) for n in range(node.GetNumberOfPlotSeriesNodes())]
    return [helper for helper in helpers if helper is not None]


def _file_in_subject_hierarchy(result: ResultNodes) -> None:
    """Puts the result into a folder beside its CT, heat maps and contributions into folders within."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    ct_item = hierarchy.GetItemByDataNode(result.volume)
    parent = hierarchy.GetItemParent(ct_item) if ct_item else hierarchy.GetSceneItemID()
    title = _("PD-L1 prediction: {segment}").format(segment=result.segment_name)
    folder = hierarchy.CreateFolderItem(parent, title)
    hierarchy.SetItemAttribute(folder, MARK, "1")
    inner = {
        HEAT_MAPS: hierarchy.CreateFolderItem(folder, _("Heat maps")),
        CONTRIBUTIONS: hierarchy.CreateFolderItem(folder, _("Contributions")),
    }
    if result.voxel_maps:
        inner[VOXEL_MAPS] = hierarchy.CreateFolderItem(folder, _("Maps of features"))
    hierarchy.CreateItem(folder, result.main)
    for role in OWN_ROLES:
        for node in references(result.main, role):
            hierarchy.CreateItem(inner.get(role, folder), node)
    for item in (*inner.values(), folder):
        hierarchy.SetItemExpanded(item, False)


def _folder_of(hierarchy: Any, result: ResultNodes) -> int:
    item = hierarchy.GetItemByDataNode(result.main)
    folder = hierarchy.GetItemParent(item) if item else 0
    return folder if folder and hierarchy.GetItemAttribute(folder, MARK) else 0

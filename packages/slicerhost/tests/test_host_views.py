"""Slice views show what the scene says, pixel by pixel; table, plot, layouts; the main window's picture."""

import math
from pathlib import Path

import numpy as np
import pytest

import slicerhost

pytestmark = pytest.mark.usefixtures("slicer_scene")
SHAPE = (24, 32, 40)


def oblique_matrix():
    """ijk to RAS: three different spacings, rotated about two axes, so that no view lies along the grid."""
    import slicer

    a, b = math.radians(25), math.radians(-15)
    about_s = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]])
    about_r = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
    matrix = np.eye(4)
    matrix[:3, :3] = about_s @ about_r @ np.diag([1.5, 2.0, 3.0])
    matrix[:3, 3] = [-20, -25, -30]
    return slicer.util.vtkMatrixFromArray(matrix), matrix


def shown_layers(scene):
    """An all-gray oblique CT, and on half of it a red map."""
    import slicer

    vtk_matrix, matrix = oblique_matrix()
    ct = slicer.util.addVolumeFromArray(np.full(SHAPE, 500, np.int16), ijkToRAS=vtk_matrix, name="CT")
    half = np.zeros(SHAPE, np.float32)
    half[:, :, SHAPE[2] // 2 :] = 1.0
    heat = slicer.util.addVolumeFromArray(half, ijkToRAS=vtk_matrix, name="map")
    for node, low, high in ((ct, 0, 1000), (heat, 0, 1)):
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().AutoWindowLevelOff()
        node.GetDisplayNode().SetWindowLevelMinMax(low, high)
    display = heat.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeRed")
    display.SetInterpolate(False)
    display.ApplyThresholdOn()
    display.SetThreshold(0.5, 1.0)
    slicer.util.setSliceViewerLayers(background=ct, foreground=heat, foregroundOpacity=1.0, fit=True)
    return heat, matrix


@pytest.mark.parametrize("name", ["Red", "Yellow", "Green"])
def test_the_foreground_of_an_oblique_volume_lies_where_its_matrix_says(slicer_app, slicer_scene, name):
    import slicer

    _, matrix = shown_layers(slicer_scene)
    view = slicer_app.layoutManager().slice_views[name]
    view.resize(200, 160)
    view.fit()
    pixels = view.pixels().astype(int)
    xy_to_ras = slicer.util.arrayFromVTKMatrix(view.node.GetXYToRAS())
    y, x = np.mgrid[0:160:7, 0:200:7]
    xy = np.stack([x.ravel(), y.ravel(), np.zeros(x.size), np.ones(x.size)])
    ijk = (np.linalg.inv(matrix) @ xy_to_ras @ xy)[:3]
    upper = np.array(SHAPE[::-1])[:, None] - 0.5
    # A voxel away from every border the answer is certain.
    inside = ((ijk > 1) & (ijk < upper - 1.5)).all(0)
    outside = ((ijk < -1.5) | (ijk > upper + 1)).any(0)
    red = inside & (ijk[0] > SHAPE[2] / 2 + 1)
    gray = inside & (ijk[0] < SHAPE[2] / 2 - 2)
    found = pixels[159 - y.ravel(), x.ravel()]
    assert min(red.sum(), gray.sum(), outside.sum()) > 20
    assert (found[red] == [255, 0, 0]).all()
    assert (abs(found[gray] - 127) <= 1).all()
    assert (found[outside] == 0).all()


def test_the_color_legend_is_drawn_beside_the_map(slicer_app, slicer_scene):
    import slicer

    heat, _ = shown_layers(slicer_scene)
    view = slicer_app.layoutManager().slice_views["Red"]
    view.resize(320, 240)
    before = view.pixels()
    legend = slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(heat)
    legend.SetTitleText("PD-L1")
    legend.SetVisibility(True)
    assert (view.pixels() != before).any()
    legend.SetVisibility(False)
    assert (view.pixels() == before).all()


def test_a_segment_is_drawn_in_its_color(slicer_app, slicer_scene):
    import slicer

    values = np.zeros((10, 20, 20), np.uint8)
    values[4:7, 5:15, 5:15] = 1
    ct = slicer.util.addVolumeFromArray(np.zeros(values.shape, np.int16), name="CT")
    node = slicer_scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(ct)
    segment = node.GetSegmentation().AddEmptySegment("tumor", "tumor", (0.0, 1.0, 0.0))
    slicer.util.updateSegmentBinaryLabelmapFromArray(values, node, segment, ct)
    slicer.util.setSliceViewerLayers(background=ct, fit=True)
    view = slicer_app.layoutManager().slice_views["Red"]
    view.node.JumpSliceByCentering(9.5, 9.5, 5.0)
    pixels = view.pixels().astype(int)
    assert (pixels[..., 1] > pixels[..., 0] + 50).mean() > 0.05


def test_volumes_and_segmentations_are_read_and_written(tmp_path, slicer_scene):
    import slicer

    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    node = slicer.util.addVolumeFromArray(values, name="Bücher")
    file = tmp_path / "Bücher.nrrd"
    assert slicer.util.saveNode(node, str(file))
    assert slicer.util.exportNode(node, str(tmp_path / "again.nrrd"))
    read = slicer.util.loadVolume(str(file), {"show": False})
    assert read.GetName() == "Bücher_1"  # unique, as in Slicer
    assert np.array_equal(slicer.util.arrayFromVolume(read), values)
    with pytest.raises(RuntimeError, match="Failed to load"):
        slicer.util.loadVolume(str(tmp_path / "nothing.nrrd"))


def test_data_nodes_have_items_in_the_subject_hierarchy_also_after_reading_a_scene(tmp_path, slicer_scene):
    import slicer

    def hierarchy():
        return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer_scene)

    node = slicer.util.addVolumeFromArray(np.zeros((2, 3, 4), np.int16), name="CT")
    study = hierarchy().CreateStudyItem(hierarchy().GetSceneItemID(), "study")
    hierarchy().SetItemParent(hierarchy().GetItemByDataNode(node), study)
    file = tmp_path / "scene.mrb"
    slicer.util.saveScene(str(file))
    slicer_scene.Clear(0)
    assert hierarchy().GetNumberOfItems() == 0
    slicer.util.loadScene(str(file))
    item = hierarchy().GetItemByDataNode(slicer.util.getNode("CT"))
    assert hierarchy().GetItemName(hierarchy().GetItemParent(item)) == "study"
    slicer_scene.RemoveNode(slicer.util.getNode("CT"))
    assert hierarchy().GetItemName(item) in ("", None)


def table_node():
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "contributions")
    slicer.util.updateTableFromArray(node, np.array([[1.0, 0.5], [2.0, -0.25], [3.0, 0.75]]), ["rank", "value"])
    return node


def test_table_and_plot_views_come_with_their_layout(slicer_app):
    import slicer

    layout = slicer_app.layoutManager()
    layout.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotTableView)
    assert layout.layout == layout.history[-1]
    node = table_node()
    slicer_app.applicationLogic().GetSelectionNode().SetActiveTableID(node.GetID())
    slicer_app.applicationLogic().PropagateTableSelection()
    view = layout.tableWidget(0).tableView()
    assert view.mrmlTableNode() is node
    assert view.model().index(1, 1).data() == "-0.25"
    chart = slicer.util.plot(slicer.util.arrayFromTableColumn(node, "value")[:, None], title="Contributions")
    plot = layout.plotWidget(0).plotView()
    assert plot.chart() is chart
    assert plot.series()[0][2] == [0.5, -0.25, 0.75]


def test_an_unknown_layout_is_refused(slicer_app):
    with pytest.raises(ValueError, match="no layout 12345"):
        slicer_app.layoutManager().setLayout(12345)


def test_the_main_window_selects_modules_and_is_pictured(slicer_app, slicer_scene, loaded, tmp_path):
    import qt
    import slicer

    toy = loaded(Path(__file__).parent / "toy" / "HostToy.py")
    shown_layers(slicer_scene)
    window = slicerhost.MainWindow()
    assert slicer.util.mainWindow() is window
    slicer.util.selectModule("HostToy")
    assert slicer.util.selectedModule() == "HostToy"
    picture = qt.QImage(str(window.screenshot(tmp_path / "window.png", fit=True)))
    window.dismiss()
    assert slicer.util.mainWindow() is None
    assert toy.events == ["enter", "exit"]
    assert (picture.width(), picture.height()) == (1280, 860)
    colors = {picture.pixelColor(x, y).getRgb()[:3] for x in range(490, 1270, 5) for y in range(10, 850, 5)}
    assert (255, 0, 0) in colors

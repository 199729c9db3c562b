"""The user's own layers come back when a heat map goes, whatever happened meanwhile."""

from types import SimpleNamespace

import numpy as np
import pytest
import slicer
from heatmap_steps import PIXEL_TOLERANCE, STRAIGHT, VIEWS, center_views, fit_views, misses, store_hot_result, views
from PDL1PredictorGUI.scene import heatmap, results
from PDL1PredictorGUI.scene.heatmap import HeatMapDisplay


def layers():
    found = {}
    for node in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        if node.GetLayoutName() in VIEWS:
            found[node.GetLayoutName()] = (
                node.GetBackgroundVolumeID(),
                node.GetForegroundVolumeID(),
                round(node.GetForegroundOpacity(), 6),
                node.GetCompositing(),
            )
    return found


@pytest.fixture
def own_layers(slicer_scene, result_folder, tmp_path):
    """A result, and a user who has a different fusion in each view."""
    result, spot = store_hot_result(result_folder, tmp_path / "hot", STRAIGHT)
    pet = slicer.util.addVolumeFromArray(np.zeros((4, 4, 4), np.float32), name="PET")
    for n, node in enumerate(slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")):
        if n:
            node.SetForegroundVolumeID(pet.GetID())
            node.SetForegroundOpacity(0.1 + 0.2 * n)
            node.SetCompositing(n)
        if n == 2:
            node.SetBackgroundVolumeID(None)
    return SimpleNamespace(result=result, pet=pet, before=layers(), spot=spot)


def test_the_users_layers_come_back_in_every_view(own_layers):
    assert len(set(own_layers.before.values())) == 3
    display = HeatMapDisplay()
    display.show(own_layers.result, "EGFR", opacity=0.7)
    heat, ct = own_layers.result.heat_maps["EGFR"].GetID(), own_layers.result.volume.GetID()
    assert set(layers().values()) == {(ct, heat, 0.7, slicer.vtkMRMLSliceCompositeNode.Alpha)}
    display.show(own_layers.result, "PDL1", opacity=0.4)  # another map in between
    display.hide()
    assert layers() == own_layers.before
    assert display.shown() is None


def test_hiding_twice_or_without_a_map_changes_nothing(own_layers):
    HeatMapDisplay().hide()
    HeatMapDisplay().hide()
    assert layers() == own_layers.before


def test_layers_that_the_user_chose_meanwhile_stay(own_layers):
    display = HeatMapDisplay()
    display.show(own_layers.result, "EGFR")
    red = views()["Red"].logic.GetSliceCompositeNode()
    red.SetForegroundVolumeID(own_layers.pet.GetID())
    red.SetForegroundOpacity(0.25)
    chosen = layers()["Red"]
    display.hide()
    assert layers() == {**own_layers.before, "Red": chosen}


def test_a_choice_made_while_a_map_was_shown_is_what_comes_back_from_the_next(own_layers):
    display = HeatMapDisplay()
    display.show(own_layers.result, "EGFR")
    red = views()["Red"].logic.GetSliceCompositeNode()
    red.SetForegroundVolumeID(own_layers.pet.GetID())
    chosen = layers()["Red"]
    display.show(own_layers.result, "PDL1")
    display.hide()
    assert layers()["Red"] == chosen


def test_a_layer_that_was_deleted_meanwhile_is_left_empty(own_layers):
    display = HeatMapDisplay()
    display.show(own_layers.result, "EGFR")
    slicer.mrmlScene.RemoveNode(own_layers.pet)
    display.hide()
    assert {foreground for _, foreground, _, _ in layers().values()} == {None}


def test_removing_the_result_gives_the_layers_back(own_layers):
    HeatMapDisplay().show(own_layers.result, "EGFR")
    results.remove(own_layers.result)
    assert layers() == own_layers.before
    assert HeatMapDisplay().shown() is None


def test_an_endpoint_without_a_map_shows_none(own_layers):
    display = HeatMapDisplay()
    assert display.show(own_layers.result, "EGFR")
    slicer.mrmlScene.RemoveNode(own_layers.result.heat_maps["PDL1"])
    assert not display.show(own_layers.result, "PDL1")
    assert layers() == own_layers.before


def test_closing_the_scene_with_a_map_shown_leaves_nothing_behind(own_layers, slicer_scene):
    HeatMapDisplay().show(own_layers.result, "EGFR")
    slicer_scene.Clear(0)
    assert HeatMapDisplay().shown() is None
    HeatMapDisplay().hide()
    assert {(back, front) for back, front, _, _ in layers().values()} == {(None, None)}


def test_the_map_and_the_users_layers_survive_a_bundle(own_layers, tmp_path):
    HeatMapDisplay().show(own_layers.result, "EGFR", opacity=1.0, threshold=0.3)
    file = tmp_path / "shown.mrb"
    assert slicer.util.saveScene(str(file))
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(str(file))
    (result,) = results.all_results()
    results.restore(result)
    display = HeatMapDisplay()
    assert display.shown() == result.heat_maps["EGFR"]
    node = result.heat_maps["EGFR"].GetDisplayNode()
    assert (node.GetLowerThreshold(), node.GetApplyThreshold()) == (pytest.approx(0.3), 1)
    heatmap._hide_legends()
    fit_views()
    center_views(own_layers.spot)
    assert max(misses(own_layers.spot).values()) < PIXEL_TOLERANCE
    display.hide()
    pet, ct = slicer.util.getNode("PET").GetID(), slicer.util.getNode("CT").GetID()
    assert layers() == {
        name: (back and ct, front and pet, opacity, compositing)
        for name, (back, front, opacity, compositing) in own_layers.before.items()
    }

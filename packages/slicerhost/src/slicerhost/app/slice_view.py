"""One slice view: Slicer's own slice logic and displayable managers, rendered into memory."""

from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

DISPLAYABLE_MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLScalarBarDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLTransformsDisplayableManager2D",
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
)


def _renderer(layer: int) -> vtk.vtkRenderer:
    renderer = vtk.vtkRenderer()
    renderer.SetLayer(layer)
    renderer.GetActiveCamera().ParallelProjectionOn()
    return renderer


def _factory(application_logic: Any) -> Any:
    factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
    factory.SetMRMLApplicationLogic(application_logic)
    for manager in DISPLAYABLE_MANAGERS:
        if not factory.IsDisplayableManagerRegistered(manager):
            factory.RegisterDisplayableManager(manager)
    return factory


class SliceView:
    """What Slicer shows in one slice view, as pixels."""

    def __init__(
        self, application_logic: Any, scene: Any, name: str, orientation: str, color: tuple[float, float, float]
    ) -> None:
        """Makes the view's nodes in the scene; they must exist before data is loaded, as in Slicer."""
        self.name = name
        self.renderer, overlay = _renderer(0), _renderer(1)
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetShowWindow(False)
        self.window.SetNumberOfLayers(2)
        self.window.AddRenderer(self.renderer)
        self.window.AddRenderer(overlay)
        self._interactor = vtk.vtkGenericRenderWindowInteractor()
        self._interactor.SetRenderWindow(self.window)
        self._group = slicer.vtkMRMLDisplayableManagerGroup()
        self._group.SetRenderer(self.renderer)
        self._group.Initialize(_factory(application_logic), self.renderer)
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(application_logic)
        self.logic.SetMRMLScene(scene)
        application_logic.GetSliceLogics().AddItem(self.logic)
        self.node = self.logic.AddSliceNode(name)
        self.node.SetOrientation(orientation)
        self.node.SetLayoutColor(*color)
        self._group.SetMRMLDisplayableNode(self.node)
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)  # the slice logic has already applied window and level
        self._mapper.SetColorLevel(127.5)
        self._picture = vtk.vtkActor2D()
        self._picture.SetMapper(self._mapper)
        self._picture.GetProperty().SetDisplayLocationToBackground()
        self.renderer.AddViewProp(self._picture)
        self.resize(320, 320)

    def resize(self, width: int, height: int) -> None:
        """Sets the size in pixels, keeping the millimeters of a pixel's side equal."""
        self.window.SetSize(width, height)
        self.logic.ResizeSliceNode(width, height)

    def fit(self) -> None:
        """Shows the whole background, or everything there is."""
        if self.logic.GetSliceCompositeNode().GetBackgroundVolumeID():
            self.logic.FitSliceToBackground()
        else:
            self.logic.FitSliceToAll()
        self.logic.SnapSliceOffsetToIJK()

    def render(self) -> None:
        """Draws the view as the nodes say now."""
        connection = self.logic.GetImageDataConnection()
        self._mapper.SetInputConnection(connection)
        self._picture.SetVisibility(connection is not None)
        self.window.Render()

    def pixels(self) -> np.ndarray:
        """The view, uint8 (row, column, RGB), the top row first."""
        self.render()
        reader = vtk.vtkWindowToImageFilter()
        reader.SetInput(self.window)
        reader.ReadFrontBufferOff()
        reader.SetInputBufferTypeToRGB()
        reader.Update()
        image = reader.GetOutput()
        width, height, _ = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3)[::-1].copy()

    def close(self) -> None:
        """Gives the graphics resources back."""
        self._group.SetMRMLDisplayableNode(None)
        self.window.Finalize()

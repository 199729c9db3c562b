"""``slicer.app.coreIOManager()``: reads and writes files with the real module logics and storage nodes."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer

SCENE_SUFFIXES = (".mrml", ".mrb")
SEGMENTATION_SUFFIXES = (".seg.nrrd", ".seg.nhdr", ".nrrd.seg")
TABLE_SUFFIXES = (".csv", ".tsv")
TEXT_SUFFIXES = (".txt", ".json", ".xml")
MODEL_SUFFIXES = (".vtk", ".vtp", ".stl", ".obj", ".ply")
COLOR_SUFFIXES = (".ctbl",)
TRANSFORM_SUFFIXES = (".h5", ".tfm", ".mat")
TYPES = (
    ("SceneFile", SCENE_SUFFIXES),
    ("SegmentationFile", SEGMENTATION_SUFFIXES),
    ("TableFile", TABLE_SUFFIXES),
    ("TextFile", TEXT_SUFFIXES),
    ("ModelFile", MODEL_SUFFIXES),
    ("ColorTableFile", COLOR_SUFFIXES),
    ("TransformFile", TRANSFORM_SUFFIXES),
)
Properties = dict[str, Any]


def stem(path: str) -> str:
    """The name without folder and all extensions: how Slicer names a loaded node."""
    return Path(path).name.split(".")[0]


class CoreIOManager:
    """The part of qSlicerCoreIOManager that `slicer.util` calls."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._readers: dict[str, Callable[[str, Properties], Any]] = {
            "VolumeFile": self._read_volume,
            "SegmentationFile": self._read_segmentation,
            "TableFile": lambda path, properties: self._logic("Tables").AddTable(path, self._name(path, properties)),
            "TextFile": self._read_text,
            "ModelFile": lambda path, _properties: self._logic("Models").AddModel(path),
            "ColorTableFile": lambda path, properties: (
                app.applicationLogic().GetColorLogic().LoadColorFile(path, self._name(path, properties))
            ),
            "TransformFile": lambda path, _properties: self._logic("Transforms").AddTransform(path, app.mrmlScene()),
        }

    def _logic(self, name: str) -> Any:
        return self._app.moduleLogic(name)

    @staticmethod
    def _name(path: str, properties: Properties) -> str:
        return properties.get("name") or stem(path)

    def fileType(self, path: str) -> str:
        """The type of file that Slicer would choose."""
        lowered = str(path).lower()
        return next((type_ for type_, suffixes in TYPES if lowered.endswith(suffixes)), "VolumeFile")

    def fileWriterFileType(self, node: Any) -> str:
        """The type of file that holds a node."""
        types = {"vtkMRMLSegmentationNode": "SegmentationFile", "vtkMRMLTableNode": "TableFile"}
        return types.get(node.GetClassName(), "VolumeFile")

    def loadNodes(self, file_type: str, properties: Properties, loaded: Any = None, _messages: Any = None) -> bool:
        """Loads a file; False if it does not exist or cannot be read.

        Raises:
            NotImplementedError: The host does not read this type.
        """
        path = str(properties["fileName"])
        if not Path(path).exists():
            logging.error("file not found: %s", path)
            return False
        if file_type == "SceneFile":
            return self._read_scene(path, clear=bool(properties.get("clear", False)))
        if file_type not in self._readers:
            raise NotImplementedError(f"the test host does not load {file_type}")
        node = self._readers[file_type](path, properties)
        if node is not None and loaded is not None:
            loaded.AddItem(node)
        return node is not None

    def _read_volume(self, path: str, properties: Properties) -> Any:
        labelmap = bool(properties.get("labelmap"))
        node = self._logic("Volumes").AddArchetypeVolume(path, self._name(path, properties), 1 if labelmap else 0)
        if node is not None and properties.get("show", True):
            slicer.util.setSliceViewerLayers(**{"label" if labelmap else "background": node}, fit=True)
        return node

    def _read_segmentation(self, path: str, properties: Properties) -> Any:
        node = self._logic("Segmentations").LoadSegmentationFromFile(path, True)
        if node is not None and properties.get("name"):
            node.SetName(properties["name"])
        return node

    def _read_text(self, path: str, properties: Properties) -> Any:
        node = self._app.mrmlScene().AddNewNodeByClass("vtkMRMLTextNode", self._name(path, properties))
        node.SetText(Path(path).read_text(encoding="utf-8"))
        return node

    def _read_scene(self, path: str, clear: bool) -> bool:
        scene = self._app.mrmlScene()
        if path.endswith(".mrb"):
            return bool(scene.ReadFromMRB(path, clear))
        scene.SetURL(path)
        return bool(scene.Connect() if clear else scene.Import())

    def saveNodes(self, file_type: str, properties: Properties, _messages: Any = None) -> bool:
        """Saves a node, or the whole scene."""
        scene, path = self._app.mrmlScene(), str(properties["fileName"])
        if file_type == "SceneFile":
            if path.endswith(".mrb"):
                return bool(scene.WriteToMRB(path))
            scene.SetURL(path)
            return bool(scene.Commit(path))
        node = scene.GetNodeByID(properties["nodeID"])
        if node.GetStorageNode() is None:
            node.AddDefaultStorageNode()
        storage = node.GetStorageNode()
        storage.SetFileName(path)
        return bool(storage.WriteData(node))

    def exportNodes(
        self, node_ids: list[str], paths: list[str], _properties: Properties, harden: bool, _messages: Any = None
    ) -> bool:
        """Writes nodes without changing their storage nodes.

        Raises:
            NotImplementedError: In world coordinates.
        """
        if harden:
            raise NotImplementedError("the test host exports in local coordinates only")
        scene = self._app.mrmlScene()
        written = []
        for node_id, path in zip(node_ids, paths, strict=True):
            node = scene.GetNodeByID(node_id)
            storage = self._new_storage(node)
            storage.SetFileName(str(path))
            written.append(bool(storage.WriteData(node)))
        return all(written)

    def _new_storage(self, node: Any) -> Any:
        """A storage node that is not in the scene, but knows the scene's file formats."""
        storage = node.CreateDefaultStorageNode()
        storage.UnRegister(None)  # the Python variable owns it
        storage.SetScene(self._app.mrmlScene())
        return storage

    def extractKnownExtension(self, path: str, node: Any) -> str:
        """The longest extension that the node's storage knows, or the last one."""
        known = sorted(self._extensions(node), key=len, reverse=True)
        return next((extension for extension in known if str(path).lower().endswith(extension)), Path(path).suffix)

    def fileWriterExtensions(self, node: Any) -> list[str]:
        """Format strings such as "NRRD (.nrrd)"."""
        types = self._new_storage(node).GetSupportedWriteFileTypes()
        return [types.GetValue(i) for i in range(types.GetNumberOfValues())]

    def _extensions(self, node: Any) -> list[str]:
        helper = slicer.vtkDataFileFormatHelper
        return [helper.GetFileExtensionFromFormatString(item) for item in self.fileWriterExtensions(node)]

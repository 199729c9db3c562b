"""The sample patient: a synthetic chest CT with an outlined tumor, bundled with the extension.

`Testing/extension/make_sample.py` made it; no internet is needed.
"""

from pathlib import Path
from typing import Any, NamedTuple

import slicer
from slicer.i18n import tr as _

NAME = "PDL1SamplePatient"
CATEGORY = "PDL1Predictor"


class SampleFile(NamedTuple):
    """One bundled file.

    Attributes:
        name: In Resources/SampleData.
        kind: What Slicer reads it as.
        node: Name of its node.
        checksum: As the module Sample Data writes it.
    """

    name: str
    kind: str
    node: str
    checksum: str


CT = SampleFile(
    "PDL1Sample-ct.nrrd",
    "VolumeFile",
    "PDL1SampleCT",
    "SHA256:adbecacf3c45c4000f54c32e0265b2972d62b9ff3fa4ff459ce60c6225e146cd",
)
TUMOR = SampleFile(
    "PDL1Sample-tumor.seg.nrrd",
    "SegmentationFile",
    "PDL1SampleTumor",
    "SHA256:4697cfb1ea409f1cb17a911e2be599b5b54d0a004ca51bcff9be453ca082432b",
)


def sample_folder() -> Path:
    """Where the files lie: beside the library, in the source tree and in the installed extension."""
    from PDL1PredictorGUI.setup.library import library_folder

    return library_folder() / "Resources" / "SampleData"


def load_sample(_source: Any = None) -> list[Any]:
    """Loads the sample patient into the scene and shows it.

    Returns:
        The CT and the segmentation with the outlined tumor.

    Raises:
        InputError: The files are missing.
    """
    from PDL1PredictorGUI.scene import bridge

    paths = [sample_folder() / file.name for file in (CT, TUMOR)]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        text = _("The sample patient is not complete: {names} missing. Install the extension PDL1Predictor again.")
        raise bridge.input_error(text.format(names=", ".join(missing)))
    volume = slicer.util.loadVolume(str(paths[0]), {"name": CT.node, "show": False})
    segmentation = slicer.util.loadSegmentation(str(paths[1]), {"name": TUMOR.node})
    volume.CreateDefaultDisplayNodes()
    volume.GetDisplayNode().AutoWindowLevelOff()
    volume.GetDisplayNode().SetWindowLevelMinMax(-1000, 400)
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    if slicer.app.layoutManager() is not None:
        slicer.util.setSliceViewerLayers(background=volume, fit=True)
    return [volume, segmentation]


def register() -> None:
    """Lists the sample patient in the module Sample Data, whose button loads it as the window does.

    Scripts get the nodes by `SampleData.downloadSamples`, which copies the files; nothing is downloaded.
    """
    import SampleData

    files = (CT, TUMOR)
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=NAME,
        uris=[(sample_folder() / file.name).as_uri() for file in files],
        fileNames=[file.name for file in files],
        nodeNames=[file.node for file in files],
        checksums=[file.checksum for file in files],
        loadFileTypes=[file.kind for file in files],
        thumbnailFileName=str(Path(__file__).parents[2] / "Resources" / "Icons" / f"{NAME}.png"),
        customDownloader=load_sample,
    )

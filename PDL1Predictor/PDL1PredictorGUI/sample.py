"""The sample patient: a synthetic chest with one tumor, made on the spot, without the internet."""

from typing import Any

import slicer
from slicer.i18n import tr as _

SEED = 2028  # as `make demo`: the numbers of the tutorial
NAME = "PDL1SamplePatient"
CATEGORY = "PDL1Predictor"


def load_sample(_source: Any = None) -> list[Any]:
    """Makes the sample patient in the scene and shows it.

    Returns:
        The CT and the segmentation with the outlined tumor.
    """
    from PDL1PredictorGUI import bridge
    from PDL1PredictorGUI.library import make_importable
    from PDL1PredictorGUI.tumor import new_tumor

    make_importable()
    from PDL1PredictorLib.phantom.patient import make_patient

    case = make_patient(seed=SEED, index=0).case
    volume = bridge.volume_of_image(case.ct, _("Synthetic sample patient"))
    volume.CreateDefaultDisplayNodes()
    volume.GetDisplayNode().AutoWindowLevelOff()
    volume.GetDisplayNode().SetWindowLevelMinMax(-1000, 400)
    segmentation, segment_id = new_tumor(volume)
    bridge.put_segment(segmentation, segment_id, case.tumor, volume)
    if slicer.app.layoutManager() is not None:
        slicer.util.setSliceViewerLayers(background=volume, fit=True)
    return [volume, segmentation]


def register() -> None:
    """Lists the sample patient in the module Sample Data."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=NAME,
        uris=[],  # nothing to download: the loader makes it
        fileNames=[],
        nodeNames=[],
        thumbnailFileName=None,
        customDownloader=load_sample,
    )

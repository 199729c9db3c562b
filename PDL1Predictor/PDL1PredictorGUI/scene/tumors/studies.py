"""Earlier studies of a patient: results of other CTs of the scene, and results that were read from a folder."""

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import results
from PDL1PredictorGUI.scene.clinical import STUDY_DATE, Headers
from PDL1PredictorGUI.scene.result_nodes import PREFIX
from PDL1PredictorGUI.setup.library import make_importable

READ_FROM = PREFIX + "EarlierStudy"  # attribute of a text node: the folder's name that a result was read from
NUMBER = PREFIX + "EarlierTumor"  # which of its tumors
PATIENT_ID = "0010,0020"


def study_of(volume: Any) -> Any:
    """Day of a CT, and a hash of its patient's number, as DICOM tells them: a `core.case.Study`."""
    make_importable()
    from PDL1PredictorLib.core.case import Study, day_of, patient_key

    if volume is None:
        return Study()
    headers = Headers(volume)
    number = headers.text(PATIENT_ID) or headers.patient_number
    return Study(day_of(headers.text(STUDY_DATE) or headers.study_date), patient_key(number))


def entries(result: Any) -> list[tuple[str, str]]:
    """What a result can be held against: title and ID of each node.

    Args:
        result: The later result, a `result_nodes.ResultNodes`.
    """
    others = [found for found in results.all_results() if found.volume is not result.volume]
    found = [
        (f"{one.segment_name} — {one.volume.GetName() if one.volume is not None else '?'}", one.node_id)
        for one in others
    ]
    return found + [(node.GetName(), node.GetID()) for node in _read_nodes()]


def _read_nodes() -> list[Any]:
    return [node for node in slicer.util.getNodesByClass("vtkMRMLTextNode") if node.GetAttribute(READ_FROM)]


def add_folder(folder: Path) -> list[Any]:
    """Keeps the result of a folder in the scene, to be compared with: a text node for each of its tumors.

    Raises:
        InputError: The folder is no result.
    """
    make_importable()
    from PDL1PredictorLib.report.remade.result import RESULT, read_result

    read = read_result(folder / RESULT)
    text = (folder / RESULT).read_text(encoding="utf-8")
    nodes = []
    for lesion in read.lesions:
        name = (
            folder.name
            if len(read.lesions) == 1
            else _("{folder}, tumor {number}").format(folder=folder.name, number=lesion.index)
        )
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode", _("Earlier: {name}").format(name=name))
        node.SetText(text)
        node.SetAttribute(READ_FROM, folder.name)
        node.SetAttribute(NUMBER, str(lesion.index))
        nodes.append(node)
    return nodes


def comparison(earlier: Any, result: Any, days: int | None) -> Any:
    """The library's comparison of a result with an earlier one.

    Args:
        earlier: Text node of the earlier result.
        result: The later result.
        days: Between the two, where their dates are not known.

    Raises:
        InputError: They cannot be compared; with the reason.
    """
    make_importable()
    from PDL1PredictorLib.followup.comparison import compare
    from PDL1PredictorLib.followup.examined import examined
    from PDL1PredictorLib.report.remade.result import result_of

    number = earlier.GetAttribute(NUMBER)
    at_first = examined(
        result_of(earlier.GetText().encode(), earlier.GetName()), earlier.GetName(), int(number) if number else None
    )
    if not number:
        of_scene = next((one for one in results.all_results() if one.main is earlier), None)
        at_first = at_first.on(study_of(of_scene.volume if of_scene is not None else None))
    then = examined(result_of(result.main.GetText().encode(), result.main.GetName()), result.main.GetName())
    return compare(at_first, then.on(study_of(result.volume)), days)


def page_of(compared: Any) -> str:
    """A comparison as the HTML page that `pdl1 compare` writes, without pictures."""
    from PDL1PredictorLib.followup.page import to_html

    return str(to_html([compared]))

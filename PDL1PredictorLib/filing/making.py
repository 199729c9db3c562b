"""What all filed objects have in common: who made them and when, whose they are, which series they lie in."""

from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from PDL1PredictorLib import __version__
from PDL1PredictorLib.core.results import CaseResult
from PDL1PredictorLib.filing.source import COPIED, UTF_8, Source
from PDL1PredictorLib.filing.uids import derived_uid

MAKER = "PDL1Predictor"
RESEARCH = "RESEARCH USE ONLY"  # before every description: lists of an archive show little else
MAX_DESCRIPTION = 64


class Kind(Enum):
    """An object's kind: series number, and description of its series."""

    SEGMENTATION = 9101, "tumor and peritumoral ring"
    MEASURES = 9102, "measures and predictions"
    HEAT = 9103, "where the network looked"
    DOCUMENT = 9104, "report"

    @property
    def series_number(self) -> int:
        """Above those that scanners give."""
        return self.value[0]

    @property
    def description(self) -> str:
        """Of the series."""
        return f"{RESEARCH}: {self.value[1]}"[:MAX_DESCRIPTION]


@dataclass(frozen=True, eq=False)
class Making:
    """One filing: a result and the CT series that it belongs to.

    Attributes:
        result: What is filed.
        source: The CT series.
    """

    result: CaseResult
    source: Source

    @property
    def made(self) -> datetime:
        """When the answer was made, in the time of this computer, as scanners and archives write theirs."""
        return datetime.fromisoformat(self.result.provenance.created_utc).astimezone()

    @property
    def made_with(self) -> str:
        """The model, its version and hash: of content that depends on it."""
        model = self.result.model
        return f"{__version__} {model.name} {model.version} {model.sha256}"

    def uid(self, kind: Kind, *content: str | bytes) -> str:
        """The UID of an object, from its content; see `derived_uid`."""
        return derived_uid(kind.name, self.source.text("SeriesInstanceUID"), self.made_with, *content)

    def series_uid(self, kind: Kind, *content: str | bytes) -> str:
        """The UID of the series that holds the objects of one kind."""
        return self.uid(kind, "series", *content)

    def equipment(self) -> dict[str, Any]:
        """What made it, as highdicom's objects take it; the model's hash stands where a machine has its number."""
        return {
            "manufacturer": MAKER,
            "manufacturer_model_name": MAKER,
            "software_versions": __version__,
            "device_serial_number": self.result.model.sha256[:16],
        }

    def finish(self, data: Any, kind: Kind) -> Any:
        """Give an object what every one says alike: patient, study, times, description, character set.

        Args:
            data: The object; it is changed.
            kind: Its kind.

        Returns:
            The same object.
        """
        data.SpecificCharacterSet = UTF_8  # whatever letters the CT's header has fit into it
        first = self.source.slices[0]
        for name in COPIED:
            if name in first:
                data[name] = deepcopy(first[name])
        _name_dimensions(data)
        date, time = self.made.strftime("%Y%m%d"), self.made.strftime("%H%M%S")
        for of in ("Content", "InstanceCreation", "Series"):
            setattr(data, f"{of}Date", date)
            setattr(data, f"{of}Time", time)
        for item in data.get("ContributingEquipmentSequence", []):  # highdicom names itself and the moment
            item.ContributionDateTime = date + time
        data.SeriesDescription = kind.description
        return data


def _name_dimensions(data: Any) -> None:
    """The UID by which frames name their dimensions: highdicom draws it, and equal objects would differ by it."""
    derived = derived_uid("dimensions", str(data.SOPInstanceUID))
    for name in ("DimensionOrganizationSequence", "DimensionIndexSequence"):
        for item in data.get(name, []):
            item.DimensionOrganizationUID = derived

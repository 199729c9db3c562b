"""The endpoints that can be predicted: one table, read by training, prediction, report and docs."""

from dataclasses import dataclass
from typing import Literal

from PDL1PredictorLib.core.errors import InputError, did_you_mean

Kind = Literal["binary", "number", "time"]


@dataclass(frozen=True)
class Endpoint:
    """A question about the tumor: yes or no, how much, or how long.

    Attributes:
        key: Name in files and tables.
        title: Name for people.
        definition: What counts as positive, or what is measured.
        positive: The word for a positive answer, of yes/no questions.
        negative: The word for a negative answer.
        kind: `binary`, `number` or `time`.
        unit: Of a number or time, such as `%`.
        low: Least possible value of a number or time.
        high: Greatest possible value; None without a bound.
        cuts: Values of a number at and above which decisions change.
    """

    key: str
    title: str
    definition: str
    positive: str = "positive"
    negative: str = "negative"
    kind: Kind = "binary"
    unit: str = ""
    low: float | None = None
    high: float | None = None
    cuts: tuple[float, ...] = ()

    @property
    def yes_no(self) -> bool:
        """Whether it is answered by yes or no: only then are there positives, and a share of them, the prevalence."""
        return self.kind == "binary"

    @property
    def timed(self) -> bool:
        """Whether it is answered by a time until an event, which may still be to come: then a table has two columns."""
        return self.kind == "time"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of a cohort's table that hold it: a time has one for the time and one for the event."""
        return (f"{self.key}_{self.unit}", f"{self.key}_event") if self.timed else (self.key,)


ENDPOINTS: tuple[Endpoint, ...] = (  # order as in Table 3 of paper 001, PD-L1 first because it is what people ask for
    Endpoint("PDL1", "PD-L1", "tumor proportion score (TPS) of 1 % or more"),
    Endpoint("LVI", "Lymphovascular invasion", "lymphovascular invasion in the resected tumor", "present", "absent"),
    Endpoint("PI", "Pleural invasion", "invasion of the pleura in the resected tumor", "present", "absent"),
    Endpoint("T4", "T4 stage", "T stage 4 against T1 to T3", "T4", "T1-T3"),
    Endpoint("EGFR", "EGFR", "EGFR mutation", "mutant", "wild type"),
    Endpoint("KRAS", "KRAS", "KRAS mutation", "mutant", "wild type"),
    Endpoint("ALK", "ALK", "ALK rearrangement", "rearranged", "not rearranged"),
    Endpoint("TP53", "TP53", "TP53 mutation", "mutant", "wild type"),
    Endpoint("PIK3CA", "PIK3CA", "PIK3CA mutation", "mutant", "wild type"),
    Endpoint("ROS1", "ROS1", "ROS1 rearrangement", "rearranged", "not rearranged"),
    Endpoint("PDL1_HIGH", "PD-L1 high", "tumor proportion score (TPS) of 50 % or more", "high", "not high"),
    Endpoint(
        "PDL1_RNA",
        "PD-L1 by RNA",
        "RNA of CD274, the gene of PD-L1, above the median of its block of samples; no stain",
        "high",
        "not high",
    ),
    Endpoint(
        "CD8",
        "CD8 infiltration by RNA",
        "RNA of CD8A above the median of its block of samples: paper 001 counts it as PD-1/PD-L1 positive; no stain",
        "high",
        "not high",
    ),
    Endpoint(
        "SQUAMOUS",
        "Squamous histology",
        "squamous cell carcinoma against adenocarcinoma",
        "squamous",
        "adenocarcinoma",
    ),
    Endpoint("PT2", "Pathological T2 or higher", "pathological T stage 2 to 4 against Tis and T1", "T2-T4", "Tis-T1"),
    Endpoint(
        "MALIGNANT",
        "Malignancy of a nodule",
        "malignant as radiologists voted who saw the CT; no pathology",
        "malignant",
        "benign",
    ),
    Endpoint("RESPONSE", "Response to immunotherapy", "responder by RECIST", "responder", "non-responder"),
    Endpoint(
        "TPS", "PD-L1 TPS", "tumor proportion score", kind="number", unit="%", low=0.0, high=100.0, cuts=(1.0, 50.0)
    ),
    Endpoint(
        "CD274",
        "PD-L1 RNA level",
        "RNA of CD274, the gene of PD-L1, less the median of its block of samples; no stain",
        kind="number",
        unit="log10",
    ),
    Endpoint(
        "MALIGNANCY_SCORE",
        "Malignancy score of a nodule",
        "from 1, unlikely, to 5, suspicious, as radiologists scored who saw the CT; no pathology",
        kind="number",
        unit="points",
        low=1.0,
        high=5.0,
    ),
    Endpoint("PFS", "Progression-free survival", "time to progression or death", kind="time", unit="days", low=0.0),
    Endpoint("OS", "Overall survival", "time to death of any cause", kind="time", unit="days", low=0.0),
)
_BY_KEY = {endpoint.key: endpoint for endpoint in ENDPOINTS}
ENDPOINT_COLUMNS: tuple[str, ...] = tuple(column for endpoint in ENDPOINTS for column in endpoint.columns)
"""Columns of a cohort's table that hold endpoints."""


def endpoint(key: str) -> Endpoint:
    """Look an endpoint up by its key.

    Raises:
        InputError: There is no such endpoint.
    """
    try:
        return _BY_KEY[key]
    except KeyError:
        near = did_you_mean(key, _BY_KEY)
        raise InputError(f"Endpoint {key!r} is not known.{near} Known endpoints: {', '.join(_BY_KEY)}.") from None

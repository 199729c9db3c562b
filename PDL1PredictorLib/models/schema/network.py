"""What a manifest says of the network: its files, what it is given, and what it gives."""

from dataclasses import dataclass
from typing import Any

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.settings import NEIGHBORS, FrameSettings
from PDL1PredictorLib.models.schema.values import (
    MAX_DEEP,
    SMALLEST_SD,
    count,
    mapping,
    number_or_none,
    one_of,
    series,
    text,
    texts,
)
from PDL1PredictorLib.networks.names import BACKBONES, NETWORKS, POOLED_WITHIN, POOLS

PICTURES = ("none", "slice", "slices", "volume")
DEEP, ANSWERS = "deep", "answers"
MAX_TABLE = 2000
VOLUME_COLUMN = "log_volume"
"""Name of the column that holds the logarithm of the tumor's volume in mL."""


@dataclass(frozen=True)
class NetworkInputs:
    """What a network is given of a case.

    Attributes:
        picture: `none`; `slice`, the axial slice with the largest area; `slices`, that and others, each seen alone, of
            whose outputs the mean is taken; `volume`, the volume about the tumor.
        table: Names of the columns, in order: radiomic features, clinical values, `log_volume`.
        mean: Of each column, what is subtracted.
        sd: Of each column, what it is then divided by; a value that is not known becomes 0.
        frame: How a rectangle about the tumor is cut out of each slice; None shows the slices whole.
    """

    picture: str = "slice"
    table: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    sd: tuple[float, ...] = ()
    frame: FrameSettings | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a frame that is not used is left out."""
        found = {"picture": self.picture, "table": list(self.table), "mean": list(self.mean), "sd": list(self.sd)}
        return found if self.frame is None else {**found, "frame": self.frame.to_dict()}


@dataclass(frozen=True)
class NetworkEntry:
    """The network of a bundle.

    Attributes:
        file: File name of its weights.
        graph: File name of its ONNX graph without weights; None where the library has that of the backbone, or none.
        backbone: One of `networks.names.BACKBONES`, or of `NETWORKS` where it answers by itself.
        n_deep: Width of the deep feature vector; 0 where it gives none.
        bits: Of a weight in the file: 8, 16 or 32.
        head: `linear` where the answers are a weighted mean over the feature maps, and of the columns of the table, so
            that the maps need no gradient; `none` where the network gives no answers of its own, and no maps.
        moved: Largest change of a probability of the test cases by the rounding to `bits`; None where not measured.
        slices: How many slices it sees: deep features, or answers, are their mean. 0 where it sees none.
        inputs: What it is given.
        outputs: `deep`: deep features of a patch. `answers`: one of each endpoint, in the model's order; the log-odds
            of a yes/no question, a number that was standardized, or a risk score.
        pool: One of `networks.names.POOLS`: what its maps become numbers over. A network of volumes that pools within
            the contour is given it as the last channel, and its `maps` are what each place adds to the numbers, so that
            its head is linear in their means all the same.
    """

    file: str
    graph: str | None
    backbone: str
    n_deep: int
    bits: int
    head: str
    moved: float | None
    slices: int = 1
    inputs: NetworkInputs = NetworkInputs()
    outputs: str = DEEP
    pool: str = "picture"


def read_network(values: Any) -> NetworkEntry | None:
    """The entry `network`; None of a model without one.

    Raises:
        KeyError: A value is missing.
        ValueError: One is of another type, out of its bounds, or does not fit the others.
    """
    if values is None:
        return None
    given = mapping(values, "network")
    outputs = one_of(given.get("outputs", DEEP), "network.outputs", (DEEP, ANSWERS))
    deep = outputs == DEEP
    slices = one_of(given["slices"], "network.slices", (0, 1, 3, 1 + len(NEIGHBORS)))
    entry = NetworkEntry(
        file=text(given["file"], "network.file"),
        graph=None if given["graph"] is None else text(given["graph"], "network.graph"),
        backbone=one_of(given["backbone"], "network.backbone", BACKBONES if deep else (*BACKBONES, *NETWORKS)),
        n_deep=count(given["n_deep"], "network.n_deep", 1 if deep else 0, MAX_DEEP),
        bits=one_of(given["bits"], "network.bits", (8, 16, 32)),
        head=one_of(given["head"], "network.head", ("linear", "none", "other")),
        moved=number_or_none(given["moved"], "network.moved", 0.0, 1.0),
        slices=slices,
        inputs=_inputs(given.get("inputs"), slices),
        outputs=outputs,
        pool=one_of(given.get("pool", "picture"), "network.pool", POOLS),
    )
    _check(entry)
    return entry


def _inputs(values: Any, slices: int) -> NetworkInputs:
    """Older manifests say nothing: every network saw a slice or several."""
    if values is None:
        return NetworkInputs("slice" if slices == 1 else "slices")
    given = mapping(values, "network.inputs")
    found = NetworkInputs(
        picture=one_of(given["picture"], "network.inputs.picture", PICTURES),
        table=texts(given["table"], "network.inputs.table", MAX_TABLE),
        mean=series(given["mean"], "network.inputs.mean"),
        sd=series(given["sd"], "network.inputs.sd"),
        frame=_frame(given.get("frame")),
    )
    if not len(found.table) == len(found.mean) == len(found.sd):
        raise ValueError(f"network.inputs needs a mean and an SD for each of its {len(found.table)} columns.")
    if min(found.sd, default=1.0) < SMALLEST_SD:
        raise ValueError("network.inputs.sd must be positive.")
    return found


def _frame(values: Any) -> FrameSettings | None:
    try:
        return None if values is None else FrameSettings.from_dict(values)
    except InputError as error:
        raise ValueError(f"network.inputs.frame: {error}") from error


def _check(entry: NetworkEntry) -> None:
    """Picture, slices, table and graph must fit what the network gives."""
    inputs, many = entry.inputs, {"none": (0,), "slice": (1,), "slices": (3, 1 + len(NEIGHBORS)), "volume": (0,)}
    if entry.slices not in many[inputs.picture]:
        raise ValueError(f"network.slices is {entry.slices}, which does not fit the picture {inputs.picture!r}.")
    if entry.outputs == DEEP and (inputs.table or inputs.picture not in ("slice", "slices")):
        raise ValueError("network.inputs: a network of deep features is given slices, and nothing else.")
    if entry.pool == "contour":
        _check_pool(entry)
    if inputs.frame is not None and (entry.outputs == DEEP or inputs.picture not in ("slice", "slices")):
        raise ValueError("network.inputs.frame: only slices of a network that answers by itself have one.")
    if entry.outputs == ANSWERS and entry.graph is None:
        raise ValueError("network.graph must be named where the network answers by itself.")
    if inputs.picture == "none" and not inputs.table:
        raise ValueError("network.inputs names neither a picture nor a column.")


def _check_pool(entry: NetworkEntry) -> None:
    """Maps are pooled within the contour by a network of volumes, or by a ResNet that gives deep features."""
    if entry.outputs == ANSWERS and entry.inputs.picture == "volume":
        return
    if entry.outputs == ANSWERS or entry.backbone not in POOLED_WITHIN or not entry.graph:
        raise ValueError(
            "network.pool is contour, which needs deep features of a ResNet, and a graph that makes them, or a volume."
        )
    if entry.head == "linear":
        raise ValueError("network.head is linear, but what is pooled within the contour is no mean of the maps alone.")

"""What a prediction brings back: named, frozen, always the same shape."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import SimpleITK as sitk

from PDL1PredictorLib.core.answer_parts import Chance, Contribution, Estimate, NumberTest, Range, TimeAnswer, TimeTest
from PDL1PredictorLib.core.case import Clinical, Study
from PDL1PredictorLib.core.errors import printable
from PDL1PredictorLib.core.provenance import Outline
from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.core.verdicts import NOT_JUDGED, Verdict


@dataclass(frozen=True)
class CaseWarning:
    """Something the reader must know before trusting the answer.

    Attributes:
        code: Stable name for programs, such as `ring_cut`.
        text: What it means and what to do; printable, whatever the file in it is called.
    """

    code: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", printable(self.text))

    def to_dict(self) -> dict[str, str]:
        """Plain values for JSON: `code` and `text`."""
        return {"code": self.code, "text": self.text}


def codes(warnings: Iterable[CaseWarning]) -> str:
    """The codes of warnings for the cell of a table: each once, in their order, separated by blanks."""
    return " ".join(dict.fromkeys(warning.code for warning in warnings))


@dataclass(frozen=True)
class BinaryAnswer:
    """The answer to a yes/no question.

    Attributes:
        endpoint: Key, as in `core.endpoints`.
        probability: Calibrated probability of positive, 0 to 1.
        interval: Calibration interval: 95 %, from the uncertainty of the calibration alone.
        threshold: Probability at and above which the call is positive.
        positive: On which side of the threshold it lies; `verdict` says what that is worth.
        prediction_set: Answers that cannot be ruled out at the stated coverage: a subset of ("negative", "positive").
        coverage: Share of cases whose true answer lies in such a set, by design, 0 to 1.
        contributions: Inputs, the largest effect first.
        verdict: What it comes to.
        uncertainty: 95 % interval of the patient's probability, from models of resampled cohorts; None if not known.
        stability: Least and greatest probability under contours moved by 1 mm, the given one among them; None if that
            was not tried.
        base_rate: Share of positives that the probability is for: that of the training cases, or the prevalence that
            was asked for; None if not known.
        sensitivity: At the threshold, on test cases; None where that was not measured.
        specificity: Likewise.
        model: Title of the model that answers, such as `Deep-RadScore` or `Volume`.
        role: What that model is to the others of its study.
    """

    endpoint: str
    probability: float
    interval: Range
    threshold: float
    positive: bool
    prediction_set: tuple[str, ...]
    coverage: float
    contributions: tuple[Contribution, ...]
    kind: Literal["binary"] = "binary"
    verdict: Verdict = NOT_JUDGED
    uncertainty: Range | None = None
    stability: Range | None = None
    base_rate: float | None = None
    sensitivity: Estimate | None = None
    specificity: Estimate | None = None
    model: str = ""
    role: Role = "lead"


@dataclass(frozen=True)
class NumberAnswer:
    """The answer to a question of how much.

    Attributes:
        endpoint: Key, as in `core.endpoints`, which has the unit.
        value: Expected value, within the endpoint's bounds.
        interval: Prediction interval: where the value of such a case lies at the stated coverage.
        coverage: Of the interval, by design, 0 to 1.
        contributions: Inputs, the largest effect first; effects are in the endpoint's unit.
        verdict: What it comes to.
        uncertainty: 95 % interval of the expected value, from models of resampled cohorts; None if not known.
        stability: Least and greatest value under contours moved by 1 mm, the given one among them; None if that was
            not tried.
        model: Title of the model that answers.
        role: What that model is to the others of its study.
        chances: That the value lies at or above each of the endpoint's cuts; none where they were not learned.
        attention: Inputs and their shares in what a network asked in its first layer, the greatest first; it says where
            the network looked, not what it made of it.
    """

    endpoint: str
    value: float
    interval: Range
    coverage: float
    contributions: tuple[Contribution, ...]
    kind: Literal["number"] = "number"
    verdict: Verdict = NOT_JUDGED
    uncertainty: Range | None = None
    stability: Range | None = None
    model: str = ""
    role: Role = "lead"
    chances: tuple[Chance, ...] = ()
    attention: tuple[tuple[str, float], ...] = ()


Answer = BinaryAnswer | NumberAnswer | TimeAnswer
TrainedOn = Literal["patients", "synthetic"]


@dataclass(frozen=True)
class RegionMeasures:
    """Size and intensity of a region, measured on the resampled grid.

    Attributes:
        voxels: Number of voxels.
        volume_ml: Volume in mL.
        longest_axial_diameter_mm: Greatest distance between two voxel centers in one axial slice, plus one voxel, in
            mm.
        mean_hu: Mean, in HU.
        sd_hu: Standard deviation (over n), in HU.
    """

    voxels: int
    volume_ml: float
    longest_axial_diameter_mm: float
    mean_hu: float
    sd_hu: float


@dataclass(frozen=True, eq=False)
class HeatMap:
    """Where a network looked for one endpoint.

    Attributes:
        endpoint: Key.
        image: float32, 0 to 1, one slice thick or a volume, placed in patient space (LPS, mm).
        method: How it was made: `Grad-CAM`, or `class activation map`, which equals it where the head is linear.
        heat_share: Share of the heat that lies inside tumor and ring, 0 to 1; None of an empty map, or if not measured.
        area_share: Share of what the network saw that tumor and ring fill; below it the network looks elsewhere.
        seen: uint8 on the image's grid, 1 where the network saw the slice; None where it saw all of it.
    """

    endpoint: str
    image: sitk.Image
    method: str = "Grad-CAM"
    heat_share: float | None = None
    area_share: float | None = None
    seen: sitk.Image | None = None

    @property
    def looks_outside(self) -> bool:
        """Whether tumor and ring hold less of the heat than of what the network saw."""
        return self.heat_share is not None and self.area_share is not None and self.heat_share < self.area_share


@dataclass(frozen=True, eq=False)
class VoxelMap:
    """A texture feature of the surroundings of every voxel of the tumor.

    Attributes:
        feature: Its name, such as `tumor_wavelet-HLL_glcm_SumEntropy`.
        unit: Of its values; empty for a pure number.
        image: float32 in patient space (LPS, mm), the box of what was measured.
        low: Least value.
        high: Greatest value.
        outside: What voxels hold that have no value: a number below `low`.
        slices: How many slices were measured.
        tumor_slices: How many the tumor has.
    """

    feature: str
    unit: str
    image: sitk.Image
    low: float
    high: float
    outside: float
    slices: int
    tumor_slices: int


@dataclass(frozen=True)
class UnlikePart:
    """One of the views in which a case is held against the training cohort.

    Attributes:
        name: `sanity`, `deep`, `selected` or `selected_z`.
        p: Share of held-out cases, and this one, that are at least as far; None if not known.
        text: What is farthest, such as `mean density of the tumor 9 SD above the training cohort`.
    """

    name: str
    p: float | None
    text: str


@dataclass(frozen=True)
class Unlike:
    """How unlike the training cohort a case is.

    Attributes:
        p: Conformal p-value of the farthest view; None of models without held-out distances, or without a reference.
        parts: Of each view, the farthest first.
        flagged: Whether the case is unlike; of cases like the training cohort at most 5 % are.
    """

    p: float | None = None
    parts: tuple[UnlikePart, ...] = ()
    flagged: bool = False


@dataclass(frozen=True, eq=False)
class LesionResult:
    """All that was found for one tumor.

    Attributes:
        index: 1 for the largest tumor of the mask, 2 for the next ...
        center_lps_mm: Centroid in patient coordinates (L, P, S), in mm.
        tumor: Measures of the tumor.
        ring: Measures of the peritumoral ring.
        endpoints: Answers, in the model's order.
        features: Radiomic features by name, both regions.
        scores: By endpoint, what the model made of the features before it answered, by name (`radscore_tumor` ...).
        atypicality: How far the case lies from the training cohort, over the limit; above 1 is unlike; NaN where the
            model keeps no reference, so that it is not known.
        warnings: What the reader must know.
        heat_maps: Per endpoint; none where no network sees the picture.
        tumor_image: uint8 mask on the resampled grid.
        ring_image: uint8 mask on the same grid.
        views_ct: HU volume around the tumor on the resampled lattice, for pictures.
        unlike: How unlike the training cohort it is, and in what.
        voxel_maps: Of those features that the model asks for; none of most.
        volume_range_ml: Least and greatest volume under contours moved by 1 mm, the given one among them; None if that
            was not tried.
        slice_number: The axial slice of the CT that holds the center, counted from the feet, from 1, and how many
            there are; None where it is not known.
    """

    index: int
    center_lps_mm: tuple[float, float, float]
    tumor: RegionMeasures
    ring: RegionMeasures
    endpoints: tuple[Answer, ...]
    features: dict[str, float]
    scores: dict[str, dict[str, float]]
    atypicality: float
    warnings: tuple[CaseWarning, ...]
    heat_maps: tuple[HeatMap, ...]
    tumor_image: sitk.Image
    ring_image: sitk.Image
    views_ct: sitk.Image
    unlike: Unlike = Unlike()
    voxel_maps: tuple[VoxelMap, ...] = ()
    volume_range_ml: Range | None = None
    slice_number: tuple[int, int] | None = None


@dataclass(frozen=True)
class ModelSummary:
    """What a reader needs to know of the model.

    Attributes:
        name: Folder name of the bundle.
        title: Name for people.
        version: The model's own version.
        sha256: Hash of its manifest, which holds the hash of every other file.
        intended_use: From the card.
        cohort: Whom it was trained on, in words.
        limitations: From the card.
        licence: Licence of the weights.
        endpoints: Keys, in the model's order.
        auc: Per yes/no endpoint (value, low, high, n positive, n negative) on the untouched test cases.
        number_tests: Per endpoint that is a number, how far its answers lay off on the untouched test cases.
        trained_on: Patients, or synthetic patients: then no answer is given for a patient's CT.
        time_tests: Per endpoint that is a time, how well its score ranked the untouched test cases.
    """

    name: str
    title: str
    version: str
    sha256: str
    intended_use: str
    cohort: str
    limitations: tuple[str, ...]
    licence: str
    endpoints: tuple[str, ...]
    auc: dict[str, tuple[float, float, float, int, int]]
    number_tests: dict[str, NumberTest]
    trained_on: TrainedOn = "patients"
    time_tests: dict[str, TimeTest] = field(default_factory=dict)


@dataclass(frozen=True)
class Provenance:
    """How to get the same answer again.

    Attributes:
        library_version: Version of this library.
        created_utc: Time of the prediction, ISO 8601.
        device: Where the network ran, such as `cpu` or `cuda`.
        network: What ran it: `onnxruntime`, `torch`, or `none`.
        engine: The radiomics engine and its version.
        settings: Region and feature settings.
        versions: Python and packages.
        ct_sha256: Hash of the CT's voxels and grid.
        tumor_sha256: Hash of the mask's voxels and grid.
        seconds: Time of each stage.
        outline: How the contour was drawn by a program, where its file or segment says that it was.
    """

    library_version: str
    created_utc: str
    device: str
    network: str
    engine: str
    settings: dict[str, Any]
    versions: dict[str, str]
    ct_sha256: str
    tumor_sha256: str
    seconds: dict[str, float]
    outline: Outline | None = None


@dataclass(frozen=True, eq=False)
class CaseResult:
    """The whole answer for one mask: every predicted tumor, the model and the provenance.

    Attributes:
        case: The case's name.
        lesions: Predicted tumors, largest first.
        lesions_found: Number of separate tumors in the mask, predicted or not.
        clinical: As given or read from the files.
        model: What the model is.
        provenance: How to repeat it.
        warnings: What concerns the whole case.
        training_case: Whether the model has learned from this CT; None where it does not say from which.
        study: Of which day the CT is, and whose, as far as its files say.
    """

    case: str
    lesions: tuple[LesionResult, ...]
    lesions_found: int
    clinical: Clinical
    model: ModelSummary
    provenance: Provenance
    warnings: tuple[CaseWarning, ...]
    training_case: bool | None = None
    study: Study = field(default_factory=Study)


def plain(value: Any) -> Any:
    """A result's dataclass as plain values for JSON (volumes are not plain: leave them out before)."""
    return asdict(value)

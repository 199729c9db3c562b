"""The face of the library: what a notebook needs, by `import PDL1PredictorLib as pdl1`.

`read_case`, `load_model`, `predict` and `features` stand here; `read_cohort` is that of `cohort.table`. Nothing here
computes: each function hands over to the rooms. What predicts is loaded when a model is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from PDL1PredictorLib.core.case import Case, Clinical
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.files.output import whole_folder
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.results import CaseResult, CaseWarning, LesionResult
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging import case_files
from PDL1PredictorLib.imaging.case_files import Files, ReadCase
from PDL1PredictorLib.imaging.lesions import ALL, LARGEST
from PDL1PredictorLib.radiomics import settings
from PDL1PredictorLib.radiomics.engine import DEFAULT_ENGINE
from PDL1PredictorLib.radiomics.extract import measure_tumors
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.report.answer_rows import AnswerRow, answer_rows
from PDL1PredictorLib.resources import default_model, find_model

if TYPE_CHECKING:
    from PDL1PredictorLib.models.predictor import Predictor

PathArgument: TypeAlias = str | PathLike[str]
AnyCase: TypeAlias = ReadCase | Case | Files | tuple[PathArgument, PathArgument]
"""What `read_case` gives; a case that is in memory; or where it lies, as `Files` or as (CT, tumor)."""


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """What `predict` gives: the whole result, and ways to look at it.

    In a notebook it shows itself as a table; printed, as a line a tumor.

    Attributes:
        result: Everything that was found: answers, features, regions, heat maps, provenance.
    """

    result: CaseResult

    @property
    def lesions(self) -> tuple[LesionResult, ...]:
        """The predicted tumors, largest first; each has its answers in `endpoints`."""
        return self.result.lesions

    @property
    def warnings(self) -> tuple[CaseWarning, ...]:
        """What the reader must know, of the case and of its tumors, each once."""
        of_lesions = (warning for lesion in self.lesions for warning in lesion.warnings)
        return tuple(dict.fromkeys((*self.result.warnings, *of_lesions)))

    def table(self) -> list[AnswerRow]:
        """A row a tumor and endpoint, every row with the same columns: `pandas.DataFrame(result.table())`."""
        return answer_rows(self.result)

    def save(self, folder: PathArgument, *, overwrite: bool = False, with_patient: bool = False) -> Path:
        """Write the folder that `pdl1 predict` writes, whole or not at all.

        Args:
            folder: Folder to make: `report.html`, `result.json`, `summary.txt`, `features.csv`, the regions and the
                heat maps.
            overwrite: Replace an existing folder.
            with_patient: Write the case's name and clinical values too; without it the output names no patient.

        Returns:
            The folder.

        Raises:
            OutputError: The folder exists, or cannot be written.
        """
        from PDL1PredictorLib.report.write import write_all

        with whole_folder(Path(folder), overwrite) as draft:
            write_all(self.result, draft, with_patient=with_patient)
        return Path(folder)

    def __repr__(self) -> str:
        from PDL1PredictorLib.report.notebook import brief

        return brief(self.result)

    def _repr_html_(self) -> str:
        from PDL1PredictorLib.report.notebook import to_notebook

        return to_notebook(self.result)


class Features(dict[str, float]):
    """Radiomic features of one tumor and its ring by name, with what the reader must know of them.

    Attributes:
        warnings: Of reading, of the choice of the tumor, and of its regions.
    """

    def __init__(self, values: Mapping[str, float], warnings: tuple[CaseWarning, ...] = ()) -> None:
        super().__init__(values)
        self.warnings = warnings


def read_case(
    ct: PathArgument,
    tumor: PathArgument,
    *,
    segment: str | None = None,
    series: str | None = None,
    ring: PathArgument | None = None,
    resample_mask: bool = False,
    clinical: Clinical | Mapping[str, Any] | None = None,
    name: str = "case",
    fill_gaps: bool = False,
) -> ReadCase:
    """Read and check a CT and a tumor mask; what was repaired or must be known stands in `warnings`.

    Args:
        ct: NIfTI, NRRD or MetaImage file, or the folder of a DICOM series.
        tumor: Mask in the same formats, or a DICOM RTSTRUCT or SEG.
        segment: Which region of the mask file, by name or number, where it has several.
        series: SeriesInstanceUID, where the DICOM folder has several series.
        ring: Mask file of an edited ring, used in place of the one that is drawn.
        resample_mask: Bring a mask on another grid onto the CT's.
        clinical: `age_years`, `sex`, `smoking` ...; completed by what the files say.
        name: How the case is called.
        fill_gaps: Interpolate contours of an RTSTRUCT that are missing on more than two slices in a row.

    Raises:
        InputError: A file or value cannot be used; the message says why.
        GridMismatchError: The mask lies on another grid.
    """
    return case_files.read_case(
        Files(
            ct=Path(ct),
            tumor=Path(tumor),
            segment=segment,
            series=series,
            ring=None if ring is None else Path(ring),
            resample_mask=resample_mask,
            clinical=clinical if isinstance(clinical, Clinical) else Clinical.from_dict(dict(clinical or {})),
            name=name,
            fill_gaps=fill_gaps,
        )
    )


def load_model(model: PathArgument) -> "Predictor":
    """Load a model, every file of it checked by its hash.

    Args:
        model: Name of a bundled model, or of one in a folder that the environment variable PDL1_MODELS names; or the
            path of a bundle, folder or .zip.

    Raises:
        InputError: There is no such model.
        BundleError: It is damaged, incomplete or from another version.
    """
    from PDL1PredictorLib.models.load import load_predictor

    return load_predictor(find_model(fspath(model)))


def predict(
    case: AnyCase,
    model: "Predictor | PathArgument | None" = None,
    *,
    lesion: str | int = LARGEST,
    device: str = "auto",
    runtime: str = "auto",
    engine: str = DEFAULT_ENGINE,
    ring_mm: float | None = None,
    exclude_air: bool | None = None,
    exclude_bone: bool | None = None,
    stability: bool = True,
    prevalence: Mapping[str, float] | None = None,
    maps: bool = True,
    progress: Progress | None = None,
) -> Prediction:
    """Predict the tumor, or each tumor, of a case; nothing is written.

    Args:
        case: What `read_case` gives, or where the case lies: (CT, tumor).
        model: What `load_model` gives, or takes. Load it once for several cases. For a synthetic patient it may be left
            out; for a patient's CT it must be chosen.
        lesion: `largest`, `all`, or a number: 1 for the largest tumor of the mask, 2 for the next.
        device: `auto`, `cpu`, `cuda` or `mps`.
        runtime: What runs the network: `auto`, `onnxruntime` or `torch`.
        engine: The radiomics engine.
        ring_mm: Another thickness of the peritumoral ring than the model's own, in mm; the result then has a warning.
        exclude_air: Leave air outside the body out of the ring; None does as the model was trained.
        exclude_bone: Leave bone out of the ring; None does as the model was trained.
        stability: Answer again under contours moved by 1 mm; without it, it takes less time.
        prevalence: Endpoint to the share of positives where its answer is used: probabilities and thresholds are
            shifted from the training's to that.
        maps: Map features over the tumor, where the model asks for some; takes seconds.
        progress: Told on the way; may cancel.

    Raises:
        PDL1Error: With what to do.
    """
    from PDL1PredictorLib.prediction import Options, predict_case

    read = _read(case)
    named = default_model(read.case.synthetic) if model is None else model
    predictor = load_model(named) if isinstance(named, (str, PathLike)) else named
    changes = _changes(ring_mm, exclude_air, exclude_bone)
    regions = replace(predictor.regions, **changes) if changes else None
    options = Options(str(lesion), device, engine, regions, runtime, stability, dict(prevalence or {}), maps)
    result = predict_case(read.case, predictor, options, progress or Progress(), read.ring)
    return Prediction(replace(result, warnings=(*read.warnings, *result.warnings)))


def features(
    case: AnyCase,
    preset: str | FeatureSettings = "deepradscore",
    *,
    lesion: str | int = LARGEST,
    engine: str = DEFAULT_ENGINE,
    ring_mm: float | None = None,
    exclude_air: bool | None = None,
    exclude_bone: bool | None = None,
    progress: Progress | None = None,
) -> Features:
    """Radiomic features of a tumor and of the ring around it; no model is needed.

    Args:
        case: What `read_case` gives, or where the case lies: (CT, tumor).
        preset: `deepradscore`, `pdl1es`, `karim`, or feature settings of your own.
        lesion: `largest`, or the tumor's number: 1 for the largest of the mask, 2 for the next.
        engine: The radiomics engine.
        ring_mm: Thickness of the peritumoral ring in mm; None takes 3.
        exclude_air: Leave air outside the body out of the ring.
        exclude_bone: Leave bone out of the ring.
        progress: Told on the way; may cancel.

    Returns:
        Value per name, the tumor's first (`tumor_original_shape_MeshVolume` ...), then the ring's (`ring_...`); NaN
        where a feature has no value. `warnings` says what the reader must know.

    Raises:
        InputError: The case cannot be measured, or there is no such preset, tumor or engine.
        EmptyRegionError: A region has too few voxels.
    """
    if lesion == ALL:
        raise InputError("Features are given of one tumor. Ask for each by its number: lesion=1, lesion=2 ...")
    wanted = settings.preset(preset) if isinstance(preset, str) else preset
    regions = RegionSettings(**_changes(ring_mm, exclude_air, exclude_bone))
    measured = measure_tumors(_read(case), regions, wanted, engine, str(lesion), progress or Progress())
    ((number, values),) = measured.features.items()
    return Features(values, measured.warnings[number])


def _changes(ring_mm: float | None, exclude_air: bool | None, exclude_bone: bool | None) -> dict[str, Any]:
    """The region settings that were asked for."""
    asked = {"ring_mm": ring_mm, "exclude_air": exclude_air, "exclude_bone": exclude_bone}
    return {name: value for name, value in asked.items() if value is not None}


def _read(case: AnyCase) -> ReadCase:
    if isinstance(case, ReadCase):
        return case
    if isinstance(case, Case):
        return ReadCase(case, None, ())
    if isinstance(case, Files):
        return case_files.read_case(case)
    if isinstance(case, tuple) and len(case) == 2:
        return read_case(*case)
    raise InputError(f"A case is what read_case(ct, tumor) gives, or the two paths as (ct, tumor); got {case!r}.")

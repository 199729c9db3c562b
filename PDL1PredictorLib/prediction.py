"""One case, front door to back: files or a `Case` in, a `CaseResult` or a folder out."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import SimpleITK as sitk

from PDL1PredictorLib import __version__
from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.files.output import whole_folder
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.provenance import versions
from PDL1PredictorLib.core.results import CaseResult, CaseWarning, LesionResult, Provenance
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.case_files import Files, read_case
from PDL1PredictorLib.imaging.file_hashes import image_sha256
from PDL1PredictorLib.imaging.lesions import choose_tumors, require_lesion, require_one_for_ring
from PDL1PredictorLib.imaging.measures import centroid_lps_mm, measure
from PDL1PredictorLib.imaging.patch import deep_patch
from PDL1PredictorLib.imaging.regions import make_regions
from PDL1PredictorLib.imaging.views import views_volume
from PDL1PredictorLib.models.device import choose_device
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.network import require_runtime
from PDL1PredictorLib.models.predictor import Answered, Given, Predictor
from PDL1PredictorLib.radiomics.engine import DEFAULT_ENGINE, engine
from PDL1PredictorLib.radiomics.extract import extract_features
from PDL1PredictorLib.report.write import write_all


@dataclass(frozen=True)
class Options:
    """What the user may choose beside the case and the model.

    Attributes:
        lesion: `largest`, `all`, or a number: 1 for the largest tumor of the mask, 2 for the next.
        device: `auto`, `cpu`, `cuda` or `mps`.
        engine: The radiomics engine.
        regions: Other region settings than the model's own; the answer then carries a warning.
        runtime: What runs the network: `auto`, `onnxruntime` (on the CPU) or `torch`.
    """

    lesion: str = "largest"
    device: str = "auto"
    engine: str = DEFAULT_ENGINE
    regions: RegionSettings | None = None
    runtime: str = "auto"

    def __post_init__(self) -> None:
        require_lesion(self.lesion)
        require_runtime(self.runtime, "cpu")


def predict_files(
    files: Files,
    model: Path,
    out: Path,
    options: Options = Options(),
    overwrite: bool = False,
    with_patient: bool = False,
    progress: Progress = SILENT,
) -> CaseResult:
    """Read a case, predict, and write the whole answer into `out`, or nothing.

    Args:
        files: The case.
        model: Bundle folder or .zip.
        out: Folder to make.
        options: What may be chosen.
        overwrite: Replace an existing folder.
        with_patient: Write the case's name and clinical values too; without it the output names no patient.
        progress: Told on the way; raises `CancelledError` when the user cancelled.
    """
    with whole_folder(out, overwrite) as draft:
        return predict_into(draft, files, model, options, with_patient, progress)


def predict_into(
    draft: Path,
    files: Files,
    model: Path | Predictor,
    options: Options = Options(),
    with_patient: bool = False,
    progress: Progress = SILENT,
) -> CaseResult:
    """Read a case, predict, and write the whole answer into an existing folder; see `predict_files`.

    Args:
        draft: The folder, best one that appears when all is well (`core.files.output.whole_folder`).
        files: The case.
        model: Bundle folder or .zip, or a loaded model that serves many cases.
        options: What may be chosen.
        with_patient: Write the case's name and clinical values too.
        progress: Told on the way.
    """
    with progress.part("read", 0.0, 0.1, "reading the images"):
        read = read_case(files)
    with progress.part("model", 0.1, 0.15, "checking the model"):
        predictor = load_predictor(model) if isinstance(model, Path) else model
    with _part_of(progress, 0.15, 0.95) as part:
        result = predict_case(read.case, predictor, options, part, read.ring)
    with progress.part("report", 0.95, 1.0, "writing the report"):
        seconds = {stage: round(s, 3) for stage, s in progress.seconds.items()}
        result = replace(
            result,
            warnings=(*read.warnings, *result.warnings),
            provenance=replace(result.provenance, seconds=seconds),
        )
        write_all(result, draft, with_patient=with_patient)
    progress.step("done", 1.0, "done")
    return result


@contextmanager
def _part_of(progress: Progress, low: float, high: float) -> Iterator[Progress]:
    """A stretch of the whole without a name of its own: the steps inside it have theirs."""
    with progress.part("predict", low, high) as part:
        yield part
    progress.seconds.pop("predict", None)


def predict_case(
    case: Case,
    predictor: Predictor,
    options: Options = Options(),
    progress: Progress = SILENT,
    ring: sitk.Image | None = None,
) -> CaseResult:
    """Predict the tumor, or each tumor, of a case.

    Args:
        case: CT and mask.
        predictor: The model.
        options: What may be chosen.
        progress: Told on the way.
        ring: An edited ring on the CT's grid, for the one tumor that is predicted.

    Raises:
        PDL1Error: With what to do.
    """
    started = datetime.now(UTC)
    tumors = choose_tumors(case.tumor, options.lesion)
    require_one_for_ring(len(tumors.chosen), ring)
    warnings = list(tumors.warnings)
    device = _device(predictor, options)
    results, answered = [], []
    for position, (index, mask) in enumerate(tumors.chosen):
        with _part_of(progress, position / len(tumors.chosen), (position + 1) / len(tumors.chosen)) as part:
            lesion_case = replace(case, tumor=mask)
            result, said = _predict_lesion(lesion_case, ring, index, predictor, options, device, part)
        results.append(result)
        answered.append(said)
    settings = options.regions or predictor.regions
    if settings != predictor.regions:
        warnings.append(_settings_warning(settings, predictor.regions))
    return CaseResult(
        case=case.name,
        lesions=tuple(results),
        lesions_found=tumors.found,
        clinical=case.clinical,
        model=predictor.summary,
        provenance=_provenance(case, predictor, options, settings, answered, started, progress),
        warnings=tuple(warnings),
    )


def _device(predictor: Predictor, options: Options) -> str:
    """Where the network will run; asked for before the long work, so that a missing one is told at once."""
    if predictor.needs.picture == "none" or (options.device, options.runtime) == ("auto", "onnxruntime"):
        return "cpu"
    device = choose_device(options.device)
    require_runtime(options.runtime, device)
    return device


def _predict_lesion(
    case: Case,
    ring: sitk.Image | None,
    index: int,
    predictor: Predictor,
    options: Options,
    device: str,
    progress: Progress,
) -> tuple[LesionResult, Answered]:
    settings, measured = options.regions or predictor.regions, predictor.features
    with progress.part("regions", 0.0, 0.15, f"tumor {index}: drawing the regions"):
        margin_mm = 0.0 if measured is None else measured.margin_at(settings.spacing_mm)
        regions = make_regions(case, settings, margin_mm, ring)
        patch = None if predictor.needs.picture == "none" else deep_patch(case, regions, settings)
        tumor = measure(regions.ct, regions.tumor)
    features: dict[str, float] = {}
    if measured is not None:
        text = f"tumor {index}: measuring {measured.feature_count()} features"
        with progress.part("features", 0.15, 0.8, text) as part:
            features = extract_features(regions, measured, options.engine, part)
    with _part_of(progress, 0.8, 0.97) as part:
        given = Given(features if measured is not None else None, patch, tumor.volume_ml, case.clinical)
        said = predictor.answer(given, device, part, options.runtime)
    with progress.part("pictures", 0.97, 1.0, f"tumor {index}: making pictures"):
        center = centroid_lps_mm(regions.tumor)
        view = views_volume(case, center, settings)
    result = LesionResult(
        index=index,
        center_lps_mm=center,
        tumor=tumor,
        ring=measure(regions.ct, regions.ring),
        endpoints=said.answers,
        features=features,
        scores=said.scores,
        atypicality=said.atypicality,
        warnings=(*regions.warnings, *said.warnings),
        heat_maps=said.heat_maps,
        tumor_image=regions.tumor,
        ring_image=regions.ring,
        views_ct=view,
    )
    return result, said


def _settings_warning(used: RegionSettings, trained: RegionSettings) -> CaseWarning:
    own = trained.to_dict()
    changed = [f"{name} {own.get(name)} -> {value}" for name, value in used.to_dict().items() if value != own.get(name)]
    text = "The regions were made with other settings than the model was trained with: " + ", ".join(changed) + "."
    return CaseWarning("other_settings", text)


def _provenance(
    case: Case,
    predictor: Predictor,
    options: Options,
    settings: RegionSettings,
    answered: list[Answered],
    started: datetime,
    progress: Progress,
) -> Provenance:
    measured = predictor.features
    chosen = None if measured is None else engine(options.engine)
    return Provenance(
        library_version=__version__,
        created_utc=started.isoformat(timespec="seconds"),
        device=", ".join(sorted({said.device for said in answered})),
        network=", ".join(sorted({said.network for said in answered})),
        engine="none" if chosen is None else f"{chosen.name} {chosen.version}",
        settings={
            "lesion": options.lesion,
            "regions": settings.to_dict(),
            "features": None if measured is None else json.loads(json.dumps(measured.to_dict())),
        },
        versions=versions(),
        ct_sha256=image_sha256(case.ct),
        tumor_sha256=image_sha256(case.tumor),
        seconds={stage: round(s, 3) for stage, s in progress.seconds.items()},
    )

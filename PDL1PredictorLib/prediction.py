"""One case, front door to back: files or a `Case` in, a `CaseResult` or a folder out."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib import __version__
from PDL1PredictorLib.core.case import Case, grid_text
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.output import whole_folder
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.provenance import versions
from PDL1PredictorLib.core.results import (
    BinaryAnswer,
    CaseResult,
    CaseWarning,
    Contribution,
    HeatMap,
    LesionResult,
    Provenance,
)
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.explain.shapley import exact_shapley
from PDL1PredictorLib.imaging.case_files import Files, read_case
from PDL1PredictorLib.imaging.lesions import choose_tumors, require_lesion, require_one_for_ring
from PDL1PredictorLib.imaging.measures import centroid_lps_mm, measure
from PDL1PredictorLib.imaging.patch import Patch, deep_patch, place_map
from PDL1PredictorLib.imaging.regions import make_regions
from PDL1PredictorLib.imaging.views import views_volume
from PDL1PredictorLib.models.bundle import read_bundle
from PDL1PredictorLib.models.deep_radscore import DeepRadScore, Inputs
from PDL1PredictorLib.models.device import choose_device
from PDL1PredictorLib.models.manifest import EndpointModel
from PDL1PredictorLib.models.network import NetworkOutput
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
    """

    lesion: str = "largest"
    device: str = "auto"
    engine: str = DEFAULT_ENGINE
    regions: RegionSettings | None = None

    def __post_init__(self) -> None:
        require_lesion(self.lesion)


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
        with progress.part("read", 0.0, 0.1, "reading the images"):
            read = read_case(files)
        with progress.part("model", 0.1, 0.15, "checking the model"):
            predictor = DeepRadScore(read_bundle(model))
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
    predictor: DeepRadScore,
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
    device = choose_device(options.device)
    results, devices = [], []
    for position, (index, mask) in enumerate(tumors.chosen):
        with _part_of(progress, position / len(tumors.chosen), (position + 1) / len(tumors.chosen)) as part:
            lesion_case = replace(case, tumor=mask)
            result, used = _predict_lesion(lesion_case, ring, index, predictor, options, device, part)
        results.append(result)
        devices.append(used)
    settings = options.regions or predictor.manifest.regions
    if settings != predictor.manifest.regions:
        warnings.append(_settings_warning(settings, predictor.manifest.regions))
    return CaseResult(
        case=case.name,
        lesions=tuple(results),
        lesions_found=tumors.found,
        clinical=case.clinical,
        model=predictor.manifest.summary,
        provenance=_provenance(case, predictor, options, settings, devices, started, progress),
        warnings=tuple(warnings),
    )


def _predict_lesion(
    case: Case,
    ring: sitk.Image | None,
    index: int,
    predictor: DeepRadScore,
    options: Options,
    device: str,
    progress: Progress,
) -> tuple[LesionResult, str]:
    manifest = predictor.manifest
    settings = options.regions or manifest.regions
    with progress.part("regions", 0.0, 0.15, f"tumor {index}: drawing the regions"):
        regions = make_regions(case, settings, manifest.features.margin_at(settings.spacing_mm), ring)
        patch = deep_patch(case, regions, settings)
    with progress.part(
        "features", 0.15, 0.8, f"tumor {index}: measuring {manifest.features.feature_count()} features"
    ) as part:
        features = extract_features(regions, manifest.features, options.engine, part)
    with progress.part("network", 0.8, 0.93, f"tumor {index}: running the network"):
        network = predictor.network.run(patch, device)
        heat_maps = _placed(predictor, network, patch)
    with progress.part("answer", 0.93, 0.97, f"tumor {index}: answering"):
        inputs = predictor.inputs(network.deep, features)
        answers = tuple(_endpoint_prediction(predictor, model, inputs) for model in manifest.endpoints)
    with progress.part("pictures", 0.97, 1.0, f"tumor {index}: making pictures"):
        center = centroid_lps_mm(regions.tumor)
        view = views_volume(case, center, settings)
    result = LesionResult(
        index=index,
        center_lps_mm=center,
        tumor=measure(regions.ct, regions.tumor),
        ring=measure(regions.ct, regions.ring),
        endpoints=answers,
        features=features,
        scores={
            key: dict(zip(("radscore_tumor", "radscore_ring"), pair, strict=True))
            for key, pair in inputs.radscores.items()
        },
        atypicality=inputs.atypicality,
        warnings=(*regions.warnings, *network.warnings, *_case_warnings(inputs, patch, heat_maps)),
        heat_maps=heat_maps,
        tumor_image=regions.tumor,
        ring_image=regions.ring,
        views_ct=view,
    )
    return result, network.device


def _placed(predictor: DeepRadScore, network: NetworkOutput, patch: Patch) -> tuple[HeatMap, ...]:
    keys = [model.key for model in predictor.manifest.endpoints]
    return tuple(
        HeatMap(key, place_map(values, patch), network.method) for key, values in zip(keys, network.maps, strict=True)
    )


def _endpoint_prediction(predictor: DeepRadScore, model: EndpointModel, inputs: Inputs) -> BinaryAnswer:
    row = predictor.standardized(model, inputs)
    answer = predictor.answer(model, row)
    shares = exact_shapley(lambda rows: predictor.log_odds(model, rows), row, np.zeros_like(row))
    contributions = [
        Contribution(name, float(value), float(effect))
        for name, value, effect in zip(predictor.manifest.inputs, row, shares.values, strict=True)
    ]
    return BinaryAnswer(
        endpoint=model.key,
        probability=answer.probability,
        interval=answer.interval,
        threshold=model.threshold,
        positive=answer.positive,
        prediction_set=answer.prediction_set,
        coverage=predictor.manifest.coverage,
        contributions=tuple(sorted(contributions, key=lambda c: -abs(c.effect))),
    )


def _case_warnings(inputs: Inputs, patch: Patch, heat_maps: tuple[HeatMap, ...]) -> Iterator[CaseWarning]:
    if inputs.missing:
        names = ", ".join(inputs.missing[:3]) + (" ..." if len(inputs.missing) > 3 else "")
        text = f"{len(inputs.missing)} feature(s) have no value here ({names}); the training mean was used for them."
        yield CaseWarning("features_missing", text)
    if patch.padded_fraction > 0:
        text = f"{patch.padded_fraction:.0%} of the network's patch lies outside the CT and was filled with air."
        yield CaseWarning("patch_padded", text)
    flat = [heat.endpoint for heat in heat_maps if not sitk.GetArrayViewFromImage(heat.image).any()]
    if flat:
        names = ", ".join(endpoint(key).title for key in flat)
        yield CaseWarning(
            "heat_map_empty", f"Nothing in the picture speaks for a positive answer, so the heat map is empty: {names}."
        )


def _settings_warning(used: RegionSettings, trained: RegionSettings) -> CaseWarning:
    own = trained.to_dict()
    changed = [f"{name} {own.get(name)} -> {value}" for name, value in used.to_dict().items() if value != own.get(name)]
    text = "The regions were made with other settings than the model was trained with: " + ", ".join(changed) + "."
    return CaseWarning("other_settings", text)


def _provenance(
    case: Case,
    predictor: DeepRadScore,
    options: Options,
    settings: RegionSettings,
    devices: list[str],
    started: datetime,
    progress: Progress,
) -> Provenance:
    chosen = engine(options.engine)
    return Provenance(
        library_version=__version__,
        created_utc=started.isoformat(timespec="seconds"),
        device=", ".join(sorted(set(devices))),
        network="torch",
        engine=f"{chosen.name} {chosen.version}",
        settings={
            "lesion": options.lesion,
            "regions": settings.to_dict(),
            "features": json.loads(json.dumps(predictor.manifest.features.to_dict())),
        },
        versions=versions(),
        ct_sha256=image_sha256(case.ct),
        tumor_sha256=image_sha256(case.tumor),
        seconds={stage: round(s, 3) for stage, s in progress.seconds.items()},
    )


def image_sha256(image: sitk.Image) -> str:
    """Hash of a volume's voxels and grid: the same for every file format that keeps both."""
    digest = hashlib.sha256(f"{grid_text(image)} {[round(d, 6) for d in image.GetDirection()]}".encode())
    digest.update(np.ascontiguousarray(sitk.GetArrayViewFromImage(image)).astype("<f4").tobytes())
    return digest.hexdigest()

"""One case, front door to back: files or a `Case` in, a `CaseResult` or a folder out."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import SimpleITK as sitk

from PDL1PredictorLib import __version__
from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.errors import EmptyRegionError, InputError
from PDL1PredictorLib.core.files.output import whole_folder
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.provenance import versions
from PDL1PredictorLib.core.results import CaseResult, CaseWarning, LesionResult, Provenance, VoxelMap
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.filing.request import NOTHING, Filing, require_ready
from PDL1PredictorLib.imaging.case_files import Files, read_case
from PDL1PredictorLib.imaging.file_hashes import image_sha256
from PDL1PredictorLib.imaging.heat import with_shares
from PDL1PredictorLib.imaging.lesions import axial_slice, choose_tumors, require_lesion, require_one_for_ring
from PDL1PredictorLib.imaging.measures import centroid_lps_mm, measure, range_ml, volume_ml
from PDL1PredictorLib.imaging.moved import CONTOUR_MM, moved_contour
from PDL1PredictorLib.imaging.patch import Patch, deep_patch, deep_patches
from PDL1PredictorLib.imaging.regions import Regions, make_regions
from PDL1PredictorLib.imaging.sanity import pixel_aspect, sanity_row
from PDL1PredictorLib.imaging.views import views_volume
from PDL1PredictorLib.imaging.volume import tumor_volume
from PDL1PredictorLib.models.case_warnings import (
    TRAINING_CASE,
    heat_warnings,
    pet_as_needed,
    prevalence_warning,
    settings_warning,
)
from PDL1PredictorLib.models.device import choose_device
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.network.run import require_runtime
from PDL1PredictorLib.models.predictor import Answered, Given, Predictor
from PDL1PredictorLib.models.schema.origin import learned_from
from PDL1PredictorLib.radiomics.engine import DEFAULT_ENGINE, engine
from PDL1PredictorLib.radiomics.extract import extract_features
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.radiomics.voxel_maps import voxel_maps
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
        stability: Answer again under contours moved outwards and inwards by 1 mm, and tell the range of the answers.
        prevalence: Endpoint to the share of positives where its answer is used, between 0 and 1: probabilities and
            thresholds are shifted from the training's to that. Endpoints that are not named keep that of the training.
        voxel_maps: Map the features over the tumor that the model asks for, for a look; takes seconds.
    """

    lesion: str = "largest"
    device: str = "auto"
    engine: str = DEFAULT_ENGINE
    regions: RegionSettings | None = None
    runtime: str = "auto"
    stability: bool = True
    prevalence: Mapping[str, float] = field(default_factory=dict)
    voxel_maps: bool = True

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
    filing: Filing = NOTHING,
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
        filing: What to write besides, for an archive or on paper.
    """
    require_ready(filing, files.ct)
    with whole_folder(out, overwrite) as draft:
        return predict_into(draft, files, model, options, with_patient, progress, filing)


def predict_into(
    draft: Path,
    files: Files,
    model: Path | Predictor,
    options: Options = Options(),
    with_patient: bool = False,
    progress: Progress = SILENT,
    filing: Filing = NOTHING,
) -> CaseResult:
    """Read a case, predict, and write the whole answer into an existing folder; see `predict_files`.

    Args:
        draft: The folder, best one that appears when all is well (`core.files.output.whole_folder`).
        files: The case.
        model: Bundle folder or .zip, or a loaded model that serves many cases.
        options: What may be chosen.
        with_patient: Write the case's name and clinical values too.
        progress: Told on the way.
        filing: Likewise.
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
        if filing != NOTHING:
            from PDL1PredictorLib.filing.write import file_result  # its packages are asked for only then

            file_result(filing, result, files, read, options.lesion, draft, with_patient)
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
    case, told = pet_as_needed(case, predictor)
    warnings = [*tumors.warnings, *told]
    device = _device(predictor, options)
    require_prevalence(options.prevalence, predictor)
    results, answered = [], []
    for position, (index, mask) in enumerate(tumors.chosen):
        with _part_of(progress, position / len(tumors.chosen), (position + 1) / len(tumors.chosen)) as part:
            lesion_case = replace(case, tumor=mask)
            result, said = _predict_lesion(lesion_case, ring, index, predictor, options, device, part)
        results.append(result)
        answered.append(said)
    settings = options.regions or predictor.regions
    if settings != predictor.regions:
        warnings.append(settings_warning(settings, predictor.regions))
    if options.prevalence:
        warnings.append(prevalence_warning(options.prevalence))
    provenance = _provenance(case, predictor, options, settings, answered, started, progress)
    training_case = learned_from(predictor.seen_cases, provenance.ct_sha256)
    if training_case:
        warnings.append(CaseWarning("training_case", TRAINING_CASE))
    return CaseResult(
        case=case.name,
        lesions=tuple(results),
        lesions_found=tumors.found,
        clinical=case.clinical,
        model=predictor.summary,
        provenance=provenance,
        warnings=tuple(warnings),
        training_case=training_case,
        study=case.study,
    )


def _device(predictor: Predictor, options: Options) -> str:
    """Where the network will run; asked for before the long work, so that a missing one is told at once."""
    if predictor.needs.picture != "slice" or (options.device, options.runtime) == ("auto", "onnxruntime"):
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
    making, measured = _Making(predictor, options, ring), predictor.features
    with progress.part("regions", 0.0, 0.1, f"tumor {index}: drawing the regions"):
        regions = making.regions(case, measured)
    with progress.part("features", 0.1, 0.55, f"tumor {index}: measuring {making.n_features} features") as part:
        given = making.given(case, regions, measured, part)
        given = replace(given, sanity=sanity_row(case, regions), pixel_aspect=pixel_aspect(case))
    with progress.part("stability", 0.55, 0.85, f"tumor {index}: moving the contour") as part:
        moved = tuple(making.moved(case, part)) if options.stability else ()
    with _part_of(progress, 0.85, 0.94) as part:
        said = predictor.answer(replace(given, moved=moved), device, part, options.runtime)
    with progress.part("pictures", 0.94, 1.0, f"tumor {index}: making pictures") as part:
        maps = making.maps(regions, part)
        center = centroid_lps_mm(regions.tumor)
        view = views_volume(case, center, making.settings)
    heat_maps = tuple(with_shares(heat_map, regions) for heat_map in said.heat_maps)
    result = LesionResult(
        index=index,
        center_lps_mm=center,
        tumor=measure(regions.ct, regions.tumor),
        ring=measure(regions.ct, regions.ring),
        endpoints=said.answers,
        features=dict(given.features or {}),
        scores=said.scores,
        atypicality=said.atypicality,
        warnings=(*regions.warnings, *said.warnings, *heat_warnings(heat_maps)),
        heat_maps=heat_maps,
        tumor_image=regions.tumor,
        ring_image=regions.ring,
        views_ct=view,
        unlike=said.unlike,
        voxel_maps=maps,
        volume_range_ml=range_ml(given.volume_ml, [one.volume_ml for one in moved]) if options.stability else None,
        slice_number=axial_slice(case.ct, center),
    )
    return result, said


@dataclass(frozen=True, eq=False)
class _Making:
    """How what a model needs of a tumor is made.

    Attributes:
        predictor: The model.
        options: What was chosen.
        ring: An edited ring.
    """

    predictor: Predictor
    options: Options
    ring: sitk.Image | None

    @property
    def settings(self) -> RegionSettings:
        return self.options.regions or self.predictor.regions

    @property
    def n_features(self) -> int:
        measured = self.predictor.features
        return 0 if measured is None else measured.feature_count()

    def regions(self, case: Case, measured: FeatureSettings | None) -> Regions:
        margin_mm = 0.0 if measured is None else measured.margin_at(self.settings.spacing_mm)
        return make_regions(case, self.settings, margin_mm, self.ring)

    def given(self, case: Case, regions: Regions, measured: FeatureSettings | None, progress: Progress) -> Given:
        """Everything but the plain measures; the features of `measured` alone."""
        features = None if measured is None else extract_features(regions, measured, self.options.engine, progress)
        needs, patches = self.predictor.needs, self._patches(case, regions)
        return Given(
            features=features,
            patch=patches[0] if patches else None,
            volume_ml=volume_ml(regions.tumor),
            clinical=case.clinical,
            neighbors=patches[1:],
            synthetic=case.synthetic,
            prevalence=self.options.prevalence,
            volume=None if needs.volume is None else tumor_volume(case, needs.volume),
        )

    def maps(self, regions: Regions, progress: Progress) -> tuple[VoxelMap, ...]:
        """Of the features that the model asks for."""
        names, measured = self.predictor.voxel_maps, self.predictor.features
        if not names or measured is None or not self.options.voxel_maps:
            return ()
        return voxel_maps(regions, measured, names, progress)

    def _patches(self, case: Case, regions: Regions) -> tuple[Patch, ...]:
        if self.predictor.needs.picture != "slice":
            return ()
        if self.predictor.slices <= 1:
            return (deep_patch(case, regions, self.settings),)
        return deep_patches(case, regions, self.settings)

    def moved(self, case: Case, progress: Progress) -> Iterator[Given]:
        """The same tumor with its contour moved inwards and outwards; a move that leaves too little is left out.

        Of the radiomic features those alone that the model uses: none for a model of the volume.
        """
        own = self.predictor.features
        measured = None if own is None else own.limited_to(self.predictor.used_features)
        for number, by_mm in enumerate((-CONTOUR_MM, CONTOUR_MM)):
            with _part_of(progress, number / 2, (number + 1) / 2) as part, suppress(EmptyRegionError):
                moved = moved_contour(case, by_mm)
                yield self.given(moved, self.regions(moved, measured), measured, part)


def require_prevalence(prevalence: Mapping[str, float], predictor: Predictor) -> None:
    """Refuse a prevalence of what the model does not answer.

    Raises:
        InputError: An endpoint is not among the model's, or a prevalence is none.
    """
    if strange := sorted(set(prevalence) - set(predictor.endpoints)):
        raise InputError(
            f"The model answers {', '.join(predictor.endpoints)}; a prevalence was given for {', '.join(strange)}."
        )
    for key, share in prevalence.items():
        if not endpoint(key).yes_no or not 0 < share < 1:
            raise InputError(f"A prevalence is a share between 0 and 1 of a yes/no endpoint; got {share!r} for {key}.")


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
            "stability": options.stability,
            "prevalence": dict(options.prevalence),
            "regions": settings.to_dict(),
            "features": None if measured is None else json.loads(json.dumps(measured.to_dict())),
        },
        versions=versions(),
        ct_sha256=image_sha256(case.ct),
        tumor_sha256=image_sha256(case.tumor),
        seconds={stage: round(s, 3) for stage, s in progress.seconds.items()},
        outline=case.outline,
    )

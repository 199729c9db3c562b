"""The commands for one case: predict, features."""

import argparse
import math
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from PDL1PredictorLib.cli.options import (
    add_case,
    add_device,
    add_out,
    add_preset,
    add_prevalence,
    files,
    named_case,
    prevalence_of,
    region_choices,
    with_choices,
)
from PDL1PredictorLib.cli.predict_cohort import add_cohort, predict_cohort, require_one_way
from PDL1PredictorLib.cli.speaker import Speaker, add_command, notes, plain_warnings
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.resources import SYNTHETIC_MODEL, default_model, find_model


def add(commands: Any) -> None:
    """Add `predict` and `features` to the commands."""
    _add_predict(commands)
    _add_features(commands)


def _add_predict(commands: Any) -> None:
    command = add_command(commands, "predict", "Predict one case: result, report, heat maps, regions.", _predict)
    add_case(command)
    add_cohort(command)
    command.add_argument(
        "--model",
        help=f"bundle: name, folder or .zip; must be named for a patient's CT ({SYNTHETIC_MODEL} for a synthetic one)",
    )
    add_device(command)
    command.add_argument(
        "--runtime", default="auto", help="what runs the network: auto, onnxruntime or torch (default: auto)"
    )
    command.add_argument(
        "--no-stability", action="store_true", help="do not answer again under contours moved by 1 mm; is quicker"
    )
    command.add_argument(
        "--no-maps",
        action="store_true",
        help="do not map features over the tumor, as some models ask for; is quicker",
    )
    add_prevalence(command)
    command.add_argument("--with-patient", action="store_true", help="write the case's name and clinical values too")
    command.add_argument(
        "--dicom",
        nargs="?",
        const=True,
        default=False,
        metavar="SERIES",
        help="write DICOM objects for the CT's study, too (folder dicom); they name the patient, as the CT does. "
        "SERIES: folder of the series that the CT was made from, where --ct is a volume file",
    )
    command.add_argument("--paper", help="write report.pdf, too, on A4 or Letter; of the DICOM report, too")
    add_out(command, "folder to make")


def _add_features(commands: Any) -> None:
    command = add_command(commands, "features", "Write the radiomic features of one case as a table.", _features)
    add_case(command, engines="pdl1 (default), pyradiomics, or both: their values side by side and how far apart")
    add_preset(command)
    add_out(command, "CSV file to make")


def _predict(options: argparse.Namespace, speaker: Speaker) -> int:
    named_case(options)
    require_one_way(options)
    from PDL1PredictorLib.filing.request import Filing, paper_of
    from PDL1PredictorLib.imaging.read import is_synthetic
    from PDL1PredictorLib.models.bundle import read_bundle
    from PDL1PredictorLib.models.manifest import read_manifest
    from PDL1PredictorLib.prediction import Options, predict_files
    from PDL1PredictorLib.report.text import summary

    model = find_model(options.model or default_model(options.ct is not None and is_synthetic(options.ct)))
    wanted = region_choices(options)
    manifest = read_manifest(read_bundle(model))
    regions = with_choices(manifest.regions, wanted) if wanted else None
    chosen = Options(
        options.lesion,
        options.device,
        options.engine,
        regions,
        options.runtime,
        stability=not options.no_stability,
        prevalence=prevalence_of(options.prevalence, manifest.summary.endpoints),
        voxel_maps=not options.no_maps,
    )
    if options.cohort is not None:
        return predict_cohort(options, model, chosen, speaker, manifest.needs)
    case = files(options, manifest.needs.declared)
    series = Path(options.dicom) if isinstance(options.dicom, str) else None
    filing = Filing(bool(options.dicom), paper_of(options.paper), series)
    result = predict_files(
        case,
        model,
        options.out,
        chosen,
        options.overwrite,
        options.with_patient,
        speaker.progress(),
        filing,
    )
    report = options.out / "report.html"
    speaker.done(f"{summary(result)}\n\nReport: {report}", out=str(options.out), report=str(report))
    return 0


def _features(options: argparse.Namespace, speaker: Speaker) -> None:
    named_case(options)
    if options.ct is None or options.tumor is None:
        raise InputError("Give one case: CT and MASK, or --ct and --mask.")
    from PDL1PredictorLib.core.files.output import whole_file
    from PDL1PredictorLib.core.settings import RegionSettings
    from PDL1PredictorLib.imaging.case_files import read_case
    from PDL1PredictorLib.radiomics.extract import measure_tumors
    from PDL1PredictorLib.radiomics.settings import preset
    from PDL1PredictorLib.report.csv_table import write_features

    if options.engine == "both":
        _compare_engines(options, speaker)
        return
    settings = preset(options.preset)
    regions = with_choices(RegionSettings(), region_choices(options))
    with whole_file(options.out, options.overwrite) as draft:
        read = read_case(files(options))
        measured = measure_tumors(read, regions, settings, options.engine, options.lesion, speaker.progress())
        write_features(measured.features, measured.warnings, draft)
    n = len(settings.feature_names())
    text = f"{n} features: {options.out}"
    if len(measured.features) > 1:
        text = f"{n} features of each of {len(measured.features)} tumors: {options.out}"
    speaker.done(f"{text}{notes(measured.told)}", out=str(options.out), n=n, warnings=plain_warnings(measured.told))


def _compare_engines(options: argparse.Namespace, speaker: Speaker) -> None:
    """Both engines on one case: every value into the table, the largest difference of each class onto the screen."""
    from PDL1PredictorLib.core.files.output import whole_file
    from PDL1PredictorLib.core.settings import RegionSettings
    from PDL1PredictorLib.imaging.case_files import read_case
    from PDL1PredictorLib.imaging.lesions import choose_tumors
    from PDL1PredictorLib.imaging.regions import make_regions
    from PDL1PredictorLib.radiomics.agreement import differences, largest_by_class
    from PDL1PredictorLib.radiomics.engine import ENGINES
    from PDL1PredictorLib.radiomics.extract import extract_features
    from PDL1PredictorLib.radiomics.settings import preset
    from PDL1PredictorLib.report.csv_table import write_comparison

    settings = preset(options.preset)
    choices = with_choices(RegionSettings(), region_choices(options))
    progress = speaker.progress()
    values, seconds = {}, {}
    with whole_file(options.out, options.overwrite) as draft:
        read = read_case(files(options))
        tumors = choose_tumors(read.case.tumor, options.lesion)
        if len(tumors.chosen) > 1:
            raise InputError("Two engines are compared on one tumor. Choose it by its number (--lesion 1).")
        case = replace(read.case, tumor=tumors.chosen[0][1])
        regions = make_regions(case, choices, settings.margin_at(choices.spacing_mm), read.ring)
        for position, name in enumerate(ENGINES):
            started = perf_counter()
            with progress.part(name, position / 2, (position + 1) / 2, name) as part:
                values[name] = extract_features(regions, settings, name, part)
            seconds[name] = perf_counter() - started
        found = differences(values["pdl1"], values["pyradiomics"])
        write_comparison(found, ("pdl1", "pyradiomics"), draft)
    lines = [f"{family:<11}{d.relative:9.1e}  {d.feature}" for family, d in largest_by_class(found).items()]
    times = ", ".join(f"{name} {seconds[name]:.2f} s" for name in ENGINES)
    text = "\n".join(["Largest relative difference of each class:", *lines, f"{times}. All values: {options.out}"])
    told = (*read.warnings, *tumors.warnings, *regions.warnings)
    largest = max(d.relative for d in found)
    speaker.done(
        f"{text}{notes(told)}",
        out=str(options.out),
        n=len(found),
        largest=largest if math.isfinite(largest) else None,
        warnings=plain_warnings(told),
    )

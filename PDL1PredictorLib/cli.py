"""The command `pdl1`: predict, features, models, ibsi, phantom, train."""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from PDL1PredictorLib import RESEARCH_USE_ONLY, __version__, cli_cohort, cli_deep, cli_tables, cli_train
from PDL1PredictorLib.cli_common import Speaker, add_command, notes, plain_warnings, typed
from PDL1PredictorLib.cli_ending import ended
from PDL1PredictorLib.core import ending
from PDL1PredictorLib.core.errors import EXIT_REFUSED as EXIT_REFUSED
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.strict_json import strict_json
from PDL1PredictorLib.resources import DEFAULT_MODEL, find_model, model_folders

ENGINE = "pdl1"  # radiomics.engine.DEFAULT_ENGINE, whose page loads SimpleITK


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 done, 2 refused with a reason, 70 a fault of this library, 130 interrupted, 141 nobody reads.
    """
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(given)
    options.typed = typed(given)
    speaker = Speaker(options.progress)
    with ending.heeded(speaker.speaks_json):
        return ended(lambda: options.run(options, speaker), speaker, options.typed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pdl1",
        description=(
            "Predicts PD-L1 status and other biomarkers of non-small-cell lung cancer from a chest CT and a tumor mask."
        ),
        epilog=RESEARCH_USE_ONLY,
    )
    parser.add_argument("--version", action="version", version=f"pdl1 {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_predict, _add_features, _add_models, _add_ibsi, _add_phantom):
        add(commands)
    for page in (cli_cohort, cli_tables, cli_train, cli_deep):
        page.add(commands)
    return parser


def _add_case(
    command: argparse.ArgumentParser, engines: str = "pdl1 (default), or pyradiomics, which judges it"
) -> None:
    command.add_argument(
        "--ct", type=Path, required=True, help="CT: NIfTI, NRRD, MetaImage, or a folder of one DICOM series"
    )
    command.add_argument(
        "--tumor", type=Path, required=True, help="tumor mask: NIfTI, NRRD, MetaImage, DICOM RTSTRUCT or SEG"
    )
    command.add_argument("--ring", type=Path, help="mask of an edited ring, used in place of the one that is drawn")
    command.add_argument("--segment", help="which region of the mask file, by name or number, where it has several")
    command.add_argument("--series", help="SeriesInstanceUID, where the DICOM folder has several series")
    command.add_argument("--resample-mask", action="store_true", help="bring a mask on another grid onto the CT's")
    command.add_argument("--clinical", type=Path, help="JSON file with age_years, sex, smoking, family_history ...")
    command.add_argument("--name", default="case", help="how the case is called (default: case)")
    command.add_argument("--engine", default=ENGINE, help=f"radiomics engine: {engines}")
    command.add_argument(
        "--ring-mm", type=float, help="thickness of the peritumoral ring in mm (default: the model's, or 3)"
    )
    command.add_argument(
        "--exclude-air", action="store_true", default=None, help="leave air outside the body out of the ring"
    )
    command.add_argument("--exclude-bone", action="store_true", default=None, help="leave bone out of the ring")
    command.add_argument(
        "--lesion", default="largest", help="'largest' tumor of the mask (default), 'all', or its number by size"
    )
    command.add_argument("--overwrite", action="store_true", help="replace existing output")


def _add_predict(commands: Any) -> None:
    command = add_command(commands, "predict", "Predict one case: result, report, heat maps, regions.", _predict)
    _add_case(command)
    command.add_argument(
        "--model", default=DEFAULT_MODEL, help=f"bundle: name, folder or .zip (default: {DEFAULT_MODEL})"
    )
    command.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    command.add_argument("--with-patient", action="store_true", help="write the case's name and clinical values too")
    command.add_argument("--out", type=Path, required=True, help="folder to make")


def _add_features(commands: Any) -> None:
    command = add_command(commands, "features", "Write the radiomic features of one case as a table.", _features)
    _add_case(command, engines="pdl1 (default), pyradiomics, or both: their values side by side and how far apart")
    command.add_argument("--preset", default="deepradscore", help="deepradscore (default), pdl1es or karim")
    command.add_argument("--out", type=Path, required=True, help="CSV file to make")


def _add_models(commands: Any) -> None:
    add_command(commands, "models", "List the models, each checked.", _models)


def _add_ibsi(commands: Any) -> None:
    command = add_command(commands, "ibsi", "Hold features and filters against the reference values of IBSI.", _ibsi)
    command.add_argument(
        "--reference", type=Path, required=True, help="folder with the tables of reference values and the phantoms"
    )


def _add_phantom(commands: Any) -> None:
    command = add_command(commands, "phantom", "Make a synthetic cohort with known truth.", _phantom)
    command.add_argument("--n", type=int, default=10, help="patients (default: 10)")
    command.add_argument("--seed", type=int, default=1, help="the same seed makes the same patients (default: 1)")
    command.add_argument(
        "--extent", choices=("chest", "tumor"), default="chest", help="whole chest (default) or around the tumor"
    )
    command.add_argument("--overwrite", action="store_true", help="replace an existing folder")
    command.add_argument("--out", type=Path, required=True, help="folder to make")


def _predict(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.models.bundle import read_bundle
    from PDL1PredictorLib.models.manifest import read_manifest
    from PDL1PredictorLib.predict import Options, predict_files
    from PDL1PredictorLib.report.text import summary

    model = find_model(options.model)
    wanted = _region_choices(options)
    regions = _with_choices(read_manifest(read_bundle(model)).regions, wanted) if wanted else None
    chosen = Options(options.lesion, options.device, options.engine, regions)
    result = predict_files(
        _files(options), model, options.out, chosen, options.overwrite, options.with_patient, speaker.progress()
    )
    report = options.out / "report.html"
    speaker.done(f"{summary(result)}\n\nReport: {report}", out=str(options.out), report=str(report))


def _features(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.core.output import whole_file
    from PDL1PredictorLib.core.settings import RegionSettings
    from PDL1PredictorLib.imaging.case_files import read_case
    from PDL1PredictorLib.radiomics.extract import measure_tumors
    from PDL1PredictorLib.radiomics.settings import preset
    from PDL1PredictorLib.report.csv_table import write_features

    if options.engine == "both":
        _compare_engines(options, speaker)
        return
    settings = preset(options.preset)
    regions = _with_choices(RegionSettings(), _region_choices(options))
    with whole_file(options.out, options.overwrite) as draft:
        read = read_case(_files(options))
        measured = measure_tumors(read, regions, settings, options.engine, options.lesion, speaker.progress())
        write_features(measured.features, measured.warnings, draft)
    n = len(settings.feature_names())
    text = f"{n} features: {options.out}"
    if len(measured.features) > 1:
        text = f"{n} features of each of {len(measured.features)} tumors: {options.out}"
    speaker.done(f"{text}{notes(measured.told)}", out=str(options.out), n=n, warnings=plain_warnings(measured.told))


def _compare_engines(options: argparse.Namespace, speaker: Speaker) -> None:
    """Both engines on one case: every value into the table, the largest difference of each class onto the screen."""
    from PDL1PredictorLib.core.output import whole_file
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
    choices = _with_choices(RegionSettings(), _region_choices(options))
    progress = speaker.progress()
    values, seconds = {}, {}
    with whole_file(options.out, options.overwrite) as draft:
        read = read_case(_files(options))
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


def _models(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.models.bundle import find_bundles
    from PDL1PredictorLib.models.manifest import survey

    lines, found = [], []
    for bundle in survey(find_bundles(model_folders())):
        model = bundle.summary
        if model is None:
            lines.append(f"{bundle.path.name}: cannot be used. {bundle.problem}")
            continue
        endpoints = ", ".join(model.auc)
        lines.append(
            f"{model.name} {model.version}: {model.title}\n  {endpoints}\n  {model.intended_use}\n  sha256 "
            f"{model.sha256}"
        )
        found.append({"name": model.name, "version": model.version, "path": str(bundle.path), "sha256": model.sha256})
    speaker.done(
        "\n".join(lines) or "There is no model. Train one: pdl1 train --recipe demo --out FOLDER", models=found
    )


def _ibsi(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.radiomics.ibsi.reference import check_features, check_filters

    progress = speaker.progress()
    with progress.part("features", 0.0, 0.3) as part:
        found = check_features(options.reference, part)
    with progress.part("filters", 0.3, 1.0) as part:
        found += check_filters(options.reference, part)
    counts = {each.name: f"{len(each.compared) - len(each.misses)}/{len(each.compared)}" for each in found}
    speaker.done("\n".join(str(each) for each in found), agreements=counts)


def _phantom(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.phantom.cohort import write_cohort

    write_cohort(
        options.out, options.n, options.seed, speaker.progress(), extent=options.extent, overwrite=options.overwrite
    )
    speaker.done(f"{options.n} synthetic patients: {options.out / 'cases.csv'}", out=str(options.out), n=options.n)


def _files(options: argparse.Namespace) -> Any:
    from PDL1PredictorLib.imaging.case_files import Files

    return Files(
        ct=options.ct,
        tumor=options.tumor,
        segment=options.segment,
        ring=options.ring,
        series=options.series,
        resample_mask=options.resample_mask,
        clinical=_clinical(options.clinical),
        name=options.name,
    )


def _clinical(file: Path | None) -> Any:
    from PDL1PredictorLib.core.case import Clinical

    if file is None:
        return Clinical()
    try:
        values = strict_json(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(
            f'{file} is not JSON: {error}. Write for example {{"age_years": 63, "sex": "female"}}.'
        ) from error
    return Clinical.from_dict(values)


def _region_choices(options: argparse.Namespace) -> dict[str, Any]:
    names = ("ring_mm", "exclude_air", "exclude_bone")
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def _with_choices(regions: Any, choices: dict[str, Any]) -> Any:
    return type(regions).from_dict({**regions.to_dict(), **choices})

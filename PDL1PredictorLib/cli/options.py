"""Options that several commands take: a case as files, and other region settings than the usual ones."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PDL1PredictorLib.cli.clinical import clinical_given
from PDL1PredictorLib.core.errors import InputError

ENGINE = "pdl1"  # radiomics.engine.DEFAULT_ENGINE, whose page loads SimpleITK


def add_out(command: argparse.ArgumentParser, what: str, required: bool = True) -> None:
    """Where the output goes, and whether it may replace what is there."""
    command.add_argument("--out", type=Path, required=required, help=what)
    command.add_argument("--overwrite", action="store_true", help="replace existing output")


def add_seed(command: argparse.ArgumentParser, of: str) -> None:
    """The seed of all that is drawn."""
    command.add_argument("--seed", type=int, default=1, help=f"{of} (default: 1)")


def add_device(command: argparse.ArgumentParser) -> None:
    """Where networks run."""
    command.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")


def add_work(
    command: argparse.ArgumentParser, processes: str = "processes on this machine", default: int | None = None
) -> None:
    """How many processes share the work."""
    usual = "one a core" if default is None else default
    command.add_argument("--workers", type=int, default=default, help=f"{processes} (default: {usual})")


def add_cache(command: argparse.ArgumentParser) -> None:
    """Where prepared cases are kept; `cache_of` gives the folder."""
    command.add_argument("--cache", type=Path, help="folder for prepared cases (default: OUT with .cache added)")


def cache_of(options: argparse.Namespace) -> Path:
    """The folder of prepared cases: as asked for, or beside the output."""
    folder: Path = options.cache or options.out.with_name(f"{options.out.name}.cache")
    return folder


def add_choice_of_cases(command: argparse.ArgumentParser) -> None:
    """Which cases of a cohort's table, and what is kept apart in folds: see `cohort.own_columns`."""
    command.add_argument("--only", metavar="COLUMN=VALUE", help="cases of the table with this value in a note_ column")
    command.add_argument("--stratify", metavar="COLUMN", help="note_ column whose levels keep their share in each fold")


def add_preset(command: argparse.ArgumentParser) -> None:
    """Which radiomic features are measured."""
    command.add_argument("--preset", default="deepradscore", help="deepradscore (default), pdl1es or karim")


def add_case(
    command: argparse.ArgumentParser,
    engines: str = "pdl1 (default), or pyradiomics, which judges it",
) -> None:
    """The options of a case, its CT and mask also as positions; `named_case` brings the two together."""
    command.add_argument("ct_first", nargs="?", type=Path, metavar="CT", help="the same as --ct")
    command.add_argument("mask_second", nargs="?", type=Path, metavar="MASK", help="the same as --mask")
    command.add_argument("--ct", type=Path, help="CT: NIfTI, NRRD, MetaImage, or a folder of one DICOM series")
    command.add_argument(
        "--tumor", "--mask", type=Path, help="tumor mask: NIfTI, NRRD, MetaImage, DICOM RTSTRUCT or SEG"
    )
    command.add_argument("--ring", type=Path, help="mask of an edited ring, used in place of the one that is drawn")
    command.add_argument("--pet", type=Path, help="PET for models that take one: DICOM folder, or a volume in SUV")
    command.add_argument("--segment", help="which region of the mask file, by name or number, where it has several")
    command.add_argument("--series", help="SeriesInstanceUID, where the DICOM folder has several series")
    command.add_argument(
        "--resample-mask",
        action="store_true",
        help="bring a mask on another grid onto the CT's (default: refuse it)",
    )
    command.add_argument(
        "--fill-gaps",
        action="store_true",
        help="interpolate contours of an RTSTRUCT that are missing on 3 slices in a row or more (default: refuse it)",
    )
    command.add_argument(
        "--clinical",
        metavar="FILE|NAME=VALUE,...",
        help="age_years=63,sex=female,smoking=former,family_history=no and what the model declares, or a JSON file "
        "with these names",
    )
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


def named_case(options: argparse.Namespace) -> None:
    """Take CT and mask from the positions where no option names them.

    Raises:
        InputError: One is named twice.
    """
    for position, option, word in (("ct_first", "ct", "--ct"), ("mask_second", "tumor", "--mask")):
        value = getattr(options, position)
        if value is not None and getattr(options, option) is not None:
            raise InputError(f"{value} and {word} {getattr(options, option)} are given: name it once.")
        if value is not None:
            setattr(options, option, value)


def files(options: argparse.Namespace, declared: Sequence[Any] = ()) -> Any:
    """The case that was named, as `imaging.case_files.Files`; `declared`: clinical columns of the model."""
    from PDL1PredictorLib.imaging.case_files import Files

    return Files(
        ct=options.ct,
        tumor=options.tumor,
        segment=options.segment,
        ring=options.ring,
        series=options.series,
        resample_mask=options.resample_mask,
        clinical=clinical_given(options.clinical, declared),
        name=options.name,
        pet=options.pet,
        fill_gaps=options.fill_gaps,
    )


def add_prevalence(command: argparse.ArgumentParser) -> None:
    """For how frequent a positive is where the answers are used; `prevalence_of` reads it."""
    command.add_argument(
        "--prevalence",
        action="append",
        default=[],
        metavar="[ENDPOINT=]P",
        help="shift probabilities and thresholds to this share of positives, such as PDL1=0.3; may be repeated; "
        "P alone where the model has one yes/no endpoint",
    )


def prevalence_of(given: list[str], endpoints: Sequence[str]) -> dict[str, float]:
    """Endpoint to its prevalence.

    Args:
        given: As typed.
        endpoints: Of the model.

    Raises:
        InputError: One is no number, or it is not clear which endpoint is meant.
    """
    from PDL1PredictorLib.core.endpoints import endpoint

    questions = [key for key in endpoints if endpoint(key).yes_no]
    found: dict[str, float] = {}
    for text in given:
        key, equals, share = text.rpartition("=")
        if not equals and len(questions) != 1:
            example = f"{(questions or ['PDL1'])[0]}={text}"
            raise InputError(f"--prevalence {text} does not say of which endpoint. Write for example {example}.")
        try:
            found[key if equals else questions[0]] = float(share)
        except ValueError as error:
            raise InputError(f"--prevalence must be a share between 0 and 1, got {share!r}.") from error
    return found


def region_choices(options: argparse.Namespace) -> dict[str, Any]:
    """The region settings that were given."""
    names = ("ring_mm", "exclude_air", "exclude_bone")
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def with_choices(regions: Any, choices: dict[str, Any]) -> Any:
    """Region settings with what was given in place of their own."""
    return type(regions).from_dict({**regions.to_dict(), **choices})

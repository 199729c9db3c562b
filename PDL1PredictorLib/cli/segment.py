"""The commands about contours from a click: `segment`."""

import argparse
from pathlib import Path
from typing import Any

from PDL1PredictorLib.cli.options import add_out
from PDL1PredictorLib.cli.speaker import Speaker, add_command, notes, plain_warnings

METHODS = ("auto", "network", "classical")


def add(commands: Any) -> None:
    """Add `segment` to the commands."""
    command = add_command(commands, "segment", "Draw the contour of a tumor from one click, to be checked.", _segment)
    command.add_argument(
        "--ct", type=Path, required=True, help="CT: NIfTI, NRRD, MetaImage, or a folder of one DICOM series"
    )
    command.add_argument("--series", help="SeriesInstanceUID, where the DICOM folder has several series")
    command.add_argument(
        "--point",
        metavar="X,Y,Z",
        help="a point inside the tumor, in mm, in the patient's coordinates L, P, S; write --point=-61.5,12,-140",
    )
    command.add_argument("--line", metavar="X,Y,Z,X,Y,Z", help="both ends of its longest diameter, likewise")
    command.add_argument(
        "--method", choices=METHODS, default="auto", help="auto (default): the network where it is installed"
    )
    command.add_argument("--segmenter", type=Path, help="folder of another network")
    command.add_argument("--no-spread", action="store_true", help="do not try clicks 2 mm beside it; is quicker")
    add_out(command, "file to make: .seg.nrrd for 3D Slicer, .nrrd or .nii.gz")


def _segment(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.core.files.output import whole_file
    from PDL1PredictorLib.imaging.read import read_ct
    from PDL1PredictorLib.segmentation.prompt import parse_prompt
    from PDL1PredictorLib.segmentation.segment import segment
    from PDL1PredictorLib.segmentation.write import require_suffix, write_segmented

    prompt = parse_prompt(options.point, options.line)
    require_suffix(options.out)
    segmenter = _segmenter(options, speaker)
    with whole_file(options.out, options.overwrite) as draft:
        loaded = read_ct(options.ct, options.series)
        found = segment(loaded.image, prompt, segmenter, not options.no_spread, progress=speaker.progress())
        write_segmented(found, draft)
    told = (*loaded.warnings, *found.warnings)
    spread = "" if found.spread is None else f" Clicks 2 mm beside it: Dice {found.spread.least_dice:.2f} and more."
    speaker.done(
        f"Contour of {found.volume_ml:.2f} mL by the {found.method} method, semi-automatic: check it before you use "
        f"it.{spread} File: {options.out}{notes(told)}",
        out=str(options.out),
        method=found.method,
        network=found.network,
        volume_ml=found.volume_ml,
        edge_share=found.edge_share,
        least_dice_moved=None if found.spread is None else found.spread.least_dice,
        points_lps_mm=[list(point) for point in prompt.points],
        warnings=plain_warnings(told),
    )


def _segmenter(options: argparse.Namespace, speaker: Speaker) -> Any:
    """The network that is asked, or None for the classical method."""
    from PDL1PredictorLib.core.errors import InputError
    from PDL1PredictorLib.resources import segmenter_folder
    from PDL1PredictorLib.segmentation.network import read_segmenter

    if options.method == "classical":
        return None
    folder = options.segmenter or segmenter_folder()
    if folder is None and options.method == "network":
        raise InputError("No network that draws contours is installed. Give its folder (--segmenter), or leave it out.")
    if folder is None:
        speaker.note("no network that draws contours is installed; the classical method draws this one")
        return None
    return read_segmenter(folder)

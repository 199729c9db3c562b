"""The commands about contours from a click: `segment`, `train-segmenter`."""

import argparse
from pathlib import Path
from typing import Any

from PDL1PredictorLib.cli.options import add_device, add_out, add_seed
from PDL1PredictorLib.cli.speaker import Speaker, add_command, notes, plain_warnings

METHODS = ("auto", "network", "classical")


def add(commands: Any) -> None:
    """Add `segment` and `train-segmenter` to the commands."""
    _add_segment(commands)
    _add_training(commands)


def _add_segment(commands: Any) -> None:
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


def _add_training(commands: Any) -> None:
    text = "Train the small network that draws a contour from a click."
    command = add_command(commands, "train-segmenter", text, _train)
    command.add_argument("--lidc", type=Path, help="folder of cropped nodules: labels.csv, image/, mask/")
    command.add_argument("--nsclc", type=Path, help="folder of cropped tumors: voi/NAME_image.nii.gz, NAME_mask.nii.gz")
    command.add_argument("--phantoms", type=int, default=0, help="synthetic chests beside them (default: 0)")
    command.add_argument("--epochs", type=int, default=60, help="how often it is watched and kept (default: 60)")
    command.add_argument("--examples", type=int, default=400, help="cubes drawn an epoch (default: 400)")
    command.add_argument("--cpu-bfloat16", action="store_true", help="on a CPU it is trained in 16 bits (default: off)")
    command.add_argument("--threads", type=int, default=4, help="that draw cubes beside the training (default: 4)")
    command.add_argument("--name", default="click-unet", help="how the network is called (default: click-unet)")
    command.add_argument("--version", default="1.0", help="its version (default: 1.0)")
    command.add_argument("--checkpoint", type=Path, help="keeps the state (default: OUT with .checkpoint added)")
    add_seed(command, "of division, weights and draws")
    add_device(command)
    add_out(command, "folder to make: graph, weights, settings, card")


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


def _train(options: argparse.Namespace, speaker: Speaker) -> None:
    from PDL1PredictorLib.core.errors import InputError
    from PDL1PredictorLib.core.lazy import require_module

    for name in ("torch", "onnx", "safetensors"):
        require_module(name, "Training needs more packages than prediction: install pdl1predictor[train].")
    if options.lidc is None and options.nsclc is None and options.phantoms < 1:
        raise InputError("There is nothing to learn from. Give --lidc, --nsclc or --phantoms.")
    if min(options.epochs, options.examples, options.threads) < 1 or options.phantoms < 0:
        raise InputError("--epochs, --examples and --threads must be at least 1, --phantoms at least 0.")
    from PDL1PredictorLib.core.files.output import refuse_existing, whole_folder
    from PDL1PredictorLib.learning.segmenter.cubes import counts_of, read_cubes
    from PDL1PredictorLib.learning.segmenter.drawing import shown_of
    from PDL1PredictorLib.learning.segmenter.export import write_segmenter
    from PDL1PredictorLib.learning.segmenter.training import SegmenterTraining, train_segmenter
    from PDL1PredictorLib.models.device import choose_device

    refuse_existing(options.out, options.overwrite)
    device, progress = choose_device(options.device), speaker.progress()
    checkpoint = options.checkpoint or options.out.with_name(f"{options.out.name}.checkpoint")
    with progress.part("cases", 0.0, 0.1, "reading the cases") as part:
        parts = read_cubes(options.lidc, options.nsclc, options.phantoms, options.seed, part)
    settings = SegmenterTraining(
        options.seed, options.epochs, options.examples, cpu_bfloat16=options.cpu_bfloat16, threads=options.threads
    )
    with progress.part("network", 0.1, 1.0, "training the network") as part:
        trained = train_segmenter(parts[0], parts[1], settings, device, part, checkpoint)
    with whole_folder(options.out, options.overwrite) as draft:
        write_segmenter(trained, draft, options.name, options.version, shown_of(parts[1]), counts_of(parts))
    checkpoint.unlink(missing_ok=True)
    dice = trained.history[trained.best_epoch - 1]["dice"]
    speaker.done(
        f"Network of epoch {trained.best_epoch}, mean Dice {dice:.3f} of the watched cases: {options.out}",
        out=str(options.out),
        best_epoch=trained.best_epoch,
        validation_dice=dice,
    )

"""An evaluation or a training as a command of the library: its words, for the process and for a shell."""

import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slicer.i18n import tr as _

from PDL1PredictorGUI.background.predictor import model_argument
from PDL1PredictorGUI.setup import computer

EVALUATE, TRAIN = "evaluate", "train"
_SPLIT, _NESTED = "split", "nested"


@dataclass(frozen=True)
class Study:
    """What is to be run.

    Attributes:
        kind: `evaluate` or `train`.
        title: For people.
        words: The command and its arguments.
        out: The folder that it makes: the report of an evaluation, the bundle of a training.
        expected: About how long it takes, in words; empty where that is not known.
    """

    kind: str
    title: str
    words: tuple[str, ...]
    out: Path
    expected: str = ""

    @property
    def report(self) -> Path:
        """The page that it writes."""
        folder = self.out if self.kind == EVALUATE else self.out.with_name(f"{self.out.name}.study")
        return folder / "report.html"

    @property
    def cache(self) -> Path:
        """Where it keeps what is done, so that it can go on."""
        return self.out.with_name(f"{self.out.name}.cache")


@dataclass(frozen=True)
class TrainingChoices:
    """What may be chosen of a training.

    Attributes:
        recipe: Its name.
        endpoints: Keys; none for all that the recipe learns.
        design: `split` or `nested`.
        repeats: Of the folds of `nested`.
        clinical: As after `--clinical`; empty for what the table has.
        weights: File that a network starts from; None for none.
        more: Further options, as typed.
    """

    recipe: str
    endpoints: tuple[str, ...] = ()
    design: str = _SPLIT
    repeats: int = 1
    clinical: str = ""
    weights: Path | None = None
    more: tuple[str, ...] = ()


def evaluation(
    model: str, title: str, table: Path, out: Path, endpoints: Sequence[str], stability: bool, expected: str
) -> Study:
    """The evaluation of a model.

    Args:
        model: Bundle: name, folder or .zip.
        title: Of the model.
        table: Of the cohort.
        out: Folder of the report to make.
        endpoints: Keys; none for all that table and model share.
        stability: Answer again under moved contours.
        expected: See `Study`.
    """
    words = [EVALUATE, "--model", model_argument(model), "--cohort", str(table), "--out", str(out)]
    words += ["--endpoints", ",".join(endpoints)] if endpoints else []
    words += [] if stability else ["--no-stability"]
    words += ["--device", computer.chosen_device()]
    return Study(EVALUATE, _("Evaluation of {title}").format(title=title), tuple(words), out, expected)


def training(choices: TrainingChoices, table: Path, out: Path, expected: str) -> Study:
    """A training.

    Args:
        choices: What was chosen.
        table: Of the cohort.
        out: Folder of the bundle to make; its name becomes the model's.
        expected: See `Study`.
    """
    words = [TRAIN, "--recipe", choices.recipe, "--cohort", str(table), "--out", str(out)]
    words += ["--endpoints", ",".join(choices.endpoints)] if choices.endpoints else []
    words += ["--design", choices.design]
    words += ["--outer-repeats", str(choices.repeats)] if choices.design == _NESTED else []
    words += ["--clinical", choices.clinical] if choices.clinical else []
    words += ["--weights", str(choices.weights)] if choices.weights is not None else []
    words += ["--device", computer.chosen_device(), *choices.more]
    return Study(TRAIN, _("Training of {name}").format(name=out.name), tuple(words), out, expected)


def shell_text(words: Sequence[str]) -> str:
    """The same command, to be typed where the library is installed."""
    whole = ["pdl1", *words]
    return subprocess.list2cmdline(whole) if computer.is_windows() else shlex.join(whole)


def split_options(text: str) -> tuple[str, ...]:
    """Further options as they were typed.

    Raises:
        ValueError: A quotation mark is not closed.
    """
    return tuple(shlex.split(text, posix=not computer.is_windows()))

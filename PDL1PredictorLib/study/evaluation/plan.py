"""What is asked for when finished models are evaluated."""

from dataclasses import dataclass, field
from pathlib import Path

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.prediction import Options


@dataclass(frozen=True)
class EvaluationPlan:
    """Models, and where the report goes.

    Attributes:
        models: Bundle folders or .zips; the first is the lead of the report, the others are compared with it.
        out: Folder of the report to make.
        cache: Folder for the predictions of every case; an evaluation that was ended goes on from there.
        command: What was typed, for the report.
        options: What may be chosen beside the models.
        workers: Processes that predict; None takes one a core.
        recalibrate: Folder of the recalibrated bundle to make; None to make none.
        overwrite: Replace existing output.
        seed: Of the folds of a recalibration.

    Raises:
        InputError: There is no model, or several are to be recalibrated, or the prevalence is shifted as well.
    """

    models: tuple[Path, ...]
    out: Path
    cache: Path
    command: str = ""
    options: Options = field(default_factory=Options)
    workers: int | None = 1
    recalibrate: Path | None = None
    overwrite: bool = False
    seed: int = 1

    def __post_init__(self) -> None:
        if not self.models:
            raise InputError("Name the model to evaluate (--model).")
        if self.recalibrate is not None and len(self.models) > 1:
            raise InputError("One model at a time can be recalibrated. Compare the models first, then take one.")
        if self.recalibrate is not None and self.options.prevalence:
            raise InputError(
                "A recalibration learns the prevalence from the cases themselves. Leave --prevalence out, or evaluate "
                "without --recalibrate."
            )

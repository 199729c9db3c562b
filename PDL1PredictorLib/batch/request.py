"""What is asked for when many cases are predicted."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PDL1PredictorLib.prediction import Options

NOT_OF_THE_ANSWER = ("device", "runtime")  # where it is computed does not make it another answer


@dataclass(frozen=True)
class BatchRequest:
    """How many cases are predicted, and where to.

    Attributes:
        model: Bundle folder or .zip.
        out: Folder for the tables and for a folder of each case; new, empty, or of an earlier run of the same request.
        options: What may be chosen beside the model, the same for all cases.
        with_patient: Write names and clinical values of the cases into their folders, too.
        workers: Processes; None takes one a core. Each loads the model once.
        overwrite: Replace what an earlier run with another model or other options left in the folder.
    """

    model: Path
    out: Path
    options: Options = field(default_factory=Options)
    with_patient: bool = False
    workers: int | None = 1
    overwrite: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the answers beside the model, as plain values."""
        chosen = {name: value for name, value in asdict(self.options).items() if name not in NOT_OF_THE_ANSWER}
        return {"options": chosen, "with_patient": self.with_patient}

"""What a training takes: processor time and memory, told from what studies of known size took."""

from typing import NamedTuple


class Effort(NamedTuple):
    """Of a recipe with its default settings on a processor.

    Attributes:
        case_s: Processor seconds to prepare a case.
        taught_s: Processor seconds that a training case costs all networks of one training together.
        memory_mb: About the peak of the process that trains; others, one a core, take `WORKER_MB` each.
        fit_s: Processor seconds of selection, classifiers and their bootstrap, a training and endpoint.
    """

    case_s: float
    taught_s: float
    memory_mb: int
    fit_s: float = 6.0

    def seconds(self, cases: int, taught: float, endpoints: int, trainings: int, cores: int) -> float:
        """By the clock.

        Args:
            cases: Of the cohort.
            taught: Training cases of all trainings together.
            endpoints: That are learned.
            trainings: How many are made.
            cores: Of the processor.
        """
        work = self.case_s * cases + self.taught_s * taught + self.fit_s * endpoints * trainings
        return START_S + work / max(1, cores)

    def memory(self, cores: int) -> int:
        """Of all processes together, in MB."""
        return self.memory_mb + WORKER_MB * max(1, cores)


START_S = 30.0  # programs are loaded, kernels compiled, the report drawn
WORKER_MB = 400  # of a process that prepares cases or fits classifiers


def time_words(seconds: float) -> str:
    """A time that is not known to the minute: 2 min, 40 min, 3 h, 2 days."""
    minutes = seconds / 60
    if minutes < 10:
        return f"{max(1, round(minutes))} min"
    if minutes < 90:
        return f"{round(minutes / 5) * 5} min"
    hours = minutes / 60
    return f"{round(hours)} h" if hours < 36 else f"{round(hours / 24)} days"

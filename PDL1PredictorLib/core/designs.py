"""The designs of a study: how cases are divided into those that teach and those that test."""

from enum import StrEnum


class Design(StrEnum):
    """By its word on the command line.

    Attributes:
        SPLIT: Trained once, tested on cases that nothing had seen.
        NESTED: Nested cross-validation: every case is a test case of one of several trainings.
        EVALUATION: Nothing is trained: finished models are tested on cases that they have not seen.
    """

    SPLIT = "split"
    NESTED = "nested"
    EVALUATION = "evaluation"

    @property
    def words(self) -> str:
        """For people."""
        named = {Design.NESTED: "nested cross-validation", Design.EVALUATION: "evaluation of finished models"}
        return named.get(self, self.value)

    @property
    def trains(self) -> bool:
        """Whether a study with this design trains models."""
        return self != Design.EVALUATION

"""The designs of a study: how cases are divided into those that teach and those that test."""

from enum import StrEnum


class Design(StrEnum):
    """By its word on the command line.

    Attributes:
        SPLIT: Trained once, tested on cases that nothing had seen.
        NESTED: Nested cross-validation: every case is a test case of one of several trainings.
    """

    SPLIT = "split"
    NESTED = "nested"

    @property
    def words(self) -> str:
        """For people."""
        return {Design.SPLIT: "split", Design.NESTED: "nested cross-validation"}[self]

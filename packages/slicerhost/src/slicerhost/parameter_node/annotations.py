"""What may stand in ``Annotated[...]`` beside a parameter's type."""

import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

Kind = TypeVar("Kind")


class Default:
    """The value of a parameter that has none yet; `generator` is called each time."""

    def __init__(self, value: Any = None, *, generator: Callable[[], Any] | None = None) -> None:
        self._value = value
        self._generator = generator

    @property
    def value(self) -> Any:
        """The default."""
        return self._generator() if self._generator is not None else self._value


@dataclass
class Decimals:
    """Digits after the point in the connected widget."""

    value: int


@dataclass
class SingleStep:
    """Step of the connected widget."""

    value: float


class Validator:
    """Raises at values that a parameter must not take."""

    def validate(self, value: Any) -> None:
        """Raises ValueError or TypeError."""
        raise NotImplementedError


class NotNone(Validator):
    """Refuses None."""

    def validate(self, value: Any) -> None:
        """Raises ValueError."""
        if value is None:
            raise ValueError("Value must not be None")


class IsInstance(Validator):
    """Refuses other types; None passes."""

    def __init__(self, classtype: Any) -> None:
        self.classtype = classtype

    def validate(self, value: Any) -> None:
        """Raises TypeError."""
        if value is not None and not isinstance(value, self.classtype):
            raise TypeError(f"Value must be of type '{self.classtype}', is type '{type(value)}' value '{value}'")


class WithinRange(Validator):
    """Refuses values outside two limits, which are allowed themselves."""

    def __init__(self, minimum: float, maximum: float) -> None:
        self.minimum = minimum
        self.maximum = maximum

    def validate(self, value: Any) -> None:
        """Raises ValueError."""
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], is {value}")


class Minimum(Validator):
    """Refuses values below a limit."""

    def __init__(self, minimum: float) -> None:
        self.minimum = minimum

    def validate(self, value: Any) -> None:
        """Raises ValueError."""
        if value < self.minimum:
            raise ValueError(f"Value must be at least {self.minimum}, is {value}")


class Maximum(Validator):
    """Refuses values above a limit."""

    def __init__(self, maximum: float) -> None:
        self.maximum = maximum

    def validate(self, value: Any) -> None:
        """Raises ValueError."""
        if value > self.maximum:
            raise ValueError(f"Value must be at most {self.maximum}, is {value}")


class Choice(Validator):
    """Refuses values that are not in a list."""

    def __init__(self, choices: Any) -> None:
        self.choices = choices

    def validate(self, value: Any) -> None:
        """Raises ValueError."""
        if value not in self.choices:
            raise ValueError(f"Value is {value}, but must be in one of the following: {self.choices}")


class Exclude(Validator):
    """Refuses values that are in a list."""

    def __init__(self, excluded: Any) -> None:
        self.excludedValues = excluded

    def validate(self, value: Any) -> None:
        """Raises ValueError."""
        if value in self.excludedValues:
            raise ValueError(f"Value is {value}, but must not be one of: {self.excludedValues}")


def split(annotated: Any) -> tuple[Any, list[Any]]:
    """A type, annotated or not, without its annotations, and these."""
    type_, *annotations = typing.get_args(Annotated[annotated, None])
    return type_, annotations[:-1]


def first(annotations: list[Any], kind: type[Kind]) -> Kind | None:
    """The first annotation of a kind, or None."""
    return next((item for item in annotations if isinstance(item, kind)), None)

"""What a pickle says that it holds, told by its opcodes alone: it is never loaded, and nothing in it is called.

What is told helps to convert the file elsewhere. It proves nothing: a pickle can be made to look like another.
"""

import pickletools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_STEPS = 2_000_000
MAX_NAMES = 10_000
MAX_LETTERS = 200
MAX_STRANGE = 20

_TEXTS = frozenset(
    ("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING")
)
_WHOLE = frozenset(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"))
_GETS, _PUTS = frozenset(("GET", "BINGET", "LONG_BINGET")), frozenset(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"))
_SILENT = frozenset(("PROTO", "FRAME"))
_EXTENSIONS = frozenset(("EXT1", "EXT2", "EXT4", "PERSID"))
_LIBRARIES = ("sklearn", "numpy.core", "numpy._core", "numpy.random", "scipy.sparse", "joblib.numpy_pickle")
_MODULES = frozenset(("numpy", "copyreg", "copy_reg", "_codecs", "collections"))
_BUILTINS = frozenset(
    ("object", "int", "float", "bool", "complex", "str", "bytes", "bytearray", "list", "tuple", "dict", "set", "slice")
)
_UNCLEAR = "a name that it puts together as it is read"


@dataclass(frozen=True)
class PickleLook:
    """What was told.

    Attributes:
        holds: Class of the object, as `sklearn.naive_bayes.GaussianNB`; empty where none was named.
        version: Of scikit-learn, as it says itself; empty where it does not.
        inputs: Names of its inputs; none where they were not kept.
        n_inputs: Their number; None where it does not say.
        strange: What it names that no classifier of scikit-learn needs.
        whole: Whether it was read to its end.
    """

    holds: str = ""
    version: str = ""
    inputs: tuple[str, ...] = ()
    n_inputs: int | None = None
    strange: tuple[str, ...] = ()
    whole: bool = False

    @property
    def is_classifier(self) -> bool:
        """Whether it looks like one of scikit-learn, and like nothing else."""
        return self.holds.startswith("sklearn.") and not self.strange

    @property
    def words(self) -> str:
        """The same for people."""
        if self.strange:
            return (
                f"it names {', '.join(self.strange)}, which no classifier needs and which may run a program: "
                "do not open it anywhere"
            )
        if not self.holds:
            return "what it holds is not known"
        version = f" of scikit-learn {self.version}" if self.version else ""
        count = self.n_inputs or len(self.inputs)
        return f"{self.holds.rpartition('.')[2]}{version}{_inputs(count, self.inputs)}"


def _inputs(count: int, names: tuple[str, ...]) -> str:
    if not count:
        return ""
    some = ", ".join(names if len(names) <= 4 else (*names[:3], "...", names[-1]))
    return f", {count} inputs{f' ({some})' if some else ''}"


def is_pickle(head: bytes) -> bool:
    """Whether a file begins as a pickle of protocol 2 or later does; earlier ones have no mark."""
    return head[:1] == b"\x80" and b"\x02" <= head[1:2] <= b"\x05"


def look_into(data: bytes) -> PickleLook:
    """Read the opcodes of a pickle; a damaged one, or one with other bytes in it, as far as it goes."""
    seen = _Seen()
    whole = False
    try:
        for number, (opcode, argument) in enumerate(_steps(data)):
            if number >= MAX_STEPS:
                break
            seen.take(opcode, argument)
            whole = opcode == "STOP"
    except (ValueError, ArithmeticError, LookupError, RecursionError, MemoryError):  # whatever damage raises
        whole = False
    return PickleLook(
        holds=seen.holds,
        version=seen.version,
        inputs=tuple(seen.inputs),
        n_inputs=seen.n_inputs,
        strange=tuple(dict.fromkeys(seen.strange))[:MAX_STRANGE],
        whole=whole,
    )


def _steps(data: bytes) -> Iterator[tuple[str, Any]]:
    for opcode, argument, _ in pickletools.genops(data):
        yield opcode.name, argument


@dataclass
class _Seen:
    """The last two texts that were pushed, the texts of the memo, and what they told so far."""

    last: str | None = None
    before: str | None = None
    memo: dict[int, str | None] = field(default_factory=dict)
    holds: str = ""
    version: str = ""
    n_inputs: int | None = None
    inputs: list[str] = field(default_factory=list)
    names_are: str = ""  # "", "awaited", "here", "done"
    strange: list[str] = field(default_factory=list)

    def take(self, opcode: str, argument: Any) -> None:
        """One step."""
        if opcode in _SILENT:
            return
        if opcode in _PUTS:
            self.memo[len(self.memo) if argument is None else argument] = self.last
        elif opcode in _TEXTS:
            self._text(argument)
        elif opcode in _GETS:
            self._text(self.memo.get(argument))
        else:
            self._other(opcode, argument)

    def _text(self, text: str | None) -> None:
        if self.last == "_sklearn_version" and text and not self.version:
            self.version = text[:MAX_LETTERS]
        if text == "feature_names_in_" and not self.names_are:
            self.names_are = "awaited"
        elif text is not None and self.names_are == "here" and len(self.inputs) < MAX_NAMES:
            self.inputs.append(text[:MAX_LETTERS])
        self._push(text)

    def _other(self, opcode: str, argument: Any) -> None:
        if opcode in _WHOLE and self.last == "n_features_in_" and self.n_inputs is None:
            self.n_inputs = int(argument) if 0 < argument <= MAX_NAMES else None
        if opcode in ("LIST", "EMPTY_LIST") and self.names_are == "awaited":
            self.names_are = "here"
        elif opcode in ("TUPLE", "BUILD") and self.names_are == "here":
            self.names_are = "done"
        if opcode in ("GLOBAL", "INST"):
            self._named(*str(argument).split(" ", 1))
        elif opcode == "STACK_GLOBAL":
            self._named(self.before, self.last)
        elif opcode in _EXTENSIONS:
            self.strange.append(_UNCLEAR)
        self._push(None)

    def _push(self, text: str | None) -> None:
        self.before, self.last = self.last, text

    def _named(self, module: str | None, name: str | None) -> None:
        """A class or function that it would fetch."""
        if module is None or name is None:
            self.strange.append(_UNCLEAR)
            return
        full = f"{module}.{name}"[:MAX_LETTERS]
        if not _usual(module, name):
            self.strange.append(full)
        if module.startswith("sklearn."):
            is_first = not self.holds.startswith("sklearn.")
        else:
            is_first = not self.holds and module not in ("copyreg", "copy_reg")
        self.holds = full if is_first else self.holds


def _usual(module: str, name: str) -> bool:
    if module in ("builtins", "__builtin__"):
        return name in _BUILTINS
    return module in _MODULES or any(module == one or module.startswith(f"{one}.") for one in _LIBRARIES)

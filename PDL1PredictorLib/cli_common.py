"""What the commands of `pdl1` share: how one is added, what it says, how it is typed again."""

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.outside_text import one_line, visible
from PDL1PredictorLib.core.progress import Progress

if TYPE_CHECKING:  # its page loads SimpleITK
    from PDL1PredictorLib.core.results import CaseWarning


class Speaker:
    """Says where the work is: a line that is rewritten for people, or JSON lines for programs.

    Args:
        style: `bar`, `json` or `none`.
    """

    def __init__(self, style: str) -> None:
        self._style = style
        self._started = perf_counter()
        self._open_line = False

    def progress(self) -> Progress:
        """For the library."""
        return Progress(self._report)

    def done(self, text: str, **facts: Any) -> None:
        """The end of a command that worked: words for people, `facts` for programs."""
        if self._style == "json":
            self._json("result", **facts)
        else:
            self._close_line()
            print(visible(text))

    def failed(self, text: str) -> None:
        """The end of one that did not."""
        if self._style == "json":
            self._json("error", message=text)
        self._close_line()
        print(f"pdl1: {visible(text)}", file=sys.stderr)

    def _report(self, stage: str, fraction: float, message: str) -> None:
        elapsed = round(perf_counter() - self._started, 2)
        if self._style == "json":
            self._json("progress", stage=stage, fraction=round(fraction, 4), message=message, elapsed_s=elapsed)
        elif self._style == "bar" and sys.stderr.isatty():
            filled = round(30 * fraction)
            bar = "#" * filled + "." * (30 - filled)
            shown = one_line(message or stage)
            print(
                f"\r[{bar}] {fraction:4.0%} {elapsed:6.1f} s  {shown:.60}\033[K",
                end="",
                file=sys.stderr,
                flush=True,
            )
            self._open_line = True

    def _close_line(self) -> None:
        if self._open_line:
            print(file=sys.stderr)
            self._open_line = False

    @staticmethod
    def _json(kind: str, **content: Any) -> None:
        print(json.dumps({"type": kind, **content}, ensure_ascii=True), flush=True)


def add_command(
    commands: Any, name: str, text: str, run: Callable[[argparse.Namespace, Speaker], None]
) -> argparse.ArgumentParser:
    """Add a command to `commands`; its options are added to what comes back.

    `run` finds what was typed as `typed` among the options.
    """
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text, epilog=RESEARCH_USE_ONLY)
    command.add_argument(
        "--progress", choices=("bar", "json", "none"), default="bar", help="how to tell the progress (default: bar)"
    )
    command.set_defaults(run=run)
    return command


def notes(warnings: Iterable["CaseWarning"]) -> str:
    """Warnings as lines that follow what a command says; empty without any."""
    return "".join(f"\nWarning ({warning.code}): {warning.text}" for warning in warnings)


def plain_warnings(warnings: Iterable["CaseWarning"]) -> list[dict[str, str]]:
    """Warnings for programs, as in `result.json`."""
    return [{"code": warning.code, "text": warning.text} for warning in warnings]


def typed(arguments: Sequence[str]) -> str:
    """The command as one would type it again in a shell, without where the program lies."""
    return shlex.join(["pdl1", *arguments])

"""The parser of the command line: a name that is not known is refused with the nearest one that is."""

import argparse
import re
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from PDL1PredictorLib.core.errors import did_you_mean

SIDE_BY_SIDE = ". What has no option in front of it stands side by side: all of it before the options, or behind them"
_OPTION = re.compile(r"--([A-Za-z][\w-]*)")


class Help(argparse.HelpFormatter):
    """Says the default of every option, also of those whose help leaves it to be guessed."""

    def _get_help_string(self, action: argparse.Action) -> str:
        text = action.help or ""
        if not action.option_strings or action.required or "default" in text or action.dest in ("help", "version"):
            return text
        unset = action.default in (None, "", argparse.SUPPRESS) or action.default == []
        default = "off" if action.nargs == 0 else "none" if unset else action.default
        return f"{text} (default: {default})"


class Parser(argparse.ArgumentParser):
    """As argparse's, with the nearest name beside what is refused; its commands are parsers of this kind, too."""

    _given: Sequence[str] = ()

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **{"formatter_class": Help, **settings})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Keep what was typed: an error is told with a look at it."""
        self._given = list(args) if args is not None else []
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Refuse with the usage, the reason and the nearest names; exit status 2."""
        super().error(f"{_shortened(message)}{self._hint(message)}")

    def refuse_unknown(self, words: Sequence[str]) -> NoReturn:
        """Refuse what no option and no position of this command has taken."""
        named = any(word.startswith("-") for word in words)
        self.error(f"unrecognized arguments: {' '.join(words)}{'' if named else SIDE_BY_SIDE}")

    def _hint(self, message: str) -> str:
        """The nearest names to those that were typed and are not known."""
        known = {name[2:]: name for action in self._actions for name in action.option_strings if name[:2] == "--"}
        typed = [found[1] for word in self._given if (found := _OPTION.match(word))]
        unknown = [word for word in dict.fromkeys(typed) if not any(name.startswith(word) for name in known)]
        near = {f"--{word}": did_you_mean(word, known, "--") for word in unknown}
        hints = [meant if len(near) == 1 else f" {word}:{meant}" for word, meant in near.items() if meant]
        choice = re.search(r"invalid choice: '([^']*)'", message)
        if choice:
            hints.append(did_you_mean(choice[1], self._choices()))
        return f".{''.join(hints)}" if any(hints) else ""

    def _choices(self) -> Iterable[str]:
        return [str(name) for action in self._actions if action.choices is not None for name in action.choices]


def _shortened(message: str) -> str:
    """Python 3.11 and 3.12 list choices in quotes, later ones without: the same words for all."""
    return re.sub(r"\(choose from (.*)\)$", lambda found: f"(choose from {found[1].replace(chr(39), '')})", message)

"""Settings that hold for every command: a TOML file, and variables of the environment.

What is typed goes before a variable, a variable before the file, the file before the option's default. All of it
becomes options in front of those that were typed, so that one parser judges it, and a report tells the whole command.
"""

import argparse
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PDL1PredictorLib.core.errors import InputError, did_you_mean

VARIABLE, BEFORE = "PDL1_SETTINGS", "PDL1_"
NO_FILE = "none"
NEVER = ("help", "settings", "version")
SWITCHES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
MAX_BYTES = 2**20

Options = Mapping[str, argparse.Action]


class Settled(NamedTuple):
    """A command with its settings.

    Attributes:
        words: All of it, as if it had been typed.
        added: The options that were added.
        sources: Where they come from, in words; empty where none was.
    """

    words: list[str]
    added: list[str]
    sources: list[str]


def default_file(environment: Mapping[str, str]) -> Path:
    """The file that is read where none is named: in the folder where this system keeps a user's settings."""
    if sys.platform == "win32":
        folder = Path(environment.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        given = environment.get("XDG_CONFIG_HOME", "")
        folder = Path(given) if given.startswith("/") else Path.home() / ".config"
    return folder / "pdl1predictor" / "settings.toml"


def with_settings(parser: argparse.ArgumentParser, words: Sequence[str], environment: Mapping[str, str]) -> Settled:
    """Put the settings of file and environment in front of the options that were typed.

    Args:
        parser: Of the whole command line.
        words: What was typed, without the program.
        environment: Its variables.

    Raises:
        InputError: The file cannot be read, a name in it is not known, or a value does not fit its option.
    """
    path, command = _command(parser, words)
    options = options_of(command)
    if not path or "settings" not in {action.dest for action in command._actions}:
        return Settled(list(words), [], [])
    rest = list(words[len(path) :])
    file, named = _file(rest, environment)
    if any(word in ("-h", "--help") for word in rest):
        return Settled(list(words), [], [])
    added, sources = [], []
    typed = _names(rest, options)
    variables = _from_environment(options, environment)
    if file is not None and (named or file.is_file()):
        wanted = _from_file(file, parser, path)
        taken = {name: value for name, value in wanted.items() if name not in typed and name not in variables}
        added += _as_words(taken, options, f"{file}: ")
        sources += [str(file)] if taken else []
    taken = {name: value for name, value in variables.items() if name not in typed}
    added += _as_words(taken, options, "The environment: ")
    sources += [f"{BEFORE}{_variable(name)}" for name in taken]
    return Settled([*path, *added, *rest], added, sources if added else [])


def options_of(command: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """The options that a file may set, by their first long name."""
    found: dict[str, argparse.Action] = {}
    for action in command._actions:
        names = [name[2:] for name in action.option_strings if name.startswith("--")]
        if names and names[0] not in NEVER:
            found |= dict.fromkeys(names, action)
    return found


def _inner(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """The commands that a parser leads to."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            inner: Mapping[str, argparse.ArgumentParser] = action.choices
            return inner
    return {}


def _command(parser: argparse.ArgumentParser, words: Sequence[str]) -> tuple[list[str], argparse.ArgumentParser]:
    """The words that name a command, and its parser."""
    path: list[str] = []
    for word in words:
        inner = _inner(parser)
        if word not in inner:
            break
        path.append(word)
        parser = inner[word]
    return path, parser


def _file(rest: Sequence[str], environment: Mapping[str, str]) -> tuple[Path | None, bool]:
    """The file to read, and whether somebody named it: then it must be there."""
    for place, word in enumerate(rest):
        if word.startswith("--settings="):
            return _named(word.partition("=")[2]), True
        if word == "--settings" and place + 1 < len(rest):
            return _named(rest[place + 1]), True
    if VARIABLE in environment:
        return _named(environment[VARIABLE]), True
    return default_file(environment), False


def _named(text: str) -> Path | None:
    return None if text in ("", NO_FILE) else Path(text)


def _from_file(file: Path, parser: argparse.ArgumentParser, path: Sequence[str]) -> dict[str, Any]:
    """What a file sets of a command: for all commands, then for this one."""
    content = _read(file)
    commands = {name: options_of(command) for name, command in _all(parser)}
    known = {name for options in commands.values() for name in options}
    _check(content, commands, known, file)
    own = commands[" ".join(path)]
    found = {name: value for name, value in _values(content) if name in own}
    table = content
    for name in path:
        table = table.get(name, {})
        found |= {name: value for name, value in _values(table) if name in own}
    return found


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"The settings {file} cannot be read: {error.strerror}. Say --settings none for none."
        ) from error
    if len(raw) > MAX_BYTES:
        raise InputError(f"The settings {file} have more than {MAX_BYTES // 2**20} MB. Name a file of settings.")
    try:
        return tomllib.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"The settings {file} are no TOML: {error}. See docs/shell.md.") from error


def _all(parser: argparse.ArgumentParser, before: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for name, inner in _inner(parser).items():
        yield f"{before}{name}", inner
        yield from _all(inner, f"{before}{name} ")


def _values(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name.replace("_", "-"), value) for name, value in table.items() if not isinstance(value, dict))


def _check(
    table: Mapping[str, Any], commands: Mapping[str, Options], known: Iterable[str], file: Path, before: str = ""
) -> None:
    """Refuse what no command knows: a misspelled setting would do nothing, and nobody would notice.

    Raises:
        InputError: A name is not known.
    """
    where = f"[{before.strip().replace(' ', '.')}] " if before else ""
    for name, value in table.items():
        whole = f"{before}{name}"
        if isinstance(value, dict):
            inside = [one for one in commands if one == whole or one.startswith(f"{whole} ")]
            if not inside:
                raise InputError(f"{file}: there is no command {whole}.{did_you_mean(whole, commands)}")
            _check(value, commands, {name for one in inside for name in commands[one]}, file, f"{whole} ")
        elif name.replace("_", "-") not in known:
            near = did_you_mean(name.replace("_", "-"), known)
            raise InputError(f"{file}: {where}{name} is no option that can be set.{near} See docs/shell.md.")


def _from_environment(options: Options, environment: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for name, action in options.items():
        text = environment.get(f"{BEFORE}{_variable(name)}", "")
        if text:
            found[name] = (
                SWITCHES.get(text.lower(), text) if action.nargs == 0 else text.split() if action.nargs else text
            )
    return found


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


def _names(words: Sequence[str], options: Options) -> set[str]:
    """All names of the options that were typed, abbreviated ones too."""
    typed = {word.partition("=")[0][2:] for word in words if word.startswith("--")}
    meant = {action for name, action in options.items() if any(name.startswith(one) for one in typed if one)}
    return {name for name, action in options.items() if action in meant}


def _as_words(values: Mapping[str, Any], options: Options, where: str) -> list[str]:
    words: list[str] = []
    for name, value in values.items():
        action, several = options[name], isinstance(value, list)
        texts = [_text(one) for one in (value if several else [value])]
        if action.nargs == 0:
            if not isinstance(value, bool):
                raise InputError(f"{where}{name} is on or off: true or false, not {value!r}.")
            words += [f"--{name}"] if value else []
            continue
        if isinstance(value, bool) or (several and action.nargs is None and not isinstance(action.default, list)):
            raise InputError(f"{where}{name} takes one value, not {value!r}.")
        for text in texts:
            _judge(action, text, f"{where}{name}")
        if action.nargs is None:
            words += [f"--{name}={text}" for text in texts]
        else:
            words += [f"--{name}", *texts]
    return words


def _text(value: Any) -> str:
    if isinstance(value, str | int | float | bool):
        return str(value)
    raise InputError(f"A setting is a text, a number, true or false, or a list of these, not {value!r}.")


def _judge(action: argparse.Action, text: str, name: str) -> None:
    """Refuse a value here, where its place is known.

    Raises:
        InputError: The option does not take it.
    """
    try:
        value = action.type(text) if callable(action.type) else text
    except (ValueError, TypeError, argparse.ArgumentTypeError) as error:
        raise InputError(f"{name} cannot be {text!r}.") from error
    if action.choices is not None and value not in action.choices:
        choices = [str(choice) for choice in action.choices]
        raise InputError(f"{name} cannot be {text!r}.{did_you_mean(text, choices)} It is one of: {', '.join(choices)}.")

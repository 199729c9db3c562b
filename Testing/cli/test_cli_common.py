"""How a command is typed again: as `main` was given it, by a shell or by a program, with every space in its place."""

import shlex
import sys
from pathlib import Path

import pytest

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.cli.speaker import typed
from PDL1PredictorLib.core.errors import EXIT_REFUSED, InputError
from PDL1PredictorLib.study import conduct


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that the reports of studies would tell; the studies themselves are refused."""
    commands = []

    def refuse(plan: conduct.Plan, *_: object) -> None:
        commands.append(plan.command)
        raise InputError("Not today.")

    monkeypatch.setattr(conduct, "conduct", refuse)
    monkeypatch.setattr(sys, "argv", ["/usr/bin/another program", "--its", "own arguments"])
    return commands


def train(out: Path) -> list[str]:
    return ["train", "--recipe", "deepradscore", "--n", "40", "--device", "cpu", "--out", str(out)]


def test_plain_words_are_typed_as_they_are():
    assert typed(["models", "--progress", "json"]) == "pdl1 models --progress json"


@pytest.mark.parametrize("name", ["my model", "it's", "a$HOME*", 'the "best"', "Übersicht 報告", ""])
def test_a_shell_reads_back_what_was_given(name: str):
    assert shlex.split(typed(["train", "--out", name])) == ["pdl1", "train", "--out", name]


def test_a_program_is_told_what_it_called_not_how_it_was_started_itself(told: list[str], tmp_path: Path):
    assert main(train(tmp_path / "model")) == EXIT_REFUSED
    assert told == [shlex.join(["pdl1", *train(tmp_path / "model")])]


def test_a_path_with_a_space_can_be_typed_again(told: list[str], tmp_path: Path):
    arguments = train(tmp_path / "my model")
    assert main(arguments) == EXIT_REFUSED
    assert told[0].endswith(f"--out '{tmp_path / 'my model'}'")
    assert shlex.split(told[0]) == ["pdl1", *arguments]


def test_a_shell_is_told_what_was_typed_without_where_the_program_lies(
    told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "argv", ["/opt/some place/pdl1", *train(tmp_path / "model")])
    assert main() == EXIT_REFUSED
    assert told == [shlex.join(["pdl1", *train(tmp_path / "model")])]

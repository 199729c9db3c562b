"""Off a terminal: a line a stage, no long silence, and every long step tells where it is."""

import io
import json
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from PDL1PredictorLib.cli.shell.log_lines import AGAIN_S, SILENCE_S, LogLines, duration
from PDL1PredictorLib.cli.speaker import ReaderGoneError, Speaker
from PDL1PredictorLib.core.errors import CancelledError
from PDL1PredictorLib.core.progress import Progress


@dataclass
class Clock:
    """Time that a test sets."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_stage_is_told_once_when_it_begins(clock):
    lines = LogLines(clock)
    assert lines.step("read", 0.0, "reading the images") == "  0%       0 s  reading the images"
    assert lines.step("read", 0.1, "more") == ""
    clock.now += 3
    assert lines.step("model", 0.25, "") == " 25%       3 s  model"
    assert lines.step("read", 0.3, "reading again") == ""  # hundreds of folds have the same stages


def test_what_goes_on_is_told_after_a_while(clock):
    lines = LogLines(clock)
    lines.step("network", 0.0, "epoch 1")
    clock.now += AGAIN_S - 0.1
    assert lines.step("network", 0.1, "epoch 2") == ""
    clock.now += 0.1
    assert lines.step("network", 0.2, "epoch 3") == " 20%       5 s  epoch 3"
    assert lines.step("network", 0.3, "epoch 4") == ""


def test_a_long_silence_is_broken_and_a_short_one_is_not(clock):
    lines = LogLines(clock)
    clock.now += SILENCE_S - 0.1
    assert lines.heartbeat() == ""
    clock.now += 0.1
    assert lines.heartbeat() == "  0%      10 s  still at work: loading what is needed"
    assert lines.heartbeat() == ""
    lines.step("fusion", 0.5, "3 of 9 models are ready")
    clock.now += 61
    assert lines.heartbeat() == " 50% 1 min 11 s  still at work: 3 of 9 models are ready"


def test_whatever_a_step_takes_no_silence_is_longer_than_ten_seconds(clock):
    """Steps at odd times, and a look every second, as the program's thread takes one."""
    lines, said = LogLines(clock), [clock.now]
    steps = {107.0: "a", 108.0: "a", 140.5: "b", 141.0: "a", 149.0: "a", 158.9: "a", 190.0: "c"}
    while clock.now < 200:
        clock.now += 0.5
        line = lines.step(steps[clock.now], 0.5, "") if clock.now in steps else ""
        if line or (clock.now % 1 == 0 and lines.heartbeat()):
            said.append(clock.now)
    assert max(np.diff(said)) <= SILENCE_S


def test_durations_are_words():
    assert [duration(s) for s in (0.9, 59.9, 60, 3599, 3600, 11040)] == [
        *("0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "3 h 4 min")
    ]


def test_off_a_terminal_the_command_writes_lines_to_the_standard_error(capsys, clock):
    speaker = Speaker("bar", clock)
    progress = speaker.progress()
    progress.step("read", 0.0, "reading\x1b[2J the images")
    progress.step("read", 0.1, "more")
    clock.now += 20
    speaker.beat()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "pdl1:   0%       0 s  reading?[2J the images",
        "pdl1:  10%      20 s  still at work: more",
    ]


def no_reader(text: str) -> None:
    """Where a pipe has no reader any more."""
    raise ReaderGoneError("Nobody reads the output any more.")


@pytest.mark.parametrize("style", ["none", "json"])
def test_nobody_else_gets_lines_of_a_log(style, capsys, clock):
    speaker = Speaker(style, clock)
    speaker.progress().step("read", 0.0, "reading")
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_its_bar_and_no_line(monkeypatch, clock):
    monkeypatch.setattr(sys, "stderr", Terminal())
    speaker = Speaker("bar", clock)
    speaker.progress().step("read", 0.5, "reading")
    clock.now += 60
    speaker.beat()
    assert sys.stderr.getvalue().count("\n") == 0
    first, again = sys.stderr.getvalue().split("\r")[1:]
    assert first.startswith("[###############...............]  50%    0.0 s  reading")
    assert again.startswith("[###############...............]  50%   60.0 s  reading")


def test_a_terminal_gets_no_bar_again_once_its_line_has_ended(monkeypatch, clock):
    monkeypatch.setattr(sys, "stderr", Terminal())
    speaker = Speaker("bar", clock)
    speaker.beat()  # nothing was said yet
    assert sys.stderr.getvalue() == ""
    speaker.progress().step("read", 0.5, "reading")
    speaker.note("it is odd")
    said = sys.stderr.getvalue()
    clock.now += 60
    speaker.beat()
    assert sys.stderr.getvalue() == said


def test_programs_hear_the_last_step_again_after_a_long_silence_and_nothing_after_the_end(capsys, clock):
    speaker = Speaker("json", clock)
    speaker.beat()
    progress = speaker.progress()
    progress.step("read", 0.5, "reading")
    clock.now += 9
    speaker.beat()
    progress.step("read", 0.6, "more")
    for _ in range(12):
        clock.now += 1
        speaker.beat()
    speaker.done("read", out="there")
    clock.now += 60
    speaker.beat()
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one.get("message"), one.get("elapsed_s")) for one in said] == [
        *(("reading", 0.0), ("more", 9.0), ("more", 19.0), (None, None))
    ]


def test_a_program_that_has_gone_is_found_out_at_the_next_step(monkeypatch, clock):
    speaker = Speaker("json", clock)
    progress = speaker.progress()
    progress.step("read", 0.5, "reading")
    monkeypatch.setattr("PDL1PredictorLib.cli.speaker._answer", no_reader)
    clock.now += 20
    speaker.beat()  # the thread does not fail
    clock.now += 20
    speaker.beat()
    monkeypatch.undo()
    with pytest.raises(ReaderGoneError):
        progress.step("read", 0.6, "more")


def test_the_thread_that_looks_ends_with_the_work(capsys, monkeypatch, clock):
    monkeypatch.setattr("PDL1PredictorLib.cli.speaker.BEAT_S", 0.001)
    speaker = Speaker("bar", clock)
    beaten = []
    monkeypatch.setattr(speaker, "beat", lambda: beaten.append(1))
    with speaker.beating():
        while not beaten:
            pass
    with Speaker("none").beating():  # starts none
        pass


def test_each_tells_every_item_before_its_turn_and_can_be_cancelled():
    seen = []
    progress = Progress(lambda stage, fraction, message: seen.append((stage, round(fraction, 3), message)))
    with progress.part("whole", 0.5, 1.0) as part:
        assert [item * 2 for item in part.each("item", [3, 4], "number {}".format, 0.0, 0.8)] == [6, 8]
    assert seen[1:] == [("item", 0.5, "number 3"), ("item", 0.7, "number 4")]
    cancelled = Progress(cancelled=lambda: True)
    with pytest.raises(CancelledError):
        list(cancelled.each("item", [1]))

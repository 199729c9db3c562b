"""A signal ends the work, but not between what belongs together; the last words are true of what lies on the disk."""

import signal
import threading
from pathlib import Path

import pytest

from PDL1PredictorLib.core.errors import OutputError
from PDL1PredictorLib.core.files.output import refuse_existing, whole_file, whole_folder
from PDL1PredictorLib.core.running import ending


def test_the_first_signal_interrupts_and_afterwards_all_is_as_before():
    before = signal.getsignal(signal.SIGTERM)
    with ending.heeded():
        assert not ending.asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert ending.asked()
    assert signal.getsignal(signal.SIGTERM) is before
    with ending.heeded():
        assert not ending.asked()


def test_what_belongs_together_is_not_interrupted():
    done = []
    with ending.heeded():

        def both() -> None:
            with ending.held():
                signal.raise_signal(signal.SIGINT)
                done.append("moved")
            done.append("never")

        with pytest.raises(KeyboardInterrupt):
            both()
    assert done == ["moved"]


def test_nothing_takes_its_name_once_the_user_has_cancelled(tmp_path: Path):
    """A library may swallow the interrupt; the words at the end say that nothing was written."""

    def go_on() -> None:
        with whole_folder(tmp_path / "out") as draft:
            (draft / "a").touch()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)

    with ending.heeded():
        with pytest.raises(KeyboardInterrupt):
            go_on()
        assert ending.cancelled_text() == "Cancelled. Nothing was written."
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_before_is_named(tmp_path: Path):
    with ending.heeded():
        with whole_file(tmp_path / "t.csv") as draft:
            draft.touch()
        assert ending.cancelled_text() == f"Cancelled. Complete and written before that: {tmp_path / 't.csv'}."


def test_what_serves_the_next_run_is_named_once(tmp_path: Path):
    with ending.heeded():
        ending.note("kept", tmp_path / "cache")
        for name in ("a", "b"):
            with whole_file(tmp_path / "cache" / name) as draft:
                draft.touch()
        text = ending.cancelled_text()
    assert text.startswith(f"Cancelled. No result was written; what is ready stays in {tmp_path / 'cache'}, and")


def test_outside_the_main_thread_nothing_is_changed():
    found = []

    def work() -> None:
        with ending.heeded(), ending.held():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]


def test_only_what_stood_there_when_the_command_began_may_be_replaced(tmp_path: Path):
    target = tmp_path / "model"
    with ending.heeded():
        refuse_existing(target, overwrite=True)
        target.mkdir()  # in the hours between
        (target / "theirs.txt").write_text("theirs")
        with pytest.raises(OutputError, match="The result lies in"), whole_folder(target, overwrite=True) as draft:
            (draft / "mine.txt").touch()
    assert (target / "theirs.txt").exists()
    assert (tmp_path / "model-2" / "mine.txt").exists()
    with whole_folder(target, overwrite=True) as draft:  # another command
        (draft / "mine.txt").touch()
    assert [path.name for path in target.iterdir()] == ["mine.txt"]


def test_a_result_of_hours_is_kept_though_its_name_was_taken(tmp_path: Path):
    with ending.heeded():
        refuse_existing(tmp_path / "model")
        (tmp_path / "model").write_text("theirs")
        with pytest.raises(OutputError, match="The result lies in"), whole_folder(tmp_path / "model") as draft:
            (draft / "mine.txt").touch()
    assert (tmp_path / "model").read_text() == "theirs"
    assert (tmp_path / "model-2" / "mine.txt").exists()

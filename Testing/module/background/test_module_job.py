"""A background process: what it says is understood, however torn; it ends whole; it leaves nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import slicerhost
from PDL1PredictorGUI.background import job as job_page
from PDL1PredictorGUI.background import outcome as outcome_page
from PDL1PredictorGUI.background.job import Job
from PDL1PredictorGUI.setup import processes

pytestmark = pytest.mark.usefixtures("slicer_scene")

# A launcher as Slicer's: it starts the real program as a child and hands on its status; ended, it leaves the child.
LAUNCHER = """
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, *sys.argv[1:]])
code = child.wait()
if code < 0:
    print(f"error: [{sys.executable}] exit abnormally - Report the problem.", file=sys.stderr)
    code = 1
sys.exit(code)
"""


class Listener:
    """Keeps what a job tells."""

    def __init__(self):
        self.progress, self.log, self.ends = [], [], []
        self.job = Job(lambda *step: self.progress.append(step), self.log.append, self.ends.append)

    def run(self, code, *arguments, seconds=20, **options):
        self.start(code, *arguments, **options)
        slicerhost.wait_until(lambda: not self.job.running, seconds)
        return self.ends[-1]

    def start(self, code, *arguments, **options):
        self.job.start([sys.executable, "-c", code, *arguments], **options)


@pytest.fixture
def listener():
    found = Listener()
    yield found
    found.job.stop()


def said(text):
    return f"import sys; sys.stdout.buffer.write({text!r}); sys.stdout.flush()"


def gone(pid):
    """Whether a process has ended; one that nobody has fetched yet counts as ended."""
    return not processes.alive([member for member in processes.family(pid) if member.pid == pid])


def wait_for(path, seconds=20):
    slicerhost.wait_until(path.exists, seconds)
    slicerhost.wait_until(lambda: path.read_text(), seconds)
    return path.read_text()


STAY = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + STAY


def test_progress_arrives_in_order_and_the_end_once(listener):
    steps = "".join(
        f'{{"type":"progress","stage":"s{n}","fraction":{n / 4},"message":"step {n}","elapsed_s":{n}}}\n'
        for n in range(5)
    )
    end = listener.run(said((steps + '{"type":"result","out":"o","report":"r"}\n').encode()))
    assert end == outcome_page.Outcome("done")
    assert listener.progress == [(f"s{n}", n / 4, f"step {n}", float(n)) for n in range(5)]
    assert listener.log == []
    assert len(listener.ends) == 1
    assert listener.job.outcome is end


def test_a_line_that_comes_in_pieces_is_put_together(listener):
    code = (
        "import sys, time\n"
        'for part in ("{\\"type\\":\\"prog", "ress\\",\\"stage\\":\\"read\\",", "\\"fraction\\":0.5}\\n"):\n'
        "    sys.stdout.write(part); sys.stdout.flush(); time.sleep(0.15)"
    )
    listener.run(code)
    assert listener.progress == [("read", 0.5, "", 0.0)]


def test_torn_foreign_and_undecodable_lines_are_log(listener):
    lines = [
        b'{"type":"progress","fraction":0.5,"sta',
        b"caf\xff\xfe \x00 not text",
        b"[1, 2]",
        b'{"type":"unknown"}',
        b'{"type":"progress","fraction":"half"}',
        b'{"type":"progress"}',
        b'{"type":"error","message":5}',
        b"",
        b'{"type":"progress","stage":"x","fraction":7}',
        b"no newline at the end",
    ]
    end = listener.run(said(b"\n".join(lines)))
    assert end.kind == "done"
    assert listener.progress == [("x", 1.0, "", 0.0)]
    assert len(listener.log) == 8
    assert listener.log[1].startswith("caf\ufffd\ufffd")
    assert listener.log[-1] == "no newline at the end"


def test_a_torn_error_is_not_taken_for_a_refusal(listener):
    end = listener.run(said(b'{"type":"error","message":"The CT') + "; sys.exit(2)")
    assert end.kind == "crashed"
    assert "exit status 2" in end.message


def test_windows_line_ends_are_understood(listener):
    listener.run(said(b'{"type":"progress","stage":"a","fraction":0}\r\nline\r\n'))
    assert listener.progress == [("a", 0.0, "", 0.0)]
    assert listener.log == ["line"]


def test_what_comes_on_the_error_channel_is_log_even_if_it_looks_like_a_message(listener):
    listener.run('import sys; print(\'{"type":"progress","fraction":0.1}\', file=sys.stderr)')
    assert listener.progress == []
    assert len(listener.log) == 1


def test_a_refusal_is_shown_word_for_word(listener, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    text = "Der Tumor hat 3 Voxel – „zu wenig“."
    code = "import json, sys; print(json.dumps({'type': 'error', 'message': sys.argv[1]})); sys.exit(2)"
    end = listener.run(code, text, folder=folder)
    assert end == outcome_page.Outcome("refused", text)
    assert not folder.exists()


def test_the_folder_of_a_run_that_is_done_stays(listener, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    listener.run("open('made', 'w').close()", folder=folder, cwd=folder)
    assert (folder / "made").exists()


def test_variables_reach_the_process(listener):
    listener.run("import os; print(os.environ['PDL1_TEST'])", env={"PDL1_TEST": "größer"})
    assert listener.log == ["größer"]


@pytest.mark.parametrize("way", ["directly", "through a launcher"])
@pytest.mark.parametrize("code", [STAY, STUBBORN], ids=["willing", "stubborn"])
def test_cancel_leaves_no_process_and_no_file(listener, tmp_path, monkeypatch, way, code):
    monkeypatch.setattr(job_page, "GRACE_SECONDS", 0.5)
    folder = tmp_path / "run"
    folder.mkdir()
    said_pid = tmp_path / "pid"
    if way == "directly":
        listener.start(code, str(said_pid), folder=folder)
    else:
        listener.start(LAUNCHER, "-c", code, str(said_pid), folder=folder)
    child = int(wait_for(said_pid))
    parent = listener.job.process_id
    assert (child == parent) == (way == "directly")
    assert not gone(child)
    listener.job.cancel()
    assert listener.job.cancelling
    listener.job.cancel()  # a second click does nothing
    slicerhost.wait_until(lambda: not listener.job.running, 10)
    assert gone(child)
    assert gone(parent)
    assert not folder.exists()
    assert listener.ends == [outcome_page.Outcome("cancelled", "Cancelled. Nothing was kept.")]


def test_ending_the_launcher_alone_would_leave_its_child(tmp_path):
    """The twin of the test above: without a look at the family the child would live on."""
    said_pid = tmp_path / "pid"
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCHER, "-c", STAY, str(said_pid)])
    child = int(wait_for(said_pid))
    launcher.kill()
    launcher.wait()
    assert not gone(child)
    os.kill(child, signal.SIGKILL)
    slicerhost.wait_until(lambda: gone(child), 5)


def test_grandchildren_end_too(listener, tmp_path):
    pid = tmp_path / "pid"
    middle = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {STAY!r}, sys.argv[1]])"
    listener.start(LAUNCHER, "-c", middle, str(pid))
    grandchild = int(wait_for(pid))
    assert len(processes.family(listener.job.process_id)) == 3
    listener.job.stop()
    assert gone(grandchild)
    assert listener.ends[0].kind == "cancelled"


def test_a_killed_launcher_does_not_leave_its_child(listener, tmp_path):
    pid = tmp_path / "pid"
    speak = "print('started', flush=True); " + STAY
    listener.start(LAUNCHER, "-c", speak, str(pid))
    child = int(wait_for(pid))
    slicerhost.wait_until(lambda: listener.log, 5)
    os.kill(listener.job.process_id, signal.SIGKILL)
    slicerhost.wait_until(lambda: not listener.job.running, 5)
    assert gone(child)
    assert listener.ends[0].message.startswith("The background process was ended from outside")


def test_what_could_not_be_ended_is_told(listener, monkeypatch):
    monkeypatch.setattr(processes, "end", lambda _pid, _known: [processes.Member(4711, "long ago")])
    assert listener.run("pass").kind == "done"
    assert listener.log == ["These processes could not be ended: [4711]"]


@pytest.mark.parametrize("way", ["directly", "through a launcher"])
def test_killed_from_outside_is_one_clear_sentence(listener, tmp_path, way):
    folder = tmp_path / "run"
    folder.mkdir()
    pid = tmp_path / "pid"
    if way == "directly":
        listener.start(STAY, str(pid), folder=folder)
    else:
        listener.start(LAUNCHER, "-c", STAY, str(pid), folder=folder)
    os.kill(int(wait_for(pid)), signal.SIGKILL)
    slicerhost.wait_until(lambda: not listener.job.running, 5)
    (end,) = listener.ends
    assert end.kind == "crashed"
    assert end.message == (
        "The background process was ended from outside, most often because the computer ran out of memory."
    )
    assert end.what_to_do.startswith("Close other programs")
    assert not folder.exists()


CAUSES = {
    "import not_there_at_all": (
        "The Python package not_there_at_all is missing or does not work.",
        "Press Repair packages",
    ),
    "raise MemoryError": ("The computer ran out of memory.", "Close other programs"),
    "raise RuntimeError('CUDA out of memory. Tried to allocate')": ("The computer ran out of memory.", "Close other"),
    "raise OSError(28, 'No space left on device')": ("The disk is full", "Free some space"),
    "raise ZeroDivisionError('by naught')": ("(exit status 1): ZeroDivisionError: by naught", "Open the log"),
    "import sys; sys.exit(5)": ("(exit status 5): it said nothing", "Open the log"),
}


@pytest.mark.parametrize("code", CAUSES)
def test_a_crash_says_why_and_what_to_do(listener, code):
    message, advice = CAUSES[code]
    end = listener.run(code)
    assert end.kind == "crashed"
    assert message in end.message
    assert end.what_to_do.startswith(advice)
    assert end.text == f"{end.message} {end.what_to_do}"


def ends_with(error, code=1):
    return said((json.dumps({"type": "error", **error}) + "\n").encode()) + f"; sys.exit({code})"


@pytest.mark.parametrize("code", [1, 2, 70])
def test_a_fault_of_the_program_is_its_sentence_and_the_place_of_its_log(listener, tmp_path, code):
    log = tmp_path / "pdl1 fault ü.log"
    end = listener.run(ends_with({"message": "Something went wrong.", "bug": True, "log": str(log)}, code))
    assert end.kind == "crashed"
    assert end.text == f"Something went wrong. Report it with the log {log}."


@pytest.mark.parametrize("log", [None, 7, ""])
def test_a_fault_without_a_log_says_where_else_to_look(listener, log):
    end = listener.run(ends_with({"message": "Something went wrong.", "bug": True, "log": log}, 2))
    assert (end.kind, end.message) == ("crashed", "Something went wrong.")
    assert end.what_to_do.startswith("Open the log")


def test_a_log_in_the_runs_own_folder_outlives_it(listener, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "fault.log").write_text("Traceback", encoding="utf-8")
    end = listener.run(ends_with({"message": "Wrong.", "bug": True, "log": "fault.log"}), folder=folder)
    assert not folder.exists()
    assert end.what_to_do == f"Report it with the log {tmp_path / 'run.log'}."
    assert (tmp_path / "run.log").read_text(encoding="utf-8") == "Traceback"


def test_memory_that_ran_out_is_told_as_such_also_where_the_program_calls_it_a_fault(listener):
    end = listener.run(ends_with({"message": "MemoryError: Unable to allocate 9 GiB", "bug": True}))
    assert end.message == "The computer ran out of memory."


def test_the_process_outlives_its_own_last_signal(listener):
    """PythonQt deletes an object without parent with its last reference, also in the middle of its own signal."""
    alive = []

    def end(_outcome):
        listener.ends.append(_outcome)
        listener.job = None  # the window lets go of everything
        alive.append(list(job_page._ended))

    job = listener.job
    job._on_end = end
    listener.start("print('one')")
    del job
    slicerhost.wait_until(lambda: listener.ends, 10)
    assert len(alive[0]) == 1
    slicerhost.wait_until(lambda: not job_page._ended, 5)
    listener.job = Job()


def test_a_program_that_is_not_there(listener, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    listener.job.start([str(tmp_path / "no program")], folder=folder)
    slicerhost.wait_until(lambda: not listener.job.running, 5)
    assert listener.ends[0].kind == "crashed"
    assert "could not be started" in listener.ends[0].message
    assert not folder.exists()


def test_two_runs_in_a_row(listener):
    assert listener.run("print('one')").kind == "done"
    assert listener.run("import sys; print('two'); sys.exit(1)").kind == "crashed"
    assert listener.run("print('three')").kind == "done"
    assert listener.log == ["one", "two", "three"]
    assert [end.kind for end in listener.ends] == ["done", "crashed", "done"]


def test_the_next_run_may_be_started_from_the_end_of_the_last(listener, tmp_path):
    def again(end):
        listener.ends.append(end)
        if len(listener.ends) == 1:
            listener.start("print('second')")

    listener.job._on_end = again
    listener.start("print('first')")
    slicerhost.wait_until(lambda: len(listener.ends) == 2, 10)
    assert listener.log == ["first", "second"]


def test_a_late_kill_of_a_cancelled_run_does_not_reach_the_next(listener, tmp_path, monkeypatch):
    monkeypatch.setattr(job_page, "GRACE_SECONDS", 0.4)
    pid = tmp_path / "pid"
    listener.start(STAY, str(pid))
    wait_for(pid)
    listener.job.cancel()
    slicerhost.wait_until(lambda: not listener.job.running, 5)
    end = listener.run("import time; time.sleep(0.8); print('alive')")
    assert end.kind == "done"
    assert listener.log == ["alive"]


def test_one_run_at_a_time(listener, tmp_path):
    listener.start(STAY, str(tmp_path / "pid"))
    with pytest.raises(RuntimeError, match="still under way"):
        listener.start("pass")
    listener.job.stop()


def test_waiting_blocks_and_gives_the_outcome(listener, tmp_path):
    gate = tmp_path / "gate"
    listener.start(
        "import os, sys, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.01)\nprint('x')", str(gate)
    )
    assert listener.job.wait(0.01) is None
    gate.touch()
    assert listener.job.wait(100).kind == "done"
    assert listener.log == ["x"]
    assert listener.job.wait(1).kind == "done"  # nothing runs: the last outcome


def test_waiting_ends_a_stubborn_process_without_the_event_loop(listener, tmp_path, monkeypatch):
    monkeypatch.setattr(job_page, "GRACE_SECONDS", 0.3)
    pid = tmp_path / "pid"
    listener.start(STUBBORN, str(pid))
    while not (pid.exists() and pid.read_text()):
        listener.job.wait(0.05)
    started = time.monotonic()
    listener.job.stop()
    assert time.monotonic() - started < 120  # by itself it would stay for ten minutes
    assert gone(int(pid.read_text()))
    assert listener.ends[0].kind == "cancelled"


def test_the_end_of_the_application_ends_the_run(listener, tmp_path, slicer_app):
    pid = tmp_path / "pid"
    listener.start(STAY, str(pid))
    child = int(wait_for(pid))
    slicer_app.aboutToQuit.emit()
    assert gone(child)
    assert not listener.job.running


def test_progress_after_cancel_is_not_shown(listener, tmp_path):
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        '    print(\'{"type":"progress","stage":"late","fraction":0.9}\', flush=True); sys.exit(130)\n'
        "signal.signal(signal.SIGTERM, end)\n" + STAY
    )
    pid = tmp_path / "pid"
    listener.start(code, str(pid))
    wait_for(pid)
    listener.job.cancel()
    slicerhost.wait_until(lambda: not listener.job.running, 5)
    assert listener.progress == []
    assert listener.ends[0].kind == "cancelled"


def test_a_very_long_log_does_not_stop_the_process(listener):
    end = listener.run("for n in range(20000): print('x' * 50)")
    assert end.kind == "done"
    assert len(listener.log) == 20000


def test_processes_of_macos_are_read():
    text = (
        "    1     0 Ss   Mon Jan  5 10:00:00 2026\n  912   1 S+   Mon Jan  5 10:00:01 2026\n 913 912 Z    Mon Jan  5\n"
    )
    assert processes.parse_ps(text) == {
        1: (0, "Mon Jan  5 10:00:00 2026"),
        912: (1, "Mon Jan  5 10:00:01 2026"),
    }


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system has no /proc")
def test_a_number_that_was_given_again_is_another_process():
    (own, *_rest) = processes.family(os.getpid())
    assert processes.alive([own]) == [own]
    assert processes.alive([own._replace(born="0")]) == []


def test_windows_ends_the_tree_by_its_own_command(monkeypatch):
    called = []
    monkeypatch.setattr(processes, "WINDOWS", True)
    monkeypatch.setattr(processes.subprocess, "run", lambda command, **_options: called.append(command))
    processes.ask_to_end(4711)
    assert processes.end(4711, []) == []
    processes.end(0, [])
    assert called == [["taskkill", "/T", "/F", "/PID", "4711"]] * 2

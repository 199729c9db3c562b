"""The folders of runs: nothing of a dead application stays, nothing of a live one is touched."""

import os
import shutil
import subprocess
import sys

import pytest
from PDL1PredictorGUI.setup import processes, run_folders

pytestmark = pytest.mark.usefixtures("slicer_scene")


@pytest.fixture
def dead_pid():
    """The number of a process that has ended, and that nobody has again."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return process.pid


def left_behind(parent, name, old=True):
    folder = parent / name
    folder.mkdir()
    (folder / "ct.nrrd").write_bytes(b"x")
    if old:
        os.utime(folder, (0, 0))
    return folder


def test_a_folder_is_named_after_its_application_and_its_purpose(tmp_path):
    plain, report = run_folders.new_folder(tmp_path), run_folders.new_folder(tmp_path, "report")
    assert plain.name.startswith(f"PDL1Predictor-{os.getpid()}-")
    assert report.name.startswith(f"PDL1Predictor-{os.getpid()}-report-")
    assert (plain.stat().st_mode & 0o077) == 0


def test_what_a_dead_application_left_goes_when_the_next_run_starts(tmp_path, dead_pid):
    gone = left_behind(tmp_path, f"PDL1Predictor-{dead_pid}-abc")
    report = left_behind(tmp_path, f"PDL1Predictor-{dead_pid}-report-abc")
    run_folders.new_folder(tmp_path)
    assert not gone.exists()
    assert not report.exists()


def test_live_young_and_foreign_folders_stay(tmp_path, dead_pid):
    elsewhere = left_behind(tmp_path, "the user's own")
    kept = [
        left_behind(tmp_path, f"PDL1Predictor-{os.getpid()}-mine"),
        left_behind(tmp_path, f"PDL1Predictor-{os.getppid()}-another-application"),
        left_behind(tmp_path, f"PDL1Predictor-{dead_pid}-young", old=False),
        left_behind(tmp_path, "PDL1Predictor-results-of-a-user"),
        elsewhere,
    ]
    link = tmp_path / f"PDL1Predictor-{dead_pid}-link"
    link.symlink_to(elsewhere)
    file = tmp_path / f"PDL1Predictor-{dead_pid}-abc.log"
    file.write_text("what to report", encoding="utf-8")
    os.utime(file, (0, 0))
    run_folders.sweep(tmp_path)
    assert all((folder / "ct.nrrd").exists() for folder in kept)
    assert link.is_symlink()
    assert file.exists()


def test_another_users_folder_stays(tmp_path, dead_pid, monkeypatch):
    theirs = left_behind(tmp_path, f"PDL1Predictor-{dead_pid}-abc")
    monkeypatch.setattr(run_folders.os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    run_folders.sweep(tmp_path)
    assert theirs.exists()


def test_a_folder_that_is_held_for_a_moment_is_tried_again(tmp_path, monkeypatch):
    real, calls = shutil.rmtree, []

    def held(folder, **options):
        calls.append(folder)
        if len(calls) == 3:
            real(folder, **options)

    monkeypatch.setattr(run_folders.shutil, "rmtree", held)
    monkeypatch.setattr(run_folders, "PAUSE_SECONDS", 0.0)
    assert run_folders.remove_folder(left_behind(tmp_path, "PDL1Predictor-1-abc"))
    assert len(calls) == 3
    monkeypatch.setattr(run_folders.shutil, "rmtree", lambda folder, **_options: calls.append(folder))
    assert not run_folders.remove_folder(left_behind(tmp_path, "PDL1Predictor-2-abc"))
    assert len(calls) == 3 + run_folders.TRIES


def test_whether_a_process_runs(dead_pid):
    assert processes.runs(os.getpid())
    assert not processes.runs(dead_pid)


@pytest.mark.parametrize(("answer", "runs"), [(b'"python.exe","4711","Console"', True), (b"INFO: No tasks", False)])
def test_windows_is_asked_by_its_list_of_tasks_and_nothing_is_ended(monkeypatch, answer, runs):
    called = []

    def run(command, **_options):
        called.append(command[0])
        return subprocess.CompletedProcess(command, 0, answer)

    monkeypatch.setattr(processes, "WINDOWS", True)
    monkeypatch.setattr(processes.subprocess, "run", run)
    monkeypatch.setattr(processes.os, "kill", lambda *_arguments: pytest.fail("os.kill ends a process on Windows"))
    assert processes.runs(4711) is runs
    assert called == ["tasklist"]

"""tasks.py: which commands each task runs, on which system, when nothing is run twice, and how a failure ends."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
import tasks  # noqa: E402 - the path first

MADE = ("setup", "demo", "test", "test-processors", "check", "bench", "reliability", "lists", "sample", "screenshots")
LINUX, WINDOWS = tasks.Shell(windows=False, dry_run=True), tasks.Shell(windows=True, dry_run=True)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout without .venv, in a folder with a name that shells do not like; every program answers."""
    folder = tmp_path / "mein Ordner ü"
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copy(ROOT / "tasks.py", folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(tasks, "works", lambda *command: not command[0].startswith(".venv"))
    return folder


@pytest.fixture
def installed(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with all that development needs."""
    monkeypatch.setattr(tasks, "works", lambda *_: True)
    tasks.VENV.mkdir()
    every = sorted(tasks.REQUIREMENTS.glob("*.txt"))
    wanted = [Path("requirements/runtime.txt"), Path("requirements/constraints.txt"), Path("pyproject.toml")]
    tasks.READY.write_text(tasks.fingerprint(wanted))
    tasks.TOOLS.write_text(tasks.fingerprint([*every, Path("pyproject.toml")]))
    return checkout


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_a_first_setup_makes_venv_and_installs_wheels_then_the_library(checkout, capsys):
    tasks.setup(LINUX)
    making, packages, library = told(capsys)
    assert making == shlex.join([sys.executable, "-m", "venv", ".venv"])
    pip = ".venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint"
    assert packages == f"{pip} requirements/constraints.txt -r requirements/runtime.txt setuptools wheel"
    assert library == f"{pip} requirements/constraints.txt --no-build-isolation --no-deps --editable ."
    assert not tasks.VENV.exists()  # a dry run changes nothing


def test_windows_has_its_programs_elsewhere(checkout, capsys):
    tasks.demo(WINDOWS)
    lines = told(capsys)
    programs = [line.split()[0] for line in lines[1:]]
    assert programs == [r".venv\Scripts\python.exe"] * 2 + [r".venv\Scripts\pdl1.exe"] * 2
    assert not any(".venv/bin" in line for line in lines[1:])


def test_words_with_spaces_are_quoted_as_the_system_does(capsys):
    LINUX.run("a b", "c'd")
    WINDOWS.run("a b", "c'd")
    assert told(capsys) == ["'a b' 'c'\"'\"'d'", '"a b" c\'d']


def test_all_requirements_are_installed_by_some_task(checkout, capsys):
    (tasks.REQUIREMENTS / "another.txt").touch()
    tasks.bench(LINUX)
    tasks.docs(LINUX)
    text = capsys.readouterr().out
    for file in tasks.REQUIREMENTS.glob("*.txt"):
        word = "--constraint" if file.stem == "constraints" else "-r"
        assert f"{word} requirements/{file.name}" in text, file.name


def test_packages_beside_the_library_are_installed_as_they_lie(checkout, capsys):
    Path("packages/another").mkdir(parents=True)
    Path("packages/another/pyproject.toml").touch()
    tasks.tools(LINUX)
    assert "--no-build-isolation --no-deps --editable packages/another\n" in capsys.readouterr().out


def test_the_site_is_built_with_warnings_as_errors(installed, capsys):
    tasks.docs(LINUX)
    page, packages, site = told(capsys)
    assert page.endswith(".venv/bin/python -m PDL1PredictorLib.radiomics.page docs/features.md")
    assert packages.endswith(" -r requirements/docs.txt")
    assert site.endswith(".venv/bin/python -m mkdocs build --strict")


def test_pyradiomics_is_built_on_3_11_only(checkout, capsys, monkeypatch):
    tasks.tools(LINUX)
    assert "--no-build-isolation -r requirements/reference.txt" in capsys.readouterr().out
    monkeypatch.setattr(tasks, "works", lambda *command: "(3, 11))" not in command[-1])
    tasks.tools(LINUX)
    text = capsys.readouterr().out
    assert "reference.txt" not in text
    assert "pyradiomics does not build on this Python" in text


def test_a_build_that_fails_is_told_with_the_remedy(checkout, monkeypatch):
    monkeypatch.setattr(tasks, "status_of", lambda command, _: int("requirements/reference.txt" in command))
    monkeypatch.setattr(tasks, "works", lambda *_: True)
    tasks.VENV.mkdir()
    with pytest.raises(tasks.Failed, match="a C compiler and the headers of Python 3.11 are needed"):
        tasks.tools(tasks.Shell())
    assert tasks.READY.exists()
    assert not tasks.TOOLS.exists()  # the next try builds it again


def test_what_is_installed_is_not_installed_again(installed, capsys):
    tasks.tools(LINUX)
    assert told(capsys) == []
    os.utime("requirements/train.txt")  # only touched, as git does
    tasks.tools(LINUX)
    assert told(capsys) == []


@pytest.mark.parametrize(("file", "commands"), [("train.txt", 2), ("runtime.txt", 4)])
def test_what_is_asked_for_anew_is_installed(installed, capsys, file, commands):
    with (tasks.REQUIREMENTS / file).open("a") as content:
        content.write("another\n")
    tasks.tools(LINUX)
    assert len(told(capsys)) == commands


def test_a_folder_that_was_moved_is_installed_again(installed, capsys, monkeypatch):
    elsewhere = installed.rename(installed.with_name("elsewhere"))
    monkeypatch.chdir(elsewhere)
    tasks.setup(LINUX)
    assert len(told(capsys)) == 2


def test_tests_that_draw_run_apart(installed, capsys):
    tasks.test(LINUX)
    others, hosted = told(capsys)
    assert others == ".venv/bin/python -m pytest " + " ".join(f"--ignore={folder}" for folder in tasks.HOSTED)
    assert hosted == ".venv/bin/python -m pytest Testing/module packages/slicerhost/tests Testing/extension"


def test_jobs_have_a_thread_each(installed, capsys):
    tasks.test(tasks.Shell(windows=False, dry_run=True, jobs=2))
    others, hosted = told(capsys)
    assert others.startswith("OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n 2 --dist loadfile --ignore")
    assert "-n" not in hosted


def test_some_tests_by_their_paths(installed, capsys):
    for name in ("Testing/cli", "Testing/module/scene"):
        Path(name).mkdir(parents=True)
    words = ("Testing/cli", "Testing/module/scene", "-k", "help")
    tasks.test(tasks.Shell(windows=False, dry_run=True, words=words))
    others, hosted = told(capsys)
    assert others.endswith(" Testing/cli -k help")
    assert hosted == ".venv/bin/python -m pytest Testing/module/scene -k help"
    tasks.test(tasks.Shell(windows=False, dry_run=True, words=words[:1]))
    assert len(told(capsys)) == 1


def test_a_program_of_venv_is_run_with_its_arguments(installed, capsys):
    tasks.run(tasks.Shell(windows=False, dry_run=True, words=("ruff", "check", "--fix")))
    assert told(capsys) == [".venv/bin/ruff check --fix"]
    with pytest.raises(tasks.Failed, match="Say which program"):
        tasks.run(LINUX)


def test_without_a_right_python_it_is_said_which(checkout, monkeypatch):
    monkeypatch.setattr(tasks, "works", lambda *_: False)
    with pytest.raises(tasks.Failed, match=r"Python 3.11 or 3.12 is needed. Install one, or say"):
        tasks.setup(LINUX)
    with pytest.raises(tasks.Failed, match=r"is needed. /old/python is not. Install one"):
        tasks.setup(tasks.Shell(dry_run=True, python="/old/python"))


def test_without_ensurepip_the_package_is_named(checkout, monkeypatch):
    monkeypatch.setattr(tasks, "works", lambda *command: "ensurepip" not in command[-1] and "pip" not in command)
    with pytest.raises(tasks.Failed, match="apt install python3.11-venv"):
        tasks.setup(tasks.Shell(dry_run=True, python="/usr/bin/python3.11"))


def test_windows_asks_its_launcher_last(checkout, monkeypatch):
    monkeypatch.setattr(tasks, "works", lambda *command: command[0] == "py")
    assert tasks.interpreter(WINDOWS) == ["py", "-3.11"]
    with pytest.raises(tasks.Failed):
        tasks.interpreter(LINUX)


def test_clean_removes_a_link_and_not_what_it_leads_to(checkout, tmp_path):
    (tmp_path / "kept").mkdir()
    tasks.VENV.symlink_to(tmp_path / "kept", target_is_directory=True)
    (tasks.DEMO / "result").mkdir(parents=True)
    tasks.clean(LINUX)
    assert tasks.DEMO.exists()
    tasks.clean(tasks.Shell())
    assert not tasks.VENV.is_symlink()
    assert not tasks.DEMO.exists()
    assert (tmp_path / "kept").is_dir()
    assert Path("requirements").is_dir()


def test_a_command_that_fails_ends_the_task_with_its_status(capsys):
    shell = tasks.Shell()
    with pytest.raises(tasks.Failed, match="ended with exit status 3") as failed:
        shell.run(sys.executable, "-c", "raise SystemExit(3)")
    assert failed.value.status == 3
    shell.run(sys.executable, "-c", "raise SystemExit(3)", may_fail=True)
    with pytest.raises(tasks.Failed, match="cannot be started"):
        shell.run("no such program")


def test_variables_are_those_of_the_user_where_they_may_be():
    environment = {"OMP_NUM_THREADS": "7", "PIP_USER": "1"}
    tasks.prepare(environment)
    assert environment == {
        "OMP_NUM_THREADS": "7",
        "OPENBLAS_NUM_THREADS": "1",
        "PIP_USER": "0",
        "PYTHONUTF8": "1",
    }


@pytest.mark.parametrize("name", tasks.TASKS)
def test_every_task_can_be_asked_for_and_says_what_it_is(name: str):
    options = tasks.parser().parse_args([name, "--dry-run"])
    assert (options.task, options.dry_run) == (name, True)
    assert len(tasks.TASKS[name].__doc__ or "") > 10


def test_make_has_the_tasks_and_says_nothing_twice():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    names = re.search(r"^TASKS := (.*)$", text, flags=re.MULTILINE)[1].split()
    assert set(names) <= set(tasks.TASKS)
    assert set(MADE) <= set(names)
    assert re.findall(r"^\t(.*)$", text, flags=re.MULTILINE) == ['@"$(or $(PYTHON),python3)" tasks.py $@']


@pytest.mark.skipif(os.name != "posix" or shutil.which("make") is None, reason="there is no make")
def test_make_forwards_to_the_script_in_any_folder(checkout):
    shutil.copy(ROOT / "Makefile", checkout)
    tasks_py = checkout / "tasks.py"
    tasks_py.write_text("import os, sys\nprint(sys.argv[1:], os.environ.get('JOBS'))\n")
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # of a make around
    command = ["make", "test", "JOBS=2", f"PYTHON={sys.executable}"]
    done = subprocess.run(command, env=outside, capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "['test'] 2"), done.stderr


def test_as_a_program_it_works_from_any_folder(checkout, tmp_path):
    command = [sys.executable, str(checkout / "tasks.py"), "setup", "--dry-run"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "-m venv .venv" in done.stdout
    assert not (checkout / ".venv").exists()
    none = subprocess.run([*command[:2], "nothing"], capture_output=True, text=True)
    assert (none.returncode, "invalid choice: 'nothing'" in none.stderr) == (2, True)


LONG = """
import signal, sys, tasks

tasks.start()
signal.signal(signal.SIGINT, signal.default_int_handler)
tasks.TASKS["lists"] = lambda shell: shell.run(
    sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
)
sys.exit(tasks.main(["lists"]))
"""


@pytest.mark.skipif(os.name != "posix", reason="Windows has no signals from outside")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_command_too(checkout, number, status):
    """Ctrl-C goes to the whole group, as a terminal sends it; SIGTERM to the script alone."""
    command = [sys.executable, "-c", LONG]
    with subprocess.Popen(
        command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        process.stdout.readline()
        child = int(process.stdout.readline())
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        assert process.wait() == status
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)

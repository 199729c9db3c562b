#!/usr/bin/env python3
"""What is done with a checkout, on Windows, macOS and Linux: `python tasks.py TASK`; `make TASK` is the same.

Needs Python 3.11 or 3.12 and nothing else: whatever a task needs besides is put into `.venv` first.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV, REQUIREMENTS, DEMO = Path(".venv"), Path("requirements"), Path("demo")  # from the root, where all commands run
READY, TOOLS = VENV / "ready", VENV / "tools"  # stamps: what was installed, for a prediction and for development
#: Tests that draw: apart from the others, as the renderer's LLVM and that of a GPU's torch cannot share a process.
HOSTED = ("Testing/module", "packages/slicerhost/tests", "Testing/extension")
DEMO_SEED = "2028"
PYTHONS = ("3.11", "3.12")
#: Requirements that the development tools do not include: installed before, after, or for one task only.
APART = ("constraints", "runtime", "reference", "bench", "docs")
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint", "requirements/constraints.txt")


class Failed(Exception):
    """A task cannot go on: the sentence to say, and the exit status."""

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Shell:
    """Runs the commands of a task in the checkout.

    Attributes:
        windows: Whether programs of `.venv` lie and are quoted as on Windows.
        dry_run: Commands are told, not run; nothing is changed.
        python: Program to make `.venv` with; empty: one that is found.
        jobs: Files of tests that run side by side; 0: one after the other.
        words: What was typed behind the task's name.
    """

    windows: bool = os.name == "nt"
    dry_run: bool = False
    python: str = ""
    jobs: int = 0
    words: tuple[str, ...] = ()

    def program(self, name: str) -> str:
        """The path of a program of `.venv`."""
        return rf"{VENV}\Scripts\{name}.exe" if self.windows else f"{VENV}/bin/{name}"

    def run(self, *command: str, may_fail: bool = False, variables: Mapping[str, str] | None = None) -> None:
        """Tell a command and run it, with further variables of the environment.

        Raises:
            Failed: It ended with another exit status than 0.
        """
        quoted = subprocess.list2cmdline(command) if self.windows else shlex.join(command)
        told = " ".join([*(f"{name}={value}" for name, value in (variables or {}).items()), quoted])
        print(told, flush=True)
        if self.dry_run:
            return
        status = status_of(command, {**os.environ, **(variables or {})})
        if status and not may_fail:
            raise Failed(f"{told} ended with exit status {status}.", status)

    def run_python(self, *arguments: str, may_fail: bool = False, variables: Mapping[str, str] | None = None) -> None:
        """Run the Python of `.venv`.

        Raises:
            Failed: It ended with another exit status than 0.
        """
        self.run(self.program("python"), *arguments, may_fail=may_fail, variables=variables)

    def remove(self, path: Path) -> None:
        """Remove a file or folder, or a link to one, where it is there."""
        if not (path.exists() or path.is_symlink()):
            return
        print(f"remove {path}", flush=True)
        if self.dry_run:
            return
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

    def stamp(self, path: Path, content: str) -> None:
        """Note what was installed."""
        if not self.dry_run:
            path.write_text(content, encoding="utf-8")


def status_of(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Exit status of a command, as a shell counts it.

    Ctrl-C reaches the command too, and it ends by itself, in its own time.

    Raises:
        Failed: The command is not there, or Ctrl-C was pressed.
    """
    try:
        process = subprocess.Popen(command, env=environment)
    except OSError as error:
        raise Failed(f"{command[0]} cannot be started: {error.strerror or error}.", 127) from error
    try:
        status = process.wait()
    except KeyboardInterrupt:
        process.wait()
        raise Failed("Ended by Ctrl-C.", 130) from None
    except SystemExit:  # SIGTERM comes to this process alone
        process.terminate()
        process.wait()
        raise
    return status if status >= 0 else 128 - status


def works(*command: str) -> bool:
    """Whether a command runs and ends with 0; it says nothing."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def interpreter(shell: Shell) -> list[str]:
    """The Python to make `.venv` with, as words of a command: the one that was asked for, this one, or another.

    Raises:
        Failed: None is 3.11 or 3.12.
    """
    inside = Path(sys.prefix).resolve() == VENV.resolve()  # it is about to be made anew
    own = [] if inside else [[sys.executable]]
    names = [[name] for name in (*(f"python{version}" for version in PYTHONS), "python3", "python")]
    launched = [["py", f"-{version}"] for version in PYTHONS] if shell.windows else []
    for words in [[shell.python]] if shell.python else [*own, *names, *launched]:
        if works(*words, "-c", f"import sys; sys.exit('%d.%d' % sys.version_info[:2] not in {PYTHONS})"):
            return words
    asked = f"{shell.python} is not. " if shell.python else ""
    raise Failed(
        f"Python {' or '.join(PYTHONS)} is needed. {asked}Install one, or say where it is: --python PATH, or the "
        "variable PYTHON."
    )


def fingerprint(sources: Sequence[Path]) -> str:
    """What was installed from these files into this place."""
    contents = [str(VENV.resolve()).encode(errors="surrogateescape"), *(path.read_bytes() for path in sources)]
    return hashlib.sha256(b"\0".join(contents)).hexdigest()


def stands(stamp: Path, content: str) -> bool:
    """Whether a stamp says that just this was installed."""
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == content


def make_venv(shell: Shell) -> None:
    """Make `.venv`, also where it is half made: without ensurepip, which Debian packs apart, it has no pip.

    Raises:
        Failed: There is no Python that can.
    """
    python = interpreter(shell)
    if not works(*python, "-c", "import ensurepip, venv"):
        raise Failed(
            f"{' '.join(python)} cannot make virtual environments: its ensurepip or venv is missing. On Debian and "
            f"Ubuntu: apt install {Path(python[0]).name}-venv"
        )
    shell.remove(VENV)
    shell.run(*python, "-m", "venv", str(VENV))


def install(shell: Shell, *names: str, isolated: bool = True, may_fail: bool = False) -> None:
    """Install what files of requirements/ list.

    Raises:
        Failed: pip could not.
    """
    files = [word for name in names for word in ("-r", f"{REQUIREMENTS.as_posix()}/{name}.txt")]
    shell.run_python(*PIP, *([] if isolated else ["--no-build-isolation"]), *files, may_fail=may_fail)


def setup(shell: Shell) -> None:
    """.venv with what a prediction needs: wheels only."""
    sources = [REQUIREMENTS / "runtime.txt", REQUIREMENTS / "constraints.txt", Path("pyproject.toml")]
    wanted = fingerprint(sources)
    if stands(READY, wanted):
        return
    if not works(shell.program("python"), "-m", "pip", "--version"):
        make_venv(shell)
    shell.run_python(*PIP, "-r", "requirements/runtime.txt", "setuptools", "wheel")
    shell.run_python(*PIP, "--no-build-isolation", "--no-deps", "--editable", ".")
    shell.stamp(READY, wanted)


def tools(shell: Shell) -> None:
    """Besides, what training, tests and checks need."""
    setup(shell)
    files = sorted(REQUIREMENTS.glob("*.txt"))
    beside = sorted(Path("packages").glob("*/pyproject.toml"))
    wanted = fingerprint([*files, Path("pyproject.toml"), *beside])
    if stands(TOOLS, wanted):
        return
    install(shell, *(path.stem for path in files if path.stem not in APART))
    for project in beside:  # the project's own packages that are not the library
        shell.run_python(*PIP, "--no-build-isolation", "--no-deps", "--editable", project.parent.as_posix())
    _install_reference(shell)
    shell.stamp(TOOLS, wanted)


def _install_reference(shell: Shell) -> None:
    """pyradiomics, which judges the radiomics engine, builds on Python 3.11 only."""
    python = [shell.program("python")] if Path(shell.program("python")).exists() else interpreter(shell)
    if not works(*python, "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 11))"):
        print("pyradiomics does not build on this Python: its stored values stand in for it.", flush=True)
        return
    try:
        install(shell, "reference", isolated=False)
    except Failed as failed:
        raise Failed(
            "pyradiomics could not be built: a C compiler and the headers of Python 3.11 are needed. With Python 3.12 "
            "(remove .venv, then --python PATH) its stored values stand in for it.",
            failed.status,
        ) from failed


def demo(shell: Shell) -> None:
    """One synthetic patient, predicted: what was found, and where the report lies."""
    setup(shell)
    shell.remove(DEMO)
    pdl1, cohort = shell.program("pdl1"), DEMO / "cohort"
    shell.run(pdl1, "phantom", "--n", "1", "--seed", DEMO_SEED, "--out", str(cohort))
    ct, tumor = (str(cohort / "images" / f"case_0001_{kind}.nii.gz") for kind in ("ct", "tumor"))
    shell.run(pdl1, "predict", "--ct", ct, "--tumor", tumor, "--out", str(DEMO / "result"))


def test(shell: Shell) -> None:
    """Everything that must hold, or the tests of some files or folders: test Testing/cli -k help."""
    tools(shell)
    paths = [word for word in shell.words if Path(word.partition("::")[0]).exists()]
    options = [word for word in shell.words if word not in paths]
    hosted = [path for path in paths if Path(path).as_posix().startswith(HOSTED)]
    others = [path for path in paths if path not in hosted]
    if others or not paths:
        parallel = ["-n", str(shell.jobs), "--dist", "loadfile"] if shell.jobs else []
        ignored = [f"--ignore={folder}" for folder in HOSTED]
        variables = {"OMP_NUM_THREADS": "1"} if shell.jobs else {}
        shell.run_python("-m", "pytest", *parallel, *ignored, *others, *options, variables=variables)
    if hosted or not paths:
        shell.run_python("-m", "pytest", *(hosted or HOSTED), *options)


def test_processors(shell: Shell) -> None:
    """The tests as on other processors and in other places, as far as this machine can play them: some hours."""
    tools(shell)
    shell.run_python("Testing/run_processors.py")


def check(shell: Shell) -> None:
    """Format, lint, types."""
    tools(shell)
    shell.run_python("-m", "ruff", "format", "--check", ".")
    shell.run_python("-m", "ruff", "check", ".")
    shell.run_python("-m", "mypy")
    shell.run_python("-m", "mypy", "examples")


def bench(shell: Shell) -> None:
    """Times and memory, into docs/performance.md; BEFORE=COMMIT measures the whole command against a commit, too."""
    tools(shell)
    install(shell, "bench", may_fail=True)  # flash-radiomics, measured beside the engine, has no wheel for Windows
    shell.run_python("Testing/benchmarks/bench_radiomics.py")
    shell.run_python("Testing/benchmarks/bench_predict.py")
    if before := os.environ.get("BEFORE"):
        shell.run_python("Testing/benchmarks/bench_start.py", before)


def reliability(shell: Shell) -> None:
    """What was tried with faulty inputs, damaged files and kills, into docs/reliability.md."""
    tools(shell)
    shell.run_python("Testing/reliability/write_table.py")


def lists(shell: Shell) -> None:
    """The files of the extension, for Slicer's CMake, after one was added to PDL1Predictor/ or PDL1PredictorLib/."""
    shell.run(sys.executable, "Testing/extension/list_files.py")


def docs(shell: Shell) -> None:
    """The pages of docs/ that are written from the code (docs/features.md), and all as a site in site/."""
    setup(shell)
    shell.run_python("-m", "PDL1PredictorLib.radiomics.page", "docs/features.md")
    install(shell, "docs")
    shell.run_python("-m", "mkdocs", "build", "--strict", variables={"NO_MKDOCS_2_WARNING": "1"})  # no warning passes


def dist(shell: Shell) -> None:
    """A wheel and a source distribution in dist/, the same bytes from the same content; installs by name from there."""
    setup(shell)
    shell.run_python("Testing/wheel/make_dist.py", "dist")


def sample(shell: Shell) -> None:
    """The bundled sample patient, byte for byte as it is."""
    setup(shell)
    shell.run_python("Testing/extension/make_sample.py")


def screenshots(shell: Shell) -> None:
    """Pictures of the window for docs/slicer.md, by a walk through the tutorial (Linux)."""
    tools(shell)
    shell.run_python("Testing/extension/make_screenshots.py")


def run(shell: Shell) -> None:
    """A program of .venv with its arguments: run pdl1 predict --help, run ruff check --fix, run pytest -x."""
    if not shell.words:
        raise Failed("Say which program to run: python tasks.py run pdl1 --help", 2)
    (setup if shell.words[0] == "pdl1" else tools)(shell)
    shell.run(shell.program(shell.words[0]), *shell.words[1:])


def clean(shell: Shell) -> None:
    """Removes .venv and all that the tasks make, except what belongs to the project."""
    for path in (VENV, DEMO, *map(Path, ("site", "build", "dist", "Testing/out")), *Path().glob("*.egg-info")):
        shell.remove(path)


TASKS = {
    function.__name__.replace("_", "-"): function
    for function in (
        *(setup, demo, test, check, tools, run, lists, docs, dist, bench),
        *(test_processors, reliability, sample, screenshots, clean),
    )
}


def prepare(environment: MutableMapping[str, str]) -> None:
    """Variables that every command gets."""
    # The arrays are small or the work is spread over processes: more BLAS threads only get in each other's way.
    environment.setdefault("OMP_NUM_THREADS", "2")
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")
    environment["PIP_USER"] = "0"  # packages go into .venv, whatever the user's own pip is told
    environment["PYTHONUTF8"] = "1"  # names of files and what is printed are UTF-8 in any locale


def parser() -> argparse.ArgumentParser:
    """What may be typed: a task for each row of `TASKS`, with its docstring as help."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--python", default=os.environ.get("PYTHON", ""), help="Python 3.11 or 3.12 to make .venv with")
    common.add_argument("--dry-run", action="store_true", help="tell the commands, run none")
    made = argparse.ArgumentParser(prog="tasks.py", description=(__doc__ or "").partition("\n")[0])
    found = made.add_subparsers(dest="task", metavar="TASK", required=True)
    for name, function in TASKS.items():
        text = (function.__doc__ or "").partition("\n")[0]
        one = found.add_parser(name, parents=[common], help=text, description=text)
        if name == "test":
            jobs = int(os.environ.get("JOBS") or 0)
            one.add_argument("--jobs", type=int, default=jobs, help="files of tests side by side, one thread each")
        if name in ("test", "run"):
            one.add_argument("words", nargs=argparse.REMAINDER, help="of pytest" if name == "test" else "program ...")
    return made


def start() -> None:
    """End with SIGTERM in good order, and print paths whose letters the terminal does not know."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main(typed: Sequence[str] | None = None) -> int:
    """Do what was typed; the exit status of what failed, or 0."""
    options = vars(parser().parse_args(typed))
    task = TASKS[options.pop("task")]
    os.chdir(ROOT)
    prepare(os.environ)
    try:
        task(Shell(**{**options, "words": tuple(options.get("words", ()))}))
    except Failed as failed:
        print(failed, file=sys.stderr)
        return failed.status
    return 0


if __name__ == "__main__":
    start()
    sys.exit(main())

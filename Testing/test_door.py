"""The contributor's door says what is so: paths, commands, addresses, hooks, templates, the workflow, the citation."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from PDL1PredictorLib import __version__

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / ".ci")]
import check_subject  # noqa: E402 - the paths first

import tasks  # noqa: E402

GITHUB = ROOT / ".github"
PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")),
    GITHUB / "pull_request_template.md",
    *sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")),
)
HOUSES = ("PDL1Predictor", "PDL1PredictorLib", "Testing", "docs", "requirements", ".ci", ".github")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def code_in(text: str) -> list[str]:
    """What stands in backticks, and lines that are indented."""
    return re.findall(r"`([^`\n]+)`", text) + re.findall(r"^    (.+)$", text, flags=re.MULTILINE)


def paths_in(text: str) -> list[str]:
    """Files and folders of the project that a page names, in code and in links; NAME stands for a new one."""
    words = [word for code in code_in(text) for word in code.split()]
    linked = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    own = [word for word in words if word.split("/")[0] in HOUSES and "/" in word]
    return [*own, *(link for link in linked if link and ":" not in link)]


def absent(text: str) -> list[str]:
    """What a page names and nobody finds. Of a path with NAME, the folder must be there, and a sibling of its kind."""
    return [path for path in paths_in(text) if not any(ROOT.glob(path.replace("NAME", "*").rstrip("/")))]


def commands_in(text: str) -> list[str]:
    """The tasks that a page asks for."""
    return [name for code in code_in(text) for name in re.findall(r"\b(?:tasks\.py|make) ([a-z][a-z-]*)", code)]


def strings(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        for value in content.values():
            yield from strings(value)
    elif isinstance(content, list):
        for value in content:
            yield from strings(value)
    elif isinstance(content, str):
        yield content


def load(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_path_that_is_named_is_there(page: Path):
    assert set(absent(page.read_text(encoding="utf-8"))) == set()


def test_a_path_that_is_not_there_is_told():
    text = "`Testing/nowhere.py`, [b](docs/not.md), `PDL1PredictorLib/core/NAME.rs`, `Testing/cli`\n    x docs/no.md"
    assert absent(text) == ["Testing/nowhere.py", "PDL1PredictorLib/core/NAME.rs", "docs/no.md", "docs/not.md"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_is_named_is_a_task(page: Path):
    assert set(commands_in(page.read_text(encoding="utf-8"))) <= set(tasks.TASKS)


def test_a_command_that_is_no_task_is_told():
    text = "`python tasks.py tests`, or `make demos`\n    py tasks.py test --jobs 2\n"
    assert commands_in(text) == ["tests", "demos", "test"]


def test_the_two_commands_come_first():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Set up")[2]
    assert re.findall(r"^    python tasks.py (\w+)", text, flags=re.MULTILINE) == ["demo", "test"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_addresses_are_those_of_the_repository(page: Path):
    home = re.search(r'EXTENSION_HOMEPAGE "([^"]+)"', (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
    text = page.read_text(encoding="utf-8")
    assert [found for found in re.findall(r"https?://[^\s)>\"]+", text) if not found.startswith(home)] == []
    assert re.findall(r"[\w.+-]+@[\w-]+\.\w+", text) == []


def test_the_pages_of_the_door_are_linked():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "(CONTRIBUTING.md)" in readme
    assert "(SECURITY.md)" in readme
    assert "CONTRIBUTING.md" in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


class TestTemplates:
    FORMS = tuple(path for path in sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) if path.stem != "config")

    @pytest.mark.parametrize("form", FORMS, ids=name_of)
    def test_it_is_a_form(self, form: Path):
        content = load(form)
        assert {"name", "description", "body"} <= set(content)
        fields = [part for part in content["body"] if part["type"] != "markdown"]
        assert {part["type"] for part in fields} <= {"checkboxes", "dropdown", "input", "textarea"}
        assert all(part["attributes"]["label"] for part in fields)
        names = [part["id"] for part in fields if "id" in part]
        assert len(set(names)) == len(names)

    @pytest.mark.parametrize("form", FORMS, ids=name_of)
    def test_it_asks_for_no_patients_data(self, form: Path):
        assert "No patient's data" in " ".join(strings(load(form)))

    def test_a_bug_is_sent_to_the_log_where_it_lies(self):
        guide = (ROOT / "docs" / "shell.md").read_text(encoding="utf-8")
        (log,) = [part for part in load(GITHUB / "ISSUE_TEMPLATE" / "bug.yml")["body"] if part.get("id") == "log"]
        places = re.findall(r"`([^`]+)`", log["attributes"]["description"])
        assert len(places) == 3
        assert [place for place in places if f"`{place}`" not in guide] == []


class TestWorkflow:
    CONTENT = load(GITHUB / "workflows" / "test.yml")
    JOB = CONTENT["jobs"]["test"]

    def test_it_runs_on_three_systems_with_both_pythons(self):
        matrix = self.JOB["strategy"]["matrix"]
        assert matrix["system"] == ["ubuntu-latest", "macos-latest", "windows-latest"]
        assert tuple(matrix["python"]) == tasks.PYTHONS

    def test_its_commands_are_tasks_or_scripts_of_the_project(self):
        runs = [step["run"] for step in self.JOB["steps"] if "run" in step]
        assert [run for run in runs if not _exists(run)] == []
        of_ci = re.findall(r"^make (\S+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert [run.split()[-1] for run in runs if "tasks.py" in run] == of_ci == ["check", "test"]

    def test_a_command_that_is_no_task_is_told(self):
        assert not _exists("python tasks.py tests")
        assert not _exists(".ci/nothing")
        assert not _exists("pip install something")

    def test_it_may_only_read(self):
        assert self.CONTENT["permissions"] == {"contents": "read"}
        assert "permissions" not in self.JOB

    def test_its_actions_are_pinned(self):
        for step in self.JOB["steps"]:
            assert re.fullmatch(r"actions/[\w-]+@(v\d+|[0-9a-f]{40})", step.get("uses", "actions/none@v1"))

    def test_packages_of_the_system_are_named_once(self):
        packages = (ROOT / ".ci" / "packages").read_text(encoding="utf-8")
        assert "libegl1" in packages
        for path in (ROOT / ".ci" / "run", GITHUB / "workflows" / "test.yml"):
            text = path.read_text(encoding="utf-8")
            assert ".ci/packages" in text
            assert "libegl1" not in text


def _exists(run: str) -> bool:
    words = run.split()
    if words[:2] == ["python", "tasks.py"]:
        return len(words) == 3 and words[2] in tasks.TASKS
    return len(words) == 1 and words[0].startswith(".ci/") and (ROOT / words[0]).is_file()


def test_hooks_run_tasks_with_the_versions_of_venv():
    (repository,) = load(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    words = [hook["entry"].split() for hook in repository["hooks"]]
    programs = [entry[3] for entry in words if entry[1:3] == ["tasks.py", "run"]]
    assert programs == ["ruff", "ruff", "mypy"]
    asked = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8").split()
    assert set(programs) <= set(asked)
    assert (ROOT / words[-1][1]).is_file()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Ring\n\nThe reason.", ""),
        ("x" * 72, ""),
        ("# of git\nRing\n", ""),
        ("x" * 73, "73 letters, 72 at most"),
        ("\n\nRing", "no subject"),
        ("Ring\nmore", "second line empty"),
    ],
)
def test_a_subject_is_short(message: str, words: str, tmp_path: Path):
    assert words in check_subject.fault(message)
    assert bool(check_subject.fault(message)) == bool(words)
    (tmp_path / "message").write_text(message, encoding="utf-8")
    command = [sys.executable, str(ROOT / ".ci" / "check_subject.py"), str(tmp_path / "message")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, words in done.stderr) == (bool(words), True)


def test_what_is_cited_is_this_version():
    cited = load(ROOT / "CITATION.cff")
    assert cited["version"] == __version__
    assert cited["authors"] == [{"name": "The PDL1Predictor contributors"}]
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def warning_codes(source: str) -> set[str]:
    """Codes that a page of the library gives: the first argument of `CaseWarning`."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.args]
    given = [node.args[0] for node in calls if isinstance(node.func, ast.Name) and node.func.id == "CaseWarning"]
    return {leaf.value for first in given for leaf in ast.walk(first) if isinstance(leaf, ast.Constant)}


def test_every_warning_code_has_its_row():
    guide = (ROOT / "docs" / "output.md").read_text(encoding="utf-8").partition("## Warnings")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", guide, flags=re.MULTILINE)
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "PDL1PredictorLib").rglob("*.py")]
    assert set().union(*map(warning_codes, sources)) == set(rows)
    assert len(rows) == len(set(rows))


def test_a_warning_code_is_seen_wherever_it_stands():
    assert warning_codes('f(CaseWarning("a" if x else "b", "c"))') == {"a", "b"}


@pytest.mark.parametrize(("place", "status", "word"), [("none", 0, "skipped"), ("no/where", 1, "not beside")])
def test_without_real_patients_ci_fails_unless_that_is_said(place: str, status: int, word: str, tmp_path: Path):
    (tmp_path / "test_it.py").write_text("def test_it(shared):\n    pass\n", encoding="utf-8")
    (tmp_path / "conftest.py").write_text(
        (ROOT / "Testing" / "conftest.py")
        .read_text(encoding="utf-8")
        .replace("Path(__file__).resolve().parents[1]", f"Path({str(ROOT)!r})"),
        encoding="utf-8",
    )
    environment = {**os.environ, "CI": "true", "PDL1_SHARED": place}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, word in done.stdout) == (status, True), done.stdout

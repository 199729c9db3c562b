"""Every file of the module and of the library is listed in CMake: what is not listed is not packaged."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _lists() -> ModuleType:
    spec = importlib.util.spec_from_file_location("list_files", Path(__file__).with_name("list_files.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lists = _lists()
TEXT = """set(MODULE_PYTHON_SCRIPTS
  __init__.py
  gone.py
  )

set(MODULE_PYTHON_RESOURCES
  page.html
  )
"""
WANTED = {"SCRIPTS": ["__init__.py", "core/new.py"], "RESOURCES": ["page.html"]}


@pytest.mark.parametrize("folder", lists.FOLDERS)
def test_every_file_is_listed_in_cmake(folder):
    text = (ROOT / folder / "CMakeLists.txt").read_text(encoding="utf-8")
    found = lists.faults(text, lists.packaged(lists.known_files(ROOT, folder), folder), folder)
    assert not found, "\n".join(found)


def test_a_new_file_and_a_lost_one_are_told_with_what_to_do():
    missing, lost = lists.faults(TEXT, WANTED, "Lib")
    assert missing.startswith("core/new.py is not packaged: add it to Lib/CMakeLists.txt, list MODULE_PYTHON_SCRIPTS")
    assert lost.startswith("gone.py does not exist: take it out of Lib/CMakeLists.txt, list MODULE_PYTHON_SCRIPTS")
    assert missing.endswith("run: python Testing/extension/list_files.py")


def test_an_unsorted_list_is_told():
    text = lists.rewritten(TEXT, WANTED).replace("__init__.py\n  core/new.py", "core/new.py\n  __init__.py")
    assert lists.faults(text, WANTED, "Lib") == [
        "Lib/CMakeLists.txt, list MODULE_PYTHON_SCRIPTS is not sorted: run: python Testing/extension/list_files.py"
    ]


def test_the_command_sets_it_right_and_touches_nothing_else():
    text = lists.rewritten(f"# before\n{TEXT}# after\n", WANTED)
    assert lists.faults(text, WANTED, "Lib") == []
    assert text == f"# before\n{TEXT}# after\n".replace("gone.py", "core/new.py")


def test_without_git_what_lies_there_counts_but_for_caches(tmp_path):
    for name in ("Lib/a.py", "Lib/CMakeLists.txt", "Lib/page.html", "Lib/__pycache__/a.pyc", "Lib/.hidden/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = lists.packaged(lists.known_files(tmp_path, "Lib"), "Lib")
    assert found == {"SCRIPTS": ["a.py"], "RESOURCES": ["page.html"]}


def test_a_file_without_lists_is_refused():
    with pytest.raises(ValueError, match="no list set"):
        lists.listed("project(Other)\n", "SCRIPTS")

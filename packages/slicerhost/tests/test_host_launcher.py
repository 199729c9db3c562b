"""The command line that ctest uses, and the stand-in of Slicer's CMake: each ends with the right exit code."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from slicerhost.here import CMAKE_FOLDER, LAUNCHER

TOY = Path(__file__).parent / "toy"
CMAKE = shutil.which("cmake", path=str(Path(sys.executable).parent)) or shutil.which("cmake")
CTEST = shutil.which("ctest", path=str(Path(sys.executable).parent)) or shutil.which("ctest")


def launch(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(LAUNCHER), "--no-splash", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import slicer; assert slicer.app.testingEnabled()", 0),
        ("1 / 0", 1),
        ("import slicer; slicer.util.exit(7)", 7),
        ("raise SystemExit('bad')", 1),
    ],
)
def test_the_exit_code_says_how_the_code_ended(code, expected):
    done = launch("--testing", "--no-main-window", "--python-code", code)
    assert done.returncode == expected, done.stderr


def test_a_module_is_found_by_its_folder_and_its_test_runs():
    code = "import slicer.testing; slicer.testing.runUnitTest([], 'HostToy')"
    done = launch("--testing", "--additional-module-paths", str(TOY), "--python-code", code)
    assert done.returncode == 0, done.stderr
    assert "test_map" in done.stderr


def test_a_failing_test_and_an_unknown_option_fail(tmp_path):
    (tmp_path / "Bad.py").write_text("import unittest\nclass T(unittest.TestCase):\n    def test(self): self.fail()\n")
    code = f"import slicer.testing; slicer.testing.runUnitTest({str(tmp_path)!r}, 'Bad')"
    assert launch("--testing", "--no-main-window", "--python-code", code).returncode == 1
    assert launch("--no-such-option").returncode == 2


def test_a_script_gets_its_arguments(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import sys\nsys.exit(len(sys.argv))\n", encoding="utf-8")
    assert launch("--testing", "--no-main-window", "--python-script", str(script), "--a", "b").returncode == 3


def configure(root: Path) -> subprocess.CompletedProcess[str]:
    assert CMAKE is not None, "cmake is missing"
    options = [f"-DSlicer_DIR={CMAKE_FOLDER}", f"-DPython3_EXECUTABLE={sys.executable}"]
    command = [CMAKE, "-S", str(root), "-B", str(root / "build"), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_an_extension_is_configured_tested_and_installed(extension, tmp_path):
    assert CMAKE is not None
    assert CTEST is not None
    done = configure(extension)
    assert done.returncode == 0, done.stderr
    tested = subprocess.run(
        [CTEST, "--test-dir", str(extension / "build"), "--output-on-failure"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout
    assert "2/2 Test" in tested.stdout
    command = [CMAKE, "--install", str(extension / "build"), "--prefix", str(tmp_path / "installed")]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    modules = tmp_path / "installed/lib/Slicer-5.12/qt-scripted-modules"
    installed = {str(path.relative_to(modules)) for path in modules.rglob("*") if path.is_file()}
    library = {"ToyLib/__init__.py", "ToyLib/inner/part.py", "ToyLib/data.json"}
    assert installed == {"HostToy.py", "Resources/UI/HostToy.ui"} | library


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "HostToy/CMakeLists.txt",
            "SCRIPTS HostToy.py",
            "SCRIPTS HostToy.py Missing.py",
            "nonexistent file 'Missing.py'",
        ),
        ("ToyLib/CMakeLists.txt", " inner/part.py", "", "not packaged: inner/part.py"),
        ("ToyLib/CMakeLists.txt", "RESOURCES data.json", "data.json", "is no script"),
        ("ToyLib/CMakeLists.txt", "WITH_SUBDIR", "WITH_SUBDIRECTORY", "no script|unknown keywords|nonexistent"),
        ("HostToy/CMakeLists.txt", "SCRIPT HostToy.py)", "SCRIPT Other.py)", "nonexistent script 'Other.py'"),
        ("CMakeLists.txt", '"https://host.invalid/toy")', '"http://host.invalid/toy")', "must be an https"),
        ("CMakeLists.txt", 'HOMEPAGE "', 'HOMEPAGE\n  "', "must be on one line"),
        ("CMakeLists.txt", 'set(EXTENSION_DEPENDS "NA")\n', "", "EXTENSION_DEPENDS is not set"),
    ],
)
def test_what_slicer_or_its_index_refuses_stops_the_configuration(extension, file, old, new, message):
    text = (extension / file).read_text(encoding="utf-8")
    assert old in text
    (extension / file).write_text(text.replace(old, new), encoding="utf-8")
    done = configure(extension)
    assert done.returncode != 0
    import re

    assert re.search(message, " ".join(done.stderr.split())), done.stderr


@pytest.mark.parametrize("name", ["LICENSE.txt", "License.md"])
def test_a_license_may_have_an_ending(extension, name):
    (extension / "LICENSE").rename(extension / name)
    assert configure(extension).returncode == 0


def test_a_missing_license_stops_the_configuration(extension):
    (extension / "LICENSE").unlink()
    done = configure(extension)
    assert done.returncode != 0
    assert "LICENSE is missing" in done.stderr

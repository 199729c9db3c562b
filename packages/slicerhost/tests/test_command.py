"""The command `slicerhost`: does in a module's window what its options say, in their order, and tells faults."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import slicerhost
from slicerhost.command import run
from slicerhost.find import find_modules, module_file
from slicerhost.here import CMAKE_FOLDER, LAUNCHER

TOY = Path(__file__).parent / "toy"
SOURCE = Path(slicerhost.__file__).parents[1]
NRRD = """NRRD0004
type: int16
dimension: 3
space: left-posterior-superior
sizes: 4 3 2
space directions: (1,0,0) (0,1,0) (0,0,1)
endian: little
encoding: raw

"""
ASKING = """
import slicer
import qt
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleWidget


class Asking(ScriptedLoadableModule):
    pass


class AskingWidget(ScriptedLoadableModuleWidget):
    def setup(self):
        self.button = qt.QPushButton("Ask")
        self.button.name = "askButton"
        self.button.connect("clicked()", self.onAsk)
        self.layout.addWidget(self.button)

    def onAsk(self):
        print("answered", slicer.util.confirmYesNoDisplay("Really?"))
        {more}
"""


@pytest.fixture
def ct(tmp_path: Path) -> Path:
    path = tmp_path / "ct.nrrd"
    path.write_bytes(NRRD.encode() + bytes(2 * 4 * 3 * 2))
    return path


@pytest.fixture
def asking(tmp_path: Path) -> Path:
    """A module that asks a question; it has no .ui file."""
    path = tmp_path / "Asking.py"
    path.write_text(ASKING.format(more=""))
    return path


@pytest.mark.usefixtures("slicer_scene")
def test_the_steps_are_done_in_the_order_of_the_options(ct, tmp_path, capsys):
    picture = tmp_path / "done.png"
    steps = ["--load", str(ct), "--choose", "volumeSelector=ct", "--press", "applyButton", "--screenshot", str(picture)]
    assert (
        run(["--module", str(TOY), *steps, "--press", "advancedButton", "--write", "noteEdit=ä = b", "--wait", "0"])
        == 0
    )
    assert picture.read_bytes()[1:4] == b"PNG"
    assert slicerhost.load_module(TOY / "HostToy.py").widgetRepresentation().self().parameters.note == "ä = b"
    assert run(["--module", str(TOY), "--press", "applyButton", "--choose", "volumeSelector=ct"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("slicer_scene")
@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (["--press", "applyButton"], "--press applyButton: applyButton is off: Choose a volume"),
        (["--press", "noButton"], "the window of HostToy has no widget 'noButton'; --list names all"),
        (["--write", "noteEdit=a"], "noteEdit cannot be seen"),
        (["--choose", "modeSelector=Slow"], "not 'Slow'"),
        (["--load", "nowhere.nrrd"], "nowhere.nrrd does not exist"),
    ],
)
def test_what_a_user_could_not_do_is_told(steps, message, capsys):
    assert run(["--module", str(TOY / "HostToy.py"), *steps]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("slicer_scene")
def test_the_names_of_the_widgets_are_listed(capsys):
    assert run(["--module", str(TOY), "--list"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["applyButton", "QPushButton", "(off)"] in lines
    assert ["volumeSelector", "qMRMLNodeComboBox"] in lines


@pytest.mark.usefixtures("slicer_scene")
@pytest.mark.parametrize(("answer", "taken"), [("Yes", True), ("No", False)])
def test_questions_are_answered(asking, answer, taken, capsys):
    assert run(["--module", str(asking), "--answer", answer, "--press", "askButton"]) == 0
    said = capsys.readouterr().out
    assert f"answered {taken}" in said
    assert "Really?" in said.splitlines()[-1]


@pytest.mark.usefixtures("slicer_scene")
def test_a_slot_that_raises_and_an_answer_too_many_fail(asking, capsys):
    assert run(["--module", str(asking), "--answer", "Yes", "--answer", "No", "--press", "askButton"]) == 1
    assert "answers nobody asked for: ['No']" in capsys.readouterr().err
    asking.write_text(ASKING.format(more="raise ValueError('broken')"))
    assert run(["--module", str(asking), "--press", "askButton"]) == 1
    assert "a slot raised ValueError('broken')" in capsys.readouterr().err
    slicerhost.slot_errors.clear()


@pytest.mark.usefixtures("slicer_scene", "qt5_facts")
def test_a_module_is_judged(tmp_path, asking, capsys):
    assert run(["--module", str(TOY), "--judge"]) == 0
    assert "HostToy: Qt 5.15 and PythonQt take all of it" in capsys.readouterr().out
    text = ASKING.format(more="self.button.text = 5")
    asking.write_text(text.replace("import qt", "import qt\nX = qt.Qt.AlignmentFlag.AlignTop"))
    assert run(["--module", str(asking), "--judge"]) == 1
    said = capsys.readouterr().err
    assert "QPushButton.text of type QString is set to 5" in said
    assert "Asking.py, line 4: qt.Qt.AlignmentFlag.AlignTop: PythonQt has no scoped enums" in said


@pytest.mark.usefixtures("slicer_scene")
def test_the_self_test_runs_and_its_failure_is_told(tmp_path, capsys):
    assert run(["--module", str(TOY), "--self-test"]) == 0
    shutil.copytree(TOY, tmp_path / "toy")
    file = tmp_path / "toy" / "HostToy.py"
    file.write_text(file.read_text(encoding="utf-8").replace("4 * 5 * 3)", "0)"), encoding="utf-8")
    assert run(["--module", str(tmp_path / "toy"), "--self-test"]) == 1
    assert "unit tests of HostToy failed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["--press", "a"], ["--module", "a", "--write", "no sign"], ["--module", "a", "--wait", "long"]]
)
def test_a_wrong_command_line_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    assert ended.value.code == 2
    assert "slicerhost: error:" in capsys.readouterr().err


def test_it_runs_as_a_program():
    command = [sys.executable, "-m", "slicerhost"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run([*command, "--cmake-folder"], capture_output=True, text=True, check=True, env=environment)
    assert Path(done.stdout.strip()) == CMAKE_FOLDER
    assert (CMAKE_FOLDER / "SlicerConfig.cmake").is_file()
    assert LAUNCHER.is_file()
    command += ["--module", str(TOY), "--self-test"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr


def test_a_module_is_found_by_its_file_its_folder_or_its_extensions_folder(tmp_path):
    for name in ("One/One.py", "One/helper.py", "Lib/page.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"class {Path(name).stem.title()}:\n    pass\n")
    file = tmp_path / "One" / "One.py"
    assert module_file(file) == module_file(file.parent) == module_file(tmp_path) == file
    assert find_modules([tmp_path / "One"], ["One"]) == []
    with pytest.raises(LookupError, match="is no scripted module"):
        module_file(tmp_path / "Lib" / "page.py")
    (tmp_path / "Two").mkdir()
    (tmp_path / "Two" / "Two.py").write_text("class Two:\n    pass\n")
    with pytest.raises(LookupError, match=r"holds 2 modules, name one of them: .*One\.py, .*Two\.py"):
        module_file(tmp_path)

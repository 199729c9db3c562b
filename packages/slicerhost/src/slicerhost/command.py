"""Opens a module's window without the application, and does in it what the options say, in their order.

slicerhost --module MyModule --load ct.nrrd --choose inputSelector=ct --press applyButton --wait 1 --screenshot done.png
slicerhost --module MyModule --judge --self-test
cmake -S . -B build -DSlicer_DIR=$(slicerhost --cmake-folder)
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import slicerhost
from slicerhost.find import module_file
from slicerhost.here import CMAKE_FOLDER, WHY_NOT

#: What a step raises when it is the module, or the command line, that is wrong
FAULTS = (AssertionError, LookupError, OSError, RuntimeError)


class Step(argparse.Action):
    """An option that is something to do: kept in the order of the command line, with its value."""

    def __call__(self, _parser: Any, namespace: argparse.Namespace, value: Any, option: str | None = None) -> None:
        """Notes it."""
        namespace.steps = [*namespace.steps, (option, value)]


def named_text(text: str) -> tuple[str, str]:
    """NAME=TEXT as its two parts.

    Raises:
        ArgumentTypeError: There is no name.
    """
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise argparse.ArgumentTypeError(f"NAME=TEXT is expected, not '{text}'")
    return name, value


def make_parser() -> argparse.ArgumentParser:
    """The options."""
    first, _, examples = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        "slicerhost",
        description=first,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=slicerhost.__version__)
    parser.add_argument("--cmake-folder", action="store_true", help="print the folder for -DSlicer_DIR= of CMake")
    parser.add_argument(
        "--module",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help="a scripted module: its file or its folder; the first one is shown, others are loaded as well",
    )
    parser.add_argument(
        "--answer",
        action="append",
        default=[],
        metavar="TEXT",
        help="what the user answers to the next question, a button's name or a path; without any, testing mode is on",
    )
    parser.set_defaults(steps=[])
    for option, (_function, arguments) in STEPS.items():
        parser.add_argument(option, action=Step, dest=argparse.SUPPRESS, default=argparse.SUPPRESS, **arguments)
    return parser


class Session:
    """The shown module, and what is done in its window."""

    def __init__(self, modules: Sequence[Path]) -> None:
        """Starts the application, loads the modules, shows the first.

        Raises:
            LookupError: A path names no module, or several.
        """
        files = [module_file(path) for path in modules]
        slicerhost.start()
        loaded = [slicerhost.load_module(file) for file in files]
        self.file, self.module = files[0].resolve(), loaded[0]
        self.window = slicerhost.MainWindow(self.module.name)

    def find(self, name: str) -> Any:
        """A widget of the panel by the name that its .ui file gives it.

        Raises:
            LookupError: The panel has none of that name.
        """
        import qt

        found = self.panel().findChild(qt.QWidget, name)
        if found is None:
            raise LookupError(f"the window of {self.module.name} has no widget '{name}'; --list names all")
        return found

    def panel(self) -> Any:
        """The module's panel.

        Raises:
            LookupError: The module has none.
        """
        widget = self.module.widgetRepresentation()
        if widget is None:
            raise LookupError(f"{self.module.name} has no class {self.module.name}Widget")
        return widget

    def load(self, file: str) -> None:
        """Reads a volume, a segmentation, a table or a scene.

        Raises:
            OSError: The file cannot be read.
        """
        import slicer

        if not Path(file).is_file():
            raise FileNotFoundError(f"{file} does not exist")
        kind = slicer.app.coreIOManager().fileType(file)
        if not slicer.util.loadNodeFromFile(file, kind):
            raise OSError(f"{file} could not be read as {kind}")

    def list(self, _value: None) -> None:
        """Prints name, class and state of every widget that has a name."""
        import qt

        for widget in self.panel().findChildren(qt.QWidget):
            if widget.name and not widget.name.startswith("qt_"):
                state = "" if widget.enabled else "  (off)"
                print(f"{widget.name:32} {type(widget).__name__}{state}")

    def press(self, name: str) -> None:
        """Clicks with the mouse."""
        from slicerhost import user

        user.click(self.find(name))

    def choose(self, value: tuple[str, str]) -> None:
        """Chooses an entry, or a node, by its text."""
        from slicerhost import user

        user.choose(self.find(value[0]), value[1])

    def write(self, value: tuple[str, str]) -> None:
        """Replaces a text."""
        from slicerhost import user

        user.write(self.find(value[0]), value[1])

    def wait(self, seconds: float) -> None:
        """Lets the event loop run."""
        slicerhost.process_events(seconds)

    def screenshot(self, file: str) -> None:
        """Writes a PNG of the window."""
        print(self.window.screenshot(file))

    def self_test(self, _value: None) -> None:
        """Runs the module's own test, as ctest does.

        Raises:
            RuntimeError: It failed.
        """
        import slicer.testing

        try:
            slicer.testing.runUnitTest([], self.module.name)
        except Exception as error:  # Slicer's own function raises nothing narrower
            raise RuntimeError(str(error)) from error

    def judge(self, _value: None) -> None:
        """Holds .ui files and sources against Qt 5.15 and PythonQt.

        Raises:
            RuntimeError: They found something, or Qt 5.15 is not there.
        """
        from slicerhost.qt5judge import read_facts
        from slicerhost.qt5judge.module_judge import module_faults, module_sources

        faults = module_faults(self.file, read_facts())
        for name, text in module_sources(self.file).items():
            faults += [f"{name}, {fault}" for fault in slicerhost.source_faults(text)]
        if faults:
            raise RuntimeError("\n".join([f"{len(faults)} faults", *faults]))
        print(f"{self.module.name}: Qt 5.15 and PythonQt take all of it")


#: Option to what it does, and how it is written
STEPS: dict[str, tuple[Callable[[Session, Any], None], dict[str, Any]]] = {
    "--load": (Session.load, {"metavar": "FILE", "help": "read a volume, a segmentation, a table or a scene"}),
    "--list": (Session.list, {"nargs": 0, "help": "print the names of the window's widgets"}),
    "--press": (Session.press, {"metavar": "NAME", "help": "click a button, a check box or a section's title"}),
    "--choose": (
        Session.choose,
        {"metavar": "NAME=TEXT", "type": named_text, "help": "choose an entry, or a node, by its text"},
    ),
    "--write": (Session.write, {"metavar": "NAME=TEXT", "type": named_text, "help": "write into an edit field"}),
    "--wait": (Session.wait, {"metavar": "SECONDS", "type": float, "help": "let the window work"}),
    "--screenshot": (Session.screenshot, {"metavar": "FILE.png", "help": "write a picture of the window"}),
    "--self-test": (Session.self_test, {"nargs": 0, "help": "run the module's own test"}),
    "--judge": (Session.judge, {"nargs": 0, "help": "hold .ui files and sources against Qt 5.15 and PythonQt"}),
}


def run(arguments: Sequence[str]) -> int:
    """Runs a command line; 0 if all went well, 1 if the module is at fault, 2 if the command line is."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.cmake_folder:
        print(CMAKE_FOLDER)
        return 0
    if not options.module:
        parser.error("a module is expected: --module FILE or --module FOLDER")
    if WHY_NOT:
        return _failed(WHY_NOT)
    try:
        session = Session(options.module)
    except LookupError as error:
        return _failed(error)
    done = _do(session, options)
    session.window.dismiss()
    return done


def _do(session: Session, options: argparse.Namespace) -> int:
    at = ""
    try:
        with slicerhost.user_answers(*options.answer) if options.answer else nullcontext():
            for option, value in options.steps:
                at = f"{option} {value or ''}".strip()
                STEPS[option][0](session, value if value != [] else None)
                slicerhost.process_events()
                if slicerhost.slot_errors:
                    raise AssertionError(f"a slot raised {slicerhost.slot_errors[0]!r}")
    except FAULTS as error:
        return _failed(f"{at}: {error}")
    finally:
        for shown in slicerhost.dialogs.shown:
            print(f"{shown.kind}: {shown.title} {shown.text}".replace("\n", " "))
    return 0


def _failed(reason: object) -> int:
    print(f"slicerhost: {reason}", file=sys.stderr)
    return 1

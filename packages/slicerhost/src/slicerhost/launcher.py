"""The part of Slicer's command line that ctest uses.

    launcher.py --no-splash --testing --additional-module-paths DIR --python-code CODE

Runs scripted modules in the headless host. The exit code is that of ``slicer.util.exit`` or ``sys.exit``, 1 after an
exception, 0 otherwise; as in Slicer, without --testing the application stays until the code ends it.
"""

import argparse
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # not this folder: its pages are no modules of their own

import slicerhost
from slicerhost.find import find_modules

#: Options of Slicer that change nothing here
WITHOUT_EFFECT = (
    "--no-splash",
    "--disable-cli-modules",
    "--disable-loadable-modules",
    "--disable-builtin-modules",
    "--disable-settings",
    "--ignore-slicerrc",
    "--disable-terminal-outputs",
    "--disable-message-handlers",
    "--disable-tooltips",
    "--show-python-interactor",
    "--verbose-module-discovery",
)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line; an option that Slicer does not have ends the program with 2."""
    parser = argparse.ArgumentParser(prog="Slicer", description=__doc__, allow_abbrev=False)
    parser.add_argument("--testing", action="store_true")
    parser.add_argument("--exit-after-startup", action="store_true")
    parser.add_argument("--no-main-window", action="store_true")
    parser.add_argument("--additional-module-path", action="append", default=[])
    parser.add_argument("--additional-module-paths", nargs="+", action="extend", default=[])
    parser.add_argument("--modules-to-ignore", type=lambda text: text.split(","), default=[])
    parser.add_argument("--python-code")
    parser.add_argument("--python-script", nargs=argparse.REMAINDER)
    for option in WITHOUT_EFFECT:
        parser.add_argument(option, action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _code(options: argparse.Namespace) -> Callable[[dict[str, Any]], None] | None:
    if options.python_code is not None:
        code = compile(options.python_code, "<--python-code>", "exec")
    elif options.python_script:
        code = compile(Path(options.python_script[0]).read_bytes(), options.python_script[0], "exec")
        sys.argv = options.python_script
    else:
        return None
    return lambda names: exec(code, names)  # noqa: S102 - what the command line asks for


def run(options: argparse.Namespace) -> int:
    """Starts the host, loads the modules, runs the code; returns the exit code."""
    app = slicerhost.start(testing=options.testing, layout=not options.no_main_window)
    import ctk
    import qt
    import slicer
    import vtk

    window = None if options.no_main_window else slicerhost.MainWindow()
    for file in find_modules(
        options.additional_module_path + options.additional_module_paths, options.modules_to_ignore
    ):
        app.moduleManager().loadModule(str(file))
    app.startupCompleted.emit()
    code = _code(options)

    def work() -> None:
        result = 0
        try:
            if code is not None:
                code({"__name__": "__main__", "slicer": slicer, "qt": qt, "ctk": ctk, "vtk": vtk})
        except SystemExit as error:
            app.exit(error.code if isinstance(error.code, int) else int(error.code is not None))
            return
        except BaseException:
            traceback.print_exc()
            result = 1
        # slicer.util.exit has already said how to end, and cleared this flag
        ends = options.testing or options.exit_after_startup
        if (ends or result) and app.commandOptions().runPythonAndExit:
            app.exit(result)

    qt.QTimer.singleShot(0, work)
    status = app.exec()
    if window is not None:
        window.dismiss()
    return status


def main() -> int:
    """Runs the command line."""
    try:
        return run(parse(sys.argv[1:]))
    except Exception:
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    sys.exit(main())

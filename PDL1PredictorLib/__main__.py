"""`python -m PDL1PredictorLib` is the command `pdl1`: Slicer starts it so.

Ctrl-C may come at any moment: it waits from the first line until it is heeded.
"""

import _signal  # type: ignore[import-not-found]  # there already, while `signal` takes its time
import sys

if hasattr(_signal, "pthread_sigmask") and (__name__ == "__main__" or "pdl1" in sys.argv[0]):
    _signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGINT])

import os

from PDL1PredictorLib.core.running import ending
from PDL1PredictorLib.core.running.supervisor import supervised


def main() -> int:
    """Run the command that was typed, as a program of its own."""
    _open_standard_streams()
    try:
        return supervised(_command, _fault, _speaks_json())
    except BaseException as error:  # Ctrl-C before the command began or while it ended
        from PDL1PredictorLib.cli.ending import failed
        from PDL1PredictorLib.cli.speaker import Speaker

        return ending.finish(failed(error, Speaker("json" if _speaks_json() else "none"), _typed()))


def _command() -> int:
    status = _status()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:  # what --help writes, too, may have no reader
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if ending.asked():
        os._exit(status)  # what is left to do at an exit may take long, and nobody waits for it
    return ending.finish(status)


def _status() -> int:
    try:
        from PDL1PredictorLib.cli.main import main as run

        return run()
    except SystemExit as stopped:  # argparse has said what it had to say
        return stopped.code if isinstance(stopped.code, int) else 0


def _fault(what: str, details: str) -> tuple[str, dict[str, object]]:
    from PDL1PredictorLib.core.running.fault_log import fault_text

    return fault_text(what, details, _typed())


def _typed() -> str:
    from PDL1PredictorLib.cli.speaker import typed

    return typed(sys.argv[1:])


def _speaks_json() -> bool:
    """Before the arguments are read in earnest."""
    return "json" in sys.argv or "--progress=json" in sys.argv


def _open_standard_streams() -> None:
    """A closed one would give its number to the next file, and what a library prints would land in that."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":  # the processes that prepare cases import this file too
    sys.exit(main())

"""`slicer.util.launchConsoleProcess`, the real one, with its pipe closed at the end.

Slicer leaves the pipe to the garbage collector, which pytest takes for an error.
"""

from collections.abc import Callable
from subprocess import Popen


def install() -> None:
    """Closes the output pipe when an asynchronous process has ended."""
    import slicer.util

    real = slicer.util._startAsyncProcessHandling

    def start(
        process: Popen[str],
        log: Callable[[str], None] | None = None,
        completed: Callable[[int], None] | None = None,
    ) -> None:
        def ended(code: int) -> None:
            if process.stdout is not None:
                process.stdout.close()
            if completed is not None:
                completed(code)

        real(process, log, ended)

    slicer.util._startAsyncProcessHandling = start

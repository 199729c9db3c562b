"""Runs many inputs through a reading process that may crash or hang, and counts what came of them."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READER = Path(__file__).with_name("reader.py")
ROOT = Path(__file__).resolve().parents[2]
WALL_S = 120.0  # a hang, however loaded the machine is
CPU_S = 10.0  # what reading a small file may take


@dataclass(frozen=True)
class Job:
    """An input to try.

    Attributes:
        name: For messages.
        kind: `ct`, `mask` or `bundle`.
        path: What is read.
        ct: The CT of a mask.
        sound: Digest of the sound input where damage must be noticed: then other values are a fault.
        segment: Which region of a mask, where it matters.
    """

    name: str
    kind: str
    path: Path
    ct: Path | None = None
    sound: str = ""
    segment: str | None = None

    def to_line(self) -> str:
        """As the reader takes it."""
        content = {"kind": self.kind, "path": str(self.path), "ct": str(self.ct or ""), "segment": self.segment}
        return json.dumps(content) + "\n"


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Attributes:
        job: Which.
        outcome: `read`, `refused`, `memory`, `traceback`, `hang` or `crash`.
        text: Words of the refusal, or the traceback.
        digest: Of what was read.
        warnings: Codes.
        said: Their texts.
        volume_ml: Of a mask, in mL.
        cpu_s: Processor time of reading, in s.
    """

    job: Job
    outcome: str
    text: str = ""
    digest: str = ""
    warnings: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    volume_ml: float = 0.0
    cpu_s: float = 0.0

    @property
    def fault(self) -> str:
        """Why this must not be, empty if it may."""
        if self.outcome not in ("read", "refused"):
            return f"{self.job.name}: {self.outcome}\n{self.text}"
        if self.cpu_s > CPU_S:
            return f"{self.job.name}: took {self.cpu_s:.1f} s"
        if self.outcome == "read" and self.job.sound and self.digest != self.job.sound:
            return f"{self.job.name}: read with other values, though the damage could be told"
        return ""


def try_each(jobs: Iterable[Job]) -> Iterator[Outcome]:
    """Try every job, one after the other; a reader that crashed or hangs is replaced."""
    with _readers() as readers:
        for job in jobs:
            yield readers.ask(job)


@contextmanager
def _readers() -> Iterator["_Readers"]:
    readers = _Readers()
    try:
        yield readers
    finally:
        readers.stop()


class _Readers:
    """The reading process of the moment."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str | None] = queue.Queue()

    def ask(self, job: Job) -> Outcome:
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(job.to_line())
            process.stdin.flush()
            line = self._answers.get(timeout=WALL_S)
        except queue.Empty:
            self.stop()
            return Outcome(job, "hang")
        except BrokenPipeError:
            line = None
        if line is None:
            code = process.wait()
            self.stop()
            return Outcome(job, "crash", f"the process ended with {code}")
        answer: dict[str, Any] = json.loads(line)
        for name in ("warnings", "said"):
            answer[name] = tuple(answer.get(name, ()))
        answer.pop("error", None)
        return Outcome(job, **answer)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._answers = queue.Queue()
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", str(READER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd=ROOT,
            )
            threading.Thread(target=_forward, args=(self._process, self._answers), daemon=True).start()
        return self._process


def _forward(process: "subprocess.Popen[str]", answers: "queue.Queue[str | None]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ANSWER "):
            answers.put(line.removeprefix("ANSWER "))
    answers.put(None)

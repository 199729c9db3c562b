"""How much memory this process has taken at most."""

import sys
from pathlib import Path

MEGABYTE = 1e6
STATUS = Path("/proc/self/status")


def peak_memory_mb() -> float | None:
    """The process's memory at its peak, all that it has loaded included; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    if STATUS.exists():
        fields = dict(line.split(":", 1) for line in STATUS.read_text(encoding="utf-8").splitlines() if ":" in line)
        return float(fields["VmHWM"].split()[0]) * 1024 / MEGABYTE
    import resource

    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / MEGABYTE  # bytes on macOS

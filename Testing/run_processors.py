"""The test suite on other processors, with other numbers of threads and in other places, as far as one can play them.

    python Testing/run_processors.py [--only NAME ...] [-- arguments of pytest]      (or: make test-processors)

Each run takes as long as `make test`; a table at the end says which passed. The settings are in helpers/processors.py.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "Testing" / "helpers")]
from processors import PLACES, child, environments, numpy_features  # noqa: E402 - the paths first

from tasks import HOSTED  # noqa: E402

OWNER_ONLY = 0o077 if os.name == "posix" else -1  # Windows has no such mask
PARTS = ([f"--ignore={folder}" for folder in HOSTED], list(HOSTED))


def run(environment: dict[str, str], arguments: list[str]) -> bool:
    """The suite, or what the arguments name, in one environment, with files that only their owner may read."""
    parts = [arguments] if any(not word.startswith("-") for word in arguments) else [[*p, *arguments] for p in PARTS]
    with tempfile.TemporaryDirectory() as home:
        place = child(environment) | {"HOME": home}
        codes = [
            subprocess.run(
                [sys.executable, "-m", "pytest", "-q", *part], cwd=ROOT, env=place, check=False, umask=OWNER_ONLY
            )
            for part in parts
        ]
    return all(done.returncode == 0 for done in codes)


def main() -> int:
    """Runs what was asked for; 0 if all passed."""
    known = environments() | PLACES
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--only", action="append", choices=list(known), help="one of the environments; may be repeated")
    parser.add_argument("arguments", nargs="*", help="of pytest, after --")
    options = parser.parse_args()
    print(f"numpy has loops for these instructions here: {', '.join(numpy_features()) or 'none'}", flush=True)
    passed = {}
    for name in options.only or known:
        print(f"\n=== {name}: {' '.join(f'{k}={v}' for k, v in known[name].items())}", flush=True)
        passed[name] = run(known[name], options.arguments)
    print()
    for name, good in passed.items():
        print(f"{name:12} {'passed' if good else 'FAILED'}")
    return 0 if all(passed.values()) else 70


if __name__ == "__main__":
    sys.exit(main())

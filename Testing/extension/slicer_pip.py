"""What pip would install into a Slicer on some system beside the packages that it brings; nothing is installed."""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PINS_FILE = HERE / "slicer_pins.json"
SECONDS = 300.0  # after which a registry counts as out of reach
#: pip's own tools: free to change
TOOLS = ("pip", "setuptools", "wheel")
#: What pip says when it reached no registry
NO_CONNECTION = ("connection broken", "Max retries exceeded", "ConnectionError", "ProxyError", "ReadTimeoutError")

WINDOWS, LINUX, INTEL_MAC, APPLE_MAC = "Windows", "Linux", "Intel Mac", "Apple silicon Mac"
SYSTEMS = (WINDOWS, LINUX, INTEL_MAC, APPLE_MAC)
MARKERS = {
    WINDOWS: ("win32", "Windows", "nt", "AMD64"),
    LINUX: ("linux", "Linux", "posix", "x86_64"),
    INTEL_MAC: ("darwin", "Darwin", "posix", "x86_64"),
    APPLE_MAC: ("darwin", "Darwin", "posix", "arm64"),
}


@dataclass(frozen=True)
class Slicer:
    """One version of Slicer on one system.

    Attributes:
        version: Of Slicer.
        system: One of `SYSTEMS`.
        python: Version of its Python.
        macos: The oldest macOS that it runs on.
        pins: Version of every package that it brings.
    """

    version: str
    system: str
    python: str
    macos: int
    pins: Mapping[str, str]

    @property
    def tags(self) -> list[str]:
        """Platforms of the wheels that it takes, the newest first."""
        if self.system == WINDOWS:
            return ["win_amd64"]
        if self.system == LINUX:
            return [f"manylinux_2_{n}_x86_64" for n in (28, 27, 24, 17)] + ["manylinux2014_x86_64"]
        return [f"macosx_{self.macos}_0_{'arm64' if self.system == APPLE_MAC else 'x86_64'}"]

    @property
    def markers(self) -> dict[str, str]:
        """What its Python says of the system."""
        names = ("sys_platform", "platform_system", "os_name", "platform_machine")
        of_system = dict(zip(names, MARKERS[self.system], strict=True))
        return {**of_system, "python_version": self.python, "python_full_version": f"{self.python}.10"}


@dataclass(frozen=True)
class Resolution:
    """What pip chose.

    Attributes:
        chosen: Version by name; empty if there is no solution.
        urls: Where pip would get each from.
        problem: What pip said if there is no solution.
        unreachable: Whether it reached no registry: then it says nothing about the packages.
    """

    chosen: Mapping[str, str] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    unreachable: bool = False


def canonical(name: str) -> str:
    """A package's name as its index writes it."""
    return name.lower().replace("_", "-").replace(".", "-")


def all_slicers(file: Path = PINS_FILE) -> list[Slicer]:
    """Every version of the table on every system."""
    table = json.loads(file.read_text(encoding="utf-8"))["versions"]
    return [
        Slicer(version, system, row["python"], row["macos"], row["pins"])
        for version, row in table.items()
        for system in SYSTEMS
    ]


def resolve(
    slicer: Slicer,
    requirements: Sequence[str],
    markers: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
) -> Resolution:
    """Lets pip find versions that go with what Slicer brings; wheels only, as the module asks for.

    Args:
        slicer: Where.
        requirements: As the module hands them to pip.
        markers: Values that replace those of the system.
        options: More of pip's options.
    """
    with tempfile.TemporaryDirectory() as folder:
        constraints, report = Path(folder) / "constraints.txt", Path(folder) / "report.json"
        pins = [f"{name}=={version}" for name, version in slicer.pins.items() if name not in TOOLS]
        constraints.write_text("\n".join(pins) + "\n", encoding="utf-8")
        command = [sys.executable, str(HERE / "pip_elsewhere.py"), json.dumps({**slicer.markers, **(markers or {})})]
        command += ["install", "--dry-run", "--ignore-installed", "--quiet", "--report", str(report)]
        command += ["--no-input", "--retries=1", "--timeout=20", "--only-binary=:all:", "--implementation=cp"]
        command += [f"--python-version={slicer.python}", f"--target={folder}/target", f"--constraint={constraints}"]
        command += [f"--platform={tag}" for tag in slicer.tags]
        environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        try:
            done = subprocess.run(
                [*command, *options, *requirements],
                capture_output=True,
                text=True,
                env=environment,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Resolution(problem=f"pip did not end within {SECONDS:.0f} s", unreachable=True)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if not line.startswith("WARNING: Location")]
            return Resolution(problem="\n".join(errors), unreachable=any(text in done.stderr for text in NO_CONNECTION))
        return _read(json.loads(report.read_text(encoding="utf-8")))


def _read(report: Mapping[str, Any]) -> Resolution:
    rows = {canonical(item["metadata"]["name"]): item for item in report["install"]}
    return Resolution(
        {name: item["metadata"]["version"] for name, item in rows.items()},
        {name: item["download_info"]["url"] for name, item in rows.items()},
    )


def changed(slicer: Slicer, resolution: Resolution) -> dict[str, str]:
    """Packages that Slicer brings and pip would replace, with the version that it would put there."""
    pins = {name: version for name, version in slicer.pins.items() if name not in TOOLS}
    return {name: found for name, found in resolution.chosen.items() if pins.get(name, found) != found}


def download_bytes(slicer: Slicer, resolution: Resolution) -> int | None:
    """Size of what would be downloaded: all that Slicer does not bring; None where the registry does not tell."""
    urls = [url for name, url in resolution.urls.items() if name not in slicer.pins]
    with ThreadPoolExecutor(8) as pool:
        sizes = list(pool.map(_size, urls))
    return None if None in sizes else sum(size for size in sizes if size is not None)


def _size(url: str) -> int | None:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=20) as answer:
            return int(answer.headers["Content-Length"])
    except (OSError, TypeError, ValueError):
        return None

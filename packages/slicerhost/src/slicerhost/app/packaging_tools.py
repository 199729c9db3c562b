"""``slicer.packaging``: what a module wants to install is recorded; nothing is ever installed.

`packages.available = False` takes the module away, as in Slicer 5.10, where only `slicer.util.pip_install` exists.
"""

import importlib.metadata
import logging
import re
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer
from packaging.requirements import Requirement


@dataclass
class Packages:
    """What was asked for, and what a test pretends."""

    installed: list[list[str]] = field(default_factory=list)  # requirements of each pip_install
    constraints: list[str | None] = field(default_factory=list)  # the constraints file of each pip_install
    uninstalled: list[str] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)  # packages that pip_check denies, whatever is installed
    failure: Exception | None = None  # raised by the next pip_install

    def reset(self) -> None:
        """Forgets everything, and gives `slicer.packaging` back."""
        self.__init__()  # type: ignore[misc]
        self.available = True

    @property
    def available(self) -> bool:
        """Whether `slicer.packaging` exists (Slicer 5.11 and later)."""
        return "slicer.packaging" in sys.modules

    @available.setter
    def available(self, available: bool) -> None:
        if available:
            sys.modules["slicer.packaging"] = _module
            slicer.packaging = _module
        else:
            sys.modules["slicer.packaging"] = None  # type: ignore[assignment] - import raises ModuleNotFoundError
            slicer.__dict__.pop("packaging", None)


def _requirements(wanted: Any) -> list[Requirement]:
    if isinstance(wanted, str):
        wanted = wanted.split()
    elif isinstance(wanted, Requirement):
        wanted = [wanted]
    return [item if isinstance(item, Requirement) else Requirement(item) for item in wanted]


def load_requirements(path: str | Path) -> list[Requirement]:
    """The lines of a requirements file, comments and options left out."""
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def pip_check(requirements: Any) -> bool:
    """Whether all requirements that apply here are satisfied."""
    return all(_satisfied(item) for item in _requirements(requirements))


def _satisfied(requirement: Requirement) -> bool:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    if requirement.name in packages.missing:
        return False
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(version, prereleases=True)


def pip_ensure(
    requirements: Any,
    constraints: str | Path | None = None,
    skip_packages: list[str] | None = None,
    prompt_install: bool = True,
    prompt_restart: bool = True,
    requester: str | None = None,
    skip_in_testing: bool = True,
    show_progress: bool = True,
) -> list[str] | None:
    """Asks, and "installs", what is missing; in testing mode nothing, as in Slicer.

    Raises:
        RuntimeError: The user declined.
    """
    missing = [item for item in _requirements(requirements) if not pip_check(item)]
    if not missing:
        return None
    names = [str(item) for item in missing]
    if skip_in_testing and slicer.app.testingEnabled():
        logging.info("Testing mode is enabled: skipping pip_ensure for %s", names)
        return None
    if prompt_install:
        title = f"{requester} - Install Python Packages" if requester else "Install Python Packages"
        text = f"{len(names)} Python package(s) need to be installed. Continue?"
        if not slicer.util.confirmOkCancelDisplay(text, title, detailedText="\n".join(names)):
            raise RuntimeError("User declined package installation")
    return pip_install(names, constraints=constraints, skip_packages=skip_packages)


def pip_install(
    requirements: Any,
    constraints: str | Path | None = None,
    skip_packages: list[str] | None = None,
    **_display: Any,
) -> list[str] | None:
    """Records the request; the packages count as installed from then on.

    Raises:
        Exception: `packages.failure`, if a test has set it.
    """
    if packages.failure is not None:
        failure, packages.failure = packages.failure, None
        raise failure
    names = requirements.split() if isinstance(requirements, str) else [str(item) for item in requirements]
    packages.installed.append(names)
    packages.constraints.append(None if constraints is None else str(constraints))
    packages.missing -= {Requirement(name).name for name in names if not name.startswith("-")}
    return list(skip_packages) if skip_packages else None


def pip_uninstall(requirements: Any, **_display: Any) -> None:
    """Records the request."""
    packages.uninstalled += requirements.split() if isinstance(requirements, str) else list(requirements)


def _util_pip_install(requirements: Any, **kwargs: Any) -> None:
    """`slicer.util.pip_install`, which exists in 5.10 too."""
    pip_install(requirements, **kwargs)


_module = types.ModuleType("slicer.packaging", "Recorded package installation, made by the test host")
for _function in (load_requirements, pip_check, pip_ensure, pip_install, pip_uninstall):
    setattr(_module, _function.__name__, _function)
packages = Packages()


def install() -> None:
    """Makes ``slicer.packaging`` importable and `slicer.util.pip_install` harmless."""
    packages.available = True
    slicer.util.pip_install = _util_pip_install
    slicer.util.pip_uninstall = pip_uninstall

"""A complete extension around the toy module: what CMake, and the commands of the README, need."""

import shutil
from pathlib import Path

TOY = Path(__file__).parent / "toy"
TOP = """cmake_minimum_required(VERSION 3.16.3...3.28 FATAL_ERROR)
project(HostToyExtension NONE)
set(EXTENSION_HOMEPAGE "https://host.invalid/toy")
set(EXTENSION_CONTRIBUTORS "The slicerhost contributors")
set(EXTENSION_DESCRIPTION "A toy extension that tries the stand-in of Slicer's CMake")
set(EXTENSION_ICONURL "https://host.invalid/toy.png")
set(EXTENSION_SCREENSHOTURLS "https://host.invalid/shot.png")
set(EXTENSION_DEPENDS "NA")
find_package(Slicer REQUIRED)
include(${Slicer_USE_FILE})
add_subdirectory(HostToy)
add_subdirectory(ToyLib)
include(${Slicer_EXTENSION_GENERATE_CONFIG})
include(${Slicer_EXTENSION_CPACK})
"""
MODULE = """slicerMacroBuildScriptedModule(
  NAME HostToy SCRIPTS HostToy.py RESOURCES Resources/UI/HostToy.ui WITH_GENERIC_TESTS)
slicer_add_python_unittest(SCRIPT HostToy.py)
"""
LIBRARY = (
    "slicerMacroBuildScriptedModule(NAME ToyLib SCRIPTS __init__.py inner/part.py RESOURCES data.json WITH_SUBDIR)\n"
)


def write_extension(root: Path) -> Path:
    """The toy module, a library folder, license and readme."""
    shutil.copytree(TOY, root / "HostToy", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "ToyLib" / "inner").mkdir(parents=True)
    for name in ("ToyLib/__init__.py", "ToyLib/inner/part.py", "ToyLib/data.json", "LICENSE", "README.md"):
        (root / name).write_text("", encoding="utf-8")
    (root / "CMakeLists.txt").write_text(TOP, encoding="utf-8")
    (root / "HostToy" / "CMakeLists.txt").write_text(MODULE, encoding="utf-8")
    (root / "ToyLib" / "CMakeLists.txt").write_text(LIBRARY, encoding="utf-8")
    return root

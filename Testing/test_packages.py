"""packages/ holds what other extensions can use: it names nothing of this product and leads nowhere outside itself."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOST = ROOT / "packages" / "slicerhost"
#: Words of this product: its name, its packages, its folders
OF_PRODUCT = re.compile(r"(?i:pdl1|predictor|radiomic|deepradscore)|Testing/(?:module|helpers|extension|host)")
#: Where this machine or this repository would be taken for granted
OUTSIDE = re.compile(
    r"""(?<![\w./)\]}*<>-])/(?!bin/|usr/|dev/|proc/|tmp/|data/)[\w.-]+/|/home/|requirements/\w+\.txt|parents\[[2-9]\]"""
)


def texts(folder: Path) -> dict[str, str]:
    """Every text of a folder by its path, caches left out."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    own = (file for file in files if not {"__pycache__", "build"} & set(file.parts) and ".egg-info" not in str(file))
    return {file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in own if _is_text(file)}


def _is_text(file: Path) -> bool:
    return not file.name.startswith(".") and not any(part.startswith(".") for part in file.relative_to(ROOT).parts)


def faults(found: Mapping[str, str]) -> list[str]:
    """Words that tie a text to this product or to a place."""
    return [
        f"{name}: {match[0]}"
        for name, text in found.items()
        for pattern in (OF_PRODUCT, OUTSIDE)
        for match in pattern.finditer(f"{name}\n{text}")
    ]


def test_the_host_names_nothing_of_this_product():
    found = texts(HOST)
    assert {"README.md", "pyproject.toml", "src/slicerhost/cmake/UseSlicer.cmake", "tests/conftest.py"} <= set(found)
    assert faults(found) == []


def test_a_word_of_the_product_is_seen():
    assert faults({"a.py": "load('PDL1Predictor')"}) == ["a.py: PDL1", "a.py: Predictor"]
    assert faults({"a.py": "Path(__file__).parents[3]", "b.md": "see Testing/host"}) == [
        "a.py: parents[3]",
        "b.md: Testing/host",
    ]
    assert faults({"pdl1.py": ""}) == ["pdl1.py: pdl1"]
    assert faults({"a.py": "open('/home/me/x')", "b.md": "see `/srv/ct/`"}) == ["a.py: /home/", "b.md: /srv/"]


def test_the_licenses_are_the_same():
    assert (HOST / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_tests_that_draw_can_be_left_out():
    paths = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"][
        "testpaths"
    ]
    assert paths == ["Testing", "packages"]  # pytest's --ignore has no effect on a path of this list itself

"""The same results on other processors, as far as this one can play them (helpers/processors.py)."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from processors import child, differences, environments, numpy_features

SCRIPT = Path(__file__).with_name("results_here.py")
PLAYED = [name for name in ("plain", "haswell") if name in environments()]


@cache
def results(name: str = "") -> dict[str, Any]:
    environment = child(environments()[name] if name else {})
    done = subprocess.run([sys.executable, SCRIPT], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", PLAYED)
def test_another_processor_makes_the_same_phantom_and_the_same_answers(name: str):
    assert differences(results(), results(name)) == []


def test_a_child_without_optional_instructions_has_none():
    code = "import processors; print(processors.numpy_features())"
    environment = child(environments()["plain"]) | {"PYTHONPATH": str(SCRIPT.parents[1] / "helpers")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
    assert environments()["plain"].get("NPY_DISABLE_CPU_FEATURES", "") == ",".join(numpy_features())


LITTLE = {
    "phantom": {"1/1": "a"},
    "voxels": {"ring": "b"},
    "features": {"x": 2.0, "y": 0.0, "z": float("nan")},
    "answers": {"PDL1": 0.5},
    "effects": [0.25],
    "heat": [1.0, 0.0],
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, []),
        ({"phantom": {"1/1": "A"}}, ["phantom 1/1"]),
        ({"voxels": {"ring": "B"}}, ["voxels of ring"]),
        ({"features": {"x": 2.0 + 1e-9, "y": 1e-10, "z": float("nan")}}, []),
        (
            {"features": {"x": 2.0 + 1e-7, "y": 0.0, "z": float("nan")}},
            ["features: 1 differ, such as 2.0 and 2.0000001"],
        ),
        ({"features": {"x": 2.0, "y": 0.0}}, ["features: other names"]),
        ({"answers": {"PDL1": 0.502}}, ["answers: 1 differ, such as 0.5 and 0.502"]),
        ({"effects": [0.26]}, ["effects: 1 differ, such as 0.25 and 0.26"]),
        ({"heat": [1.0, 0.01]}, ["heat: 1 differ, such as 0.0 and 0.01"]),
    ],
)
def test_what_differs_is_told(change: dict[str, Any], told: list[str]):
    assert differences(LITTLE, LITTLE | change) == told

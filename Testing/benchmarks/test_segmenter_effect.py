"""The benchmark of what a click's contour does to a prediction: differences by hand, refusals are counted apart."""

from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import segmenter_effect

    return segmenter_effect


def row(reader: float, click: float, same: bool) -> dict[str, object]:
    found = {"reader": reader, "click": click, "moved_1_mm": 0.01, "same_call": same}
    return {"dice": 0.8, "endpoints": {"PDL1": found}}


def test_differences_are_those_of_a_sum_by_hand(bench: ModuleType):
    made = bench.table([row(0.5, 0.6, True), row(0.5, 0.2, False), row(0.4, 0.4, True), {"refused": "no tissue"}])
    assert made[2:] == ["| PDL1 | 3 | 0.100 | 0.260 | 0.010 | 67% |"]


def test_an_answer_that_is_withheld_counts_by_its_number_and_one_without_a_number_not(bench: ModuleType):
    rows = [
        {"endpoint": "PDL1", "probability": None, "withheld": 0.3, "stability": None, "call": "none"},
        {"endpoint": "LVI", "probability": 0.7, "withheld": None, "stability": 0.1, "call": "positive"},
        {"endpoint": "TPS", "probability": None, "withheld": None, "stability": None, "call": "value"},
    ]
    found = bench.probabilities(SimpleNamespace(table=lambda: rows))
    assert found == {"PDL1": (0.3, 0.0, "none"), "LVI": (0.7, 0.1, "positive")}

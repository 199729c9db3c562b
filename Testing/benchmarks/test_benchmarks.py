"""What the benchmarks write, and what they cut: the measuring itself is not tested."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import SimpleITK as sitk


@pytest.fixture
def folder_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.fixture
def sections(folder_on_path: None) -> ModuleType:
    import page_sections

    return page_sections


@pytest.fixture
def radiomics_bench(folder_on_path: None) -> ModuleType:
    import bench_radiomics

    return bench_radiomics


def test_the_least_of_both_checkouts_stands_in_the_table(folder_on_path: None):
    import bench_start

    before, now = ([bench_start.Run(clock, 1.0 + clock) for clock in clocks] for clocks in ((4.0, 5.0), (3.0, 2.0)))
    text = bench_start.page("abc", before, now, 0.5)
    assert "| commit abc | 4.00 | 5.00 |" in text
    assert "| now | 2.00 | 3.00 |" in text
    assert "(2 times each)" in text


def test_a_section_is_replaced_and_the_others_are_left_alone(sections: ModuleType):
    page = sections.with_section("# Head\n", "one", "first")
    page = sections.with_section(page, "two", "second")
    changed = sections.with_section(page, "one", "third\n")
    assert changed == page.replace("first", "third")
    assert changed.index("third") < changed.index("second")


def test_a_cut_tumor_has_the_volume_that_is_asked_for(radiomics_bench: ModuleType):
    ct = sitk.Image([40, 30, 20], sitk.sitkInt16)
    ct.SetSpacing((1.0, 1.0, 2.0))
    inside = np.zeros((20, 30, 40), bool)
    inside[4:16, 5:25, 5:30] = True
    cut = radiomics_bench.sphere(inside, ct, 1.0)
    assert cut.sum() * 2 == pytest.approx(1000, rel=0.1)  # mm^3
    assert not (cut & ~inside).any()
    k, j, i = (np.ptp(index) + 1 for index in np.nonzero(cut))
    assert 2 * k == pytest.approx(j, abs=3)  # round in millimeters
    assert j == pytest.approx(i, abs=3)


def test_ratios_are_medians_of_pairs_and_stand_in_the_table(radiomics_bench: ModuleType):
    run = radiomics_bench.Run
    runs = {
        "358 mL": {
            "baseline": [run(30.0, 9.0, 400.0), run(20.0, 8.0, 390.0), run(80.0, 7.0, 410.0)],
            "ours": [run(1.0, 1.0, 300.0), run(0.5, 1.0, 310.0), run(2.0, 1.0, 305.0)],
        }
    }
    assert radiomics_bench.ratio(runs["358 mL"], "baseline") == 40
    tools = ["baseline", "ours"]
    by_clock = radiomics_bench.times(runs, tools, "seconds", goals=True)
    assert by_clock.splitlines()[-1] == "| 358 mL | 30.00 | 1.00 | 40 | >= 30 | 0.41 |"
    by_processor = radiomics_bench.times(runs, tools, "processor_s", goals=False)
    assert by_processor.splitlines()[-1] == "| 358 mL | 8.00 | 1.00 | 8 |"
    assert radiomics_bench.memory(runs, tools).splitlines()[-1] == "| 358 mL | 400 | 305 |"


def test_the_page_holds_a_section_of_every_benchmark(sections: ModuleType):
    page = sections.PAGE.read_text(encoding="utf-8")
    assert all(
        f"<!-- {name}: begin -->" in page and f"<!-- {name}: end -->" in page for name in ("prediction", "radiomics")
    )

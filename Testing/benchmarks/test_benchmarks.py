"""What the benchmarks write, and what they cut: the measuring itself is not tested."""

import json
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


@pytest.fixture
def training_bench(folder_on_path: None, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """With a backbone of one layer."""
    import bench_training
    from torch import nn

    from PDL1PredictorLib.networks.backbones import TABLE

    tiny = TABLE["densenet121"]._replace(
        build=lambda: nn.Sequential(nn.Conv2d(3, 5, 3, stride=2), nn.BatchNorm2d(5)), channels=5, least_pixels=8
    )
    monkeypatch.setitem(TABLE, "densenet121", tiny)
    return bench_training


def test_the_training_is_measured_without_anything_prepared(training_bench: ModuleType, tmp_path: Path):
    training_bench.main(["--tiny", "--device", "cpu", "--json", str(tmp_path / "rates.json")])
    facts = json.loads((tmp_path / "rates.json").read_text(encoding="utf-8"))
    assert len(facts["images a second, batch 16"]) == 6
    assert min(facts["images a second, batch 16"].values()) > 0
    agreement = facts["agreement"]
    assert agreement["largest difference of HU"] == 0
    assert agreement["second loss, straight"] == agreement["second loss, gone on"]


def test_what_cannot_be_measured_is_told_and_the_rest_goes_on(
    training_bench: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    def broken(*_: object) -> None:
        raise RuntimeError("no graph here")

    monkeypatch.setattr(training_bench, "steps", broken)
    rates = training_bench.rates(16, training_bench.Size(16, 4, 16, 0.0), "cpu")
    assert rates["step, not captured"] == "no graph here"
    assert sum(isinstance(rate, float) for rate in rates.values()) == 5
    assert "failed  step, not captured: no graph here" in capsys.readouterr().out


def test_without_simpleitk_a_stand_in_lets_the_pages_load(training_bench: ModuleType):
    stand_in = training_bench.NoImages("SimpleITK")
    assert isinstance(stand_in.Image, type)
    with pytest.raises(AttributeError):
        _ = stand_in.__file__


def test_the_losses_of_both_arithmetics_stand_in_a_row(folder_on_path: None):
    import bench_bfloat16

    row = {"arithmetic": "bfloat16", "seed": 2, "seconds": 20.4, "train": [0.7, 0.65], "validation": [0.71, 0.7]}
    assert bench_bfloat16.line(row) == "| bfloat16 | 2 | 20 | 0.700, 0.650 | 0.710, 0.700 |"


def test_the_medians_of_each_click_stand_in_the_table(folder_on_path: None):
    import bench_click

    runs = [[{"clock_s": clock, "processor_s": 1.0}, {"clock_s": 1.0, "processor_s": clock}] for clock in (2, 9, 4)]
    assert bench_click.table(runs)[2:] == ["| first click | 3 | 4.00 | 1.00 |", "| second click | 3 | 1.00 | 4.00 |"]

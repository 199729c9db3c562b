"""What the window would install goes with what Slicer brings, on every system; pip says so, nothing is installed."""

import importlib.util
import json
import os
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))

from slicer_pip import (  # noqa: E402
    INTEL_MAC,
    LINUX,
    WINDOWS,
    Resolution,
    Slicer,
    all_slicers,
    canonical,
    changed,
    download_bytes,
    resolve,
)

SLICERS = {f"{item.version} on {item.system}": item for item in all_slicers()}
#: What the window's first installation may take from the network, everywhere
MOST_MEGABYTES = 120
#: Where pip cannot succeed, and the package that it must name: when it no longer does, this table is out of date
IMPOSSIBLE = {
    # numba 0.62, the last for Intel Macs, wants numpy < 2.4; Slicer 5.12 brings 2.4.6
    "5.12.3 on Intel Mac": "numba",
}


@pytest.fixture(scope="module")
def packages():
    """The module's own list, imported as in Slicer."""
    if importlib.util.find_spec("slicer_core") is None:
        pytest.skip("the module is imported in the headless host: requirements/host.txt is not installed")
    for folder in (ROOT / "Testing" / "host", ROOT / "PDL1Predictor"):
        sys.path.insert(0, str(folder))
    import slicerhost

    slicerhost.start()
    from PDL1PredictorGUI.setup import packages

    return packages


@pytest.fixture(scope="module")
def requirements(packages):
    """What the window would install."""
    return [item.requirement for item in packages.PACKAGES if not item.bundled]


@pytest.fixture(scope="module")
def resolutions(requirements):
    """All answers of pip, asked for side by side: most of the time each waits for the registry."""

    def ask(name: str) -> Resolution:
        return resolve(SLICERS[name], requirements)

    first, *others = SLICERS
    found = {first: ask(first)}
    if found[first].unreachable:  # then no other is waited for
        return dict.fromkeys(SLICERS, found[first])
    with ThreadPoolExecutor(4) as pool:
        found.update(zip(others, pool.map(ask, others), strict=True))
    return found


def skip_without_registry(resolution: Resolution) -> None:
    if resolution.unreachable:
        pytest.skip(f"no package registry is in reach: {resolution.problem[-300:]}")


@pytest.mark.parametrize("name", SLICERS)
def test_what_is_installed_leaves_slicers_packages_as_they_are(resolutions, record_testsuite_property, name):
    slicer, resolution = SLICERS[name], resolutions[name]
    skip_without_registry(resolution)
    if name in IMPOSSIBLE:
        assert IMPOSSIBLE[name] in resolution.problem
        return
    assert not resolution.problem
    assert changed(slicer, resolution) == {}
    size = download_bytes(slicer, resolution)
    record_testsuite_property(f"download_MB {name}", None if size is None else round(size / 1e6))


def test_slicer_brings_what_the_list_says_that_it_brings(packages):
    for slicer in SLICERS.values():
        for package in packages.PACKAGES:
            if package.bundled:
                assert Version(slicer.pins[canonical(package.name)]) >= Version(package.minimum)


def test_what_has_to_be_downloaded_is_less_than_the_window_says(packages, resolutions):
    for name, slicer in SLICERS.items():
        listed = [item for item in packages.PACKAGES if not item.bundled]
        size = download_bytes(slicer, resolutions[name]) if resolutions[name].chosen else None
        if size is not None:  # what is told is the size on disk
            assert 0 < size < 1e6 * sum(item.megabytes for item in listed), name
            assert size < 1e6 * MOST_MEGABYTES, name


# --- twins, without a registry


@pytest.fixture
def shelf(tmp_path):
    """A function that makes an empty wheel."""

    def put(name, version, *needs, tag="py3-none-any"):
        info = f"{name}-{version}.dist-info"
        lines = [
            "Metadata-Version: 2.1",
            f"Name: {name}",
            f"Version: {version}",
            *(f"Requires-Dist: {n}" for n in needs),
        ]
        with zipfile.ZipFile(tmp_path / f"{name}-{version}-{tag}.whl", "w") as wheel:
            wheel.writestr(f"{info}/METADATA", "\n".join(lines) + "\n")
            wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
            wheel.writestr(f"{info}/RECORD", "")

    return put


@pytest.fixture
def resolve_here(tmp_path):
    """A function that resolves among the wheels that were made."""

    def find(*requirements, system=LINUX, pins=None):
        slicer = Slicer("5", system, "3.12", 13, pins or {})
        return resolve(slicer, requirements, options=["--no-index", f"--find-links={tmp_path}"])

    return find


def test_a_pinned_version_is_kept(shelf, resolve_here):
    shelf("outer", "1.0", "inner>=1")
    shelf("inner", "1.0")
    shelf("inner", "2.0")
    assert resolve_here("outer", pins={"inner": "1.0"}).chosen == {"outer": "1.0", "inner": "1.0"}
    assert resolve_here("outer").chosen == {"outer": "1.0", "inner": "2.0"}


def test_a_conflict_with_a_pin_is_a_problem_and_no_missing_connection(shelf, resolve_here):
    shelf("outer", "1.0", "inner>=2")
    shelf("inner", "1.0")
    shelf("inner", "2.0")
    found = resolve_here("outer", pins={"inner": "1.0"})
    assert "conflict" in found.problem
    assert not found.unreachable
    assert found.chosen == {}


def test_a_package_that_only_one_system_needs_counts_there(shelf, resolve_here):
    shelf("outer", "1.0", 'inner; sys_platform == "win32"', 'backport; python_version < "3.12"')
    shelf("inner", "1.0")
    assert resolve_here("outer", system=WINDOWS).chosen == {"outer": "1.0", "inner": "1.0"}
    assert resolve_here("outer", system=LINUX).chosen == {"outer": "1.0"}


def test_a_wheel_of_another_system_or_of_a_newer_one_is_not_taken(shelf, resolve_here):
    shelf("outer", "1.0", tag="cp312-cp312-macosx_13_0_x86_64")
    shelf("outer", "2.0", tag="cp312-cp312-macosx_14_0_x86_64")
    assert resolve_here("outer", system=INTEL_MAC).chosen == {"outer": "1.0"}
    assert "No matching distribution found for outer" in resolve_here("outer", system=WINDOWS).problem


def test_a_registry_that_does_not_answer_is_told_from_a_conflict(monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    slicer = Slicer("5", LINUX, "3.12", 13, {})
    found = resolve(slicer, ["outer"], options=["--index-url=http://127.0.0.1:9/"])
    assert found.unreachable
    with pytest.raises(pytest.skip.Exception, match="no package registry is in reach"):
        skip_without_registry(found)


def test_a_changed_package_is_told_but_not_pips_own():
    slicer = Slicer("5", LINUX, "3.12", 13, {"numpy": "2.0.2", "pip": "25.0"})
    assert changed(slicer, Resolution({"numpy": "2.4.6", "pip": "26.0", "numba": "0.61"})) == {"numpy": "2.4.6"}


def test_the_table_of_pins_names_its_source():
    table = json.loads((ROOT / "Testing" / "extension" / "slicer_pins.json").read_text(encoding="utf-8"))
    assert "SuperBuild" in table["source"]
    assert set(table["versions"]) == {"5.10.0", "5.12.3"}
    assert table["versions"]["5.12.3"]["pins"]["numpy"] == "2.4.6"

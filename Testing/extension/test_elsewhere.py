"""On machines for which Slicer's own code has no wheels, the module's tests are skipped with the reason."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


def test_on_arm64_the_module_s_tests_are_skipped_with_the_reason_and_the_others_run(tmp_path: Path):
    (tmp_path / "arm64.py").write_text('import platform\n\nplatform.machine = lambda: "aarch64"\n', encoding="utf-8")
    tests = [
        "Testing/module/test_module_docs.py",
        "packages/slicerhost/tests/test_host_ui_files.py",
        "Testing/extension/test_extension_files.py",
    ]
    command = [sys.executable, "-m", "pytest", "-p", "arm64", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *tests],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "slicer-core has wheels for Linux on x86-64 only, this is linux on aarch64" in done.stdout
    assert "2 skipped" in done.stdout
    assert "passed" in done.stdout


def test_the_packages_and_the_tests_name_the_same_machines():
    lines = (ROOT / "requirements" / "host.txt").read_text(encoding="utf-8").splitlines()
    marked = {line.split(";")[0]: line.split(";")[1].strip() for line in lines if ";" in line and line[0] != "#"}
    condition = 'sys_platform == "linux" and platform_machine == "x86_64"'
    assert marked == {"PySide6-Essentials": condition, "PyQt5": condition, "slicer-core": condition}
    text = (ROOT / "packages" / "slicerhost" / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    for group in (project["dependencies"], project["optional-dependencies"]["judge"]):
        wanted = {Requirement(line).name: Requirement(line).marker for line in group}
        assert {str(wanted[name]) for name in marked if name in wanted} == {condition}

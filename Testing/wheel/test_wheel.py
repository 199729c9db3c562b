"""The wheel: what is in it, that it is made the same again, and that it works by itself where it is installed."""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from PDL1PredictorLib.core.lazy import EXTRAS

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Testing" / "wheel"))
import make_dist  # noqa: E402 - the path first

README = (ROOT / "README.md").read_text(encoding="utf-8")
WITHOUT_EXTRAS = ROOT / "Testing" / "helpers" / "without_extras"
DEVELOPING = ("hypothesis", "jsonschema", "lifelines", "pandas", "pytest")  # here by chance
NOTEBOOK_FILES = {'"ct.nii.gz"': "PDL1Sample-ct.nrrd", '"tumor.nii.gz"': "PDL1Sample-tumor.seg.nrrd"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The source distribution and the wheel of this checkout."""
    return make_dist.make(tmp_path_factory.mktemp("mein dist ü"))


@pytest.fixture(scope="module")
def site(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder that pip installed the wheel into; the packages that it needs lie elsewhere."""
    target = tmp_path_factory.mktemp("site packages")
    options = ("--quiet", "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check", "--target")
    subprocess.run([sys.executable, "-m", "pip", "install", *options, target, built[1]], check=True, env=os.environ)
    _take_compiled(ROOT / "PDL1PredictorLib", target / "PDL1PredictorLib")
    return target


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder far from the checkout, where a user works; its neighbor `home` is empty."""
    folder = tmp_path_factory.mktemp("Arbeit")
    (folder / "home").mkdir()
    (folder / "here").mkdir()
    return folder


def _take_compiled(source: Path, target: Path) -> None:
    """Saves half a minute: what numba compiled for one copy of the library; it looks at a page's time and size."""
    for file in source.rglob("__pycache__/*.nb[ci]"):
        folder = target / file.parent.relative_to(source)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, folder / file.name)
    for page in (source / "radiomics").rglob("*.py"):
        copied = target / page.relative_to(source)
        if copied.read_bytes() == page.read_bytes():
            os.utime(copied, ns=(page.stat().st_atime_ns, page.stat().st_mtime_ns))


def run(site: Path, place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run the installed `pdl1`, or its Python, as a user without any settings or extras would."""
    program = ["-m", "PDL1PredictorLib"] if command[0] == "pdl1" else []
    home = str(place / "home")
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "OMP_NUM_THREADS")
    own = {name: os.environ[name] for name in kept if name in os.environ}
    paths = os.pathsep.join([str(site), str(WITHOUT_EXTRAS)])
    environment = {**own, "PYTHONPATH": paths, "PYTHONUTF8": "1", "HOME": home, "USERPROFILE": home}
    environment["PDL1_WITHOUT"] = " ".join([*EXTRAS, *DEVELOPING])
    typed = [sys.executable, *program, *command[1:]]
    return subprocess.run(typed, cwd=place / "here", env=environment, capture_output=True, text=True, check=False)


def commands(text: str, heading: str) -> list[list[str]]:
    """The commands `pdl1 ...` of a section of a page, as words."""
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^ {4}(?:\.venv/bin/)?(pdl1 .*)$", section, flags=re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def test_the_wheel_holds_the_whole_library_and_what_is_mapped_into_it(built):
    with zipfile.ZipFile(built[1]) as wheel:
        names = set(wheel.namelist())
    known = make_dist.known_files(ROOT)
    library = {name for name in known if name.startswith("PDL1PredictorLib/") and not name.endswith("CMakeLists.txt")}
    resources = {name for name in known if name.startswith("Resources/") and not name.endswith("CMakeLists.txt")}
    examples = {name for name in known if name.startswith("examples/")}
    mapped = {f"PDL1PredictorLib/{name}" for name in resources}
    mapped |= {f"PDL1PredictorLib/Resources/{name}" for name in examples}
    assert len(library) > 300
    assert len(resources) > 20
    assert len(examples) > 5
    assert {name for name in names if ".dist-info/" not in name} == library | mapped


def test_nothing_of_the_mapped_files_lies_twice_in_the_repository():
    assert not any(name.startswith("PDL1PredictorLib/Resources/") for name in make_dist.known_files(ROOT))


def test_other_rights_times_and_names_of_folders_make_the_same_bytes(built, tmp_path):
    before = os.umask(0o077)
    try:
        copied = tmp_path / "another checkout"
        make_dist.copy_sources(ROOT, copied)  # with the time of now
        (copied / "PDL1PredictorLib" / "__init__.py").chmod(0o600)
        (copied / "PDL1PredictorLib" / "__pycache__").mkdir()
        (copied / "PDL1PredictorLib" / "__pycache__" / "junk.json").touch()
        again = make_dist.make(tmp_path / "dist", copied)
    finally:
        os.umask(before)
    assert [_sha256(file) for file in again] == [_sha256(file) for file in built]


def test_another_content_makes_other_bytes(tmp_path):
    packed = tmp_path / "raw" / "a.tar.gz"
    packed.parent.mkdir()
    for text in ("one", "two"):
        (tmp_path / "a.txt").write_text(text)
        shutil.make_archive(str(tmp_path / "raw" / "a"), "gztar", tmp_path, "a.txt")
        (tmp_path / text).mkdir()
        make_dist.canonical(packed, tmp_path / text, make_dist.EPOCH)
    assert _sha256(tmp_path / "one" / "a.tar.gz") != _sha256(tmp_path / "two" / "a.tar.gz")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_commands_of_the_readme_work_with_the_wheel_alone(site, place):
    typed = commands(README, "Install by name")
    assert [words[1] for words in typed] == ["version", "examples", "predict", "segment"]
    said = []
    for words in typed:
        done = run(site, place, *words)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert f", in {site / 'PDL1PredictorLib'}\n" in said[0]  # not the checkout
    assert "Model: phantom-demo 1.0.0" in said[0]
    assert re.search(r"PD-L1 +79 %", said[2])  # as in docs/slicer.md
    assert (place / "here" / "result" / "report.html").is_file()
    assert "by the network method, semi-automatic" in said[3]
    assert (place / "here" / "clicked.seg.nrrd").is_file()
    assert [path.name for path in (place / "home").rglob("*") if path.is_file() and "numba" not in path.parts] == []


def test_the_notebook_of_the_readme_works_with_the_wheel_alone(site, place):
    code = README.partition("\n## In a notebook\n")[2].partition("```python\n")[2].partition("```")[0]
    for name, file in NOTEBOOK_FILES.items():
        assert name in code
        code = code.replace(name, repr(str(site / "PDL1PredictorLib" / "Resources" / "SampleData" / file)))
    done = run(site, place, "python", "-W", "error", "-c", f"{code}\nprint(pdl1.__file__, result)")
    assert done.returncode == 0, done.stderr
    assert str(site) in done.stdout


def test_without_the_models_the_installed_command_says_what_is_missing(built, place, tmp_path):
    """The twin: what the wheel would be without the mapped folders."""
    with zipfile.ZipFile(built[1]) as wheel:
        wheel.extractall(tmp_path, [name for name in wheel.namelist() if "/Resources/" not in name])
    done = run(tmp_path, place, "pdl1", "examples", "--out", "nothing")
    assert (done.returncode, "The sample patient is not here" in done.stderr) == (2, True)
    assert not (place / "here" / "nothing").exists()

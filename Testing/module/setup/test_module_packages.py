"""What is missing is asked for once and installed so that nothing else changes; pip and torch are stand-ins."""

import re
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import pytest
import slicerhost
from PDL1PredictorGUI.setup import computer, packages, preferences

from PDL1PredictorLib.core.errors import MissingPackageError

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.usefixtures("slicer_scene")


@pytest.fixture
def torch_extension(monkeypatch):
    """A stand-in of the PyTorch extension; its calls."""
    calls = []

    class PyTorchUtilsLogic:
        def installTorch(self, **options):
            calls.append(options)
            slicerhost.packages.missing.discard("torch")

    module = types.ModuleType("PyTorchUtils")
    module.PyTorchUtilsLogic = PyTorchUtilsLogic
    monkeypatch.setitem(sys.modules, "PyTorchUtils", module)
    return calls


@pytest.fixture
def graphics(monkeypatch):
    """An NVIDIA graphics card, which the user chose."""
    monkeypatch.setattr(computer, "has_graphics", lambda device: device == "cuda")
    preferences.write(preferences.DEVICE, "cuda")


@pytest.fixture
def no_torch_extension(monkeypatch):
    monkeypatch.setitem(sys.modules, "PyTorchUtils", None)


def test_the_table_is_the_librarys_list():
    lines = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8").splitlines()
    listed = {line.split(";")[0].strip() for line in lines if line and not line.startswith("#")}
    assert {package.name for package in packages.PACKAGES} == listed - set(packages.NOT_NEEDED)
    assert set(packages.NOT_NEEDED) <= listed
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = dict(re.fullmatch(r"([\w-]+)(>=.+)", text).groups() for text in project["dependencies"])
    assert {package.name: package.right_versions for package in packages.PACKAGES} == versions
    (gpu,) = project["optional-dependencies"]["gpu"]
    assert gpu == packages.TORCH.name + packages.TORCH.right_versions


def test_what_filing_takes_is_the_librarys_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = project["optional-dependencies"]["dicom"]
    assert [package.name + package.right_versions for package in packages.FILING] == extra


def test_what_is_needed_besides_is_asked_for_with_the_rest(without):
    without("Jinja2", "reportlab")
    assert [package.name for package in packages.missing()] == ["Jinja2"]
    with slicerhost.user_answers("Ok") as dialogs:
        assert packages.ensure(more=packages.FILING)
    assert "reportlab: 11 MB" in dialogs.shown[0].text
    assert slicerhost.packages.installed == [["--only-binary=:all:", "Jinja2>=3.1", "reportlab>=4.2"]]


def test_nothing_is_missing_here_and_nothing_is_asked():
    assert packages.missing() == []
    assert packages.ensure()
    assert slicerhost.dialogs.shown == []
    assert slicerhost.packages.installed == []


@pytest.mark.parametrize(
    ("version", "right"), [("1.23.2", True), ("1.26.0", False), ("1.27.1", False), ("1.28.0", True)]
)
def test_a_version_that_computes_wrong_values_counts_as_missing(monkeypatch, version, right):
    monkeypatch.setattr(packages, "installed_version", lambda name: version if name == "onnxruntime" else "99.0")
    assert [package.name for package in packages.missing()] == ([] if right else ["onnxruntime"])


def test_an_old_version_counts_as_missing(monkeypatch):
    monkeypatch.setattr(packages, "installed_version", lambda name: "0.3" if name == "Jinja2" else "99.0")
    assert [package.name for package in packages.missing()] == ["Jinja2"]


def test_missing_packages_are_asked_for_once_with_their_sizes_and_installed(without, torch_extension):
    without("torch", "numba", "Jinja2")
    with slicerhost.user_answers("Ok") as dialogs:
        assert packages.ensure()
    (shown,) = dialogs.shown
    for part in ("numba: 195 MB", "Jinja2: 1 MB", "196 MB", "from the internet"):
        assert part in shown.text
    assert "torch" not in shown.text
    assert torch_extension == []
    assert slicerhost.packages.installed == [["--only-binary=:all:", "numba>=0.61", "Jinja2>=3.1"]]


def test_torch_is_asked_for_where_a_graphics_card_was_chosen(without, torch_extension, graphics):
    without("torch", "numba")
    with slicerhost.user_answers("Ok") as dialogs:
        assert packages.ensure()
    (shown,) = dialogs.shown
    for part in ("torch: 750 MB", "numba: 195 MB", "945 MB", "several GB"):
        assert part in shown.text
    assert torch_extension == [{"askConfirmation": False, "torchVersionRequirement": ">=2.5"}]
    assert slicerhost.packages.installed == [["--only-binary=:all:", "numba>=0.61"]]


@pytest.mark.parametrize("device", ["auto", "cpu", "mps"])
def test_torch_is_not_asked_for_with_any_other_choice(without, graphics, device):
    without("torch")
    preferences.write(preferences.DEVICE, device)  # an Apple's choice that came along to a computer without one
    assert packages.missing() == []


def test_declined_says_how_to_go_on(without, graphics):
    without("torch")
    assert "choose the device Automatic or Processor" in packages.declined_text()
    without("torch", "numba")
    assert "nothing can be predicted" in packages.declined_text()


def test_nothing_that_is_installed_may_change(without, monkeypatch):
    without("Jinja2")
    seen = []
    real = sys.modules["slicer.packaging"].pip_install

    def install(requirements, constraints=None, **options):
        seen.append(Path(constraints).read_text(encoding="utf-8"))
        return real(requirements, constraints=constraints, **options)

    monkeypatch.setattr(sys.modules["slicer.packaging"], "pip_install", install)
    with slicerhost.user_answers("Ok"):
        assert packages.ensure()
    lines = seen[0].splitlines()
    for name in ("numpy", "scipy", "simpleitk", "pydicom", "torch", "vtk"):
        assert [line for line in lines if line.startswith(f"{name}==")]
    assert not [line for line in lines if line.startswith("jinja2==")]
    assert len(lines) == len({line.split("==")[0] for line in lines})


def test_declined_is_no_error_and_installs_nothing(without, torch_extension, graphics):
    without("torch", "numba")
    with slicerhost.user_answers("Cancel"):
        assert packages.ensure() is False
    assert slicerhost.packages.installed == []
    assert torch_extension == []


def test_a_script_that_has_agreed_is_not_asked(without):
    without("numba")
    with slicerhost.user_answers() as dialogs:
        assert packages.ensure(confirm=False)
    assert dialogs.shown == []


def test_in_testing_mode_nothing_is_installed(without, torch_extension, graphics):
    without("torch", "numba")
    assert packages.ensure() is False
    assert slicerhost.packages.installed == []
    assert torch_extension == []


def test_slicer_5_10_installs_one_after_the_other(without):
    without("numba", "Jinja2")
    slicerhost.packages.available = False
    with slicerhost.user_answers("Ok"):
        assert packages.ensure()
    first, second = slicerhost.packages.installed
    assert (first[-1], second[-1]) == ("numba>=0.61", "Jinja2>=3.1")
    assert first[0] == "--only-binary=:all:"
    assert first[1].startswith("--constraint=")


@pytest.mark.parametrize("modern", [True, False], ids=["5.12", "5.10"])
def test_offline_from_a_folder_of_wheels(without, no_torch_extension, graphics, tmp_path, modern):
    folder = tmp_path / "Räder für Slicer"
    folder.mkdir()
    preferences.write(preferences.WHEELS_FOLDER, str(folder))
    without("torch", "numba")
    slicerhost.packages.available = modern
    with slicerhost.user_answers("Ok") as dialogs:
        assert packages.ensure()
    assert f"from the folder {folder}" in dialogs.texts[0]
    asked = slicerhost.packages.installed
    assert all("--no-index" in options and f"--find-links={folder}" in options for options in asked)
    assert [item for options in asked for item in options if not item.startswith("-")] == ["torch>=2.5", "numba>=0.61"]


def test_a_folder_of_wheels_that_is_gone_is_passed_over(without, tmp_path):
    preferences.write(preferences.WHEELS_FOLDER, str(tmp_path / "gone"))
    without("numba")
    with slicerhost.user_answers("Ok"):
        assert packages.ensure()
    assert "--no-index" not in slicerhost.packages.installed[0]


def test_without_the_pytorch_extension_it_says_what_to_do(without, no_torch_extension, graphics):
    without("torch")
    with pytest.raises(MissingPackageError, match="Extensions Manager, install PyTorch, restart Slicer"):
        packages.ensure()


@pytest.mark.parametrize("wheels", [False, True], ids=["online", "offline"])
def test_a_failed_installation_says_what_to_do(without, tmp_path, wheels):
    without("numba")
    slicerhost.packages.failure = subprocess.CalledProcessError(1, ["pip"])
    with slicerhost.user_answers("Ok"), pytest.raises(MissingPackageError) as failed:
        packages.ensure(wheels=tmp_path if wheels else None)
    assert "numba>=0.61" in str(failed.value)
    assert ("Put their wheel files there" if wheels else "Check the internet connection") in str(failed.value)


def test_an_installation_that_changed_nothing_is_told(without, torch_extension, graphics, monkeypatch):
    without("torch")
    monkeypatch.setattr(sys.modules["PyTorchUtils"].PyTorchUtilsLogic, "installTorch", lambda self, **_options: None)
    with slicerhost.user_answers("Ok"), pytest.raises(MissingPackageError, match="could not be installed: torch>=2.5"):
        packages.ensure()


def test_a_slicer_that_is_too_old_is_told(without):
    without("numpy", "numba")
    with pytest.raises(MissingPackageError, match=r"numpy>=2.0 is too old or missing. Install 3D Slicer 5.10"):
        packages.ensure()


def test_loading_the_page_installs_and_imports_nothing():
    import subprocess

    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "import slicerhost; slicerhost.start()\n"
        "from PDL1PredictorGUI.background import batch, job, predictor\n"
        "from PDL1PredictorGUI.scene import bridge, clinical\n"
        "from PDL1PredictorGUI.setup import library, models, packages\n"
        "heavy = {'torch', 'numba', 'SimpleITK', 'skimage', 'onnxruntime', 'PDL1PredictorLib'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "print(slicerhost.packages.installed)\n"
    )
    folders = [str(ROOT / "packages" / "slicerhost" / "src"), str(ROOT / "PDL1Predictor")]
    done = subprocess.run([sys.executable, "-c", code, *folders], capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[-3:] == ["[]", "[]", ""], done.stderr


@pytest.mark.parametrize(
    ("names", "wheels", "said", "not_said"),
    [
        (["numba"], False, ["Nothing that is installed already is changed."], ["pip", "setuptools"]),
        (["torch"], False, ["extension PyTorch", "torchvision", "pip, setuptools"], []),
        (["torch"], True, ["but for setuptools, which torch may replace"], ["extension PyTorch"]),
    ],
)
def test_the_question_says_what_else_may_change(tmp_path, names, wheels, said, not_said):
    wanted = [package for package in (packages.TORCH, *packages.PACKAGES) if package.name in names]
    text = packages.question(wanted, tmp_path if wheels else None)
    assert [part for part in said if part not in text] == []
    assert [part for part in not_said if part in text] == []


def test_slicer_5_10_shows_that_torch_is_being_installed_and_says_so_before(
    without, torch_extension, graphics, monkeypatch
):
    without("torch")
    slicerhost.packages.available = False
    made, closed = [], []
    dialog = types.SimpleNamespace(
        close=lambda: closed.append(len(torch_extension)), setCancelButton=lambda button: made.append(button)
    )
    monkeypatch.setattr(
        packages.slicer.util, "createProgressDialog", lambda **options: made.append(options["labelText"]) or dialog
    )
    with slicerhost.user_answers("Ok") as dialogs:
        assert packages.ensure()
    assert "Slicer does not answer while torch is being installed" in dialogs.texts[0]
    assert made == ["Installing torch. This takes some minutes, in which Slicer does not answer.", None]  # no Cancel
    assert closed == [1]  # after the installation
    slicerhost.packages.available = True
    assert "does not answer" not in packages.question([packages.TORCH])


def test_what_an_installation_changed_is_in_the_log(without, monkeypatch, caplog):
    without("numba")
    versions = iter([{"pip": "25.0", "numpy": "2.0"}, {"pip": "24.3", "numpy": "2.0", "numba": "0.61"}])
    monkeypatch.setattr(packages, "constraint_lines", lambda _wanted: [])
    monkeypatch.setattr(packages, "_installed_versions", lambda: next(versions))
    with slicerhost.user_answers("Ok"):
        assert packages.ensure()
    assert "changed pip from 25.0 to 24.3" in caplog.text
    assert "numpy" not in caplog.text

"""Compiling: lazily, once, into a folder that can be written to, with a word for the user."""

import os
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from PDL1PredictorLib.core.errors import CancelledError
from PDL1PredictorLib.core.files import cache_folders
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.radiomics import compiled, rehearsal
from PDL1PredictorLib.radiomics.features.maximal_correlation import _above, second_eigenvalues


def run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_numba_is_not_loaded_before_an_engine_is_asked_for():
    code = """
        import sys
        import PDL1PredictorLib.radiomics.pdl1_engine, PDL1PredictorLib.radiomics.extract
        print("numba" in sys.modules)
    """
    assert run(code) == "False"


def test_a_kernel_is_handed_to_numba_once():
    from PDL1PredictorLib.radiomics.features.kernels import zones

    assert compiled.compiled(zones) is compiled.compiled(zones)


def test_what_is_compiled_is_kept_where_the_user_says(tmp_path: Path):
    code = """
        import numpy as np
        from PDL1PredictorLib.radiomics.compiled import compiled
        from PDL1PredictorLib.radiomics.features.kernels import assign_gray_levels

        levels = np.empty(3, np.uint16)
        compiled(assign_gray_levels)(np.array([0.0, 30.0, 25.0]), np.array([0.0, 25.0, 50.0]), 25.0, levels)
        print(levels.tolist())
    """
    assert run(code, NUMBA_CACHE_DIR=str(tmp_path)) == "[1, 2, 2]"
    assert list(tmp_path.rglob("*.nbi"))


def test_a_package_that_cannot_be_written_to_keeps_its_kernels_with_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(compiled, "_user_cache", lambda: tmp_path)
    writable = compiled._is_writable
    monkeypatch.setattr(compiled, "_is_writable", lambda folder: folder.name != "__pycache__" and writable(folder))
    assert compiled.cache_folder() == tmp_path / "pdl1predictor" / "numba"


def test_a_read_only_package_compiles_once_for_a_user(tmp_path: Path):
    code = """
        import numpy as np
        from pathlib import Path
        from PDL1PredictorLib.radiomics import compiled
        from PDL1PredictorLib.radiomics.features.kernels import assign_gray_levels

        writable = compiled._is_writable
        compiled._is_writable = lambda folder: folder.name != "__pycache__" and writable(folder)
        compiled._user_cache = lambda: Path(CACHE)
        kernel = compiled.compiled(assign_gray_levels)
        kernel(np.array([0.0, 30.0]), np.array([0.0, 25.0, 50.0]), 25.0, np.empty(2, np.uint16))
        print(sum(kernel.stats.cache_hits.values()), sum(kernel.stats.cache_misses.values()))
    """.replace("CACHE", repr(str(tmp_path)))
    assert [run(code, NUMBA_CACHE_DIR=""), run(code, NUMBA_CACHE_DIR="")] == ["0 1", "1 0"]
    assert list((tmp_path / "pdl1predictor" / "numba").rglob("*.nbi"))


def test_where_nothing_can_be_written_a_temporary_folder_serves(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(compiled, "_is_writable", lambda folder: False)
    assert "pdl1predictor-numba-" in str(compiled.cache_folder())


def test_a_folder_that_is_a_file_cannot_be_written_to(tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert not compiled._is_writable(tmp_path / "file")
    assert compiled._is_writable(tmp_path / "new")


def test_other_users_of_numba_keep_their_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    import numba

    before = numba.config.CACHE_DIR
    with compiled._cache_in(numba, tmp_path):
        assert str(tmp_path) == numba.config.CACHE_DIR
    assert before == numba.config.CACHE_DIR


def test_a_machine_that_compiles_says_so_and_can_be_cancelled(monkeypatch: pytest.MonkeyPatch):
    finish = threading.Event()
    monkeypatch.setattr(rehearsal, "_READY", threading.Event())
    monkeypatch.setattr(rehearsal, "PATIENCE_S", 0.01)
    monkeypatch.setattr(rehearsal, "rehearse", finish.wait)
    told: list[str] = []

    def report(stage: str, fraction: float, message: str) -> None:
        told.append(message)
        finish.set()

    with ThreadPoolExecutor(1) as pool:
        rehearsal.get_ready(pool, Progress(report))
        assert told == ["compiling the radiomics kernels, once"]
        rehearsal.get_ready(pool, Progress(report))
        assert len(told) == 1
        monkeypatch.setattr(rehearsal, "_READY", threading.Event())
        finish.clear()
        with pytest.raises(CancelledError):
            rehearsal.get_ready(pool, Progress(cancelled=lambda: True))
        finish.set()


def test_the_kernels_are_plain_functions_that_python_runs_as_well():
    from PDL1PredictorLib.radiomics.features.kernels import assign_gray_levels

    rng = np.random.default_rng(0)
    values = np.append(rng.normal(0, 100, 500).round(), [-300.0, 300.0, 25.0, -25.0])
    edges = np.arange(-300.0, 351.0, 25.0)
    levels = np.empty(values.size, np.uint16)
    assign_gray_levels(np.maximum(values, -300), edges, 25.0, levels)
    np.testing.assert_array_equal(levels, np.digitize(np.maximum(values, -300), edges))


@pytest.fixture
def nowhere_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Only the temporary folder is left for the cache; it comes back."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(compiled, "_is_writable", lambda folder: False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    cache_folders.temporary_folder.cache_clear()
    yield tmp_path
    cache_folders.temporary_folder.cache_clear()


needs_owners = pytest.mark.skipif(not hasattr(os, "getuid"), reason="folders have no owner and mode here")


@needs_owners
def test_the_temporary_folder_is_for_this_user_alone_and_the_same_next_time(nowhere_else: Path):
    folder = compiled.cache_folder()
    assert folder == nowhere_else / f"pdl1predictor-numba-{os.getuid()}"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    cache_folders.temporary_folder.cache_clear()
    assert compiled.cache_folder() == folder


@needs_owners
@pytest.mark.parametrize("kind", ["open to all", "readable", "a link", "a file", "holds a link", "of another user"])
def test_a_temporary_folder_that_another_could_have_made_is_not_read(
    nowhere_else: Path, monkeypatch: pytest.MonkeyPatch, kind: str
):
    usual = nowhere_else / f"pdl1predictor-numba-{os.getuid()}"
    elsewhere = nowhere_else / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    if kind == "a link":
        usual.symlink_to(elsewhere)
    elif kind == "a file":
        usual.write_text("")
    else:
        usual.mkdir(mode=0o700)
        usual.chmod({"open to all": 0o777, "readable": 0o755}.get(kind, 0o700))
    if kind == "holds a link":
        (usual / "kernel.nbi").symlink_to(elsewhere)
    if kind == "of another user":
        number = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: number + 1)
        usual.rename(nowhere_else / f"pdl1predictor-numba-{number + 1}")
        usual = nowhere_else / f"pdl1predictor-numba-{number + 1}"
    folder = compiled.cache_folder()
    assert folder != usual
    assert folder.parent == nowhere_else
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.iterdir()) == []
    assert compiled.cache_folder() == folder  # the same for the whole process


@needs_owners
def test_a_folder_under_one_that_others_may_change_is_not_trusted(tmp_path: Path):
    inner = tmp_path / "open" / "inner"
    inner.mkdir(parents=True, mode=0o700)
    inner.chmod(0o700)
    assert cache_folders.is_private(inner)
    (tmp_path / "open").chmod(0o777)
    assert not cache_folders.is_private(inner)
    (tmp_path / "open").chmod(0o1777)  # sticky: nobody can exchange what belongs to another
    assert cache_folders.is_private(inner)


ONE_KERNEL = """
    import numpy as np
    from PDL1PredictorLib.radiomics.compiled import compiled
    from PDL1PredictorLib.radiomics.features.kernels import assign_gray_levels

    levels = np.empty(3, np.uint16)
    kernel = compiled(assign_gray_levels)
    kernel(np.array([0.0, 30.0, 25.0]), np.array([0.0, 25.0, 50.0]), 25.0, levels)
    print(levels.tolist(), sum(kernel.stats.cache_hits.values()))
"""


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_damaged_cache_is_compiled_again(tmp_path: Path, suffix: str, kept: float):
    assert run(ONE_KERNEL, NUMBA_CACHE_DIR=str(tmp_path)) == "[1, 2, 2] 0"
    (file,) = tmp_path.rglob(f"*{suffix}")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(kept * len(whole))])
    assert run(ONE_KERNEL, NUMBA_CACHE_DIR=str(tmp_path)) == "[1, 2, 2] 0"
    assert run(ONE_KERNEL, NUMBA_CACHE_DIR=str(tmp_path)) == "[1, 2, 2] 1"


def test_a_cache_that_holds_something_else_is_compiled_again(tmp_path: Path):
    run(ONE_KERNEL, NUMBA_CACHE_DIR=str(tmp_path))
    (index,) = tmp_path.rglob("*.nbi")
    index.write_bytes(b"\x80\x04N." * 3)
    assert run(ONE_KERNEL, NUMBA_CACHE_DIR=str(tmp_path)) == "[1, 2, 2] 0"


def test_a_cache_that_cannot_be_kept_costs_time_only(tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert run(ONE_KERNEL, NUMBA_CACHE_DIR=str(tmp_path / "file")).startswith("[1, 2, 2]")


def test_where_numba_finds_no_folder_the_kernel_is_compiled_all_the_same():
    import numba

    from PDL1PredictorLib.radiomics.features.kernels import assign_gray_levels

    def without_a_folder(cache: bool = False, **options: bool):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return numba.njit(**options)

    levels = np.empty(1, np.uint16)
    compiled._njit(SimpleNamespace(njit=without_a_folder), assign_gray_levels)(
        np.array([30.0]), np.array([0.0, 25.0, 50.0]), 25.0, levels
    )
    assert levels.tolist() == [2]


def test_code_that_cannot_be_kept_is_used_all_the_same():
    class Full:
        def save_overload(self, sig: object, data: object) -> None:
            raise OSError(28, "No space left on device")

    compiled._CarefulCache(Full()).save_overload("types", "code")


def without_its_helper(values: np.ndarray, found: np.ndarray) -> None:
    found[0] = _above(values, values, 2, 1.0, 0.0)


def test_a_kernel_that_calls_others_gives_the_same_with_and_without_numba():
    matrix = np.array([[0.3, 0.1, 0.0], [0.1, 0.2, 0.05], [0.0, 0.05, 0.2]])
    marginal = matrix.sum(axis=0)
    rows, columns = np.nonzero(matrix)
    scaled = matrix[rows, columns] / np.sqrt(marginal[rows] * marginal[columns])
    found = []
    for run in (second_eigenvalues, compiled.compiled(second_eigenvalues)):
        value, residual = np.empty(1), np.empty(1)
        run(np.array([0, rows.size]), rows, columns, scaled, 0 * scaled, np.sqrt(marginal)[None], 10, value, residual)
        found.append(float(value[0]))
    whole = matrix / np.sqrt(np.outer(marginal, marginal))
    assert found == pytest.approx([sorted(np.linalg.eigvalsh(whole) ** 2)[-2]] * 2, rel=1e-12)


def test_a_kernel_whose_helper_is_not_named_cannot_be_compiled():
    import numba

    with pytest.raises(numba.core.errors.TypingError, match="_above"):
        compiled.compiled(without_its_helper)(np.zeros(2), np.zeros(1))

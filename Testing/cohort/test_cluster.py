"""Preparing a cohort on a Dask cluster: the same arrays, nothing lost when a worker dies."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.cohort import cluster as cluster_page
from PDL1PredictorLib.cohort.prepare import prepare
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.sources import FileSource
from PDL1PredictorLib.cohort.table import CohortCase
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.radiomics.settings import FeatureSettings

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")

FEATURES = FeatureSettings(name="tiny", classes=("firstorder",), wavelet=None)


@pytest.fixture(scope="module")
def cluster():
    quick = {"distributed.comm.timeouts.connect": "8s"}  # a lost worker is given up after that, not after 30 s
    with (
        dask.config.set(quick),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
        ) as started,
    ):
        yield started


@pytest.fixture(scope="module")
def sources(phantom, tmp_path_factory) -> list[FileSource]:
    """Six cases on disk, where the workers find them too."""
    folder = tmp_path_factory.mktemp("images")
    sitk.WriteImage(phantom.case.tumor, str(folder / "tumor.nrrd"))
    cases = []
    for n in range(6):
        sitk.WriteImage(phantom.case.ct + n, str(folder / f"{n}.nrrd"))
        labels = {"PDL1": n % 2}
        cases.append(
            CohortCase(f"{n}", "p", folder / f"{n}.nrrd", folder / "tumor.nrrd", None, None, Clinical(), labels)
        )
    return [FileSource(case) for case in cases]


def run(sources, cache: Path, **more) -> PreparedCohort:
    return prepare(sources, ("PDL1",), RegionSettings(), FEATURES, cache, **more)


def test_a_worker_that_is_killed_on_the_way_costs_nothing(cluster, sources, tmp_path):
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        victim = next(iter(client.run(os.getpid).values()))
    killed = []

    def kill_after_the_first(stage: str, fraction: float, message: str) -> None:
        if message.startswith("1 of 6"):
            os.kill(victim, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
            killed.append(victim)

    found = run(
        sources, tmp_path / "there", scheduler=cluster.scheduler_address, progress=Progress(kill_after_the_first)
    )
    assert killed == [victim]
    assert found.failed == {}
    here = run(sources, tmp_path / "here", workers=1)
    assert found.names == here.names
    np.testing.assert_array_equal(found.features, here.features)
    np.testing.assert_array_equal(found.patches_hu, here.patches_hu)
    np.testing.assert_array_equal(found.labels, here.labels)


def test_workers_with_another_version_of_the_library_are_refused(cluster, sources, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_page, "__version__", "0.0.1")
    with pytest.raises(InputError, match=r"this machine has 0\.0\.1. Install one version everywhere"):
        run(sources, tmp_path, scheduler=cluster.scheduler_address)


def test_an_address_without_a_scheduler_is_refused(sources, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_page, "CONNECT_S", 0.5)
    with socket.socket() as taken:  # bound but not listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(InputError, match=f"No Dask scheduler answers at {address}"):
            run(sources, tmp_path, scheduler=address)


def test_a_scheduler_without_workers_is_refused(sources, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_page, "WORKER_S", 0.2)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as empty,
        pytest.raises(InputError, match="has no worker"),
    ):
        run(sources, tmp_path, scheduler=empty.scheduler_address)


def test_a_scheduler_that_is_lost_on_the_way_is_told_and_what_is_ready_is_kept(sources, tmp_path, capfd):
    """The scheduler runs in a process of its own, which is killed when the first case has come back."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    host, port = address.split(":")
    start = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", host, "--port", port, "--no-dashboard"]
    work = [sys.executable, "-m", "distributed.cli.dask_worker", f"tcp://{address}", "--nthreads", "1"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    with (
        subprocess.Popen(start, **quiet) as scheduler,
        subprocess.Popen([*work, "--no-nanny", "--no-dashboard"], **quiet) as worker,
    ):

        def kill_after_the_first(stage: str, fraction: float, message: str) -> None:
            if message.startswith("1 of 6"):
                scheduler.kill()

        try:
            with pytest.raises(InputError, match="was lost on the way. The cases that were ready by then are kept"):
                run(sources, tmp_path / "c", scheduler=f"tcp://{address}", progress=Progress(kill_after_the_first))
        finally:
            scheduler.kill()
            worker.kill()
    assert "Traceback" not in capfd.readouterr().err
    ready = len(list((tmp_path / "c" / "features").glob("*.parquet")))
    assert ready >= 1
    told = []
    run(sources, tmp_path / "c", workers=1, progress=Progress(lambda *step: told.append(step[2])))
    assert told[0] == f"{ready} of 6 cases are ready"

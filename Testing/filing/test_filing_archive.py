"""An archive takes what is filed, finds it in the patient's study, and gives the same pixels back."""

import contextlib
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from programs import need_file, need_program

PLUGINS = (
    "/usr/share/orthanc/plugins/libOrthancDicomWeb.so",
    "/usr/lib/orthanc/plugins/libOrthancDicomWeb.so",
    "/usr/local/share/orthanc/plugins/libOrthancDicomWeb.so",
)
PATIENCE = 60.0  # seconds until it must have started
JSON = {"Accept": "application/dicom+json"}


class Archive:
    """Orthanc on two free ports of this machine."""

    def __init__(self, folder: Path) -> None:
        self.web, self.dicom = _free_port(), _free_port()
        self.folder = folder
        settings = {
            "Name": "test",
            "StorageDirectory": str(folder / "storage"),
            "IndexDirectory": str(folder / "storage"),
            "HttpPort": self.web,
            "DicomPort": self.dicom,
            "DicomAet": "ARCHIVE",
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "Plugins": [str(need_file(*PLUGINS))],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }
        (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")

    @contextlib.contextmanager
    def running(self) -> Iterator["Archive"]:
        with (self.folder / "log").open("wb") as log:
            command = [need_program("Orthanc"), str(self.folder / "settings.json")]
            process = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                self._wait(process)
                yield self
            finally:
                process.terminate()
                process.wait(30)

    def _wait(self, process: subprocess.Popen) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                self.ask("system")
                return
            time.sleep(0.1)
        pytest.fail(f"Orthanc did not start: {(self.folder / 'log').read_text(encoding='utf-8', errors='replace')}")

    def ask(self, path: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{self.web}/{path}", data, headers or {})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read()

    def found(self, query: str) -> list[dict]:
        """QIDO-RS."""
        return json.loads(self.ask(f"dicom-web/{query}", headers=JSON))

    def store_by_web(self, files: list[Path]) -> dict:
        """STOW-RS."""
        parts = b"".join(
            b"--border\r\nContent-Type: application/dicom\r\n\r\n" + path.read_bytes() + b"\r\n" for path in files
        )
        headers = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=border', **JSON}
        return json.loads(self.ask("dicom-web/studies", parts + b"--border--\r\n", headers))


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Iterator[Archive]:
    with Archive(tmp_path_factory.mktemp("archive")).running() as one:
        yield one


@pytest.fixture
def files(filed: Path, archive: Archive) -> Iterator[list[Path]]:
    """The objects; the archive is empty again afterwards."""
    yield sorted((filed / "dicom").iterdir())
    for study in json.loads(archive.ask("studies")):
        request = urllib.request.Request(f"http://127.0.0.1:{archive.web}/studies/{study}", method="DELETE")
        urllib.request.urlopen(request, timeout=PATIENCE).close()


def stored(archive: Archive) -> dict[str, pydicom.Dataset]:
    """What the archive gives back, by UID."""
    found = {}
    for number, instance in enumerate(json.loads(archive.ask("instances"))):
        path = archive.folder / f"{number}.dcm"
        path.write_bytes(archive.ask(f"instances/{instance}/file"))
        data = pydicom.dcmread(path)
        found[str(data.SOPInstanceUID)] = data
    return found


def pixels(data: pydicom.Dataset) -> bytes:
    for name in ("PixelData", "FloatPixelData", "EncapsulatedDocument"):
        if name in data:
            return bytes(data[name].value)
    return json.dumps(data.ContentSequence[-1].to_json_dict()).encode()


def require_same(archive: Archive, files: list[Path]) -> None:
    given = {str(data.SOPInstanceUID): data for data in map(pydicom.dcmread, files)}
    back = stored(archive)
    assert back.keys() == given.keys()
    for uid, data in given.items():
        assert pixels(back[uid]) == pixels(data), data.Modality


def test_by_c_store(archive, files):
    command = [need_program("storescu"), "-R", "-aec", "ARCHIVE", "127.0.0.1", str(archive.dicom), *map(str, files)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    require_same(archive, files)


def test_by_dicomweb_and_found_in_the_patients_study(archive, files):
    answer = archive.store_by_web(files)
    assert len(answer["00081199"]["Value"]) == len(files)  # each was taken
    assert "Value" not in answer.get("00081198", {})  # none was refused
    study = str(pydicom.dcmread(files[0]).StudyInstanceUID)
    (one,) = archive.found("studies?PatientID=id-7")
    assert one["0020000D"]["Value"] == [study]
    assert one["00100010"]["Value"][0]["Alphabetic"] == "Müller^Jörg"
    series = archive.found(f"studies/{study}/series?includefield=0008103E")
    assert sorted(row["00080060"]["Value"][0] for row in series) == ["DOC", "OT", "SEG", "SR"]
    assert all(row["0008103E"]["Value"][0].startswith("RESEARCH USE ONLY") for row in series)
    assert archive.found("studies?PatientID=somebody-else") == []
    require_same(archive, files)


def test_what_is_sent_twice_is_kept_once(archive, files):
    archive.store_by_web(files)
    archive.store_by_web(files)
    assert len(json.loads(archive.ask("instances"))) == len(files)

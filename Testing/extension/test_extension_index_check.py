"""What the extensions index checks by program (its check_description_files.py), without its downloads: names, patterns,
pictures, license; and what its reviewers ask of the size.
"""

import json
import random
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
NAME = "PDL1Predictor"
ENTRY = json.loads((ROOT / f"{NAME}.json").read_text(encoding="utf-8"))
CMAKE = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
#: A part of the categories that the index takes, those that could be ours
CATEGORIES = ("Analysis", "Chest Imaging Platform", "Quantification", "Radiotherapy", "Segmentation", "Utilities")
LICENSES = ("LICENSE", "LICENCE", "License.txt", "license.txt", "LICENSE.txt", "COPYING", "COPYING.txt")
PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".gif": "GIF"}
MAX_CHECKOUT_BYTES = 99_950_000  # the index's limit for files and history is 100 MB


def faults(entry: dict[str, object], cmake: str, name: str = NAME) -> list[str]:
    """Everything that the index would refuse, by what can be seen without the internet."""
    address = urlsplit(str(entry.get("scm_url", "")))
    repository = address.path.split("/")[-1].removesuffix(".git")
    projects = re.findall(r"project\s*\(\s*([^\s\)\n\r]+)", cmake, flags=re.IGNORECASE)
    icons = re.findall(r'set\s*\(EXTENSION_ICONURL\s*"([^"]+)"[ ]*\)', cmake, flags=re.IGNORECASE)
    shots = re.findall(r'set\s*\(EXTENSION_SCREENSHOTURLS\s*"([^"]+)"\)', cmake, flags=re.IGNORECASE)
    pictures = [*icons[:1], *(shots[0].split() if shots else [])]
    found = {
        "category": entry.get("category") not in CATEGORIES,
        "scheme": address.scheme not in ("git", "https"),
        "repository name": "slicer" not in repository.lower(),
        "project name": projects[:1] != [name],
        "icon": not icons,
        "screenshots": not shots,
        "http": any(not picture.startswith("http") for picture in pictures),
        "ending": any(Path(urlsplit(picture).path).suffix not in PICTURES for picture in pictures),
    }
    return [what for what, wrong in found.items() if wrong]


def test_the_index_would_take_it():
    assert faults(ENTRY, CMAKE) == []
    assert [name for name in LICENSES if (ROOT / name).is_file()]
    assert all(not dependency.startswith("Slicer") for dependency in ENTRY["build_dependencies"])  # extensions' names


@pytest.mark.parametrize(
    ("what", "entry", "old", "new"),
    [
        ("category", {"category": "Lung"}, "", ""),
        ("scheme", {"scm_url": "git@host.invalid:SlicerPDL1Predictor"}, "", ""),
        ("repository name", {"scm_url": "https://host.invalid/PDL1Predictor.git"}, "", ""),
        ("project name", {}, "project(PDL1Predictor)", "project(SlicerPDL1Predictor)"),
        ("icon", {}, "EXTENSION_ICONURL", "EXTENSION_ICON"),
        ("screenshots", {}, "EXTENSION_SCREENSHOTURLS", "EXTENSION_SCREENSHOTS"),
        ("http", {}, 'ICONURL "https://', 'ICONURL "'),
        ("ending", {}, "report.png", "report"),
    ],
)
def test_what_the_index_refuses_is_seen(what, entry, old, new):
    assert what in faults({**ENTRY, **entry}, CMAKE.replace(old, new) if old else CMAKE)


def test_icon_and_screenshots_are_pictures_of_the_kind_that_their_names_say():
    urls = re.findall(r"https://raw\S+?\.\w+(?=[\s\"])", CMAKE)
    assert len(urls) >= 3
    for url in urls:
        path = ROOT / url.partition("/main/")[2]
        with Image.open(path) as picture:
            assert picture.format == PICTURES[path.suffix]


def packed_bytes(root: Path) -> int | None:
    """What a clone of HEAD brings, packed anew, however this checkout happens to be packed; None without git."""
    command = ["git", "-C", str(root), "pack-objects", "--revs", "--no-reuse-delta", "--stdout", "-q"]
    packed = subprocess.run(command, input=b"HEAD\n", capture_output=True, check=False)
    return None if packed.returncode else len(packed.stdout)


def git(*arguments: str, root: Path = ROOT) -> str:
    return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True).stdout


def test_checkout_and_history_stay_below_the_indexs_limit():
    history = packed_bytes(ROOT)
    if history is None:
        pytest.skip("this is no git checkout")
    names = [name for name in git("ls-files", "-z").split("\0") if name]
    files = sum((ROOT / name).lstat().st_size for name in names if (ROOT / name).exists())
    assert files > 30_000_000  # the models are counted
    assert files + history < MAX_CHECKOUT_BYTES, f"{files / 1e6:.1f} MB of files, {history / 1e6:.1f} MB of history"


def test_history_counts_what_was_deleted_and_not_how_often_it_is_stored(tmp_path):
    def commit(message: str) -> None:
        git("add", "--all", root=tmp_path)
        git("-c", "user.name=n", "-c", "user.email=e@e.invalid", "commit", "-qm", message, root=tmp_path)

    assert packed_bytes(tmp_path) is None
    git("init", "-q", root=tmp_path)
    noise = random.Random(1).randbytes(300_000)
    (tmp_path / "weights").write_bytes(noise)
    commit("weights")
    (tmp_path / "weights").write_bytes(noise[:-9])  # nearly the same again: stored as a second loose object
    commit("weights, shorter")
    (tmp_path / "weights").unlink()
    commit("no weights")
    assert 300_000 < packed_bytes(tmp_path) < 310_000

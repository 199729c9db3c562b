"""The two files of a release, a source distribution and a wheel, byte for byte the same from the same content.

    python Testing/wheel/make_dist.py [FOLDER]        (default: dist)

Built from a copy of what git knows (outside a git checkout: of what is there), so that half-done files and leftovers of
earlier builds stay out; the wheel from the source distribution, so that this holds all that the wheel needs. Nothing is
downloaded. Times, owners, rights and the order of files are fixed; the compressed bytes also depend on Python's zlib
and on the version of setuptools.
"""

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EPOCH = "1580601600"  # of every file inside, in seconds; SOURCE_DATE_EPOCH says another
#: What a source distribution is made of, besides tests and what only Slicer needs.
SOURCES = (
    *("CHANGELOG.md", "CITATION.cff", "LICENSE", "MANIFEST.in", "PDL1PredictorLib", "README.md", "Resources"),
    *("examples", "pyproject.toml", "setup.py"),
)
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_{kind}(sys.argv[1]))"
LEFT_OUT = ("__pycache__", ".egg-info")


def known_files(root: Path) -> list[str]:
    """The files that are packed, relative to the root, sorted."""
    try:
        command = ["git", "-C", str(root), "ls-files", "-z", "--", *SOURCES]
        told = subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8")
    except (OSError, subprocess.CalledProcessError):
        told = ""
    below = (path for part in SOURCES for path in (root / part, *(root / part).rglob("*")))
    names = told.split("\0") if told else [path.relative_to(root).as_posix() for path in below]
    return sorted({name for name in names if (root / name).is_file() and not any(part in name for part in LEFT_OUT)})


def copy_sources(root: Path, target: Path) -> None:
    """Copy what is packed, with the same rights everywhere."""
    for name in known_files(root):
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, place)
        place.chmod(0o644)


def build(kind: str, source: Path, target: Path, epoch: str) -> Path:
    """Let the build backend make one file (`sdist` or `wheel`) from a folder of sources.

    Raises:
        RuntimeError: It failed; its words are in the message.
    """
    target.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch, "PYTHONPATH": "", "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-W", "ignore", "-c", BUILD.format(kind=kind), str(target)]
    done = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"setuptools could not build the {kind}:\n{done.stderr}")
    return target / done.stdout.splitlines()[-1]


def canonical(packed: Path, target: Path, epoch: str) -> Path:
    """A source distribution again, with fixed times, owners, rights and order."""
    content = io.BytesIO()
    with tarfile.open(packed) as before, tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as after:
        for member in sorted(before.getmembers(), key=lambda member: member.name):
            plain = tarfile.TarInfo(member.name)
            plain.type, plain.size, plain.mtime = member.type, member.size, int(epoch)
            plain.mode = 0o755 if member.isdir() else 0o644
            after.addfile(plain, before.extractfile(member) if member.isfile() else None)
    made = target / packed.name
    with made.open("wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=int(epoch)) as stream:
        stream.write(content.getvalue())
    return made


def make(target: Path, root: Path = ROOT) -> tuple[Path, Path]:
    """Make both files.

    Args:
        target: Folder to put them into; files of the same names are replaced.
        root: Of the checkout.

    Returns:
        The source distribution and the wheel.

    Raises:
        RuntimeError: The build backend failed.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", EPOCH)
    before = os.umask(0o022)  # the rights of files inside follow it
    try:
        with tempfile.TemporaryDirectory(prefix="pdl1-dist-") as name:
            folder = Path(name)
            copy_sources(root, folder / "source")
            sdist = canonical(build("sdist", folder / "source", folder / "raw", epoch), folder, epoch)
            with tarfile.open(sdist) as packed:
                packed.extractall(folder / "unpacked", filter="data")
            (unpacked,) = (folder / "unpacked").iterdir()
            wheel = build("wheel", unpacked, folder / "made", epoch)
            target.mkdir(parents=True, exist_ok=True)
            moved = [target / file.name for file in (sdist, wheel)]
            for file, place in zip((sdist, wheel), moved, strict=True):
                shutil.move(file, place)
    finally:
        os.umask(before)
    return moved[0], moved[1]


def main() -> int:
    """Make them; say where they lie."""
    for file in make(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"):
        print(f"{file} ({file.stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())

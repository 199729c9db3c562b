"""Tries all faulty inputs, damaged files and kills, and writes docs/reliability.md: `make reliability`."""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "Testing" / "helpers"), str(Path(__file__).parent)]

from campaign import Job, Outcome, try_each  # noqa: E402 - the paths first
from catalogue import IMAGES, became, judged, prepared  # noqa: E402
from entry import ACCEPTED, REFUSED, REPAIRED, Entry  # noqa: E402
from fuzz import Target, bundle_targets, damaged_jobs, image_targets  # noqa: E402
from inputs_bundles import BUNDLES  # noqa: E402
from kills import SIGNALS, Kill, commands, kill_each  # noqa: E402
from small_model import write_tiny_model  # noqa: E402

PAGE = ROOT / "docs" / "reliability.md"
MUTATIONS, BUNDLE_MUTATIONS, KILLS = 1100, 100, 48

HEAD = """# Reliability

What was tried, and what became of it. One command makes this page: `make reliability` ({minutes} minutes on 2 cores).
The suite holds all inputs of the catalogue, 240 damaged files and 60 damaged bundles (`Testing/reliability`), and ends
commands by signals; the rules are in [input.md](input.md) and [bundle.md](bundle.md).
"""
COUNTS_HEAD = """
## Faulty inputs, by kind

| kind | tried | accepted as it stands | repaired with a warning | refused with the reason |
|---|---|---|---|---|"""
EVERY_HEAD = """
| kind | input | became | what is said |
|---|---|---|---|"""
FUZZ_HEAD = """
## Damaged files

Bits flipped, blocks lost, repeated or zeroed, files cut off, numbers replaced; seeded, the same on every machine.
*Read* means: with the same voxels and geometry where a checksum or redundancy could tell (bold kinds), and with
whatever the file now says where nothing could. No traceback, no crash, nothing over 10 s or 2 GB.

| kind | damaged | refused | read | read with a warning |
|---|---|---|---|---|"""
KILLS_HEAD = """
## Commands ended on the way

At moments drawn over the whole run. Survived: ended within 5 s without a traceback, no process is left, nothing half
made lies there (after SIGKILL: not after the next run), and the same command then works.

| command | Ctrl-C | SIGTERM | SIGKILL | slowest end |
|---|---|---|---|---|"""


def main() -> None:
    """Do it all, and say on the screen what must not be."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        model = write_tiny_model(place / "model of the tests")
        lines = [*_catalogue(place, model), *_fuzz(place, model), *_kills(place, model)]
    minutes = max(round((time.perf_counter() - started) / 60), 1)
    PAGE.write_text("\n".join([HEAD.format(minutes=minutes).rstrip(), *lines]) + "\n", encoding="utf-8")


def _catalogue(folder: Path, model: Path) -> list[str]:
    found = _tried(folder / "images", IMAGES, None) + _tried(folder / "bundles", BUNDLES, model)
    _stop_at(judged(entry, outcome) for entry, outcome in found)
    return [COUNTS_HEAD, *_counts(found), EVERY_HEAD, *(_every(entry, outcome) for entry, outcome in found)]


def _tried(folder: Path, entries: Sequence[Entry], model: Path | None) -> list[tuple[Entry, Outcome]]:
    folder.mkdir()
    return list(zip(entries, try_each(prepared(folder, entries, model)), strict=True))


def _counts(found: Sequence[tuple[Entry, Outcome]]) -> Iterator[str]:
    for kind in dict.fromkeys(entry.kind for entry, _ in found):
        counts = Counter(became(outcome) for entry, outcome in found if entry.kind == kind)
        yield _row(kind, counts.total(), *(counts[name] for name in (ACCEPTED, REPAIRED, REFUSED)))


def _every(entry: Entry, outcome: Outcome) -> str:
    return _row(entry.kind, entry.what, became(outcome), _short(" ".join(outcome.said) or outcome.text))


def _short(text: str) -> str:
    """On one line, without the name of the temporary folder, at most 200 letters."""
    words = " ".join(Path(word).name if tempfile.gettempdir() in word else word for word in text.split())
    cell = words.replace("|", "/")
    return cell if len(cell) <= 200 else cell[:197] + "..."


def _fuzz(folder: Path, model: Path) -> list[str]:
    images, bundles = folder / "damaged", folder / "damaged bundles"
    for place in (images, bundles):
        place.mkdir()
    counts = _damaged(images, image_targets(images), MUTATIONS)
    counts |= _damaged(bundles, bundle_targets(bundles, model), BUNDLE_MUTATIONS)
    return [FUZZ_HEAD, *(_fuzz_row(target, found) for target, found in counts.items())]


def _damaged(folder: Path, targets: list[Target], count: int) -> dict[Target, Counter[str]]:
    counts: dict[Target, Counter[str]] = {target: Counter() for target in targets}
    tried: list[Target] = []

    def jobs() -> Iterator[Job]:
        for target, job in damaged_jobs(folder, targets, count):
            tried.append(target)
            yield job

    for outcome in try_each(jobs()):
        _stop_at([outcome.fault])
        counts[tried[-1]][became(outcome)] += 1
    return counts


def _fuzz_row(target: Target, found: Counter[str]) -> str:
    name = f"**{target.name}**" if target.told else target.name
    return _row(f"{name} ({target.kind})", found.total(), *(found[one] for one in (REFUSED, ACCEPTED, REPAIRED)))


def _kills(folder: Path, model: Path) -> list[str]:
    place = folder / "killed"
    place.mkdir()
    kills = list(kill_each(commands(place, model), KILLS))
    _stop_at(f"{one.command}, {one.how} after {one.after_s:.2f} s: {fault}" for one in kills for fault in one.faults)
    names = dict.fromkeys(kill.command for kill in kills)
    return [KILLS_HEAD, *(_kill_row(name, [kill for kill in kills if kill.command == name]) for name in names)]


def _kill_row(command: str, kills: list[Kill]) -> str:
    cells = []
    for how in SIGNALS:
        these = [kill for kill in kills if kill.how == how]
        cells.append(f"{sum(not kill.faults for kill in these)} of {len(these)}")
    return _row(f"`{command}`", *cells, f"{max(kill.ended_s for kill in kills):.1f} s")


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _stop_at(faults: Iterable[str]) -> None:
    """A page that tells of faults would be read as one that tells of none."""
    found = [fault for fault in faults if fault]
    if found:
        sys.exit("\n".join(["This must not be:", *found]))


if __name__ == "__main__":
    main()

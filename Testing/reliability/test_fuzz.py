"""Damaged files and bundles: refused in plain words, or read with the same values where the damage could be told.

Never a traceback, a hang, a crash, or memory without bounds. The damage is seeded: the same on every machine.
"""

from collections import Counter
from pathlib import Path

import pytest
from campaign import Job, Outcome, try_each
from fuzz import bundle_targets, damaged_jobs, image_targets
from mutations import EVERY, mutated

IMAGES, BUNDLES = 240, 60


def run(folder: Path, targets: list, count: int) -> list[Outcome]:
    return list(try_each(job for _, job in damaged_jobs(folder, targets, count)))


def test_damaged_images_and_masks_are_refused_or_read_as_they_were(tmp_path):
    outcomes = run(tmp_path, image_targets(tmp_path), IMAGES)
    assert [outcome.fault for outcome in outcomes if outcome.fault] == []
    assert Counter(outcome.outcome for outcome in outcomes)["refused"] > IMAGES / 3


def test_damaged_bundles_are_refused_or_answer_as_they_did(tmp_path, tiny_model):
    outcomes = run(tmp_path, bundle_targets(tmp_path, tiny_model), BUNDLES)
    assert [outcome.fault for outcome in outcomes if outcome.fault] == []
    assert Counter(outcome.outcome for outcome in outcomes)["refused"] > BUNDLES / 3


def test_refusals_are_whole_sentences_without_our_inner_words(tmp_path):
    outcomes = run(tmp_path, image_targets(tmp_path), 33)
    for text in (outcome.text.strip() for outcome in outcomes if outcome.outcome == "refused"):
        assert text.endswith("."), text
        assert not any(word in text for word in ("Traceback", "NoneType", "object has no attribute", "itk::")), text


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome(Job("a", "ct", Path("a")), "traceback", "ValueError"), "traceback"),
        (Outcome(Job("a", "ct", Path("a")), "hang"), "hang"),
        (Outcome(Job("a", "ct", Path("a")), "memory"), "memory"),
        (Outcome(Job("a", "ct", Path("a")), "refused", cpu_s=11), "took 11.0 s"),
        (Outcome(Job("a", "ct", Path("a"), sound="1"), "read", digest="2"), "other values"),
    ],
)
def test_what_must_not_happen_is_a_fault(outcome, words):
    assert words in outcome.fault


def test_what_may_happen_is_none():
    job = Job("a", "ct", Path("a"), sound="1")
    assert Outcome(job, "refused", "The file is cut off.").fault == ""
    assert Outcome(job, "read", digest="1").fault == ""
    assert Outcome(Job("a", "ct", Path("a")), "read", digest="2").fault == ""


ENDS_AT_BAD = """
import json, sys
for line in sys.stdin:
    if json.loads(line)["path"] == "bad":
        sys.exit(3)
    print('ANSWER {"outcome": "refused"}', flush=True)
"""


def test_a_reader_that_ends_on_the_way_is_told_and_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr("campaign.READER", tmp_path / "reader.py")
    (tmp_path / "reader.py").write_text(ENDS_AT_BAD, encoding="utf-8")
    jobs = [Job(name, "ct", Path(name)) for name in ("good", "bad", "good")]
    assert [outcome.outcome for outcome in try_each(jobs)] == ["refused", "crash", "refused"]


def test_the_damage_is_the_same_on_every_run_and_never_none():
    content = bytes(range(256)) * 4 + b" 12 -3.5e2 "
    first = [mutated(7, number, content) for number in range(200)]
    assert first == [mutated(7, number, content) for number in range(200)]
    assert all(changed != content for _, changed in first)
    assert {how for how, _ in first} == {mutation.__name__ for mutation in EVERY}

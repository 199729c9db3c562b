"""Every input of the catalogue is refused, repaired with a warning, or accepted as it should be."""

from pathlib import Path

import pytest
from campaign import Outcome, try_each
from catalogue import IMAGES, judged, prepared
from entry import ACCEPTED, REFUSED, REPAIRED, Entry
from inputs_bundles import BUNDLES


def failures(folder: Path, entries: tuple[Entry, ...], model: Path | None = None) -> list[str]:
    """Entries of which something else became than what should."""
    outcomes = try_each(prepared(folder, entries, model))
    return [said for entry, outcome in zip(entries, outcomes, strict=True) if (said := judged(entry, outcome))]


@pytest.mark.parametrize("kind", sorted({entry.kind for entry in IMAGES}))
def test_images_and_masks_become_what_the_rules_say(kind, tmp_path):
    entries = tuple(entry for entry in IMAGES if entry.kind == kind)
    assert {entry.expected for entry in entries} >= {ACCEPTED, REFUSED}
    assert failures(tmp_path, entries) == []


def test_bundles_become_what_the_rules_say(tmp_path, tiny_model):
    assert failures(tmp_path, BUNDLES, tiny_model) == []


def test_another_outcome_than_the_one_that_should_be_is_told(tmp_path):
    job = next(iter(prepared(tmp_path, IMAGES[:1])))
    read = Outcome(job, "read", digest="1", volume_ml=2.0)
    warned = Outcome(job, "read", digest="1", warnings=("mask_rounded",), volume_ml=2.0)

    def entry(expected, word="", volume_ml=None):
        return Entry("k", "w", expected, IMAGES[0].build, word, volume_ml)

    assert judged(entry(ACCEPTED, volume_ml=2.0), read) == ""
    assert "was accepted" in judged(entry(REFUSED), read)
    assert "was accepted" in judged(entry(REPAIRED, "rounded"), read)
    assert judged(entry(REPAIRED, "rounded"), warned) == ""
    assert "says nothing of 'joined'" in judged(entry(REPAIRED, "joined"), warned)
    assert "2.00 mL instead of 4.00" in judged(entry(ACCEPTED, volume_ml=4.0), read)
    assert "says nothing of 'shear'" in judged(entry(REFUSED, "shear"), Outcome(job, "refused", "Cut off."))
    assert "traceback" in judged(entry(REFUSED), Outcome(job, "traceback", "boom"))

"""What Slicer's extensions index reads: PDL1Predictor.json, the top CMakeLists.txt, icon, license, README."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
NAME = "PDL1Predictor"
ENTRY = (ROOT / f"{NAME}.json").read_text(encoding="utf-8")
CMAKE = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SCHEMA_ADDRESS = (
    "https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/slicer-extension-catalog-entry-schema-v1.0.2.json#"
)
TEXT = {"type": "string", "minLength": 1}
#: The rules of version 1.0.2, and what the index's own checks ask besides, in our words
RULES = {
    "type": "object",
    "required": ["$schema", "category", "scm_url"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": SCHEMA_ADDRESS},
        "category": TEXT,
        "scm_url": {"type": "string", "pattern": r"^(https|git)://.+/Slicer[-_]?\w+?(\.git)?$"},
        "scm_revision": TEXT,
        "scm_type": {"enum": ["git", "local"]},
        "build_dependencies": {"type": "array", "items": TEXT},
        "dicom_support_rule": TEXT,
        "build_subdirectory": TEXT,
        "enabled": {"type": "boolean"},
        "tier": {"type": "integer", "minimum": 1, "maximum": 5},
    },
}


def validate(entry: dict[str, Any]) -> None:
    jsonschema.validate(entry, RULES)


def metadata(text: str) -> dict[str, str]:
    """What the index finds in a CMakeLists.txt: one quoted value on one line."""
    return dict(re.findall(r'^set\(EXTENSION_(\w+) "([^"\n]*)"\)$', text, flags=re.MULTILINE))


def file_of(address: str) -> Path:
    """The file of this repository that an address of its raw contents stands for.

    Raises:
        ValueError: The address is of another kind.
    """
    home = urlsplit(metadata(CMAKE)["HOMEPAGE"]).path
    found = re.fullmatch(rf"https://raw\.githubusercontent\.com{re.escape(home)}/main/(.+)", address)
    if found is None:
        raise ValueError(f"{address} is not https://raw.githubusercontent.com{home}/main/...")
    return ROOT / found[1]


def test_the_entry_keeps_the_rules_of_the_schema():
    validate(json.loads(ENTRY))
    assert "\r" not in ENTRY


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"$schema": "https://elsewhere.invalid/schema.json"}, "was expected"),
        ({"category": 7}, "not of type 'string'"),
        ({"scm_url": "https://host.invalid/PDL1Predictor.git"}, "does not match"),
        ({"scm_url": "git@host.invalid:SlicerPDL1Predictor.git"}, "does not match"),
        ({"build_dependencies": "PyTorch"}, "not of type 'array'"),
        ({"tier": 6}, "greater than the maximum"),
        ({"homepage": "https://host.invalid"}, "Additional properties are not allowed"),
    ],
)
def test_an_entry_that_breaks_a_rule_is_refused(change, message):
    with pytest.raises(jsonschema.ValidationError, match=message):
        validate({**json.loads(ENTRY), **change})


def test_a_missing_address_is_refused():
    entry = json.loads(ENTRY)
    del entry["scm_url"]
    with pytest.raises(jsonschema.ValidationError, match="'scm_url' is a required property"):
        validate(entry)


def test_entry_and_cmake_say_the_same():
    entry, found = json.loads(ENTRY), metadata(CMAKE)
    assert re.search(r"^project\(PDL1Predictor\)$", CMAKE, flags=re.MULTILINE)  # the entry's file name
    assert entry["category"] == found["CATEGORY"]
    assert entry["scm_url"].removesuffix(".git") == found["HOMEPAGE"]
    assert entry["build_dependencies"] == [name for name in found["DEPENDS"].split() if name != "NA"]
    assert found["DEPENDS"] == "NA"  # a GPU needs the extension PyTorch, and the window says so then


def test_icon_and_screenshots_are_files_of_this_repository():
    found = metadata(CMAKE)
    with Image.open(file_of(found["ICONURL"])) as icon:
        assert icon.size == (128, 128)
        assert icon.format == "PNG"
    screenshots = found["SCREENSHOTURLS"].split()
    assert len(screenshots) >= 2
    for address in screenshots:
        assert file_of(address).is_file(), f"{address}: make screenshots writes it"
        assert file_of(address).stat().st_size < 300_000


def test_an_address_elsewhere_is_refused():
    with pytest.raises(ValueError, match="is not https://raw.githubusercontent.com"):
        file_of("https://host.invalid/picture.png")


def test_what_does_not_stand_on_one_line_is_not_found():
    assert "DESCRIPTION" in metadata(CMAKE)
    assert "DESCRIPTION" not in metadata(CMAKE.replace('EXTENSION_DESCRIPTION "', 'EXTENSION_DESCRIPTION\n  "'))


def test_the_readme_has_what_the_index_asks_of_a_home_page():
    assert README.startswith(f"# {NAME}\n")
    assert "Apache-2.0" in README
    assert "docs/slicer.md" in README
    assert "Sample Data" in README
    assert re.search(r"^## Cite", README, flags=re.MULTILINE)
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).is_file(), picture
    assert (ROOT / "LICENSE").is_file()

"""What `pdl1 survival` leaves behind: a report and its numbers as JSON; no row of the table is in either."""

import json
from pathlib import Path
from typing import Any

from PDL1PredictorLib.study.survival.page import to_html

JSON_NAME, HTML_NAME = "survival.json", "survival.html"


def write_survival(document: dict[str, Any], folder: Path) -> None:
    """Write `survival.json` and `survival.html` into a folder that exists."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / JSON_NAME).write_text(text + "\n", encoding="utf-8", newline="\n")
    (folder / HTML_NAME).write_text(to_html(document), encoding="utf-8", newline="\n")

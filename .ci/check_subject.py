"""Refuses a commit whose subject is too long: `python .ci/check_subject.py FILE`, a hook of git's commit-msg."""

import sys
from pathlib import Path

LONGEST = 72


def fault(message: str) -> str:
    """What is wrong with a commit's message, or nothing; lines that begin with # are git's own."""
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    subject = lines[0].strip() if lines else ""
    if not subject:
        return "The commit has no subject. Say in one line what it does."
    if len(subject) > LONGEST:
        return f"The subject has {len(subject)} letters, {LONGEST} at most. Put the reason into the body."
    if len(lines) > 1 and lines[1].strip():
        return "Leave the second line empty: git takes what follows it for the body."
    return ""


if __name__ == "__main__":
    sys.exit(fault(Path(sys.argv[1]).read_text(encoding="utf-8")) or 0)

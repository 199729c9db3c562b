"""Labels that follow from a pathologist's words: the T stage of the resected tumor and its histology."""

STAGES = ("TIS", "T1", "T2", "T3", "T4")
T2 = STAGES.index("T2")


def labels_of_pathology(stage: str, histology: str) -> dict[str, str]:
    """Labels `T4`, `PT2` and `SQUAMOUS` as cells of a table: "1", "0", or "" where the words do not say.

    Args:
        stage: Pathological T stage such as `T2a`, `pT1b` or `Tis`; carcinoma in situ counts below T1.
        histology: Such as `adenocarcinoma`. Neither of the two kinds, or both at once, leaves the label empty.
    """
    word = stage.strip().upper().removeprefix("P")
    found = next((place for place, name in enumerate(STAGES) if word.startswith(name)), None)
    return {
        "T4": "" if found is None else str(int(STAGES[found] == "T4")),
        "PT2": "" if found is None else str(int(found >= T2)),
        "SQUAMOUS": _squamous(histology.strip().lower()),
    }


def _squamous(words: str) -> str:
    squamous, adenocarcinoma = "squamous" in words, "adenocarcinoma" in words
    if squamous == adenocarcinoma or "adenosquamous" in words:
        return ""
    return str(int(squamous))

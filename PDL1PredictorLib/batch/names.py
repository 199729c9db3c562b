"""The folder of each case: its name, without what some system forbids, and none twice."""

import re
from collections.abc import Iterable

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]+')
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
LONGEST = 100  # letters


def folder_names(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """A folder for each case, in their order; the same names give the same folders.

    Args:
        names: Of the cases.
        taken: Names of other files in the same place.
    """
    used = {name.lower() for name in taken}
    return [_free(_plain(name), used) for name in names]


def _plain(name: str) -> str:
    plain = _FORBIDDEN.sub("_", name).strip(" .")[:LONGEST].rstrip(" .") or "case"
    return f"{plain}_" if plain.lower() in _DEVICES else plain


def _free(plain: str, used: set[str]) -> str:
    chosen, number = plain, 2
    while chosen.lower() in used:
        chosen, number = f"{plain} ({number})", number + 1
    used.add(chosen.lower())
    return chosen

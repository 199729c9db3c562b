"""On PYTHONPATH, this folder plays an installation of `pdl1predictor` without extras.

The packages that the variable PDL1_WITHOUT names are not found.
"""

import os
import sys

WITHOUT = frozenset(os.environ.get("PDL1_WITHOUT", "").split())


class Missing:
    """Asked first of all finders."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in WITHOUT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing)

"""Prepared cases on disk: for each its features (Parquet) and its pictures (npz), whole or not at all.

The features are written last: a case whose features are there is ready, whenever the run was killed.
"""

import hashlib
import io
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from PDL1PredictorLib import __version__
from PDL1PredictorLib.cohort.preparation import Preparation
from PDL1PredictorLib.cohort.sources import Labels
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.files.output import whole_file
from PDL1PredictorLib.core.results import CaseWarning

FORMAT = 6  # of the files; another number makes older ones unknown
FACTS = ("labels", "clinical", "warnings")


@dataclass(frozen=True, eq=False)
class PreparedCase:
    """What training sees of one case.

    Attributes:
        features: (f,), NaN where undefined; none where none are needed.
        pictures: Arrays by name of the block, without the axis of the cases; see `PreparedCohort.blocks`.
        labels: As the source gave them.
        clinical: As the files say.
        warnings: What must be known of the case: of reading, of the choice of the tumor, of its regions.
        ct_sha256: Of the CT's voxels and grid: tells the case again in other files; empty where it was not kept.
    """

    features: np.ndarray
    pictures: Mapping[str, np.ndarray]
    labels: Labels
    clinical: Clinical
    warnings: tuple[CaseWarning, ...] = ()
    ct_sha256: str = ""


class CaseCache:
    """A folder of prepared cases, by key of the case and settings.

    Args:
        folder: Made where it is missing; safe to delete.
        how: What is made of the cases; another way has files of its own.
    """

    def __init__(self, folder: Path, how: Preparation) -> None:
        self._folder = folder
        self._names = how.feature_names
        settings = [FORMAT, __version__, how.to_dict()]
        self._settings = json.dumps(settings, sort_keys=True)
        self._suffix = hashlib.sha256(self._settings.encode()).hexdigest()[:12]

    def sweep(self) -> None:
        """Remove what a killed run left half written; only while no other run works here."""
        for draft in self._folder.glob("*/.*.part"):
            shutil.rmtree(draft, ignore_errors=True)

    def has(self, key: str) -> bool:
        """Whether the case was written; it may have been damaged since."""
        return self._features_file(key).exists()

    def write(self, key: str, case: PreparedCase) -> None:
        """Keep a case.

        Raises:
            OutputError: It could not be written, for example because the disk is full; nothing is left half written.
        """
        arrays = io.BytesIO()
        np.savez_compressed(arrays, **case.pictures)  # type: ignore[arg-type]  # the stubs know one keyword only
        _put(self._pictures_file(key), arrays.getvalue())
        facts = {
            "labels": json.dumps(case.labels),
            "clinical": json.dumps(case.clinical.to_dict()),
            "settings": self._settings,
            "warnings": json.dumps([warning.to_dict() for warning in case.warnings]),
            "ct_sha256": json.dumps(case.ct_sha256),
        }
        table = pa.table(
            {"feature": pa.array(self._names, pa.string()), "value": case.features}
        ).replace_schema_metadata(facts)
        content = io.BytesIO()
        parquet.write_table(table, content, write_page_checksum=True)
        _put(self._features_file(key), content.getvalue())

    def read(self, key: str) -> PreparedCase | None:
        """A case, or None where its files are missing or damaged."""
        try:
            content = pa.BufferReader(self._features_file(key).read_bytes())
            table = parquet.ParquetFile(content, page_checksum_verification=True).read()
            facts = {name: json.loads(table.schema.metadata[name.encode()]) for name in FACTS}
            ct_sha256 = json.loads(table.schema.metadata.get(b"ct_sha256", '""'))  # not kept from the first
            warnings = tuple(CaseWarning(**told) for told in facts["warnings"])
            with np.load(io.BytesIO(self._pictures_file(key).read_bytes()), allow_pickle=False) as stored:
                pictures = {name: stored[name] for name in stored.files}
            if tuple(table["feature"].to_pylist()) != self._names:
                return None
            values = table["value"].to_numpy()
            clinical = Clinical(**facts["clinical"])
            return PreparedCase(values, pictures, facts["labels"], clinical, warnings, str(ct_sha256))
        except Exception:  # a damaged file may fail in any way that its readers know; it is made again
            return None

    def _features_file(self, key: str) -> Path:
        return self._folder / "features" / f"{key}-{self._suffix}.parquet"

    def _pictures_file(self, key: str) -> Path:
        return self._folder / "patches" / f"{key}-{self._suffix}.npz"


def _put(path: Path, content: bytes) -> None:
    with whole_file(path, overwrite=True) as draft:
        draft.write_bytes(content)

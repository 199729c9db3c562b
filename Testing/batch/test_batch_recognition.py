"""What a case of a batch is known by: filled gaps make another case, and nothing changes for those without."""

from dataclasses import replace
from pathlib import Path

from PDL1PredictorLib.batch.recognition import key_of
from PDL1PredictorLib.batch.request import BatchRequest
from PDL1PredictorLib.imaging.case_files import Files


def test_filled_gaps_are_another_case_and_the_others_keep_their_key(tmp_path: Path):
    for name in ("ct", "mask"):
        (tmp_path / name).write_bytes(name.encode())
    files = Files(tmp_path / "ct", tmp_path / "mask")
    request = BatchRequest(tmp_path / "model", tmp_path / "out")
    plain = key_of(files, request, "0" * 64)
    assert key_of(replace(files, fill_gaps=False), request, "0" * 64) == plain
    assert key_of(replace(files, fill_gaps=True), request, "0" * 64) != plain
